"""The table of a bigram prior as plain arrays, for programs that know neither ``BigramTable`` nor its counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.bigram_prior import BACKOFF, BigramTable

Ids = npt.NDArray[np.int64]
NO_CONTEXT = np.iinfo(np.int64).max
"""Pads ``contexts``: larger than every context."""


class BigramEntries(NamedTuple):
    """The probabilities ``p(v | s, u)`` of a table, sparse.

    Args:
        contexts: (K,) ``s · V + u`` of each context, ascending.
        starts: (K + 1,) entries ``starts[k]`` to before ``starts[k + 1]`` are those of context k.
        tokens: (M,) the target token ``v`` of each entry.
        probabilities: (M,) float32 ``c(s, u, v) / (c(s, u) + k)``.
    """

    contexts: Ids
    starts: Ids
    tokens: Ids
    probabilities: npt.NDArray[np.float32]

    @classmethod
    def of(cls, table: BigramTable) -> BigramEntries:
        """Return the entries of a table; one without entries has a context and an entry that are never looked up."""
        if not len(table.counts):
            one = np.zeros(1, np.int64)
            return cls(one + NO_CONTEXT, np.zeros(2, np.int64), one, np.zeros(1, np.float32))
        starts = np.append(table.starts, len(table.counts))
        totals = np.repeat(table.totals, np.diff(starts))
        probabilities = (table.counts / (totals + BACKOFF)).astype(np.float32)
        return cls(table.contexts, starts, table.triples[:, 2].astype(np.int64), probabilities)

    def padded(self) -> BigramEntries:
        """Return the same with a power of two of contexts, for a binary search without bounds."""
        missing = (1 << (len(self.contexts) - 1).bit_length()) - len(self.contexts)
        contexts, starts = (
            np.append(array, np.full(missing, value))
            for array, value in ((self.contexts, NO_CONTEXT), (self.starts, self.starts[-1]))
        )
        return self._replace(contexts=contexts, starts=starts)
