"""The products of translating: one state, or the states of a batch, times weights that never change.

See ``products.py`` for why weights are cut into blocks. Here they are cut once for all, and many rows are taken a few
at a time, so that every product stays below the size from which on OpenBLAS copies the weights first: 112 GFLOP/s on
one core with 64 or 320 rows and H = 256, in place of 67 and 94.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.products import BLOCK_WIDTHS, UNPACKED_PRODUCT

LEAST_ROWS = 16
"""Rows for which a block must be narrow enough; with fewer at a time it is read too often."""


class GateMatrix:
    """Matrices ``W`` (D, g, K, N), for each of D directions and each of g gates, made ready for products ``x W``.

    Args:
        weight: (D, g, K, N), in any memory order; do not change it while the object is in use.
    """

    def __init__(self, weight: Array) -> None:
        self.weight = weight
        K, N = weight.shape[2:]
        self.width = next((w for w in BLOCK_WIDTHS if LEAST_ROWS * K * w <= UNPACKED_PRODUCT), BLOCK_WIDTHS[-1])
        self.count = N // self.width
        self.most_rows = max(1, UNPACKED_PRODUCT // (K * self.width))

    @cached_property
    def whole(self) -> Array:
        """The weights, contiguous."""
        return np.ascontiguousarray(self.weight)

    @cached_property
    def blocks(self) -> Array:
        """(D, g, N / width, K, width), contiguous."""
        D, g, K, _ = self.weight.shape
        cut = self.weight[..., : self.count * self.width].reshape(D, g, K, self.count, self.width)
        return np.ascontiguousarray(cut.transpose(0, 1, 3, 2, 4))

    @cached_property
    def rest(self) -> Array:
        """(D, g, K, fewer than width), contiguous: the columns that do not fill a block."""
        return np.ascontiguousarray(self.weight[..., self.count * self.width :])

    def multiply(self, x: Array) -> Array:
        """Return ``x W``, (g, D, rows, N), for ``x`` (D, rows, K)."""
        (D, g, _, N), rows = self.weight.shape, x.shape[1]
        out = np.empty((g, D, rows, N), x.dtype)
        by_direction = out.transpose(1, 0, 2, 3)
        if rows == 1:
            np.matmul(x[:, None], self.whole, out=by_direction)
            return out
        cut = self.count * self.width
        side_by_side = out[..., :cut].reshape(g, D, rows, self.count, self.width).transpose(1, 0, 3, 2, 4)
        at_a_time = -(-rows // -(-rows // self.most_rows))
        for start in range(0, rows, at_a_time):
            few = slice(start, start + at_a_time)
            np.matmul(x[:, None, None, few], self.blocks, out=side_by_side[:, :, :, few])
        if cut < N:
            np.matmul(x[:, None], self.rest, out=by_direction[..., cut:])
        return out
