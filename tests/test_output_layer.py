import numpy as np
import pytest

from seq2seq_cli.nn import output_layer
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import numeric_gradient, random_model, relative_errors
from seq2seq_cli.nn.output_layer import output_forward, output_loss, output_loss_and_gradients
from tests.models import every_config, random_batch

N, F, V = 5, 3, 4


@pytest.fixture
def layer():
    """Its input, weight, bias and targets."""
    generator = np.random.default_rng(0)
    top, weight, bias = (generator.standard_normal(shape) for shape in ((N, F), (V, F), (V,)))
    return top, weight, bias, generator.integers(0, V, N)


def test_the_loss_is_the_summed_cross_entropy_of_the_logits(layer):
    top, weight, bias, targets = layer
    logits = output_forward(top, weight, bias)
    np.testing.assert_allclose(logits, top @ weight.T + bias)
    expected = -log_softmax(logits)[np.arange(N), targets].sum()
    loss = output_loss(top, weight, bias, targets)
    assert loss.loss == loss.negative_log_likelihood == pytest.approx(expected)
    assert loss.tokens == N


@pytest.mark.parametrize("tokens", [None, 12])
def test_gradients_are_those_of_the_mean_loss_per_token(layer, tokens):
    top, weight, bias, targets = layer
    d_weight, d_bias = np.full_like(weight, np.nan), np.full_like(bias, np.nan)
    loss, d_top = output_loss_and_gradients(top, weight, bias, targets, d_weight, d_bias, 0.1, tokens)
    assert loss == output_loss(top, weight, bias, targets, 0.1)

    def mean() -> float:
        return output_loss(top, weight, bias, targets, 0.1).loss / (tokens or N)

    for derived, array in ((d_top, top), (d_weight, weight), (d_bias, bias)):
        assert relative_errors(derived, numeric_gradient(mean, array)).max() < 1e-6


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_size_of_the_blocks_does_not_change_the_result(layer, rows, monkeypatch):
    top, weight, bias, targets = layer

    def run():
        d_weight, d_bias = np.empty_like(weight), np.empty_like(bias)
        loss, d_top = output_loss_and_gradients(top, weight, bias, targets, d_weight, d_bias)
        return loss.loss, d_top, d_weight, d_bias

    expected = run()
    monkeypatch.setattr(output_layer, "BLOCK_BYTES", 1)
    monkeypatch.setattr(output_layer, "SMALLEST_BLOCK", rows)
    monkeypatch.setattr(output_layer, "PRODUCT_BYTES", 1)
    for found, known in zip(run(), expected):
        np.testing.assert_allclose(found, known, rtol=0, atol=1e-12)


def test_the_size_of_the_blocks_does_not_change_a_models_gradients(monkeypatch):
    model, batch = random_model(next(every_config())), random_batch()
    whole, pieces = model.parameters.zeros_like(), model.parameters.zeros_like()
    expected = model.loss_and_gradients(batch, whole)
    monkeypatch.setattr("seq2seq_cli.nn.output_layer.BLOCK_BYTES", 1)
    monkeypatch.setattr("seq2seq_cli.nn.output_layer.SMALLEST_BLOCK", 3)
    monkeypatch.setattr("seq2seq_cli.nn.output_layer.PRODUCT_BYTES", 1)
    result = model.loss_and_gradients(batch, pieces)
    assert result.loss == pytest.approx(expected.loss, rel=1e-12)
    np.testing.assert_allclose(pieces.flat, whole.flat, rtol=0, atol=1e-12)
