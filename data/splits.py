"""Divide the corpus: held-out combinations, sets stratified by length, phrasebook relatives."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from grammar import english
from grammar.chooser import Chooser
from grammar.lexicon import Adjective, Lexicon, Noun, Verb

BANDS = ((1, 3), (4, 5), (6, 7), (8, 9), (10, 11), (12, 99))
"""Source lengths in words; each band has its share of the validation and test sets."""

BAND_FLOOR = 70
HELD_OUT_PAIRS = 170
HELD_OUT_TEST = 400
HELD_OUT_VALID = 250
PHRASES = 20


@dataclass(frozen=True)
class Example:
    """One line of the corpus, with the lexicon entries it uses and its key without punctuation."""

    en: str
    fr: str
    construction: str
    entries: frozenset[str]
    key: str

    @property
    def length(self) -> int:
        """Source words."""
        return len(self.en.split())


@dataclass(frozen=True)
class HeldOut:
    """A lexicon entry and a construction that never meet in the training set."""

    construction: str
    uid: str


def normalize(text: str) -> str:
    """Lower case without punctuation: the key that tells two source sentences apart."""
    return " ".join(re.sub(r"[^\w\s]", "", text.lower()).split())


def entry_forms(entry: Noun | Verb | Adjective) -> frozenset[str]:
    """The English words by which one recognizes an entry in a sentence."""
    if isinstance(entry, Noun):
        return frozenset({entry.en, entry.en_plural})
    if isinstance(entry, Verb):
        return frozenset({entry.head, entry.past, entry.participle, entry.en_ing, english.third_person(entry.head)})
    graded = {english.graded(entry.en, entry.degree, best) for best in (False, True)}
    return frozenset({entry.en} | graded)


def held_out_entries(lexicon: Lexicon) -> dict[str, Noun | Verb | Adjective]:
    """Nouns, verbs and adjectives by name."""
    known: dict[str, Noun | Verb | Adjective] = {}
    for noun in lexicon.nouns:
        known[noun.uid] = noun
    for verb in lexicon.verbs:
        known[verb.uid] = verb
    for adjective in lexicon.adjectives:
        known[adjective.uid] = adjective
    return known


def mentions(key: str, forms: frozenset[str]) -> bool:
    """True when one of the forms stands in a normalized sentence as whole words."""
    padded = f" {key} "
    return any(f" {form.lower()} " in padded for form in forms)


def choose_held_out(examples: list[Example], lexicon: Lexicon, chooser: Chooser) -> list[HeldOut]:
    """Pick combinations of an entry and a construction, both well known apart from each other.

    An entry is taken at most once, a construction at most four times. A combination counts only when
    the English words of the entry appear in the construction through that entry alone.
    """
    known = held_out_entries(lexicon)
    together: Counter[tuple[str, str]] = Counter()
    spread: dict[str, set[str]] = defaultdict(set)
    variety: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        for uid in sorted(example.entries & known.keys()):
            together[(example.construction, uid)] += 1
            spread[uid].add(example.construction)
            variety[example.construction].add(uid)
    candidates = [
        HeldOut(construction, uid)
        for (construction, uid), count in sorted(together.items())
        if 2 <= count <= 9 and len(spread[uid]) >= 8 and len(variety[construction]) >= 30
    ]
    chooser.shuffle(candidates)
    by_construction: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_construction[example.construction].append(example)
    chosen: list[HeldOut] = []
    per_construction: Counter[str] = Counter()
    seen: set[str] = set()
    for item in candidates:
        if len(chosen) == HELD_OUT_PAIRS:
            break
        if item.uid in seen or per_construction[item.construction] == 4:
            continue
        forms = entry_forms(known[item.uid])
        strangers = [
            example
            for example in by_construction[item.construction]
            if item.uid not in example.entries and mentions(example.key, forms)
        ]
        if strangers:
            continue
        seen.add(item.uid)
        per_construction[item.construction] += 1
        chosen.append(item)
    return sorted(chosen, key=lambda item: (item.construction, item.uid))


def band(example: Example) -> int:
    """The number of the length band."""
    return next(number for number, (low, high) in enumerate(BANDS) if low <= example.length <= high)


def band_quotas(examples: list[Example], size: int) -> list[int]:
    """Shares in proportion to the corpus, but never below the floor; they add up to the size."""
    counts = Counter(band(example) for example in examples)
    quotas = [max(BAND_FLOOR, size * counts[number] // len(examples)) for number in range(len(BANDS))]
    largest = quotas.index(max(quotas))
    quotas[largest] += size - sum(quotas)
    return quotas


def split(
    examples: list[Example], held_out: list[HeldOut], chooser: Chooser, size: int
) -> tuple[list[Example], list[Example], list[Example]]:
    """Train, valid and test; all sentences that share a French translation stay in one set."""
    banned = {(item.construction, item.uid) for item in held_out}
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.fr, []).append(example)
    composed: list[list[Example]] = []
    plain: list[list[Example]] = []
    for group in groups.values():
        unseen = any((example.construction, uid) in banned for example in group for uid in example.entries)
        (composed if unseen else plain).append(group)
    chooser.shuffle(composed)
    chooser.shuffle(plain)
    quotas = band_quotas(examples, size)
    sets: list[list[Example]] = [[], []]
    for number, limit in ((0, HELD_OUT_TEST), (1, HELD_OUT_VALID)):
        room = quotas.copy()
        rest = []
        for group in composed:
            fits = len(sets[number]) + len(group) <= limit and room[band(group[0])] >= len(group)
            if fits and len({band(example) for example in group}) == 1:
                sets[number].extend(group)
                room[band(group[0])] -= len(group)
            else:
                rest.append(group)
        composed = rest
        remaining = []
        for group in plain:
            if len(group) == 1 and room[band(group[0])] > 0:
                sets[number].append(group[0])
                room[band(group[0])] -= 1
            else:
                remaining.append(group)
        plain = remaining
    train = [example for group in plain for example in group]
    return train, sets[1], sets[0]


def relatives(phrases: list[Example]) -> list[Example]:
    """Phrases that have a close relative, another phrase that shares most of its words."""
    words = [frozenset(phrase.key.split()) for phrase in phrases]
    found = []
    for index, phrase in enumerate(phrases):
        close = [
            other
            for other in range(len(phrases))
            if other != index
            and phrases[other].key != phrase.key
            and len(words[other] & words[index]) >= 0.6 * len(words[other] | words[index])
        ]
        if close and len(words[index]) >= 4:
            found.append(phrase)
    return found
