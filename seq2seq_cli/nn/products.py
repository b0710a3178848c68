"""Matrix products with few rows: one weight matrix, multiplied at every step by the states of a batch.

A BLAS first copies ("packs") both matrices into the order in which its kernel reads them. That pays off for large
products; with the 2 to 64 rows of a recurrent step, copying the weights takes longer than multiplying by them. Products
below a certain size are computed without packing. So the weights are split, once, into blocks of that size, and many
rows are multiplied a few at a time. NumPy multiplies a stack of blocks in one call.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from seq2seq_cli.nn.functional import Array

UNPACKED_PRODUCT = 1_000_000
"""Largest rows · K · columns that OpenBLAS multiplies without packing (its ``sgemm_small_matrix_permit``)."""
BLOCK_WIDTHS = (64, 32, 16)
"""Columns of a block: multiples of a vector register (16 floats)."""
MIN_ROWS = 16
"""Minimum rows that a block must allow at a time; with fewer, it would be read too often."""


class StepMatrix:
    """Matrices ``W`` (..., K, N), for example one per gate, prepared for many products ``x W`` with few rows.

    With H = 256 on an AVX-512 core, 16 rows of an LSTM's states times the recurrent weights run at 108 instead of 42
    GFLOP/s, and the backward pass at 105 instead of 72; 64 and 320 rows, when translating, at 112 instead of 67 and 94.

    Args:
        weight: (..., K, N), in any memory order; it must not change while the object is in use.
    """

    def __init__(self, weight: Array) -> None:
        self.weight = weight
        K, self.columns = weight.shape[-2:]
        self.width = next((w for w in BLOCK_WIDTHS if MIN_ROWS * K * w <= UNPACKED_PRODUCT), BLOCK_WIDTHS[-1])
        self.count = self.columns // self.width
        self.max_rows = max(1, UNPACKED_PRODUCT // (K * self.width))

    @cached_property
    def whole(self) -> Array:
        """(..., K, N), contiguous."""
        return np.ascontiguousarray(self.weight)

    @cached_property
    def blocks(self) -> Array:
        """(..., N / width, K, width), contiguous."""
        *before, K, N = self.weight.shape
        weight = self.weight
        if weight.strides[-2] == weight.itemsize and N > 1:  # transposed
            # Rows a power of two apart collide in the cache; with one more number in each row, copying 4 matrices of
            # 512 by 512 takes 0.9 instead of 2.2 ms.
            padded = np.empty((*before, N, K + 1), weight.dtype)[..., :K]
            padded[...] = weight.swapaxes(-2, -1)
            weight = padded.swapaxes(-2, -1)
        cut = weight[..., : self.count * self.width].reshape(*before, K, self.count, self.width)
        return np.ascontiguousarray(cut.swapaxes(-3, -2))

    @cached_property
    def rest(self) -> Array:
        """(..., K, fewer than width), contiguous: the columns that do not fill a block."""
        return np.ascontiguousarray(self.weight[..., self.count * self.width :])

    def multiply(self, x: Array) -> Array:
        """Return ``x W`` (..., rows, N), for ``x`` (rows, K), the same for every matrix, or (..., rows, K)."""
        rows = x.shape[-2]
        if rows == 1:  # a matrix–vector product, for which BLAS copies nothing
            product: Array = np.matmul(x, self.whole)
            return product
        before, cut = self.weight.shape[:-2], self.count * self.width
        out = np.empty((*before, rows, self.columns), x.dtype)
        side_by_side = out[..., :cut].reshape(*before, rows, self.count, self.width).swapaxes(-3, -2)
        for_each_block = x[..., None, :, :]
        if rows <= self.max_rows:
            np.matmul(for_each_block, self.blocks, out=side_by_side)
        else:
            at_a_time = -(-rows // -(-rows // self.max_rows))
            for start in range(0, rows, at_a_time):
                few = slice(start, start + at_a_time)
                np.matmul(for_each_block[..., few, :], self.blocks, out=side_by_side[..., few, :])
        if cut < self.columns:
            np.matmul(x, self.rest, out=out[..., cut:])
        return out


def few_rows_product(x: Array, weight: Array) -> Array:
    """Return ``x Wᵀ`` (..., rows, N), computed as ``(W xᵀ)ᵀ``: with 16 or 32 rows that takes 50 to 80 % of the time.

    It is for weights that are used once, so that splitting them into blocks would not pay off.

    Args:
        x: (rows, K).
        weight: (..., N, K), torch's layout.
    """
    return np.ascontiguousarray((weight @ x.T).swapaxes(-2, -1))
