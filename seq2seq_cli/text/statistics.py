"""Statistics of a corpus before training: lengths, out-of-vocabulary words, and suspicious pairs."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.duplicates import repeated
from seq2seq_cli.text.mixture import mixed_up
from seq2seq_cli.text.pieces import split_word
from seq2seq_cli.text.suspicions import outsize, with_html, with_numbers, with_quoted_cells
from seq2seq_cli.text.third_language import in_another_language
from seq2seq_cli.text.tokenizer import count_words
from seq2seq_cli.text.units import CHARACTERS, WORD, count_units, split_characters, unit_of

Lengths = npt.NDArray[np.integer] | npt.NDArray[np.floating]

LARGEST_RATIO = 4
"""Ratio of the lengths of both sides; beyond it they are hardly translations of each other."""
MOST_NUMBERS, MANY_MIXED = 0.9, 0.1
"""Shares of pairs with numbers in place of text, and with mixed-up sides, at which a corpus is useless."""
MAX_BUCKETS = 8
BUCKET_WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_LETTER = re.compile(r"\w")


class Finding(NamedTuple):
    """A kind of suspicious pairs.

    ``what`` describes them with their count, ``number`` is the count, ``location`` is that of the first one
    (``pairs.tsv:17``), and ``advice`` says how they affect training, or what to do about them. ``severe``: there are so
    many that a model of this corpus would be useless.
    """

    what: str
    number: int
    location: str
    advice: str
    severe: bool = False


class Bucket(NamedTuple):
    """The number of sentences with ``low`` to ``high`` tokens; ``high`` is None in an open-ended last bucket."""

    low: int
    high: int | None
    source: int
    target: int

    @property
    def label(self) -> str:
        """For example ``6–10``, ``7`` or ``41+``."""
        if self.high is None:
            return f"{self.low}+"
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


class OovCount(NamedTuple):
    """The number of words in a text (``words``), and how many of them are out of vocabulary (``oov``)."""

    words: int
    oov: int

    @property
    def rate(self) -> float:
        """The OOV rate, from 0 to 1."""
        return self.oov / max(1, self.words)


def length_histogram(source: Lengths, target: Lengths) -> list[Bucket]:
    """Count sentences by length, in at most ``MAX_BUCKETS`` buckets of one round width.

    Args:
        source, target: (n,) tokens of each sentence.

    Returns:
        Buckets in order of length; if the longest 1% are much longer than the rest, the last bucket includes them.

    Example:
        >>> [bucket.label for bucket in length_histogram(np.array([1, 2, 9]), np.array([2, 3, 12]))]
        ['1–2', '3–4', '5–6', '7–8', '9–10', '11–12']
    """
    both = np.maximum(1, np.concatenate([source, target]))
    longest = int(np.percentile(both, 99, method="higher"))
    fitting = [width for width in BUCKET_WIDTHS if longest <= width * MAX_BUCKETS]
    width = fitting[0] if fitting else -(-longest // MAX_BUCKETS)
    last = -(-longest // width)
    counts = [
        np.bincount(np.minimum((np.maximum(1, side) - 1) // width, last - 1), minlength=last)
        for side in (source, target)
    ]
    buckets = []
    for k in range(last):
        high = None if k == last - 1 and int(both.max()) > last * width else (k + 1) * width
        buckets.append(Bucket(k * width + 1, high, int(counts[0][k]), int(counts[1][k])))
    return buckets


def count_oov(train: Iterable[str], lines: Iterable[str], lowercase: bool) -> OovCount:
    """Count the words, numbers and punctuation marks of a text that do not occur in the training text.

    In scripts without spaces between words, the characters are counted.

    Args:
        train: lines of the training text.
        lines: lines of the validation text.
        lowercase: whether both are converted to lower case first.
    """
    vocabulary = {piece for word in count_words(train, lowercase) for piece in _split(word)}
    words = oov = 0
    for word, count in count_words(lines, lowercase).items():
        pieces = _split(word)
        words += count * len(pieces)
        oov += count * sum(piece not in vocabulary for piece in pieces)
    return OovCount(words, oov)


def text_lengths(corpus: Corpus) -> tuple[Lengths, Lengths]:
    """Return the lengths of both sides of each pair, in a unit that does not depend on a tokenizer.

    The unit is the word. In a language without spaces, characters are counted instead, and scaled so that both sides of
    the corpus have the same total length. If neither side has spaces, the unit is the character.

    Returns:
        (n,) for the sources, (n,) for the targets.

    Example:
        >>> text_lengths(Corpus("", ["谢谢", "我喜欢书"], ["Thank you!", "I like books"]))
        (array([1.66666667, 3.33333333]), array([2, 3], dtype=int32))
    """
    sides = corpus.sources, corpus.targets
    words = [np.fromiter((count_units(line, WORD) for line in side), np.int32, len(side)) for side in sides]
    unspaced = [k for k in (0, 1) if unit_of(sides[k]) == CHARACTERS]
    without_spaces = [k for k in (0, 1) if k in unspaced or np.median(words[k]) <= 1]  # in other scripts, or one word
    letters = {k: words[k] if k in unspaced else _count(_LETTER, sides[k]) for k in without_spaces}
    if len(without_spaces) == 2:
        return letters[0], letters[1]
    for k in without_spaces:
        words[k] = letters[k] * (words[1 - k].sum() / max(1, letters[k].sum()))
    return words[0], words[1]


def suspicious_pairs(corpus: Corpus) -> list[Finding]:
    """Return a finding for each kind of pairs that teach a model something other than translation."""
    same, copied = array("q"), array("q")
    for k, (a, b) in enumerate(zip(corpus.sources, corpus.targets)):
        if a.strip() == b.strip():
            same.append(k)
        elif _is_copy(a, b):
            copied.append(k)
    source, target = (np.maximum(1, lengths) for lengths in text_lengths(corpus))
    uneven = np.flatnonzero(np.maximum(source, target) > LARGEST_RATIO * np.minimum(source, target))
    repeats = repeated(zip(corpus.sources, corpus.targets), len(corpus))
    swapped, one_language = mixed_up(corpus)
    third = [] if swapped or one_language else [in_another_language(side) for side in (corpus.sources, corpus.targets)]
    numbers = with_numbers(corpus)
    kinds: list[tuple[str, Collection[int], str]] = [
        ("with identical sides", same, "they teach copying; remove them unless that is intended"),
        ("that are copies but for case, spaces or punctuation", copied, "they also teach copying"),
        (
            f"with one side over {LARGEST_RATIO} times as long as the other",
            uneven,
            "often not each other's translation",
        ),
        ("with a sentence far longer than the rest", outsize(source, target), "give one sentence per line"),
        ("that repeat an earlier pair", repeats, "each repetition counts again"),
        ("with a number in place of text", numbers, "the sides must be text: check the columns"),
        ("with exchanged sides", swapped, "each side must be in one language: exchange them back"),
        ("with both sides in one language", one_language, "they teach no translation; remove them"),
        *(
            (f"whose {name} is in another language than most", found, "each side must be in one language; remove them")
            for name, found in zip(("source", "target"), third)
        ),
        (
            "with an HTML entity such as &amp;",
            with_html(corpus),
            "decode them, as html.unescape in Python does",
        ),
        ("in a spreadsheet's quotes", with_quoted_cells(corpus), "export the sheet as text with tabs, without quotes"),
    ]
    severe = {id(numbers): MOST_NUMBERS, id(swapped): MANY_MIXED, id(one_language): MANY_MIXED}
    empty = Finding(
        _count_pairs(len(corpus.skipped), "with an empty side"), len(corpus.skipped), "", "they are left out"
    )
    findings = [empty._replace(location=corpus.location(corpus.skipped[0]))] if corpus.skipped else []
    findings += [
        Finding(
            _count_pairs(len(ks), what),
            len(ks),
            corpus.location(min(map(corpus.line, ks))),
            advice,
            len(ks) >= severe.get(id(ks), math.inf) * len(corpus),
        )
        for what, ks, advice in kinds
        if len(ks)
    ]
    return findings


def overlap(train: Corpus, valid: Corpus) -> list[Finding]:
    """Find validation pairs that are also training pairs, and those that share only the source with one."""
    valid_sources = set(valid.sources)
    common = {(source, target) for source, target in zip(train.sources, train.targets) if source in valid_sources}
    common_sources = {source for source, _ in common}
    same_pair = [k for k, pair in enumerate(zip(valid.sources, valid.targets)) if pair in common]
    excluded = set(same_pair)
    same_source = [k for k, source in enumerate(valid.sources) if source in common_sources and k not in excluded]
    advice = "they make validation scores look too good; remove such pairs from the training corpus"
    return [
        Finding(_count_pairs(len(ks), what), len(ks), valid.location(valid.line(ks[0])), advice)
        for what, ks in (
            ("of the validation corpus that are also training pairs", same_pair),
            ("of the validation corpus whose source is also in training, with another translation", same_source),
        )
        if ks
    ]


def _split(word: str) -> list[str]:
    """Return the pieces of a word (the text between two spaces), and single characters of unspaced scripts."""
    return [part for piece in split_word(word) for part in split_characters(piece)]


def _count(pattern: re.Pattern[str], lines: Sequence[str]) -> Lengths:
    """Return how often the pattern occurs in each line."""
    return np.fromiter((len(pattern.findall(line)) for line in lines), np.int32, len(lines))


def _count_pairs(count: int, what: str) -> str:
    """Return the count and the description, in the singular or plural."""
    if count != 1:
        return f"{count:,} pairs {what}"
    singular = what.replace("that are copies", "that is a copy").replace("repeat ", "repeats ")
    return "1 pair " + singular.replace("that are also training pairs", "that is also a training pair")


def _is_copy(a: str, b: str) -> bool:
    """Whether two texts have the same letters and digits, and at least one; the first ones are compared first."""
    first = [next((character for character in text if character.isalnum()), "").casefold()[:1] for text in (a, b)]
    return first[0] == first[1] != "" and _letters(a) == _letters(b)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
