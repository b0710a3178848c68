"""Find pairs whose sides are mixed up: a side of the corpus is in two languages, throughout or here and there.

Each language has a profile: how often each word occurs in it. Every pair is assigned the direction in which both of its
sides are more probable, and the profiles are counted again from the assignments (hard EM). No language has to be known.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable

from seq2seq_cli.text.corpus import Corpus

ROUNDS = 3
SAMPLE = 4000
"""Pairs from which the profiles are learned, at most."""
SMOOTHING = 0.5
"""Added to each count of a word."""
NEARLY_EQUAL = 0.6
"""Overlap of the two sides at which most pairs may be of either direction."""
LARGEST_OVERLAP = 0.5
"""Overlap of two profiles, from 0 to 1; two languages share names, one language with itself nearly everything."""
CERTAIN = 6.0
"""Log-likelihood ratio, in nats, at which a side is certainly in the other language."""
SHARE, FEWEST_WORDS = 0.75, 3
"""Share of its known words that have to speak for that language as well, and their number."""
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts without spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W\d_])+")
"""A word, or one character of a script without spaces."""
Pair = tuple[list[str], list[str]]


def mixed_up(corpus: Corpus) -> tuple[array[int], array[int]]:
    """Return the pairs whose sides are exchanged, and those of which both sides are in the same language.

    Which direction is the right one is decided by the majority of the pairs.
    """
    ratios = _language_ratios(corpus)
    swapped, same = array("q"), array("q")
    if not ratios:
        return swapped, same
    for k, pair in enumerate(zip(corpus.sources, corpus.targets)):
        source, target = (vote(words_of(side), ratios) for side in pair)
        if source < 0 < target:
            swapped.append(k)
        elif source * target > 0:
            same.append(k)
    if len(swapped) > len(corpus) / 2:
        other = set(swapped)
        swapped = array("q", (k for k in range(len(corpus)) if k not in other))
    return swapped, same


def _language_ratios(corpus: Corpus) -> dict[str, float]:
    """Return the log-ratio of each word's frequency in both languages, positive for that of the sources; or nothing."""
    step = -(-len(corpus) // SAMPLE)
    chosen = zip(corpus.sources[::step], corpus.targets[::step])
    pairs: list[Pair] = [(words_of(source), words_of(target)) for source, target in chosen]
    first, second = Counter[str](), Counter[str]()
    for source, target in pairs:
        _count(source, target, True, first, second)
    if overlap(first, second) > NEARLY_EQUAL:  # one language, or as many pairs of each direction
        first, second = _one_after_another(pairs)
    ratios: dict[str, float] = {}
    for _ in range(ROUNDS):
        ratios = {word: ratio(word, first, second) for word in first.keys() | second.keys()}
        first, second = Counter(), Counter()
        for source, target in pairs:
            evidence = sum(map(ratios.__getitem__, source)) - sum(map(ratios.__getitem__, target))
            _count(source, target, evidence >= 0, first, second)
    return ratios if overlap(first, second) < LARGEST_OVERLAP else {}


def _one_after_another(pairs: Iterable[Pair]) -> tuple[Counter[str], Counter[str]]:
    """Return profiles to begin with: each pair is assigned by those before it, and the first one decides."""
    first, second = Counter[str](), Counter[str]()
    for source, target in pairs:
        evidence = sum(ratio(word, first, second) for word in source) - sum(ratio(w, first, second) for w in target)
        _count(source, target, evidence >= 0, first, second)
    return first, second


def _count(source: list[str], target: list[str], forward: bool, first: Counter[str], second: Counter[str]) -> None:
    first.update(source if forward else target)
    second.update(target if forward else source)


def ratio(word: str, first: Counter[str], second: Counter[str]) -> float:
    """Return the log-ratio of a word's counts in two languages, smoothed."""
    return math.log((first.get(word, 0) + SMOOTHING) / (second.get(word, 0) + SMOOTHING))


def overlap(first: Counter[str], second: Counter[str]) -> float:
    """Return how much the profiles of two languages overlap, from 0 to 1."""
    totals = max(1, first.total()), max(1, second.total())
    return sum(min(count / totals[0], second[word] / totals[1]) for word, count in first.items())


def vote(words: list[str], ratios: dict[str, float]) -> int:
    """Return 1 or -1 for the language that a side is certainly in, or 0.

    Args:
        words: of the side.
        ratios: word → log-ratio of its frequencies in the two languages.
    """
    known = [ratios[word] for word in words if word in ratios]
    total = sum(known)
    if abs(total) < CERTAIN or len(known) < FEWEST_WORDS:
        return 0
    sign = 1 if total > 0 else -1
    return sign if sum(each * sign > 0 for each in known) >= SHARE * len(known) else 0


def words_of(text: str) -> list[str]:
    """Return the words of a text, in lower case; in scripts without spaces, its characters."""
    return _WORD.findall(text.casefold())
