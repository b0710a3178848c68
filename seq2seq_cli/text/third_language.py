"""Find lines of one side of a corpus that are in another language than the rest of that side.

The words of one language occur together in lines, and those of two languages hardly ever. So the frequent words are
divided into the two groups that occur together least. In text in one language, even these occur together at least 60 %
as often as by chance; where a tenth of the lines is in another language, far less. No language has to be known.

Source: Shi & Malik 2000, "Normalized Cuts and Image Segmentation" (the second eigenvector, section 2.1).
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seq2seq_cli.text.mixture import LARGEST_OVERLAP, SAMPLE, overlap, ratio, vote, words_of

FREQUENT_WORDS = 300
FEWEST_LINES = 300
"""A shorter text does not say which words occur together."""
LARGEST_CUT = 0.6
"""How often words of the two groups occur together, relative to chance, at which they are two languages."""
SMALLEST_GROUP = 0.01
"""Share of the joint occurrences that each group has at least: fewer may be a set phrase."""
FEWEST_FOUND = 0.02
"""Share of the lines that are in the other language at least."""
ROUNDS = 2


def in_another_language(lines: Sequence[str]) -> array[int]:
    """Return the positions of the lines that are in another language than most of them, if there are enough of these.

    Args:
        lines: one side of a corpus.

    Example:
        >>> french, english = ["le chat dort", "le chien mange", "il dort ici"], ["the cat is here", "is it the dog"]
        >>> len(in_another_language(french * 100 + english * 50))
        100
    """
    chosen = [words_of(line) for line in lines[:: -(-len(lines) // SAMPLE) or 1]]
    group, frequent = _least_connected(chosen) if len(chosen) >= FEWEST_LINES else ([], [])
    if not group:
        return array("q")
    ratios = dict.fromkeys((word for words in chosen for word in words), 0.0)
    ratios |= dict.fromkeys(frequent, -1.0) | dict.fromkeys(group, 1.0)
    for _ in range(ROUNDS):
        other, main = Counter[str](), Counter[str]()
        for words in chosen:
            (other if sum(map(ratios.__getitem__, words)) > 0 else main).update(words)
        more = math.log(max(1, main.total()) / max(1, other.total()))  # the ratio of frequencies, not of counts
        ratios = {word: ratio(word, other, main) + more for word in ratios}
    if overlap(other, main) >= LARGEST_OVERLAP:
        return array("q")
    votes = np.fromiter((vote(words_of(line), ratios) for line in lines), np.int8, len(lines))
    fewer = 1 if np.sum(votes > 0) <= np.sum(votes < 0) else -1  # the group with fewer words may have more lines
    found = np.flatnonzero(votes == fewer)
    return array("q", found) if len(found) >= FEWEST_FOUND * len(lines) else array("q")


def _least_connected(lines: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """Return two groups of frequent words that hardly occur together, the smaller one first, if there are such."""
    counts = Counter(word for line in lines for word in set(line))
    index = {word: k for k, (word, count) in enumerate(counts.most_common(FREQUENT_WORDS)) if count > 2}
    occurs = np.zeros((len(lines), len(index)))
    for row, line in enumerate(lines):
        occurs[row, [index[word] for word in line if word in index]] = 1
    together = occurs.T @ occurs
    np.fill_diagonal(together, 0)
    connected = np.flatnonzero(together.sum(0))
    if len(connected) < 4:
        return [], []
    together = together[np.ix_(connected, connected)]
    degrees = together.sum(0)
    _, vectors = np.linalg.eigh(together / np.sqrt(np.outer(degrees, degrees)))
    cuts = [_best_cut(together, np.argsort(vectors[:, -k] / np.sqrt(degrees))) for k in (2, 3, 4)]
    cut, group = min(cuts, key=lambda each: each[0])
    if cut > LARGEST_CUT:
        return [], []
    words = [list(index)[k] for k in connected]
    return [words[k] for k in group], [words[k] for k in set(range(len(words))) - set(group.tolist())]


def _best_cut(together: npt.NDArray[np.float64], order: npt.NDArray[np.intp]) -> tuple[float, npt.NDArray[np.intp]]:
    """Divide the words in this order where the two groups occur together least, relative to chance.

    Args:
        together: (n, n) in how many lines two words occur together.
        order: (n,) the words in the order of an eigenvector.

    Returns:
        The ratio to chance, and the words of the smaller group.
    """
    ordered = together[np.ix_(order, order)]
    volumes = np.cumsum(ordered.sum(0))[:-1]
    inside = np.cumsum(np.cumsum(ordered, 0), 1).diagonal()[:-1]
    total = ordered.sum()
    shares = np.minimum(volumes, total - volumes) / total
    ratios = np.where(shares >= SMALLEST_GROUP, (volumes - inside) * total / (volumes * (total - volumes)), np.inf)
    k = int(np.argmin(ratios))
    return float(ratios[k]), order[: k + 1] if volumes[k] <= total / 2 else order[k + 1 :]
