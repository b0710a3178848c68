"""Phrase pairs: which consecutive source tokens are translated by which consecutive target tokens.

Every target token is linked to the source token that most probably generated it, by the table of ``ibm_model1.py`` and
a preference for the diagonal; and every source token likewise::

    a(j) = argmax_i t(v_j | s_i) · exp(− λ |i/|x| − j/|y||)          b(i) = argmax_j t(s_i | v_j) · exp(− λ |…|)

The links of both directions are symmetrized: links in both directions are kept, and a link in only one direction is
added if it is adjacent to a kept one and one of its tokens has no link yet ("grow-diag"). Source positions ``i … j``
and target positions ``k … l`` are a phrase pair if there is a link between them, and no link from either of them to a
position outside of the other.

Source: Dyer et al. 2013, "A Simple, Fast, and Effective Reparameterization of IBM Model 2" (the diagonal); Och & Ney
2003, "A Systematic Comparison of Various Statistical Alignment Models", section 4 (symmetrization); Koehn, Och & Marcu
2003, "Statistical Phrase-Based Translation", section 3 (phrase pairs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from seq2seq_cli.nn.lexical_prior import Lexicon

DIAGONAL = 4.0
"""λ: how strongly a position prefers the same relative position in the other sentence."""

Link = tuple[int, int]
"""Positions of a source and a target token."""


class PhrasePair(NamedTuple):
    """A phrase pair within a sentence pair: source positions [i, j) and target positions [k, l)."""

    i: int
    j: int
    k: int
    l: int  # noqa: E741 (the four letters in order)


def align(forward: Lexicon, reverse: Lexicon, source: Sequence[int], target: Sequence[int]) -> set[Link]:
    """Return the symmetrized alignment links of a sentence pair.

    Args:
        forward: ``t(target token | source token)``.
        reverse: ``t(source token | target token)``.
        source, target: token ids, at least one each, without BOS and EOS.
    """
    x, y = np.asarray(source), np.asarray(target)
    i, j = (np.arange(len(x)) + 0.5) / len(x), (np.arange(len(y)) + 0.5) / len(y)
    diagonal = np.exp(-DIAGONAL * np.abs(i[:, None] - j))  # (|x|, |y|)
    of_target = forward.pairwise(x, y) * diagonal
    of_source = reverse.pairwise(y, x).T * diagonal
    a = {(i, j) for j, i in enumerate(of_target.argmax(axis=0).tolist()) if of_target[i, j] > 0}
    b = {(i, j) for i, j in enumerate(of_source.argmax(axis=1).tolist()) if of_source[i, j] > 0}
    return _grow(a & b, sorted(a ^ b))


def _grow(links: set[Link], candidates: list[Link]) -> set[Link]:
    """Add candidates that are adjacent to a link and give a token its first link, until none is left."""
    sources, targets = {i for i, _ in links}, {j for _, j in links}
    grows = True
    while grows:
        grows = False
        for i, j in candidates:
            if i in sources and j in targets:
                continue
            if any((i + di, j + dj) in links for di in (-1, 0, 1) for dj in (-1, 0, 1)):
                links.add((i, j))
                sources.add(i)
                targets.add(j)
                grows = True
    return links


def phrase_pairs(
    links: set[Link], source_starts: Sequence[bool], target_starts: Sequence[bool], longest: int
) -> Iterator[PhrasePair]:
    """Yield the phrase pairs of a sentence pair.

    Args:
        links: from ``align``.
        source_starts, target_starts: for each token, whether a phrase may start with it, or end before it.
        longest: maximum number of tokens on either side.

    Example: ``x₀ x₁`` are both translated by ``y₀``, ``x₂`` by ``y₁``.

        >>> links = {(0, 0), (1, 0), (2, 1)}
        >>> [tuple(pair) for pair in phrase_pairs(links, [True] * 3, [True] * 2, longest=3)]
        [(0, 2, 0, 1), (0, 3, 0, 2), (2, 3, 1, 2)]
    """
    targets_of: list[list[int]] = [[] for _ in source_starts]
    sources_of: list[list[int]] = [[] for _ in target_starts]
    for i, j in links:
        targets_of[i].append(j)
        sources_of[j].append(i)
    source_bounds, target_bounds = [*source_starts, True], [*target_starts, True]
    for i in range(len(source_starts)):
        if not source_bounds[i]:
            continue
        for j in range(i + 1, min(len(source_starts), i + longest) + 1):
            linked = [target for source in range(i, j) for target in targets_of[source]]
            if not linked or not source_bounds[j]:
                continue
            k, l = min(linked), max(linked) + 1  # noqa: E741
            if l - k > longest or not (target_bounds[k] and target_bounds[l]):
                continue
            if all(i <= source < j for target in range(k, l) for source in sources_of[target]):
                yield PhrasePair(i, j, k, l)
