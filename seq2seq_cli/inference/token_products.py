"""The product of each token's embedding with the input weights, computed once per token."""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.functional import Array, IntArray


class TokenProducts:
    """The rows ``embedding[token] W + b``; each is computed when its token first occurs.

    Args:
        embedding: (V, E).
        weight: (E, M).
        bias: (M,).
    """

    def __init__(self, embedding: Array, weight: Array, bias: Array) -> None:
        self.embedding, self.weight, self.bias = embedding, weight, bias
        self.known = np.zeros(len(embedding), dtype=bool)
        self.products = np.empty((len(embedding), weight.shape[1]), weight.dtype)  # uses memory as rows are filled

    def of(self, ids: IntArray, out: Array | None = None) -> Array:
        """Return the rows (N, M) of token ids (N,), in a new array or in ``out``."""
        if np.count_nonzero(self.known.take(ids)) < len(ids):
            missing = ~self.known
            requested = np.zeros_like(missing)
            requested[ids] = True
            new = np.nonzero(requested & missing)[0]  # np.unique would import numpy.ma, which takes 10 ms at start-up
            self.products[new] = self.embedding[new] @ self.weight + self.bias
            self.known[new] = True
        return self.products.take(ids, axis=0, out=out, mode="clip")  # the default mode buffers out
