"""Packing: sentences of unequal length in one array, without padding.

A batch is sorted by length, longest first, and stored time-major: first every sentence's first token, then the second
token of those that have one, and so on. Three sentences ``abcd``, ``ef``, ``g`` become::

    data        = a e g | b f | c | d          N = 7 rows
    batch_sizes = 3       2     1   1          at step t only the first batch_sizes[t] sentences are alive

``torch.nn.utils.rnn.PackedSequence`` has the same layout. There is no mask and no wasted product, and a sentence's
result cannot depend on its neighbors' lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.functional import Array

Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Packing:
    """The layout of a packed batch: where each token is.

    Args:
        lengths: (B,) tokens per sentence, longest first, none empty.

    Raises:
        ValueError: if the lengths are not sorted, or one is below 1.
    """

    lengths: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.lengths or self.lengths[-1] < 1 or any(a < b for a, b in zip(self.lengths, self.lengths[1:])):
            raise ValueError(f"there must be lengths, all positive and longest first, not {self.lengths[:10]}")

    @classmethod
    def of(cls, lengths: Sequence[int] | npt.NDArray[np.integer]) -> Packing:
        """Return the packing of sentences with these lengths, longest first."""
        return cls(tuple(int(length) for length in lengths))

    @property
    def steps(self) -> int:
        """T, the longest sentence's length."""
        return self.lengths[0]

    @property
    def sentences(self) -> int:
        """B."""
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        """N."""
        return self.offsets[-1]

    @cached_property
    def _alive(self) -> npt.NDArray[np.bool_]:
        return np.arange(self.steps)[:, None] < np.asarray(self.lengths)[None, :]

    @cached_property
    def batch_sizes(self) -> list[int]:
        """(T,) sentences alive at each step."""
        # The sentences are sorted by length, so those that have ended are the last ones.
        sizes, size = [], self.sentences
        for step in range(self.steps):
            while self.lengths[size - 1] <= step:
                size -= 1
            sizes.append(size)
        return sizes

    @cached_property
    def offsets(self) -> list[int]:
        """(T + 1,) first row of each step, and N."""
        return [0, *accumulate(self.batch_sizes)]

    @cached_property
    def token_steps(self) -> Index:
        """(N,) the step of each row."""
        return np.nonzero(self._alive)[0]

    @cached_property
    def token_sentences(self) -> Index:
        """(N,) the sentence of each row."""
        return np.nonzero(self._alive)[1]

    @cached_property
    def reversal(self) -> Index:
        """(N,) for each row, the row of the mirrored token of the same sentence; applied twice, it is the identity."""
        if self.sentences == 1:
            return np.arange(self.tokens)[::-1]
        # Token t of a sentence of length L has its mirror image at step L − 1 − t, in the same sentence's row.
        mirrored = np.asarray(self.lengths)[self.token_sentences] - 1 - self.token_steps
        return np.asarray(self.offsets)[mirrored] + self.token_sentences

    @cached_property
    def previous(self) -> Index:
        """(N,) for each row, the row of the previous step, in an array with B initial rows before the N."""
        # A sentence has the same row within every step, so only the offset changes; step 0 follows the B initial rows.
        before = np.asarray([-self.sentences, *self.offsets[:-2]])[self.token_steps]
        return self.sentences + before + self.token_sentences

    def sum_over_time(self, packed: Array) -> Array:
        """Return (..., B, F): for each sentence, the sum of its rows of (..., N, F)."""
        # Step 0 holds all sentences; each later step adds its rows to the sums of the sentences still alive.
        total: Array = packed[..., : self.sentences, :].copy()
        for start, stop in zip(self.offsets[1:], self.offsets[2:]):
            total[..., : stop - start, :] += packed[..., start:stop, :]
        return total

    def mean_over_time(self, packed: Array) -> Array:
        """Return (B, F): for each sentence, the mean of its rows of (N, F)."""
        mean: Array = self.sum_over_time(packed) / self._divisors(packed)
        return mean

    def mean_over_time_backward(self, d_mean: Array) -> Array:
        """Return the gradient (N, F) of what ``mean_over_time`` was given: each row has its share of ``d_mean``."""
        d_packed: Array = (d_mean / self._divisors(d_mean))[self.token_sentences]
        return d_packed

    def _divisors(self, like: Array) -> Array:
        """Return the lengths (B, 1) in the dtype of ``like``."""
        return np.asarray(self.lengths, like.dtype)[:, None]
