"""How the training sources are written: capitals, final marks, sentences per line. It is learned and stored in a model.

A model reads text best that is written like its training text. With this, a line that is not can be read as if it
were (see ``reading``).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from seq2seq_cli.text.pieces import APOSTROPHES, split_word
from seq2seq_cli.text.sentences import learn_abbreviations, split_sentences

MAX_LINES = 200_000
"""Lines from which the style is learned, the first ones."""
MAX_WORDS = 100_000
"""Distinct words; of a larger corpus, no forms are kept."""
NEARLY_ALL = 0.98
"""Share of lines with a capital, or with a final mark, above which a line without it is unlike the training text."""
MIN_COUNT = 3
"""Occurrences of a beginning for which a final mark is learned."""
MAX_MARKS = 20_000
CONTRACTION_SHARE = 0.001
"""Occurrences per line of a word such as ``don't`` for which ``dont`` is read as that word."""
SINGLE_SENTENCES = 0.05
"""Share of lines with several sentences below which a model is said to be trained on single ones."""

_pieces = lru_cache(maxsize=1 << 16)(split_word)
CONTRACTION = re.compile(rf"[^\W\d_]+(?:[{APOSTROPHES}][^\W\d_]+)*[{APOSTROPHES}][^\W\d_]{{1,2}}(?![^\W_])")
"""A word whose last apostrophe is followed by one or two letters: an ending, as in ``don't`` and ``we'll``."""
LONGEST_MARK = 3
"""Maximum number of punctuation characters and symbols that count as one final mark."""


@dataclass(frozen=True)
class SourceStyle:
    """How the training sources are written; by default, nothing is known.

    Args:
        capital: whether nearly all lines begin with a capital letter.
        mark: the most frequent final mark, if nearly all lines have one; otherwise empty.
        marks: key → the final mark of most lines with that key, where it is not the one that the next key gives (see
            ``mark_keys``).
        forms: word (case-folded) → its forms within sentences, the most frequent first, for words that have other forms
            there than the one in lower case.
        starts: word (case-folded) → its form at the start of sentences, for words that occur only there.
        contractions: word (case-folded) without its apostrophe → frequent word with it, for words that do not occur
            without: ``dont`` → ``don't``.
        abbreviations: words after which a period does not end a sentence.
        several: share of lines with several sentences.
    """

    capital: bool = False
    mark: str = ""
    marks: dict[str, str] = field(default_factory=dict)
    forms: dict[str, list[str]] = field(default_factory=dict)
    starts: dict[str, str] = field(default_factory=dict)
    contractions: dict[str, str] = field(default_factory=dict)
    abbreviations: frozenset[str] = frozenset()
    several: float = 1.0

    @classmethod
    def learn(cls, lines: Sequence[str]) -> SourceStyle:
        """Return the style of normalized lines of text.

        Example:
            >>> SourceStyle.learn(["Is Paul here?"] * 3 + ["He is here."] * 4).marks
            {'he': '.', 'is': '?'}
        """
        abbreviations = learn_abbreviations(islice(lines, MAX_LINES))
        cased = capitals = total = several = 0
        finals: Counter[str] = Counter()
        by_key: defaultdict[str, Counter[str]] = defaultdict(Counter)
        inside: defaultdict[str, Counter[str]] = defaultdict(Counter)
        first: defaultdict[str, Counter[str]] = defaultdict(Counter)
        contracted: Counter[str] = Counter()
        for text in islice(lines, MAX_LINES):
            total += 1
            several += len(split_sentences(text, abbreviations)) > 1
            if text[:1].lower() != text[:1].upper():
                cased += 1
                capitals += not text[0].islower()
            mark = final_mark(text)
            if mark:
                finals[mark] += 1
                for key in mark_keys(text):
                    by_key[key][mark] += 1
            for word, starts in words_of(text):
                (first if starts else inside)[word.casefold()][word] += 1
            contracted.update(CONTRACTION.findall(text) if any(map(text.__contains__, APOSTROPHES)) else ())
        mark = _most_frequent(finals)[0] if finals else ""
        only_first = sorted(first.keys() - inside.keys())
        known = len(inside) + len(only_first) <= MAX_WORDS
        return cls(
            capital=bool(cased) and capitals >= NEARLY_ALL * cased,
            mark=mark if finals.total() >= NEARLY_ALL * total else "",
            marks=_marks(by_key, mark) if finals.total() >= NEARLY_ALL * total else {},
            forms=_forms(inside) if known else {},
            starts={word: _most_frequent(first[word])[0] for word in only_first} if known else {},
            contractions=_contractions(contracted, total, inside.keys() | first.keys()) if known else {},
            abbreviations=abbreviations,
            several=several / max(1, total),
        )

    def mark_of(self, text: str) -> str:
        """Return the final mark that a text without one probably has."""
        return next((self.marks[key] for key in mark_keys(text) if key in self.marks), self.mark)

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON values."""
        return {**asdict(self), "abbreviations": sorted(self.abbreviations)}

    @classmethod
    def from_json(cls, value: Any) -> SourceStyle:
        """Return the style of a JSON value from ``to_json``.

        Raises:
            ValueError: if the value does not have that form.
        """
        try:
            style = cls(**{**value, "abbreviations": frozenset(value["abbreviations"])})
            texts = [style.mark, *style.abbreviations, *style.marks, *style.marks.values()]
            texts += [*style.starts, *style.starts.values(), *style.contractions, *style.contractions.values()]
            texts += [text for key, forms in style.forms.items() for text in (key, *forms)]
            valid = isinstance(style.capital, bool) and isinstance(style.several, (int, float))
            valid = valid and all(isinstance(text, str) for text in texts)
            valid = valid and all(isinstance(forms, list) and forms for forms in style.forms.values())
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"'style' does not describe how the sources are written: {error}") from None
        if not valid:
            raise ValueError("'style' holds values of the wrong type")
        return style


def words_of(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the words of a text, and whether each one starts a sentence.

    Words are pieces that begin with a letter, without apostrophes and spaces.
    """
    starts = True
    for part in text.split(" "):
        for piece in _pieces(part) if part else ():
            word = piece.strip(f" {APOSTROPHES}\u00a0\u202f")
            if word[:1].isalpha():
                yield word, starts
                starts = False
            elif word and word[-1] not in ",;'":
                starts = True  # after . ! ? : or a quotation mark, a capital says nothing


