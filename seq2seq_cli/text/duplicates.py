"""Find the duplicates in a long sequence, with a few bytes of memory per item."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import numpy.typing as npt


def repeated(items: Iterable[Hashable], count: int) -> npt.NDArray[np.intp]:
    """Return, in order, the positions of the items that equal an earlier item.

    Items are compared by their 64-bit hashes: among a million items, a collision occurs once in tens of millions of
    corpora.

    Args:
        items: iterated once.
        count: number of items.

    Example:
        >>> repeated(["a", "b", "a", "a", "c"], 5)
        array([2, 3])
    """
    hashes = np.fromiter(map(hash, items), np.int64, count)
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    return np.sort(order[1:][hashes[1:] == hashes[:-1]])
