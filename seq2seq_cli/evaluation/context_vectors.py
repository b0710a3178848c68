"""The context vectors of sentences, and their projection to two dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.text.tokenizer import source_ids


def context_vectors(checkpoint: Checkpoint, texts: Sequence[str]) -> Array:
    """Return the context vector of each sentence.

    Args:
        checkpoint: a trained model.
        texts: n sentences.

    Returns:
        (n, C): with the context at every step, the vector that the decoder reads there; otherwise the initial hidden
        state of the decoder's top layer.
    """
    model, tokenizer = checkpoint.model, checkpoint.source_tokenizer
    vectors = []
    for text in texts:
        ids = source_ids(tokenizer, text, model.config.reverse_source)
        state = model.encode(np.array(ids), Packing((len(ids),)))
        vectors.append(state.states[-1][0][0] if state.context is None else state.context[0])
    return np.stack(vectors)


def principal_components(vectors: Array, count: int = 2) -> tuple[Array, Array]:
    """Project vectors onto their principal components (PCA).

    ::

        X − mean = U S Vᵀ,    coordinates = U S,    share of the variance = S² / Σ S²

    Args:
        vectors: (n, C).
        count: number of components; if there are fewer, the remaining coordinates are zero.

    Returns:
        Coordinates (n, count) and the share of the variance of each component (count,). The sign of a component, which
        is arbitrary, is such that the coordinate with the largest absolute value is positive.

    Source:
        Pearson 1901, "On Lines and Planes of Closest Fit to Systems of Points in Space"; the picture is figure 2 of
        Sutskever et al. 2014.
    """
    centered = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    left, scale, _ = np.linalg.svd(centered, full_matrices=False)
    kept = min(count, len(scale))
    coordinates, shares = np.zeros((len(centered), count)), np.zeros(count)
    coordinates[:, :kept] = left[:, :kept] * scale[:kept]
    coordinates *= np.where(coordinates.max(axis=0) >= -coordinates.min(axis=0), 1.0, -1.0)
    total = float((scale**2).sum())
    if total > 0:
        shares[:kept] = scale[:kept] ** 2 / total
    return coordinates, shares