def final_mark(text: str) -> str:
    """Return the mark at the end of a text, with the space before it; empty if a letter or a digit ends it."""
    start = len(text)
    while start > max(0, len(text) - LONGEST_MARK) and unicodedata.category(text[start - 1])[0] in "PS":
        start -= 1  # vowel signs and accents are marks to Unicode (category M), but they belong to their letters
    if 0 < start < len(text) and text[start - 1].isspace():
        start -= 1
    return text[start:]


def mark_keys(text: str) -> list[str]:
    """Return what of a text tells its final mark, the most telling first: its first two words, its first word, its end.

    The end is the last word, or the last letter of a text without spaces (Chinese questions end with 吗).
    """
    words = [word.casefold() for word, _ in islice(words_of(text), 2)]
    if not words:
        return []
    last = text[: -len(final_mark(text)) or None]
    end = last[-1:] if " " not in text else last.rpartition(" ")[2]
    return [*([" ".join(words)] if len(words) == 2 else []), words[0], f"\u2026{end.casefold()}"]


def _marks(by_key: dict[str, Counter[str]], default: str) -> dict[str, str]:
    """Return the final mark of every frequent key whose mark is not the one that the keys after it give."""
    counted = {key: counts for key, counts in by_key.items() if counts.total() >= MIN_COUNT}
    best = {key: _most_frequent(counts)[0] for key, counts in counted.items()}
    chosen = []
    for key, mark in best.items():
        first, space, _ = key.partition(" ")
        if space:
            needed = mark != best.get(first, default)
        else:  # a frequent first word decides, even for the default; the end of a text decides only against it
            needed = not key.startswith("\u2026") or mark != default
        if needed:
            chosen.append(key)
    chosen = sorted(chosen, key=lambda key: (-counted[key].total(), key))[:MAX_MARKS]
    return {key: best[key] for key in sorted(chosen)}


def _forms(inside: dict[str, Counter[str]]) -> dict[str, list[str]]:
    """Return the forms of the words that are not only written in lower case."""
    forms = {word: _most_frequent(inside[word]) for word in sorted(inside)}
    return {word: found for word, found in forms.items() if any(form != form.lower() for form in found)}


def without_apostrophe(word: str) -> str:
    """Return a word without its apostrophes, case-folded: the key of ``contractions``."""
    return "".join(character for character in word if character not in APOSTROPHES).casefold()


def _contractions(counts: Counter[str], lines: int, words: Collection[str]) -> dict[str, str]:
    """Return the most frequent form of each frequent contraction that is no word without its apostrophe.

    Args:
        counts: of the contractions of a text.
        lines: its number of lines.
        words: all other words of it, case-folded.
    """
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for word, count in counts.items():
        forms[without_apostrophe(word)][word] += count
    least = max(MIN_COUNT, CONTRACTION_SHARE * lines)
    frequent = sorted(key for key, found in forms.items() if key not in words and found.total() >= least)
    return {key: next(iter(_most_frequent(forms[key]))).lower() for key in frequent}


def _most_frequent(counts: Counter[str]) -> list[str]:
    """Return the keys, the most frequent first; equal counts are in alphabetical order."""
    return sorted(counts, key=lambda key: (-counts[key], key))
