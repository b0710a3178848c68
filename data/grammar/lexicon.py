"""Load the bilingual lexicon: one dataclass per part of speech, one TSV file per kind of word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grammar import english, french
from grammar.conjugation import Conjugator
from grammar.tsv import read_tsv


@dataclass(frozen=True)
class Noun:
    """A noun in both languages, with its gender, its grammatical kind and its semantic tags."""

    en: str
    en_plural: str
    fr: str
    fr_plural: str
    feminine: bool
    kind: str
    tags: frozenset[str]
    fr_feminine: str

    @property
    def uid(self) -> str:
        """The name of this entry in the list of held-out combinations."""
        return f"noun:{self.en}"

    def has(self, wanted: frozenset[str]) -> bool:
        """True when the noun carries one of the tags, or is itself listed by its English form."""
        return bool(self.tags & wanted) or self.en in wanted


@dataclass(frozen=True)
class Verb:
    """A verb in both languages: forms, governed prepositions and the nouns it may combine with."""

    head: str
    tail: str
    past: str
    participle: str
    en_ing: str
    preposition: str
    fr: str
    fr_tail: str
    reflexive: bool
    auxiliary: str
    fr_preposition: str
    subjects: frozenset[str]
    objects: frozenset[str]
    flags: frozenset[str]
    place: str

    @property
    def uid(self) -> str:
        """The name of this entry: English verb with its particle or preposition, then the French one."""
        words = " ".join(word for word in (self.head, self.tail, self.preposition) if word)
        governed = f" {self.fr_preposition}" if self.fr_preposition else ""
        return f"verb:{words}/{'se ' if self.reflexive else ''}{self.fr}{governed}"

    @property
    def stative(self) -> bool:
        """A state has no progressive, and its English simple past is a French imparfait."""
        return "stative" in self.flags


@dataclass(frozen=True)
class Governor:
    """A verb followed by an infinitive: try to, essayer de."""

    verb: Verb
    link: str
    fr_link: str

    @property
    def uid(self) -> str:
        """The name of this entry."""
        return f"{self.verb.uid} +{self.fr_link}"


@dataclass(frozen=True)
class Adjective:
    """An adjective in both languages, with its French forms and place."""

    en: str
    masculine: str
    feminine: str
    masculine_plural: str
    before_vowel: str
    before_noun: bool
    degree: str
    attributive: frozenset[str]
    predicative: frozenset[str]

    @property
    def uid(self) -> str:
        """The name of this entry in the list of held-out combinations."""
        return f"adj:{self.en}"

    def form(self, is_feminine: bool, is_plural: bool) -> str:
        """The form that agrees: beau, belle, beaux, belles."""
        if self.masculine == self.feminine == self.masculine_plural:
            return self.masculine
        if is_feminine:
            return french.plural(self.feminine) if is_plural else self.feminine
        return self.masculine_plural if is_plural else self.masculine


@dataclass(frozen=True)
class Name:
    """A first name that both languages share."""

    text: str
    feminine: bool

    @property
    def uid(self) -> str:
        """The name of this entry."""
        return f"name:{self.text}"


@dataclass(frozen=True)
class Fixed:
    """A word or phrase with one translation and some classes: "every day", "tous les jours"."""

    en: str
    fr: str
    classes: frozenset[str]

    @property
    def uid(self) -> str:
        """The name of this entry."""
        return f"fixed:{self.en}"


@dataclass(frozen=True)
class Place:
    """How a noun becomes a place: at the station, à la gare; in the garden, dans le jardin."""

    noun: Noun
    en_at: str
    fr_at: str
    fr_to: str
    classes: frozenset[str]

    @property
    def uid(self) -> str:
        """The name of the noun."""
        return self.noun.uid


@dataclass(frozen=True)
class Country:
    """A country with its gender and number."""

    en: str
    fr: str
    feminine: bool
    plural: bool
    language: str

    @property
    def uid(self) -> str:
        """The name of this entry."""
        return f"country:{self.en}"


@dataclass(frozen=True)
class Number:
    """A number in words."""

    value: int
    en: str
    fr: str

    @property
    def uid(self) -> str:
        """The name of this entry."""
        return f"number:{self.en}"


def _tags(cell: str) -> frozenset[str]:
    """Split a cell of tags; "@police_officer" stands for the noun police officer."""
    return frozenset(tag.removeprefix("@").replace("_", " ") for tag in cell.split())


class Lexicon:
    """All entries, and the conjugation tables."""

    def __init__(self, folder: Path) -> None:
        """Read every TSV file of the folder."""
        self.conjugator = Conjugator(read_tsv(folder / "conjugations.tsv"))
        self.nouns = [_noun(row) for row in read_tsv(folder / "nouns.tsv")]
        self.noun = {noun.en: noun for noun in self.nouns}
        self.verbs = [_verb(row) for row in read_tsv(folder / "verbs.tsv")]
        self.adjectives = [_adjective(row) for row in read_tsv(folder / "adjectives.tsv")]
        self.adjective = {adjective.en: adjective for adjective in self.adjectives}
        self.names = [Name(row["name"], row["gender"] == "f") for row in read_tsv(folder / "names.tsv")]
        self.adverbials = [_fixed(row) for row in read_tsv(folder / "adverbials.tsv")]
        self.calendar = [_fixed(row) for row in read_tsv(folder / "calendar.tsv")]
        self.cities = [Fixed(row["en"], row["fr"], frozenset()) for row in read_tsv(folder / "cities.tsv")]
        self.countries = [
            Country(row["en"], row["fr"], row["gender"] == "f", row["number"] == "p", row["language"])
            for row in read_tsv(folder / "countries.tsv")
        ]
        self.numbers = [
            Number(int(row["value"]), row["en"], french.register(row["fr"])) for row in read_tsv(folder / "numbers.tsv")
        ]
        self.governors = [_governor(row) for row in read_tsv(folder / "governors.tsv")]
        self.causes = read_tsv(folder / "causes.tsv")
        self.effects = read_tsv(folder / "effects.tsv")
        self.places = [
            Place(self.noun[row["noun"]], row["en_at"], row["fr_at"], row["fr_to"], _tags(row["classes"]))
            for row in read_tsv(folder / "places.tsv")
        ]

    def nouns_with(self, *tags: str) -> list[Noun]:
        """The nouns that carry one of the tags (or are named), in the order of the file."""
        wanted = frozenset(tags)
        return [noun for noun in self.nouns if noun.has(wanted)]

    def fixed(self, *classes: str) -> list[Fixed]:
        """The adverbials of one of the classes."""
        wanted = frozenset(classes)
        return [item for item in self.adverbials if item.classes & wanted]

    def dated(self, group: str) -> list[Fixed]:
        """The days, months or seasons."""
        return [item for item in self.calendar if group in item.classes]

    def find_verb(self, english_words: str, french_verb: str = "", noun: Noun | None = None) -> Verb:
        """The verb with this English form ("look for"), this French infinitive and this object if they matter."""
        for verb in self.verbs:
            if noun is not None and not noun.has(verb.objects):
                continue
            infinitive = f"se {verb.fr}" if verb.reflexive else verb.fr
            words = " ".join(word for word in (verb.head, verb.tail, verb.preposition) if word)
            if words == english_words and french_verb in ("", infinitive):
                return verb
        raise KeyError(english_words)


def _noun(row: dict[str, str]) -> Noun:
    """Build a noun; empty plurals are regular."""
    fr = french.register(row["fr"])
    already_plural = row["kind"] in ("p", "kp")
    return Noun(
        en=row["en"],
        en_plural=row["en_plural"] or (row["en"] if already_plural else english.plural(row["en"])),
        fr=fr,
        fr_plural=french.register(row["fr_plural"]) or french.plural(fr),
        feminine=row["gender"] == "f",
        kind=row["kind"],
        tags=_tags(row["tags"]),
        fr_feminine=row["fr_feminine"],
    )


def _verb(row: dict[str, str]) -> Verb:
    """Build a verb; empty past forms are regular."""
    head, _, tail = row["en"].partition(" ")
    double = "double" in row["flags"].split()
    past = row["past"].partition(" ")[0] or english.regular_past(head, double)
    infinitive = row["fr"]
    reflexive = infinitive.startswith(("se ", "s'"))
    bare = infinitive.removeprefix("se ").removeprefix("s'")
    fr, _, fr_tail = bare.partition(" ")
    return Verb(
        head=head,
        tail=tail,
        past=past,
        participle=row["participle"].partition(" ")[0] or past,
        en_ing=english.ing(head, double),
        preposition=row["en_prep"],
        fr=fr,
        fr_tail=fr_tail,
        reflexive=reflexive,
        auxiliary=row["auxiliary"],
        fr_preposition=row["fr_prep"],
        subjects=_tags(row["subject"]),
        objects=_tags(row["object"]),
        flags=frozenset(row["flags"].split()),
        place=row["place"],
    )


def _fixed(row: dict[str, str]) -> Fixed:
    """Build a word or phrase with one translation."""
    return Fixed(row["en"], row["fr"], _tags(row["class"]))


def _governor(row: dict[str, str]) -> Governor:
    """Build a verb that governs an infinitive from the columns it shares with other verbs."""
    blank = {"subject": "p", "object": "", "en_prep": "", "fr_prep": "", "place": ""}
    return Governor(_verb({**row, **blank}), row["link"], row["fr_link"])


def _adjective(row: dict[str, str]) -> Adjective:
    """Build an adjective; empty forms are regular."""
    masculine = french.register(row["fr"])
    invariable = row["position"] == "invariable"
    feminine = french.register(row["fr_feminine"]) or (masculine if invariable else french.feminine(masculine))
    return Adjective(
        en=row["en"],
        masculine=masculine,
        feminine=feminine,
        masculine_plural=row["fr_plural"] or (masculine if invariable else french.plural(masculine)),
        before_vowel=french.register(row["fr_before_vowel"]) or masculine,
        before_noun=row["position"] == "before",
        degree=row["degree"],
        attributive=_tags(row["attributive"]),
        predicative=_tags(row["predicative"]),
    )
