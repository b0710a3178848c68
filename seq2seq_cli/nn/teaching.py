"""The three teaching functions: an encoder–decoder for one sentence, without batches and without training.

They are thin wrappers around the cells and the unrolling that training uses, with a batch of one. The weights are
dictionaries with ``torch.nn`` names. To use the weights of a trained model, remove the prefix; the functions
have one direction, and neither a pooled context nor priors, so train it with ``--no-bidirectional --no-pooled-context
--no-lexical-prior``::

    model = Translator.load("model.npz").models[0]
    encoder_params = model.parameters.below("encoder.rnn.")
    decoder_params = {**model.parameters.below("decoder."), **model.parameters.below("decoder.rnn.")}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.cells import CELLS, Cell, State
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.output_layer import output_forward
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.recurrent import count_layers, layer_shapes, stack_forward

Parameters = Mapping[str, Array]
StateLike = Any
"""An array, or for the LSTM also a pair of arrays: (H,), or (layers, H) for a stack."""


def encoder_forward(
    X_seq: npt.ArrayLike, h0: StateLike, encoder_params: Parameters, cell_type: str = "rnn"
) -> StateLike:
    """Encode a source sentence and return the context vector: all that the decoder will know about it.

    **Role.** The encoder folds a sequence of any length into one vector of fixed size. It starts from ``h0`` and
    applies the same cell to every input in turn::

        h_t = cell(x_t, h_{t−1}),  t = 1 … seq_len          context = h_T

    The last hidden state is the *context vector*. Because it has the same size for three words and for thirty, it is a
    bottleneck: long sentences lose detail.

    **Counterpart in a transformer.** The encoder stack. There, self-attention lets every position look at every other
    at once, instead of one after the other, and the result is not one vector but one *per source token*, all of which
    the decoder can consult through cross-attention. The context vector takes the place of all these vectors.

    Args:
        X_seq: (seq_len, input_dim) the embedded source tokens, in reading order.
        h0: the initial hidden state, (hidden_dim,), usually zeros; for ``'lstm'`` also a pair ``(h0, c0)``. For stacked
            weights either one state from which every layer starts, or (layers, hidden_dim).
        encoder_params: ``weight_ih_l0`` (g·hidden_dim, input_dim), ``weight_hh_l0`` (g·hidden_dim, hidden_dim),
            ``bias_ih_l0`` and ``bias_hh_l0`` (g·hidden_dim,), with g = 1, 4, 3 gates for ``'rnn'``, ``'lstm'`` (i, f,
            g, o), ``'gru'`` (r, z, n); and ``…_l1`` and so on for stacked layers. One direction.
        cell_type: ``'rnn'``, ``'lstm'`` or ``'gru'``.

    Returns:
        The last state, in the form of ``h0``: an array gives the (top layer's) final hidden state
        (hidden_dim,), and an LSTM's cell state then starts at zero; a pair gives a pair ``(h, c)``; arrays of
        (layers, hidden_dim) give every layer's. Its dtype is that of the weights.

    Raises:
        ValueError: for an unknown cell, or a shape that does not fit, naming what was expected.

    Source:
        Cho et al. 2014, section 2.2; Sutskever et al. 2014, section 2.
    """
    cell = _find_cell(cell_type)
    encoder_params = _floating(encoder_params)
    hidden_dim = _check_weights(cell, cell_type, encoder_params, "encoder_params")
    inputs = _check_sequence("X_seq", X_seq, encoder_params)
    initial = _initial_states("h0", h0, cell, cell_type, encoder_params, hidden_dim)
    _, finals, _ = stack_forward(cell, encoder_params, inputs, _one_sentence(inputs), initial)
    return _like(h0, finals)


def decoder_forward(
    context_vector: StateLike, Y_seq: npt.ArrayLike, decoder_params: Parameters, cell_type: str = "rnn"
) -> Array:
    """Predict every target token from the context vector and the target tokens before it; return the logits.

    **Role.** The decoder is a language model of the target language that starts from the context vector instead of from
    zero. At step ``t`` it reads the *previous* target token and scores every word of the vocabulary as the next one::

        s_0 = context        s_t = cell(y_{t−1}, s_{t−1})        logits_t = W_out s_t + b_out

    Here the previous tokens are given (``Y_seq`` is the correct target, shifted right by BOS): that is
    *teacher forcing*, as in training. When translating, each step's own choice is fed back in its place.

    **Counterpart in a transformer.** The decoder stack. Its masked self-attention does what the recurrence does here:
    it sees the target so far and nothing of the future. Its cross-attention reads the encoder's outputs again at every
    step, whereas this decoder has only its initial state. Its final linear layer is ``fc_out``.

    Args:
        context_vector: what ``encoder_forward`` returned: (hidden_dim,), for ``'lstm'`` also a pair ``(h, c)``; for
            stacked weights also (layers, hidden_dim).
        Y_seq: (seq_len, input_dim) the embedded target tokens, starting with BOS.
        decoder_params: as ``encoder_params``, and ``fc_out.weight`` (output_dim, hidden_dim), ``fc_out.bias``
            (output_dim,); without an ``fc_out.weight``, ``embedding.weight`` serves (a tied model). Where
            ``weight_ih_l0`` has hidden_dim more columns than ``Y_seq``, the context is also fed at every step, as
            ``[y; context]`` (Cho), and a ``readout.weight``/``readout.bias`` is applied to ``[y; hidden; context]``
            before ``fc_out``, if present.
        cell_type: ``'rnn'``, ``'lstm'`` or ``'gru'``.

    Returns:
        The logits, (seq_len, output_dim), before softmax; of the weights' dtype.

    Raises:
        ValueError: for an unknown cell, or a shape that does not fit, naming what was expected.

    Source:
        Sutskever et al. 2014, equation 1; Cho et al. 2014, section 2.2 (with the context at every step).
    """
    cell = _find_cell(cell_type)
    decoder_params = _floating(decoder_params)
    hidden_dim = _check_weights(cell, cell_type, decoder_params, "decoder_params")
    initial = _initial_states("context_vector", context_vector, cell, cell_type, decoder_params, hidden_dim)
    sentence_input = None
    if np.ndim(Y_seq) == 2 and decoder_params["weight_ih_l0"].shape[1] == np.shape(Y_seq)[1] + hidden_dim:
        sentence_input = initial[-1][0]
    inputs = _check_sequence("Y_seq", Y_seq, decoder_params, extra=0 if sentence_input is None else hidden_dim)
    packing = _one_sentence(inputs)
    top, _, _ = stack_forward(cell, decoder_params, inputs, packing, initial, sentence_input=sentence_input)
    if sentence_input is not None and "readout.weight" in decoder_params:
        known = np.concatenate([inputs, top, sentence_input.repeat(len(inputs), axis=0)], axis=1)
        weight = _expect(decoder_params, "readout.weight", (None, known.shape[1]), "decoder_params")
        bias = _expect(decoder_params, "readout.bias", (len(weight),), "decoder_params")
        top = np.tanh(output_forward(known, weight, bias))
    tied = "fc_out.weight" not in decoder_params and "embedding.weight" in decoder_params
    output_name = "embedding.weight" if tied else "fc_out.weight"
    weight = _expect(decoder_params, output_name, (None, top.shape[1]), "decoder_params")
    bias = _expect(decoder_params, "fc_out.bias", (len(weight),), "decoder_params")
    return output_forward(top, weight, bias)


def seq2seq_loss(logits_seq: npt.ArrayLike, target_seq: npt.ArrayLike, loss_fn: Callable[[Array, int], float]) -> float:
    """Return the total loss of a sentence: the sum of the loss of every step.

    **Role.** Training raises the probability of the whole target sentence, and by the chain rule its negative logarithm
    is a sum of one term per token::

        loss = − log p(y_1 … y_T | x) = Σ_t − log p(y_t | y_1 … y_{t−1}, x) = Σ_t loss_fn(logits_t, y_t)

    with cross-entropy as ``loss_fn``. It is the **total**, not the mean: divide by the number of tokens to compare
    sentences, and take ``exp`` of that for the perplexity.

    **Counterpart in a transformer.** The same: token-level cross-entropy with teacher forcing. Only how the logits are
    computed differs: a transformer computes all steps at once, this decoder one after the other.

    Args:
        logits_seq: (seq_len, output_dim), from ``decoder_forward``.
        target_seq: (seq_len,) class indices, each from 0 to output_dim − 1: the correct tokens, ending with EOS.
        loss_fn: called as ``loss_fn(logits, target)`` with one step's logits (output_dim,) and its index (an int);
            returns that step's loss, in nats for cross-entropy.

    Returns:
        The sum, a float.

    Raises:
        ValueError: for a wrong shape, or an index outside the vocabulary, naming what was expected.

    Example:
        >>> def cross_entropy(logits, target):
        ...     return np.log(np.exp(logits).sum()) - logits[target]
        >>> round(seq2seq_loss(np.zeros((3, 4)), [0, 1, 2], cross_entropy), 4)  # 3 · log 4
        4.1589
    """
    logits = np.asarray(logits_seq)
    targets = np.asarray(target_seq)
    if logits.ndim != 2:
        raise ValueError(f"logits_seq must have shape (seq_len, output_dim), not {logits.shape}")
    if targets.shape != logits.shape[:1]:
        raise ValueError(f"target_seq must have shape ({len(logits)},), one class index per step, not {targets.shape}")
    if targets.size and not np.issubdtype(targets.dtype, np.integer):
        raise ValueError(f"target_seq must hold class indices of an integer type, not {targets.dtype}")
    for step, target in enumerate(targets):
        if not 0 <= target < logits.shape[1]:
            raise ValueError(
                f"target_seq[{step}] must be a class index from 0 to {logits.shape[1] - 1}, not {int(target)}"
            )
    return float(sum(float(loss_fn(row, int(target))) for row, target in zip(logits, targets)))


def _find_cell(cell_type: str) -> type[Cell]:
    """Return the cell of that name, or list the choices."""
    if not isinstance(cell_type, str) or cell_type not in CELLS:
        raise ValueError(f"cell_type must be one of {', '.join(map(repr, CELLS))}, not {cell_type!r}")
    return CELLS[cell_type]


def _floating(parameters: Parameters) -> dict[str, Array]:
    """Return the weights as arrays of a floating type; lists and integers are accepted."""
    arrays = {name: np.asarray(value) for name, value in parameters.items()}
    return {
        name: array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)
        for name, array in arrays.items()
    }


def _one_sentence(inputs: Array) -> Packing:
    return Packing((len(inputs),))


def _expect(parameters: Parameters, name: str, shape: tuple[int | None, ...], where: str) -> Array:
    """Return the array of that name and shape (None matches any size), or raise an error with the expected shape."""
    wanted = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ("," * (len(shape) == 1)) + ")"
    if name not in parameters:
        raise ValueError(f"{where} must contain {name!r} of shape {wanted}; it has {sorted(parameters)}")
    array = np.asarray(parameters[name])
    if array.ndim != len(shape) or any(w is not None and w != s for w, s in zip(shape, array.shape)):
        raise ValueError(f"{where}[{name!r}] must have shape {wanted}, not {array.shape}")
    return array


def _check_weights(cell: type[Cell], cell_type: str, parameters: Parameters, where: str) -> int:
    """Check every layer's shapes against each other and return hidden_dim."""
    if "weight_ih_l0_reverse" in parameters:
        raise ValueError(f"{where} must have one direction, but it also has {'weight_ih_l0_reverse'!r}")
    hidden_dim = int(_expect(parameters, "weight_hh_l0", (None, None), where).shape[1])
    for layer in range(max(1, count_layers(parameters))):
        shapes: dict[str, tuple[int | None, ...]] = {**layer_shapes(cell, hidden_dim, hidden_dim)}
        if layer == 0:
            shapes["weight_ih"] = (cell.gates * hidden_dim, None)
        try:
            for name, shape in shapes.items():
                _expect(parameters, f"{name}_l{layer}", shape, where)
        except ValueError as error:
            gates = f"{cell.gates} gate{'s' * (cell.gates > 1)} of hidden_dim {hidden_dim}"
            raise ValueError(f"{error} (cell_type {cell_type!r} has {gates})") from None
    return hidden_dim


def _check_sequence(name: str, sequence: npt.ArrayLike, parameters: Parameters, extra: int = 0) -> Array:
    """Return the sequence as (seq_len, input_dim) in the weights' dtype."""
    weight = parameters["weight_ih_l0"]
    expected = f"(seq_len, {weight.shape[1] - extra}) with seq_len of at least 1"
    try:
        array = np.asarray(sequence, dtype=weight.dtype)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers of shape {expected}") from None
    if array.ndim != 2 or array.shape[1] != weight.shape[1] - extra or not len(array):
        raise ValueError(f"{name} must have shape {expected}, not {array.shape}")
    return array


def _initial_states(
    name: str, given: StateLike, cell: type[Cell], cell_type: str, parameters: Parameters, hidden_dim: int
) -> list[State]:
    """Return one state per layer, every array (1, hidden_dim), from an array or a pair."""
    layers = count_layers(parameters)
    parts = list(given) if isinstance(given, tuple) else [given]
    states = len(cell.state_names)
    allowed = "an array or a pair (h, c) of arrays" if states == 2 else "one array"
    if len(parts) not in (1, states) or (isinstance(given, tuple) and len(parts) != states):
        raise ValueError(f"{name} must be {allowed} for cell_type {cell_type!r}, not {len(parts)} of them")
    dtype = parameters["weight_ih_l0"].dtype
    arrays = []
    for part in parts:
        array = np.asarray(part, dtype=dtype)
        if array.shape not in ((hidden_dim,), (layers, hidden_dim)):
            stacked = f" or ({layers}, {hidden_dim})" if layers > 1 else ""
            raise ValueError(f"{name} must have shape ({hidden_dim},){stacked}, not {array.shape}")
        arrays.append(np.broadcast_to(array, (layers, hidden_dim)))
    arrays += [np.zeros((layers, hidden_dim), dtype)] * (states - len(arrays))
    return [tuple(array[layer : layer + 1] for array in arrays) for layer in range(layers)]


def _like(given: StateLike, finals: list[State]) -> StateLike:
    """Return the final states in the form of the given initial state."""
    is_pair = isinstance(given, tuple)
    stacked = np.ndim(given[0] if is_pair else given) == 2
    parts = []
    for k in range(len(finals[0]) if is_pair else 1):
        every_layer = np.concatenate([state[k] for state in finals])
        parts.append(every_layer if stacked else every_layer[-1])
    return tuple(parts) if is_pair else parts[0]
