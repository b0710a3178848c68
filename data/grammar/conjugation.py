"""French conjugation: rules for the regular groups, a table for the irregular verbs.

A *person* is an index from 0 to 5: je, tu, il, nous, vous, ils.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

IMPERFECT = ("ais", "ais", "ait", "ions", "iez", "aient")
FUTURE = ("ai", "as", "a", "ons", "ez", "ont")
DOUBLING = ("appeler", "jeter", "épeler")
CONSONANT = "bcdfghjklmnpqrstvwxzç"


class Conjugator:
    """Conjugates simple tenses and participles of French verbs."""

    def __init__(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Keep the table of irregular verbs (one row per verb or per model)."""
        self._table = {row["infinitive"]: row for row in rows}

    def _irregular(self, infinitive: str, cell: str) -> str:
        """A cell of the table, "" for a regular verb.

        A verb with a model swaps the beginning that differs: comprendre is prendre with com- in front,
        sortir is partir with so- for pa-.
        """
        row = self._table.get(infinitive)
        if row is None or not row["model"]:
            return "" if row is None else row[cell]
        model = row["model"]
        shared = 0
        while infinitive[-shared - 1 :][:1] == model[-shared - 1 :][:1] and shared < len(model):
            shared += 1
        old, new = model[: len(model) - shared], infinitive[: len(infinitive) - shared]
        forms = self._table[model][cell].split()
        return " ".join(new + form.removeprefix(old) for form in forms)

    def present(self, infinitive: str) -> list[str]:
        """Six forms of the present: manger gives mange, manges, mange, mangeons, mangez, mangent."""
        listed = self._irregular(infinitive, "present")
        if listed:
            return listed.split(" ")
        stem = infinitive[:-2]
        if infinitive.endswith("er"):
            weak = _weak_stem(infinitive)
            soft = _soften(stem)
            return [weak + "e", weak + "es", weak + "e", soft + "ons", stem + "ez", weak + "ent"]
        if infinitive.endswith("ir"):
            return [stem + end for end in ("is", "is", "it", "issons", "issez", "issent")]
        if infinitive.endswith("re"):
            return [stem + end for end in ("s", "s", "", "ons", "ez", "ent")]
        raise ValueError(f"not an infinitive: {infinitive}")

    def imperfect(self, infinitive: str) -> list[str]:
        """The nous form of the present without -ons, plus -ais: nous mangeons gives je mangeais."""
        listed = self._irregular(infinitive, "imperfect_stem")
        stem = listed or self.present(infinitive)[3].removesuffix("ons")
        hard = infinitive[:-2] if infinitive.endswith(("ger", "cer")) else stem
        return [(hard if end.startswith("i") else stem) + end for end in IMPERFECT]

    def _future_stem(self, infinitive: str) -> str:
        """The stem shared by the future and the conditional: aller gives ir-, acheter achèter-."""
        listed = self._irregular(infinitive, "future_stem")
        if listed:
            return listed
        if infinitive.endswith("re"):
            return infinitive[:-1]
        if infinitive.endswith("er") and not re.search(f"é[{CONSONANT}]+er$", infinitive):
            return _weak_stem(infinitive) + "er"
        return infinitive

    def future(self, infinitive: str) -> list[str]:
        """Six forms of the future: être gives serai, seras, sera, serons, serez, seront."""
        return [self._future_stem(infinitive) + end for end in FUTURE]

    def conditional(self, infinitive: str) -> list[str]:
        """The future stem with the endings of the imperfect: pouvoir gives pourrais."""
        return [self._future_stem(infinitive) + end for end in IMPERFECT]

    def participle(self, infinitive: str) -> str:
        """The masculine singular past participle: finir gives fini, vendre vendu, mettre mis."""
        listed = self._irregular(infinitive, "participle")
        if listed:
            return listed
        ending = {"er": "é", "ir": "i", "re": "u"}[infinitive[-2:]]
        return infinitive[:-2] + ending

    def imperative(self, infinitive: str, person: int) -> str:
        """The nous (3) or vous (4) imperative: être gives soyons and soyez."""
        listed = self._irregular(infinitive, "imperative_vous")
        if listed:
            return listed if person == 4 else listed.removesuffix("ez") + "ons"
        return self.present(infinitive)[person]

    def forms(self, infinitive: str, tense: str) -> list[str]:
        """Six forms of one of the simple tenses, by name."""
        if tense == "present":
            return self.present(infinitive)
        if tense == "imperfect":
            return self.imperfect(infinitive)
        if tense == "future":
            return self.future(infinitive)
        if tense == "conditional":
            return self.conditional(infinitive)
        raise ValueError(f"unknown tense: {tense}")


def _soften(stem: str) -> str:
    """Keep the sound of g and c before a or o: mang- gives mange-, commenc- commenç-."""
    if stem.endswith("g"):
        return stem + "e"
    if stem.endswith("c"):
        return stem[:-1] + "ç"
    return stem


def _weak_stem(infinitive: str) -> str:
    """The stem of an -er verb before a mute e: appeler appell-, acheter achèt-, nettoyer nettoi-."""
    stem = infinitive[:-2]
    if infinitive.endswith(DOUBLING):
        return stem + stem[-1]
    found = re.search(f"(e[{CONSONANT}]|é[{CONSONANT}]+)er$", infinitive)
    if found:
        return infinitive[: found.start()] + "è" + found.group(1)[1:]
    if stem.endswith("y"):
        return stem[:-1] + "i"
    return stem
