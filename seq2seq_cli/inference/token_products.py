"""The product of each token's embedding with the input weights, computed once for each token."""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.functional import Array, IntArray


class TokenProducts:
    """Rows ``embedding[token] W + b``, each computed when its token is first looked up.

    Args:
        embedding: (V, E).
        weight: (E, M).
        bias: (M,).
    """

    def __init__(self, embedding: Array, weight: Array, bias: Array) -> None:
        self.embedding, self.weight, self.bias = embedding, weight, bias
        self.known = np.zeros(len(embedding), dtype=bool)
        self.products = np.empty((len(embedding), weight.shape[1]), weight.dtype)  # memory is used as rows are filled

    def of(self, ids: IntArray, out: Array | None = None) -> Array:
        """Return an array (N, M) for token ids (N,): a new one, or ``out``."""
        if np.count_nonzero(self.known.take(ids)) < len(ids):
            missing = ~self.known
            asked = np.zeros_like(missing)
            asked[ids] = True
            new = np.nonzero(asked & missing)[0]  # np.unique imports numpy.ma, 10 ms at start-up
            self.products[new] = self.embedding[new] @ self.weight + self.bias
            self.known[new] = True
        return self.products.take(ids, axis=0, out=out, mode="clip")  # the default mode buffers out
