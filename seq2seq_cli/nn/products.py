"""Matrix products with few rows: one weight matrix, multiplied again and again with the states of a batch.

A BLAS first copies ("packs") both matrices into the order in which its kernel reads them. That pays for large products;
with the 1 to 64 rows of a recurrent step, copying the weights takes longer than multiplying with them. Products below
a certain size are done without packing, so the weights are cut, once per batch, into blocks of that size. NumPy
multiplies a stack of blocks in one call.
"""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.functional import Array

UNPACKED_PRODUCT = 1_000_000
"""Largest rows · K · columns that OpenBLAS multiplies without packing (its ``sgemm_small_matrix_permit``)."""
BLOCK_WIDTHS = (64, 32, 16)
"""Columns of a block: whole vector registers (16 floats)."""


class StepMatrix:
    """Matrices ``W`` (g, K, N), one for each gate, made ready for many products ``x W`` with few rows.

    With H = 256 on an AVX-512 core, 16 rows of an LSTM's states times the recurrent weights run at 108 instead of 42
    GFLOP/s, and the way back at 105 instead of 72. Where no block is small enough, or N is smaller than one, the
    matrices are used whole.

    Args:
        weight: (g, K, N), in any memory order; do not change it while the object is in use.
        rows: most rows that ``x`` will have.
    """

    def __init__(self, weight: Array, rows: int) -> None:
        gates, K, N = weight.shape
        width = next((w for w in BLOCK_WIDTHS if w <= N and rows * K * w <= UNPACKED_PRODUCT), N)
        self.width, self.count = width, N // width
        self.cut = self.count * width
        blocks = weight[:, :, : self.cut].reshape(gates, K, self.count, width).transpose(0, 2, 1, 3)
        self.blocks = np.ascontiguousarray(blocks)  # (g, N / width, K, width)
        self.rest = np.ascontiguousarray(weight[:, :, self.cut :])  # the columns that do not fill a block

    def multiply(self, x: Array) -> Array:
        """Return ``x W``, (g, rows, N), for ``x`` (rows, K), the same for every gate, or (g, rows, K)."""
        gates, rows = len(self.blocks), x.shape[-2]
        out = np.empty((gates, rows, self.cut + self.rest.shape[2]), x.dtype)
        side_by_side = out[:, :, : self.cut].reshape(gates, rows, self.count, self.width).transpose(0, 2, 1, 3)
        np.matmul(x if x.ndim == 2 else x[:, None], self.blocks, out=side_by_side)
        if self.rest.size:
            np.matmul(x, self.rest, out=out[:, :, self.cut :])
        return out
