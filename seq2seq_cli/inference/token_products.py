"""What a token's embedding contributes to the gates: always the same, so it is computed once."""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.functional import Array, IntArray


class TokenProducts:
    """Rows ``embedding[token] W + b``, computed when a token is read for the first time.

    Args:
        embedding: (V, E).
        weight: (E, M).
        bias: (M,).
    """

    def __init__(self, embedding: Array, weight: Array, bias: Array) -> None:
        self.embedding, self.weight, self.bias = embedding, weight, bias
        self.known = np.zeros(len(embedding), dtype=bool)
        self.products = np.empty((len(embedding), weight.shape[1]), weight.dtype)  # takes memory as rows are filled

    def of(self, ids: IntArray, out: Array | None = None) -> Array:
        """Return an array (N, M) for token ids (N,): a new one, or ``out``."""
        if np.count_nonzero(self.known.take(ids)) < len(ids):
            missing = ~self.known
            asked = np.zeros_like(missing)
            asked[ids] = True
            new = np.nonzero(asked & missing)[0]  # np.unique would load 10 ms of numpy.ma at a cold start
            self.products[new] = self.embedding[new] @ self.weight + self.bias
            self.known[new] = True
        return self.products.take(ids, axis=0, out=out, mode="clip")  # by default it writes to out by way of a copy
