"""A new cell is one class and one entry: a peephole LSTM that only this file knows does all that the others do."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

from seq2seq_cli.cli import app
from seq2seq_cli.config import ModelConfig, SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.nn.cells import CELLS, LSTM, NO_WEIGHTS, Cell
from seq2seq_cli.nn.functional import sigmoid
from seq2seq_cli.nn.gradcheck import check_gradients, random_batch, random_model
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.parameters import initialize
from seq2seq_cli.nn.recurrent import layer_forward
from seq2seq_cli.nn.teaching import decoder_forward, encoder_forward
from seq2seq_cli.storage.checkpoint import load_model
from tests.conftest import SMALL, write_pairs
from tests.reference import PEEPHOLE_PATH


class PeepholeLSTM(Cell):
    """An LSTM whose gates also see the cell state: ``i`` and ``f`` the old one, ``o`` the new one.

    ::

        i = σ(x_i + h_i + p_i · c)    f = σ(x_f + h_f + p_f · c)    g = tanh(x_g + h_g)
        c' = f · c + i · g            o = σ(x_o + h_o + p_o · c')   h' = o · tanh(c')

    Source: Gers & Schmidhuber 2000, "Recurrent Nets that Time and Count".
    """

    gates: ClassVar[int] = 4
    state_names: ClassVar[tuple[str, ...]] = ("hidden", "cell")
    additive: ClassVar[bool] = True

    @staticmethod
    def extra_shapes(hidden):
        return {"weight_peep": (3 * hidden,)}  # p_i, p_f, p_o

    @staticmethod
    def initialize(weights, generator):
        LSTM.initialize(weights, generator)
        weights["weight_peep"][...] = generator.uniform(-0.1, 0.1, weights["weight_peep"].shape)

    @staticmethod
    def forward(x_projection, h_projection, state, out=None, extra=NO_WEIGHTS):
        p_i, p_f, p_o = np.split(extra["weight_peep"], 3)
        c = state[1]
        z_i, z_f, z_g, z_o = x_projection + h_projection
        i, f, g = sigmoid(z_i + p_i * c), sigmoid(z_f + p_f * c), np.tanh(z_g)
        c_next = f * c + i * g
        o = sigmoid(z_o + p_o * c_next)
        h_next = np.multiply(o, np.tanh(c_next), out=out)
        return (h_next, c_next), (i, f, g, o, c, c_next, extra["weight_peep"])

    @staticmethod
    def backward(d_state, cache, d_extra=NO_WEIGHTS):
        d_h, d_c_next = d_state
        i, f, g, o, c, c_next, peep = cache
        p_i, p_f, p_o = np.split(peep, 3)
        tanh_c = np.tanh(c_next)
        d_o = d_h * tanh_c * o * (1 - o)
        d_c = d_c_next + d_h * o * (1 - tanh_c**2) + d_o * p_o
        d_i, d_f, d_g = d_c * g * i * (1 - i), d_c * c * f * (1 - f), d_c * i * (1 - g**2)
        d_extra["weight_peep"] += np.concatenate([(d_i * c).sum(0), (d_f * c).sum(0), (d_o * c_next).sum(0)])
        d_projection = np.stack([d_i, d_f, d_g, d_o])
        return d_projection, d_projection, (None, d_c * f + d_i * p_i + d_f * p_f)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The one entry."""
    monkeypatch.setitem(CELLS, "peephole", PeepholeLSTM)


