"""Split a line of text into its sentences, by a simple rule.

A sentence ends at ``. ! ? …`` (with any closing quotes or brackets) before a space and a capital letter, or a letter of
a script without capitals; and at ``。 ！ ？`` without a space. It does not end at a period after a single capital
letter (``J. Smith``; the last one of ``U.S.`` ends it) or an abbreviation (``Mr. Smith``): a few are known, others are
learned from the training sources.

Source:
    Kiss & Strunk 2006, "Unsupervised Multilingual Sentence Boundary Detection" (abbreviations are words that a period
    follows within a sentence).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

ABBREVIATIONS = frozenset({"Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Mme", "Mlle", "Hr", "Sr", "Sra", "Jr", "No", "vs"})
LONGEST_ABBREVIATION = 5
"""Letters."""
MIN_COUNT, MIN_RATIO = 3, 10
"""A word is an abbreviation if a period and a capital follow it at least so often within lines, and so many times as
often as it ends a line with a period."""

_CLOSING = "\"'\u201d\u2019\u00bb)\\]"
_BOUNDARY = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026]+[{_CLOSING}]*(\s+)[\"'\u201c\u2018\u00ab\u00bf\u00a1(]*([^\W\d_])"
    rf"|(?<![\u3002\uff01\uff1f])[\u3002\uff01\uff1f]+[\u300d\u300f\u201d\uff09]*(\s*)(?=\S)"
)
_LAST_WORD = re.compile(r"(?:^|[^\w.])([^\W\d_]+)$")
_AT_THE_END = re.compile(r"(?:^|[^\w.])([^\W\d_]+)\.$")
_CONTEXT = 40
"""Characters before a period in which the last word is looked for."""


def split_sentences(text: str, abbreviations: Collection[str] = ()) -> list[str]:
    """Return the sentences of a line, without the spaces between them.

    Args:
        text: a line of text.
        abbreviations: words after which a period does not end a sentence, besides ``ABBREVIATIONS``.

    Example:
        >>> split_sentences("Mr. Hill is 1.80 m tall. Is that all? Yes.")
        ['Mr. Hill is 1.80 m tall.', 'Is that all?', 'Yes.']
    """
    sentences, start = [], 0
    for match in _BOUNDARY.finditer(text):
        if match[2] is None:
            end, following = match.start(3), match.end(3)
        elif _is_boundary(text, match, abbreviations):
            end, following = match.start(1), match.end(1)
        else:
            continue
        sentences.append(text[start:end])
        start = following
    return [*sentences, text[start:]]


def learn_abbreviations(lines: Iterable[str]) -> frozenset[str]:
    """Return the words of a text that a period follows within lines, and hardly ever at the end of one."""
    inside: Counter[str] = Counter()
    final: Counter[str] = Counter()
    for line in lines:
        for match in _BOUNDARY.finditer(line):
            if match[2] is not None and not match[2].islower():
                inside.update(_word_before(line, match))
        final.update(_AT_THE_END.findall(line[-_CONTEXT:]))
    return frozenset(
        word
        for word, count in inside.items()
        if len(word) <= LONGEST_ABBREVIATION and count >= MIN_COUNT and count >= MIN_RATIO * final[word]
    )


def _is_boundary(text: str, match: re.Match[str], abbreviations: Collection[str]) -> bool:
    if match[2].islower():
        return False
    return not any(
        word in ABBREVIATIONS or word in abbreviations or (len(word) == 1 and word.isupper() and word != "I")
        for word in _word_before(text, match)
    )


def _word_before(text: str, match: re.Match[str]) -> list[str]:
    """Return the word before a single period, if there is one."""
    start = match.start()
    if text[start] != "." or text[start + 1 : start + 2] in (".", "!", "?"):
        return []
    return _LAST_WORD.findall(text[max(0, start - _CONTEXT) : start])
