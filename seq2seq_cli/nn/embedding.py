"""Token ids to vectors: the embedding, forward and backward."""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.functional import Array, IntArray


def embedding_forward(ids: IntArray, weight: Array) -> Array:
    """Return ``weight[ids]``: (N,) token ids and (V, E) weights give (N, E) vectors."""
    embedded: Array = weight[ids]
    return embedded


def embedding_backward(ids: IntArray, d_embedded: Array, d_weight: Array) -> None:
    """Add the gradient of ``weight[ids]``: for every token, the sum over its occurrences.

    The occurrences are sorted by token, so that each token's rows are one segment to add up.

    Args:
        ids: (N,).
        d_embedded: (N, E).
        d_weight: (V, E), added to; rows of tokens that do not occur stay as they are.
    """
    order = np.argsort(ids, kind="stable")
    tokens, starts = np.unique(ids[order], return_index=True)
    d_weight[tokens] += np.add.reduceat(d_embedded[order], starts, axis=0)