def run(*arguments):
    """Run a command in this process, where the cell is registered; return its standard output."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def test_its_forward_equals_onnx_runtime():
    with np.load(PEEPHOLE_PATH) as file:
        data = {name: file[name] for name in file.files}

    def from_onnx(stacked, order):
        blocks = np.split(stacked, len(order))
        return np.concatenate([blocks[k] for k in order])

    i_o_f_c_to_i_f_c_o, i_o_f_to_i_f_o = (0, 2, 3, 1), (0, 2, 1)
    bias_ih, bias_hh = np.split(data["B"][0], 2)
    parameters = {
        "weight_ih_l0": from_onnx(data["W"][0], i_o_f_c_to_i_f_c_o),
        "weight_hh_l0": from_onnx(data["R"][0], i_o_f_c_to_i_f_c_o),
        "bias_ih_l0": from_onnx(bias_ih, i_o_f_c_to_i_f_c_o),
        "bias_hh_l0": from_onnx(bias_hh, i_o_f_c_to_i_f_c_o),
        "weight_peep_l0": from_onnx(data["P"][0], i_o_f_to_i_f_o),
    }
    assert abs(data["P"]).min() > 0.01
    packing = Packing.of(data["sequence_lens"])
    steps, sentences = packing.token_steps, packing.token_sentences
    initial = data["initial_h"][0], data["initial_c"][0]
    outputs, final, _ = layer_forward(
        PeepholeLSTM, parameters, "_l0", data["X"][steps, sentences], packing, initial, keep_cache=False
    )
    np.testing.assert_allclose(outputs, data["Y"][steps, 0, sentences], rtol=0, atol=1e-6)
    for found, name in zip(final, ("Y_h", "Y_c")):
        np.testing.assert_allclose(found, data[name][0], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("layers", "bidirectional", "context"), [(1, False, "initial"), (2, True, "every-step")])
def test_its_gradients_are_right(layers, bidirectional, context):
    rich = context == "every-step"
    config = ModelConfig(
        7, 6, "peephole", 2, 3, layers, bidirectional, context, dropout=0.0, tie_embeddings=rich, lexical_prior=rich
    )
    checks = {check.name: check for check in check_gradients(random_model(config), random_batch(7, 6))}
    last = f"_l{layers - 1}{'_reverse' * bidirectional}"
    assert {f"encoder.rnn.weight_peep{last}", f"decoder.rnn.weight_peep_l{layers - 1}"} <= checks.keys()
    for check in checks.values():
        assert check.passed, check
        if "weight_peep" in check.name:
            assert abs(check.numeric) > 1e-6


def test_its_weights_start_as_it_says():
    parameters = initialize(ModelConfig(7, 6, "peephole", 3, 4), np.random.default_rng(0))
    for name, view in parameters.items():
        if "weight_peep" in name:
            assert view.shape == (12,)
            assert 0 < abs(view).min() <= abs(view).max() <= 0.1
        if "bias_ih" in name:
            assert view.tolist() == [0] * 4 + [1] * 4 + [0] * 8


def test_it_is_trained_saved_loaded_and_translates_by_the_command_line(tmp_path):
    model, corpus = tmp_path / "model.npz", write_pairs(tmp_path / "pairs.tsv")
    common = ("--valid", corpus, "-o", model, "--learning-rate", "0.01", *SMALL)
    run("train", corpus, *common, "--cell", "peephole", "--max-steps", "100")
    run("train", corpus, *common, "--cell", "peephole", "--max-steps", "120", "--resume")
    checkpoint = load_model(model)
    assert checkpoint.model.config.cell == "peephole"
    losses = checkpoint.measured("valid_loss")
    assert losses[-1] < 0.5 * losses[0]
    start = initialize(checkpoint.model.config, np.random.default_rng(0))
    for name, view in checkpoint.model.parameters.items():
        if "weight_peep" in name:
            assert abs(view).max() > abs(start[name]).max()

    run("train", corpus, *common, "--cell", "peephole", "--max-steps", "130", "--lexical-prior")
    for beam in (1, 5):
        lines = run("translate", "-m", model, "--beam", beam, "red cat", "old blue dog").splitlines()
        assert lines == ["rouge chat", "vieux bleu chien"]
    assert json.loads(run("gradcheck", "--cell", "peephole", "--json"))["passed"]


def test_it_joins_an_ensemble_with_a_cell_that_has_a_fast_twin(tmp_path):
    corpus = write_pairs(tmp_path / "pairs.tsv")
    paths = [tmp_path / f"{cell}.npz" for cell in ("peephole", "lstm")]
    for path in paths:
        run("train", corpus, "--valid", corpus, "-o", path, *SMALL, "--max-steps", "2", "--cell", path.stem)
    together = Translator.load(*paths)
    (found,) = together.translate_n_best(["red cat"], SearchConfig(beam=2))
    steps = together.explain(together.read("red cat"), found[0])
    assert sum(np.log(step.probability) for step in steps) == pytest.approx(found[0].log_probability, abs=1e-4)


def test_the_teaching_functions_take_it():
    config = ModelConfig(7, 6, "peephole", 3, 4, bidirectional=False, context="initial", tie_embeddings=False)
    model = random_model(config)
    source, target = np.array([1, 5, 2]), np.array([1, 3])
    embedded = [model.parameters[f"{side}.embedding.weight"] for side in ("encoder", "decoder")]
    encoder_params = model.parameters.below("encoder.rnn.")
    decoder_params = {**model.parameters.below("decoder."), **model.parameters.below("decoder.rnn.")}
    zeros = np.zeros(4), np.zeros(4)
    context = encoder_forward(embedded[0][source], zeros, encoder_params, "peephole")
    logits = decoder_forward(context, embedded[1][target], decoder_params, "peephole")
    state = model.encode(source, Packing((3,)))
    for step, token in enumerate(target):
        expected, state = model.decode_step(state, np.array([token]))
        np.testing.assert_allclose(logits[step], expected[0], rtol=0, atol=1e-13)
    del encoder_params["weight_peep_l0"]
    with pytest.raises(ValueError, match=r"'weight_peep_l0' of shape \(12,\)"):
        encoder_forward(embedded[0][source], zeros, encoder_params, "peephole")


def test_where_it_is_not_registered_its_model_is_refused_and_the_choices_are_listed(tmp_path, monkeypatch):
    model, corpus = tmp_path / "model.npz", write_pairs(tmp_path / "pairs.tsv")
    run("train", corpus, "--valid", corpus, "-o", model, *SMALL, "--max-steps", "1", "--cell", "peephole")
    monkeypatch.delitem(CELLS, "peephole")
    with pytest.raises(UserError, match="rnn, lstm, gru, not 'peephole'") as caught:
        load_model(model)
    assert (caught.value.where, caught.value.exit_code) == (str(model), 1)
