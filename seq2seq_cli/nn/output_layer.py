"""The vocabulary layer: the largest matrix product of the model, and the loss, block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from seq2seq_cli.nn.functional import Array, IntArray, softmax_cross_entropy

BLOCK_BYTES = 16 << 20
"""Maximum size of a block of logits, which limits the memory. Smaller blocks stay in a faster cache, but
need more additions to the weight's gradient: with V 8,000 and F 256 a step of 536 tokens takes 292 ms with 4 MiB, 280
ms with this, and no less with 32 MiB."""
SMALLEST_BLOCK = 16
"""Rows of a block if the vocabulary is so large that even a few rows exceed ``BLOCK_BYTES``."""
PRODUCT_BYTES = 1 << 20
"""Largest size of a product that is added to an array and exists at a time."""


class Loss(NamedTuple):
    """Sums over target tokens, in nats, and the number of tokens.

    ``loss`` is what training minimizes (with label smoothing); perplexity is ``exp(negative_log_likelihood / tokens)``.
    """

    loss: float
    negative_log_likelihood: float
    tokens: int


class Prior(Protocol):
    """A term that is added to the logits; it works on one block of rows after the other."""

    def add(self, z: Array, top: Array, start: int) -> None:
        """Add this prior to the logits ``z`` (n, V) of the rows from ``start`` on, whose input is ``top`` (n, F)."""

    def backward(self, d_z: Array, top: Array, start: int) -> Array:
        """Return ``d_top`` (n, F), given ``d_z`` (n, V), and add the gradients of its parameters to its own."""


def output_forward(top: Array, weight: Array, bias: Array) -> Array:
    """Return the logits, ``top Wᵀ + b``: (N, F) and (V, F) give (N, V)."""
    logits: Array = top @ weight.T
    logits += bias
    return logits


def output_loss(
    top: Array,
    weight: Array,
    bias: Array,
    targets: IntArray,
    label_smoothing: float = 0.0,
    priors: Sequence[Prior] = (),
) -> Loss:
    """Return the cross-entropy of the logits, without gradients; arguments as in ``output_loss_and_gradients``."""
    return _blocks(top, weight, bias, targets, label_smoothing, None, priors=priors)[0]


def output_loss_and_gradients(
    top: Array,
    weight: Array,
    bias: Array,
    targets: IntArray,
    d_weight: Array,
    d_bias: Array,
    label_smoothing: float = 0.0,
    tokens: int | None = None,
    priors: Sequence[Prior] = (),
) -> tuple[Loss, Array]:
    """Logits, softmax, cross-entropy and all gradients.

    The rows are processed in blocks of at most ``BLOCK_BYTES`` of logits, for any N and V.

    Args:
        top: (N, F) the layer's input.
        weight: (V, F).
        bias: (V,).
        targets: (N,) class indices.
        d_weight: (V, F), overwritten.
        d_bias: (V,), overwritten.
        label_smoothing: ε.
        tokens: number of tokens that the mean is over; N if None.
        priors: terms added to the logits.

    Returns:
        The summed loss, and ``d_top`` (N, F). All gradients are those of the **mean** loss per token.
    """
    return _blocks(top, weight, bias, targets, label_smoothing, (d_weight, d_bias), tokens, priors)


def _blocks(
    top: Array,
    weight: Array,
    bias: Array,
    targets: IntArray,
    label_smoothing: float,
    gradients: tuple[Array, Array] | None,
    tokens: int | None = None,
    priors: Sequence[Prior] = (),
) -> tuple[Loss, Array]:
    V, N = weight.shape[0], len(top)
    most = max(SMALLEST_BLOCK, BLOCK_BYTES // (V * weight.itemsize))
    rows = math.ceil(N / math.ceil(N / most))  # equal blocks, because a product with few rows is slow
    logits = np.empty((rows, V), top.dtype)
    d_top = np.empty_like(top) if gradients else top[:0]
    loss = nll = 0.0
    for start in range(0, N, rows):
        block = top[start : start + rows]
        z = np.matmul(block, weight.T, out=logits[: len(block)])
        z += bias
        for prior in priors:
            prior.add(z, block, start)
        block_loss, block_nll, d_z = softmax_cross_entropy(z, targets[start : start + rows], label_smoothing)
        loss += block_loss
        nll += block_nll
        if gradients:
            d_weight, d_bias = gradients
            d_z *= 1.0 / (tokens or N)
            np.matmul(d_z, weight, out=d_top[start : start + rows])
            if start == 0:
                np.matmul(d_z.T, block, out=d_weight)
                np.sum(d_z, axis=0, out=d_bias)
            else:
                _add_product(d_z.T, block, d_weight)
                d_bias += d_z.sum(axis=0)
            for prior in priors:
                d_top[start : start + rows] += prior.backward(d_z, block, start)
    return Loss(loss, nll, N), d_top


def _add_product(a: Array, b: Array, out: Array) -> None:
    """``out += a b``, some rows of ``out`` at a time, so that no second array of its size exists."""
    rows = max(1, PRODUCT_BYTES // (b.shape[1] * b.itemsize))
    for start in range(0, len(out), rows):
        out[start : start + rows] += a[start : start + rows] @ b
