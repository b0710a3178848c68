"""Which items of a long sequence have been there before, for a few bytes an item."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import numpy.typing as npt


def repeated(items: Iterable[Hashable], count: int) -> npt.NDArray[np.intp]:
    """Return the positions of the items that an earlier one equals, in order.

    Items are compared by their hashes of 64 bits: among a million, two different ones with the same hash turn up once
    in tens of millions of corpora.

    Args:
        items: read once, in order.
        count: how many there are.

    Example:
        >>> repeated(["a", "b", "a", "a", "c"], 5)
        array([2, 3])
    """
    hashes = np.fromiter(map(hash, items), np.int64, count)
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    return np.sort(order[1:][hashes[1:] == hashes[:-1]])
