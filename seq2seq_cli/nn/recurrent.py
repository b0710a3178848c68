"""Unroll any cell over a packed batch, and back-propagate through time, with layers and directions.

There are only three kinds of matrix product; the first and the last cover all N tokens at once::

    x_projection = X W_ihᵀ + b_ih         one product for the whole layer
    h_projection = h W_hhᵀ + b_hh         one per step: the only one that depends on the previous step
    ∂loss/∂W     = d_projectionᵀ X        one for each weight, after the loop

The names and layouts of the weights are those of ``torch.nn.RNN``, ``LSTM`` and ``GRU``: ``weight_ih_l{layer}``,
``weight_hh_l{layer}``, ``bias_ih_l{layer}``, ``bias_hh_l{layer}``, with ``_reverse`` for the second direction.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import NamedTuple

import numpy as np

from seq2seq_cli.nn.cells import Cache, Cell, State
from seq2seq_cli.nn.functional import Array, dropout_mask
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.products import StepMatrix, few_rows_product


class LayerCache(NamedTuple):
    """The values that the backward pass of one layer in one direction needs."""

    inputs: Array
    hidden: Array
    caches: list[Cache]
    sentence_input: Array | None
    from_zero: bool


def layer_forward(
    cell: type[Cell],
    parameters: Mapping[str, Array],
    suffix: str,
    inputs: Array,
    packing: Packing,
    initial: State | None = None,
    sentence_input: Array | None = None,
    keep_cache: bool = True,
) -> tuple[Array, State, LayerCache]:
    """Run one layer in one direction over a packed batch.

    Args:
        cell: from ``CELLS``.
        parameters: holds ``weight_ih{suffix}`` (gH, E + C), ``weight_hh{suffix}`` (gH, H), the two biases (gH,) and the
            cell's own weights.
        suffix: for example ``_l0`` or ``_l0_reverse``.
        inputs: (N, E), packed.
        packing: where each token is.
        initial: the state before the first step, each array (B, H); None for zeros, whose product need not be computed.
        sentence_input: (B, C) or None: an input that is the same at every step, the last C columns of ``weight_ih``.
            It is multiplied once per sentence, not once per token.
        keep_cache: whether there will be a backward pass; inference needs no cache.

    Returns:
        The hidden states (N, H), each sentence's last state (each array (B, H)), and the cache for
        ``layer_backward``.
    """
    E, B = inputs.shape[1], packing.sentences
    weight_ih = by_gate(parameters[f"weight_ih{suffix}"], cell)  # (g, H, E + C)
    weight_hh = by_gate(parameters[f"weight_hh{suffix}"], cell)  # (g, H, H)
    state_matrix = StepMatrix(weight_hh.transpose(0, 2, 1))
    bias_ih = by_gate(parameters[f"bias_ih{suffix}"][:, None], cell).transpose(0, 2, 1)  # (g, 1, H)
    bias_hh = by_gate(parameters[f"bias_hh{suffix}"][:, None], cell).transpose(0, 2, 1)

    # Project all inputs at once, and the sentence's input once per sentence.
    x_projection = inputs @ weight_ih[:, :, :E].transpose(0, 2, 1)  # (g, N, H)
    x_projection += bias_ih + bias_hh if cell.additive else bias_ih
    if sentence_input is not None:
        per_sentence = few_rows_product(sentence_input, weight_ih[:, :, E:])  # (g, B, H)
        for size, start in zip(packing.batch_sizes, packing.offsets):
            x_projection[:, start : start + size] += per_sentence[:, :size]

    # Unroll: step t reads the hidden states of the sentences that are still alive, and writes those of its own rows.
    hidden = np.empty((B + packing.tokens, weight_hh.shape[2]), inputs.dtype)
    state = initial or tuple(np.zeros((B, weight_hh.shape[2]), inputs.dtype) for _ in cell.state_names)
    hidden[:B] = state[0]
    outputs = hidden[B:]
    final = tuple(np.empty_like(part) for part in state)
    extra = extra_weights(cell, parameters, suffix)
    caches = []
    for size, start in zip(packing.batch_sizes, packing.offsets):
        if size < len(state[0]):  # some sentences have ended: their state is final
            for part, whole in zip(state, final):
                whole[size : len(part)] = part[size:]
            state = tuple(part[:size] for part in state)
        if start == 0 and initial is None:
            h_projection = np.zeros((cell.gates, *state[0].shape), inputs.dtype)  # (g, size, H)
        else:
            h_projection = state_matrix.multiply(state[0])
        if not cell.additive:
            h_projection += bias_hh
        step = slice(start, start + size)
        state, cache = cell.forward(x_projection[:, step], h_projection, state, outputs[step], extra)
        if keep_cache:
            caches.append(cache)
    for part, whole in zip(state, final):
        whole[: len(part)] = part
    return outputs, final, LayerCache(inputs, hidden, caches, sentence_input, from_zero=initial is None)


def layer_backward(
    cell: type[Cell],
    parameters: Mapping[str, Array],
    suffix: str,
    packing: Packing,
    d_outputs: Array | None,
    d_final: State,
    cache: LayerCache,
    gradients: MutableMapping[str, Array],
) -> tuple[Array, State, Array | None]:
    """Back-propagate through time: the backward pass of ``layer_forward`` (Werbos 1990).

    Args:
        cell, parameters, suffix, packing: as in ``layer_forward``.
        d_outputs: (N, H), or None where the outputs were not used.
        d_final: each array (B, H).
        cache: from ``layer_forward``; each step's part is freed as soon as it has been used.
        gradients: receives every weight's gradient (written, not added) under the parameters' names.

    Returns:
        ``d_inputs`` (N, E), ``d_initial`` (each array (B, H); undefined if there was no initial state) and
        ``d_sentence_input`` (B, C) or None.
    """
    E, B = cache.inputs.shape[1], packing.sentences
    weight_ih = parameters[f"weight_ih{suffix}"]
    weight_hh = by_gate(parameters[f"weight_hh{suffix}"], cell)
    d_x_projection = np.empty((packing.tokens, cell.gates, weight_hh.shape[2]), weight_hh.dtype)
    d_h_projection = d_x_projection if cell.additive else np.empty_like(d_x_projection)
    state_matrix = StepMatrix(weight_hh)
    d_extra = extra_weights(cell, gradients, suffix)
    for d_weight in d_extra.values():
        d_weight[...] = 0.0
    d_state = tuple(part.copy() for part in d_final)  # the rows of a sentence stay here until its last step
    for t in range(packing.steps - 1, -1, -1):
        size, start = packing.batch_sizes[t], packing.offsets[t]
        # Add the gradient from the layer above to that from the next step (or d_final).
        alive = tuple(part[:size] for part in d_state)
        if d_outputs is not None:
            alive[0][...] += d_outputs[start : start + size]
        # Back-propagate through the gates.
        d_x, d_h, d_previous = cell.backward(alive, cache.caches.pop(), d_extra)
        d_x_projection[start : start + size] = d_x.transpose(1, 0, 2)
        if not cell.additive:
            d_h_projection[start : start + size] = d_h.transpose(1, 0, 2)
        if start == 0 and cache.from_zero:
            break
        # Back-propagate to the previous step: through the recurrent weights, and directly through the cell.
        np.add.reduce(state_matrix.multiply(d_h), axis=0, out=alive[0])
        if d_previous[0] is not None:
            alive[0][...] += d_previous[0]
        for part, d_part in zip(alive[1:], d_previous[1:]):
            part[...] = 0.0 if d_part is None else d_part

    # The gradient of each weight is one product over all tokens.
    d_x_all, d_h_all = (each.reshape(packing.tokens, -1) for each in (d_x_projection, d_h_projection))  # (N, gH)
    d_weight_ih, d_weight_hh = gradients[f"weight_ih{suffix}"], gradients[f"weight_hh{suffix}"]
    after = B if cache.from_zero else 0  # a hidden state of zeros adds nothing
    np.matmul(d_x_all.T, cache.inputs, out=d_weight_ih[:, :E])
    np.matmul(d_h_all[after:].T, cache.hidden[packing.previous[after:]], out=d_weight_hh)
    np.sum(d_x_all, axis=0, out=gradients[f"bias_ih{suffix}"])
    np.sum(d_h_all, axis=0, out=gradients[f"bias_hh{suffix}"])
    d_sentence_input = None
    if cache.sentence_input is not None:
        d_sentence = packing.sum_over_time(d_x_all)  # (B, gH)
        np.matmul(d_sentence.T, cache.sentence_input, out=d_weight_ih[:, E:])
        d_sentence_input = d_sentence @ weight_ih[:, E:]
    return d_x_all @ weight_ih[:, :E], d_state, d_sentence_input


def layer_shapes(cell: type[Cell], inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of one layer's weights in one direction, by name without the layer's suffix.

    Args:
        cell: from ``CELLS``.
        inputs: size of the layer's input.
        hidden: H.
    """
    rows = cell.gates * hidden
    return {
        "weight_ih": (rows, inputs),
        "weight_hh": (rows, hidden),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
        **cell.extra_shapes(hidden),
    }


