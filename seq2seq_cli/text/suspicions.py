"""Find pairs whose text is not what it should be: HTML, quoted cells, numbers, outsize sentences.

Each function returns the positions of such pairs in the corpus, counted from 0.
"""

from __future__ import annotations

import html.entities
import re
from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from seq2seq_cli.text.corpus import Corpus

QUOTED_CORPUS = 0.9
"""Share of pairs in quotes at which the quotes are not part of the text."""
FEWEST_QUOTED = 5
FAR_LONGER, SHORTEST_OUTSIZE = 10, 50
"""A sentence is outsize if it is this many times as long as the median, and has at least so many words."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,30}\d?);")
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")


def with_html(corpus: Corpus) -> array[int]:
    """Return the pairs with an HTML entity, such as ``&amp;`` or ``&#39;``."""
    return array("q", (k for k, pair in _pairs(corpus) if any("&" in side and _has_entity(side) for side in pair)))


def with_quoted_cells(corpus: Corpus) -> array[int]:
    """Return the pairs that a spreadsheet quoted: ``"She said ""no""."``; and others, if nearly all are in quotes."""
    quoted, in_quotes = set[int](), set[int]()
    for k, pair in _pairs(corpus):
        quoted.update([k] * any(map(_is_quoted, pair)))
        in_quotes.update([k] * all(map(_in_quotes, pair)))
    if len(in_quotes) >= max(FEWEST_QUOTED, QUOTED_CORPUS * len(corpus)):
        quoted |= in_quotes
    return array("q", sorted(quoted))


def with_numbers(corpus: Corpus) -> array[int]:
    """Return the pairs in which one side or both are only numbers.

    The same number on both sides is a copy, which is found elsewhere.
    """
    found = array("q")
    for k, (source, target) in _pairs(corpus):
        sides = [_DIGIT.search(side) is not None and _LETTER.search(side) is None for side in (source, target)]
        if any(sides) and source.strip() != target.strip():
            found.append(k)
    return found


def outsize(source: npt.NDArray[np.number], target: npt.NDArray[np.number]) -> npt.NDArray[np.intp]:
    """Return the pairs of which a side is far longer than the rest.

    Args:
        source, target: (n,) lengths of the sides, in words.
    """
    longer: npt.NDArray[np.bool_] = np.zeros(len(source), np.bool_)
    for lengths in (source, target):
        longer |= lengths >= max(SHORTEST_OUTSIZE, FAR_LONGER * float(np.median(lengths)))
    return np.flatnonzero(longer)


def _pairs(corpus: Corpus) -> Iterator[tuple[int, tuple[str, str]]]:
    return enumerate(zip(corpus.sources, corpus.targets))


def _has_entity(text: str) -> bool:
    return any(match[1] == "#" or match[1:] in html.entities.html5 for match in _ENTITY.findall(text))


def _in_quotes(text: str) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


def _is_quoted(text: str) -> bool:
    """Whether a text is in quotes, and all quotes inside are doubled; at least two are."""
    inside = text.strip()[1:-1]
    return _in_quotes(text) and '""' in inside and '"' not in inside.replace('""', "")
