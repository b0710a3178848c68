import inspect

import numpy as np
import pytest

import seq2seq_cli
from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.model import Batch
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.teaching import decoder_forward, encoder_forward, seq2seq_loss
from tests.reference.stored import below

CELLS = ["rnn", "lstm", "gru"]
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def make_params(cell_type, input_dim, hidden_dim, output_dim=None, seed=0, layers=1):
    generator = np.random.default_rng(seed)
    params = {}
    for layer in range(layers):
        columns = input_dim if layer == 0 else hidden_dim
        rows = GATES[cell_type] * hidden_dim
        params[f"weight_ih_l{layer}"] = generator.standard_normal((rows, columns))
        params[f"weight_hh_l{layer}"] = generator.standard_normal((rows, hidden_dim))
        params[f"bias_ih_l{layer}"] = generator.standard_normal(rows)
        params[f"bias_hh_l{layer}"] = generator.standard_normal(rows)
    if output_dim:
        params["fc_out.weight"] = generator.standard_normal((output_dim, hidden_dim))
        params["fc_out.bias"] = generator.standard_normal(output_dim)
    return params


def cross_entropy(logits, target):
    return -log_softmax(logits)[target]


def test_signatures_are_exactly_the_promised_ones():
    assert list(inspect.signature(seq2seq_cli.encoder_forward).parameters) == [
        "X_seq",
        "h0",
        "encoder_params",
        "cell_type",
    ]
    assert list(inspect.signature(seq2seq_cli.decoder_forward).parameters) == [
        "context_vector",
        "Y_seq",
        "decoder_params",
        "cell_type",
    ]
    assert list(inspect.signature(seq2seq_cli.seq2seq_loss).parameters) == ["logits_seq", "target_seq", "loss_fn"]
    for function in (encoder_forward, decoder_forward):
        assert inspect.signature(function).parameters["cell_type"].default == "rnn"


@pytest.mark.parametrize("function", [encoder_forward, decoder_forward, seq2seq_loss])
def test_docstrings_explain_the_role_and_the_transformer_counterpart(function):
    assert "**Role.**" in function.__doc__
    assert "**Counterpart in a transformer.**" in function.__doc__


@pytest.mark.parametrize("cell_type", CELLS)
@pytest.mark.parametrize("seq_len", [1, 5])
def test_shapes_of_context_logits_and_loss(cell_type, seq_len):
    generator = np.random.default_rng(1)
    context = encoder_forward(
        generator.standard_normal((seq_len, 3)), np.zeros(4), make_params(cell_type, 3, 4), cell_type
    )
    assert context.shape == (4,)
    logits = decoder_forward(
        context, generator.standard_normal((seq_len, 2)), make_params(cell_type, 2, 4, 7), cell_type
    )
    assert logits.shape == (seq_len, 7)
    loss = seq2seq_loss(logits, np.zeros(seq_len, dtype=int), cross_entropy)
    assert type(loss) is float


@pytest.mark.parametrize("cell_type", CELLS)
def test_one_step_equals_stored_torch(cell_type):
    data = below(f"cell/{cell_type}/")
    for row, x in enumerate(data["x"]):
        h0 = data["state0"][row]
        expected = data["final0"][row]
        if cell_type == "lstm":
            h, c = encoder_forward([x], (h0, data["state1"][row]), data, cell_type)
            np.testing.assert_allclose(c, data["final1"][row], atol=1e-12)
        else:
            h = encoder_forward([x], h0, data, cell_type)
        np.testing.assert_allclose(h, expected, atol=1e-12)


def test_rnn_equals_the_equation_written_out():
    params = make_params("rnn", 3, 4)
    X = np.random.default_rng(2).standard_normal((5, 3))
    h = np.ones(4)
    for x in X:
        h = np.tanh(
            params["weight_ih_l0"] @ x + params["bias_ih_l0"] + params["weight_hh_l0"] @ h + params["bias_hh_l0"]
        )
    np.testing.assert_allclose(encoder_forward(X, np.ones(4), params), h, atol=1e-14)


