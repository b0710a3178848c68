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

    def of(self, ids: IntArray) -> Array:
        """Return a new array (N, M) for token ids (N,)."""
        known = self.known[ids]
        if not known.all():
            new = np.unique(ids[~known])
            self.products[new] = self.embedding[new] @ self.weight + self.bias
            self.known[new] = True
        return self.products.take(ids, axis=0)