def layer_weights(cell: type[Cell], parameters: Mapping[str, Array], suffix: str) -> dict[str, Array]:
    """Return the weights of one layer in one direction, by name without the layer's suffix."""
    return {name: parameters[f"{name}{suffix}"] for name in layer_shapes(cell, 0, 0)}


def extra_weights(cell: type[Cell], parameters: Mapping[str, Array], suffix: str) -> dict[str, Array]:
    """Return the cell's own weights of one layer in one direction, by name without the layer's suffix."""
    return {name: parameters[f"{name}{suffix}"] for name in cell.extra_shapes(0)}


def by_gate(stacked: Array, cell: type[Cell]) -> Array:
    """Return a view of (gH, F) weights as (g, H, F): each gate's own matrix."""
    return stacked.reshape(cell.gates, stacked.shape[0] // cell.gates, stacked.shape[1])


class StackCache(NamedTuple):
    """The cache of a stack: one entry per layer and direction, and one dropout mask per layer."""

    layers: list[LayerCache]
    masks: list[Array | None]


def count_layers(parameters: Mapping[str, Array]) -> int:
    """Return the number of layers in a dictionary of torch-named weights."""
    layers = 0
    while f"weight_ih_l{layers}" in parameters:
        layers += 1
    return layers


def suffixes(layer: int, directions: int) -> list[str]:
    """Return the name suffixes of one layer: ``["_l0"]``, or ``["_l0", "_l0_reverse"]``."""
    return [f"_l{layer}", f"_l{layer}_reverse"][:directions]


def stack_forward(
    cell: type[Cell],
    parameters: Mapping[str, Array],
    inputs: Array,
    packing: Packing,
    initial: Sequence[State] | None,
    *,
    directions: int = 1,
    dropout: float = 0.0,
    generator: np.random.Generator | None = None,
    sentence_input: Array | None = None,
    keep_cache: bool = True,
) -> tuple[Array, list[State], StackCache]:
    """Run a stack of layers, in one or both directions; each layer reads the outputs of the one below.

    Args:
        cell: from ``CELLS``.
        parameters: torch-named weights of every layer and direction.
        inputs: (N, E), packed.
        packing: where each token is.
        initial: a state for each layer and direction, in torch's order: layer 0 forward, layer 0 reverse, layer 1 …;
            None for zeros.
        directions: 1; or 2 to read each sentence backward as well, and concatenate the outputs.
        dropout: rate between layers (not after the last), if a generator is given.
        generator: None switches dropout off, as for inference.
        sentence_input: (B, C) for the first layer, the same at every step.
        keep_cache: whether there will be a backward pass.

    Returns:
        The top layer's outputs (N, directions · H), the last states in the order of ``initial``, and the cache.

    Source:
        Two directions: Schuster & Paliwal 1997, "Bidirectional Recurrent Neural Networks".
    """
    layers = count_layers(parameters)
    finals: list[State] = []
    cache = StackCache([], [])
    for layer in range(layers):
        outputs = []
        for direction, suffix in enumerate(suffixes(layer, directions)):
            order = packing.reversal if direction else None
            layer_outputs, final, layer_cache = layer_forward(
                cell,
                parameters,
                suffix,
                inputs if order is None else inputs[order],
                packing,
                initial[layer * directions + direction] if initial else None,
                sentence_input if layer == 0 else None,
                keep_cache,
            )
            outputs.append(layer_outputs if order is None else layer_outputs[order])
            finals.append(final)
            cache.layers.append(layer_cache)
        inputs = outputs[0] if directions == 1 else np.concatenate(outputs, axis=1)
        mask = None
        if dropout and generator is not None and layer < layers - 1:
            mask = dropout_mask(inputs.shape, dropout, generator, inputs.dtype)
            inputs = inputs * mask
        cache.masks.append(mask)
    return inputs, finals, cache


def stack_backward(
    cell: type[Cell],
    parameters: Mapping[str, Array],
    packing: Packing,
    d_outputs: Array | None,
    d_finals: Sequence[State],
    cache: StackCache,
    gradients: MutableMapping[str, Array],
    *,
    directions: int = 1,
) -> tuple[Array, list[State], Array | None]:
    """Run the backward pass of ``stack_forward``.

    Args:
        d_outputs: (N, directions · H) or None where the outputs were not used.
        d_finals: in the order of ``stack_forward``'s ``initial``.
        gradients: receives every weight's gradient.

    Returns:
        ``d_inputs`` (N, E), ``d_initial`` in the order of ``initial``, and ``d_sentence_input`` (B, C) or None.
    """
    d_initial: list[State] = [()] * len(cache.layers)
    d_sentence_input = None
    for layer in range(len(cache.masks) - 1, -1, -1):
        mask = cache.masks[layer]
        if mask is not None and d_outputs is not None:
            d_outputs = d_outputs * mask
        d_parts: list[Array | None] = [None] * directions
        if d_outputs is not None:
            d_parts = list(np.split(d_outputs, directions, axis=1))
        d_inputs = None
        for direction, suffix in enumerate(suffixes(layer, directions)):
            k = layer * directions + direction
            d_part = d_parts[direction]
            if direction and d_part is not None:
                d_part = d_part[packing.reversal]
            d_layer_inputs, d_initial[k], d_sentence_part = layer_backward(
                cell, parameters, suffix, packing, d_part, d_finals[k], cache.layers[k], gradients
            )
            if d_sentence_part is not None:
                d_sentence_input = d_sentence_part  # only one-directional decoders have a sentence input
            d_inputs = d_layer_inputs if d_inputs is None else d_inputs + d_layer_inputs[packing.reversal]
        d_outputs = d_inputs
    assert d_outputs is not None
    return d_outputs, d_initial, d_sentence_input
