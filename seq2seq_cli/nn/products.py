"""Matrix products with few rows: one weight matrix, multiplied again and again with the states of a batch.

A BLAS first copies ("packs") both matrices into the order in which its kernel reads them. That pays for large products;
with the 2 to 64 rows of a recurrent step, copying the weights takes longer than multiplying with them. Products below
a certain size are done without packing, so the weights are cut, once, into blocks of that size. NumPy multiplies a
stack of blocks in one call.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from seq2seq_cli.nn.functional import Array

UNPACKED_PRODUCT = 1_000_000
"""Largest rows · K · columns that OpenBLAS multiplies without packing (its ``sgemm_small_matrix_permit``)."""
BLOCK_WIDTHS = (64, 32, 16)
"""Columns of a block: whole vector registers (16 floats)."""


class StepMatrix:
    """Matrices ``W`` (g, K, N), one for each gate, made ready for many products ``x W`` with few rows.

    With H = 256 on an AVX-512 core, 16 rows of an LSTM's states times the recurrent weights run at 108 instead of 42
    GFLOP/s, and the way back at 105 instead of 72. A product with a single row, or with too many for the blocks, is a
    plain one.

    Args:
        weight: (g, K, N), in any memory order; do not change it while the object is in use.
        rows: most rows that ``x`` will often have.
    """

    def __init__(self, weight: Array, rows: int = 1) -> None:
        K, N = weight.shape[1:]
        self.weight = weight
        self.width = next((w for w in BLOCK_WIDTHS if w <= N and rows * K * w <= UNPACKED_PRODUCT), 0)
        self.most_rows = UNPACKED_PRODUCT // (K * self.width) if self.width else 0
        self.count = N // self.width if self.width else 0

    @cached_property
    def blocks(self) -> Array:
        """(g, N / width, K, width), contiguous."""
        gates, K = self.weight.shape[:2]
        cut = self.weight[:, :, : self.count * self.width].reshape(gates, K, self.count, self.width)
        return np.ascontiguousarray(cut.transpose(0, 2, 1, 3))

    @cached_property
    def rest(self) -> Array:
        """(g, K, fewer than width): the columns that do not fill a block."""
        return np.ascontiguousarray(self.weight[:, :, self.count * self.width :])

    def multiply(self, x: Array) -> Array:
        """Return ``x W``, (g, rows, N), for ``x`` (rows, K), the same for every gate, or (g, rows, K)."""
        rows = x.shape[-2]
        if rows == 1 or rows > self.most_rows:
            product: Array = np.matmul(x, self.weight)
            return product
        gates, _, N = self.weight.shape
        cut = self.count * self.width
        out = np.empty((gates, rows, N), x.dtype)
        side_by_side = out[:, :, :cut].reshape(gates, rows, self.count, self.width).transpose(0, 2, 1, 3)
        np.matmul(x if x.ndim == 2 else x[:, None], self.blocks, out=side_by_side)
        if cut < N:
            np.matmul(x, self.rest, out=out[:, :, cut:])
        return out