@pytest.mark.parametrize("cell_type", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("context", ["initial", "every-step"])
def test_they_give_the_trained_models_own_numbers(cell_type, layers, context):
    config = ModelConfig(
        7, 6, cell_type, embedding_size=3, hidden_size=4, layers=layers, bidirectional=False, context=context
    )
    model = random_model(config)
    source, inputs, outputs = np.array([3, 1, 6, 2]), np.array([1, 4, 5]), np.array([4, 5, 2])
    encoder_params = model.parameters.below("encoder.rnn.")
    decoder_params = {**model.parameters.below("decoder."), **model.parameters.below("decoder.rnn.")}

    zeros = np.zeros((layers, 4))
    h0 = (zeros, zeros) if cell_type == "lstm" else zeros
    found = encoder_forward(model.parameters["encoder.embedding.weight"][source], h0, encoder_params, cell_type)
    state = model.encode(source, Packing((4,)))
    for k, part in enumerate(found if cell_type == "lstm" else [found]):
        np.testing.assert_allclose(part, np.concatenate([layer[k] for layer in state.states]), atol=1e-13)

    Y = model.parameters["decoder.embedding.weight"][inputs]
    logits = decoder_forward(found, Y, decoder_params, cell_type)
    batch = Batch(source, Packing((4,)), inputs, outputs, Packing((3,)), np.zeros(1, dtype=np.intp))
    assert seq2seq_loss(logits, outputs, cross_entropy) == pytest.approx(model.loss(batch).loss, rel=1e-12)
    for t, token in enumerate(inputs):
        step, state = model.decode_step(state, np.array([token]))
        np.testing.assert_allclose(logits[t], step[0], atol=1e-13)


def test_lstm_state_comes_back_in_the_kind_it_was_given():
    params, X = make_params("lstm", 3, 4), np.random.default_rng(0).standard_normal((5, 3))
    bare = encoder_forward(X, np.zeros(4), params, "lstm")
    pair = encoder_forward(X, (np.zeros(4), np.zeros(4)), params, "lstm")
    assert isinstance(bare, np.ndarray)
    assert isinstance(pair, tuple)
    np.testing.assert_array_equal(bare, pair[0])
    decoder = make_params("lstm", 2, 4, 5)
    Y = np.ones((3, 2))
    from_bare = decoder_forward(bare, Y, decoder, "lstm")
    np.testing.assert_array_equal(from_bare, decoder_forward((bare, np.zeros(4)), Y, decoder, "lstm"))
    assert not np.allclose(from_bare, decoder_forward(pair, Y, decoder, "lstm"))


def test_bare_state_with_stacked_weights_starts_every_layer_and_returns_the_top():
    params, X = make_params("gru", 3, 4, layers=2), np.random.default_rng(0).standard_normal((5, 3))
    top = encoder_forward(X, np.ones(4), params, "gru")
    every = encoder_forward(X, np.ones((2, 4)), params, "gru")
    assert every.shape == (2, 4)
    np.testing.assert_array_equal(top, every[-1])


def test_the_decoder_depends_on_the_source_only_through_the_context():
    decoder, Y = make_params("gru", 2, 4, 5), np.ones((3, 2))
    a = decoder_forward(np.zeros(4), Y, decoder, "gru")
    b = decoder_forward(np.ones(4), Y, decoder, "gru")
    assert not np.allclose(a, b)


def test_loss_is_the_total_and_calls_loss_fn_once_a_step():
    calls = []

    def loss_fn(logits, target):
        calls.append((logits.tolist(), target))
        return 1.5

    logits = np.arange(6.0).reshape(3, 2)
    assert seq2seq_loss(logits, [1, 0, 1], loss_fn) == 4.5
    assert calls == [([0.0, 1.0], 1), ([2.0, 3.0], 0), ([4.0, 5.0], 1)]


@pytest.mark.parametrize("cell_type", CELLS)
def test_weights_may_be_lists_and_whole_numbers(cell_type):
    params = {name: np.round(3 * value).astype(int) for name, value in make_params(cell_type, 3, 4).items()}
    expected = encoder_forward(np.ones((2, 3)), np.zeros(4), {k: v.astype(float) for k, v in params.items()}, cell_type)
    for given in (params, {name: value.tolist() for name, value in params.items()}):
        np.testing.assert_array_equal(encoder_forward(np.ones((2, 3)), np.zeros(4), given, cell_type), expected)


def test_inputs_are_left_alone():
    params, X, h0 = make_params("gru", 3, 4), np.ones((5, 3)), np.zeros(4)
    encoder_forward(X, h0, params, "gru")
    assert np.array_equal(X, np.ones((5, 3)))
    assert np.array_equal(h0, np.zeros(4))


RNN = make_params("rnn", 3, 4)
OUT = make_params("rnn", 2, 4, 7)
READOUT = {
    **make_params("rnn", 2 + 4, 4, 7),
    "fc_out.weight": np.ones((7, 3)),
    "readout.weight": np.ones((3, 2 + 4 + 4)),
    "readout.bias": np.ones(4),
}
WRONG = [
    (
        lambda: encoder_forward(np.ones((5, 3)), np.zeros(4), {**RNN, "weight_ih_l0_reverse": RNN["weight_ih_l0"]}),
        r"one direction",
    ),
    (lambda: encoder_forward(np.ones((5, 3)), np.zeros(4), RNN, "elman"), r"'rnn', 'lstm', 'gru'"),
    (lambda: encoder_forward(np.ones((5, 2)), np.zeros(4), RNN), r"X_seq must have shape \(seq_len, 3\).*\(5, 2\)"),
    (lambda: encoder_forward(np.ones(3), np.zeros(4), RNN), r"X_seq must have shape \(seq_len, 3\).*\(3,\)"),
    (lambda: encoder_forward(np.ones((0, 3)), np.zeros(4), RNN), r"at least 1"),
    (lambda: encoder_forward([["a", "b", "c"]], np.zeros(4), RNN), r"X_seq must be numbers"),
    (lambda: encoder_forward(np.ones((5, 3)), np.zeros(3), RNN), r"h0 must have shape \(4,\).*\(3,\)"),
    (lambda: encoder_forward(np.ones((5, 3)), (np.zeros(4), np.zeros(4)), RNN), r"h0 must be one array"),
    (lambda: encoder_forward(np.ones((5, 3)), np.zeros(4), RNN, "lstm"), r"\(16, any\).*4 gates of hidden_dim 4"),
    (lambda: encoder_forward(np.ones((5, 3)), np.zeros(4), {}), r"must contain 'weight_hh_l0'"),
    (lambda: decoder_forward(np.zeros(3), np.ones((5, 2)), OUT), r"context_vector must have shape \(4,\)"),
    (lambda: decoder_forward(np.zeros(4), np.ones((5, 9)), OUT), r"Y_seq must have shape \(seq_len, 2\)"),
    (lambda: decoder_forward(np.zeros(4), np.ones((5, 3)), RNN), r"must contain 'fc_out.weight'"),
    (lambda: decoder_forward(np.zeros(4), np.ones((5, 2)), OUT, "gru"), r"3 gates"),
    (lambda: decoder_forward(np.zeros(4), np.ones((5, 2)), OUT, None), r"'rnn', 'lstm', 'gru'"),
    (lambda: decoder_forward(np.zeros(4), np.ones((5, 2)), READOUT), r"'readout.bias'.*\(3,\)"),
    (lambda: seq2seq_loss(np.ones((2, 3)), [0, 3], cross_entropy), r"target_seq\[1\].*from 0 to 2, not 3"),
    (lambda: seq2seq_loss(np.ones((2, 3)), [-1, 0], cross_entropy), r"target_seq\[0\].*from 0 to 2, not -1"),
    (lambda: seq2seq_loss(np.ones((2, 3)), [0], cross_entropy), r"target_seq must have shape \(2,\)"),
    (lambda: seq2seq_loss(np.ones(3), [0], cross_entropy), r"logits_seq must have shape \(seq_len, output_dim\)"),
    (lambda: seq2seq_loss(np.ones((2, 3)), [0.5, 1.0], cross_entropy), r"integer"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_input_is_a_value_error_that_names_what_was_expected(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()
