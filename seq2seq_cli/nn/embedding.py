"""The embedding: token ids to vectors, forward and backward, with dropout of values and of whole tokens."""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.functional import Array, IntArray, dropout_mask


def embedding_forward(ids: IntArray, weight: Array) -> Array:
    """Return ``weight[ids]``: (N,) token ids and (V, E) weights give (N, E) vectors."""
    embedded: Array = weight[ids]
    return embedded


def embedding_backward(ids: IntArray, d_embedded: Array, d_weight: Array) -> None:
    """Add the gradient of ``weight[ids]`` to ``d_weight``: for every token, the sum over its occurrences.

    The occurrences are sorted by token, so that the rows of each token form one segment.

    Args:
        ids: (N,).
        d_embedded: (N, E).
        d_weight: (V, E), changed in place; rows of tokens that do not occur stay as they are.
    """
    order = np.argsort(ids, kind="stable")
    tokens, starts = np.unique(ids[order], return_index=True)
    d_weight[tokens] += np.add.reduceat(d_embedded[order], starts, axis=0)


def embedding_dropout(
    embedded: Array, dropout: float, word_dropout: float, generator: np.random.Generator | None
) -> Array | None:
    """Drop values and whole tokens of embedded text, in place, and return the mask.

    With ``m`` (N, E) and ``w`` (N, 1), each 0 with its rate's probability, else ``1 / (1 − rate)``::

        e ← e ⊙ m ⊙ w                  d_e ← d_e ⊙ m ⊙ w

    A dropped token is a vector of zeros: the encoder has to infer it from its neighbors, and the decoder cannot rely on
    the previous token alone.

    Args:
        embedded: (N, E); overwritten.
        dropout: rate for each value.
        word_dropout: rate for each token; the occurrences of a word are independent.
        generator: determines the masks; None switches dropout off.

    Returns:
        The mask for the backward pass, (N, E), or (N, 1) if only tokens are dropped; None if nothing is dropped.

    Source:
        Word dropout: Gal & Ghahramani 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural
        Networks", which drops all occurrences of a word in a sentence together; source and target words in translation:
        Sennrich, Haddow & Birch 2016, "Edinburgh Neural Machine Translation Systems for WMT 16".
    """
    if generator is None:
        return None
    mask = dropout_mask(embedded.shape, dropout, generator, embedded.dtype) if dropout else None
    if word_dropout:
        token_mask = dropout_mask((len(embedded), 1), word_dropout, generator, embedded.dtype)
        mask = token_mask if mask is None else np.multiply(mask, token_mask, out=mask)
    if mask is not None:
        embedded *= mask
    return mask
