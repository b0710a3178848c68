"""Weight dropout (DropConnect) on the recurrent weights: forward and backward.

Dropout on the hidden state would set other values to zero at every step and erase the state. Instead, weights of
``W_hh`` are dropped, once for the whole batch, and every step uses the same ones. With a mask ``m``, 0 with
probability ``r``, else ``1 / (1 − r)``::

    W̃_hh = m ⊙ W_hh                 h_projection = h W̃_hhᵀ + b_hh            at every step

    d_W_hh = m ⊙ d_W̃_hh             d_h = d_h_projection W̃_hh

so a dropped weight has no gradient in this batch. If a batch is sharded over several workers, each shard has its
own mask. Layers and cells need no change: they run forward and backward on ``W̃_hh``. Input weights, biases and a cell's
own weights are not dropped. Inference uses ``W_hh``.

Source: Wan et al. 2013, "Regularization of Neural Networks using DropConnect"; on the recurrent weights: Merity, Keskar
& Socher 2018, "Regularizing and Optimizing LSTM Language Models", section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

import numpy as np

from seq2seq_cli.nn.functional import Array, dropout_mask

Masks = dict[str, Array]


def weight_dropout_forward(
    parameters: Mapping[str, Array], rate: float, generator: np.random.Generator | None
) -> tuple[Mapping[str, Array], Masks]:
    """Return a stack's parameters with some of the recurrent weights dropped, and the masks by name.

    Args:
        parameters: torch-named weights of every layer and direction; they stay as they are.
        rate: probability of dropping a weight, from 0 to below 1.
        generator: determines the masks; None switches dropout off.

    Returns:
        The same arrays, but a masked copy of each ``weight_hh``; and the masks. Without dropout, the parameters
        themselves and no masks.
    """
    if not rate or generator is None:
        return parameters, {}
    masks = {
        name: dropout_mask(weight.shape, rate, generator, weight.dtype)
        for name, weight in parameters.items()
        if name.startswith("weight_hh")
    }
    return {**parameters, **{name: mask * parameters[name] for name, mask in masks.items()}}, masks


def weight_dropout_backward(masks: Masks, gradients: MutableMapping[str, Array]) -> None:
    """Convert the gradients of the masked weights to those of the weights, in place: ``d_W = m ⊙ d_W̃``."""
    for name, mask in masks.items():
        gradients[name] *= mask
