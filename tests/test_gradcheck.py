import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn import gradcheck
from seq2seq_cli.nn.gradcheck import (
    check_gradients,
    numeric_gradient,
    random_batch,
    random_model,
    relative_errors,
)
from seq2seq_cli.nn.model import Seq2Seq

CONFIG = ModelConfig(7, 6, "gru", embedding_size=3, hidden_size=4, dropout=0.0)


def test_numeric_gradient_of_a_known_function_is_its_derivative_and_leaves_the_point_alone():
    x = np.array([[0.3, -1.2], [2.0, 0.0]])
    before = x.copy()
    found = numeric_gradient(lambda: float(np.sin(x).sum() + x[0, 0] * x[1, 1]), x)
    expected = np.cos(x) + np.array([[x[1, 1], 0.0], [0.0, x[0, 0]]])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
    assert np.array_equal(x, before)


def test_finite_differences_in_float32_are_refused():
    with pytest.raises(TypeError, match="float64"):
        numeric_gradient(lambda: 0.0, np.zeros(2, np.float32))


def test_errors_are_relative_but_to_values_near_zero():
    found = relative_errors(np.array([1.0, 2e-7, 0.0]), np.array([1.01, 1e-7, 0.0]))
    np.testing.assert_allclose(found, [0.01 / 1.01, 1e-7 / gradcheck.SMALLEST_SCALE, 0.0])
    assert relative_errors(np.array([3.0, 1.0]), np.array([3.0, 1.0])).max() == 0.0


def test_random_models_have_no_zero_and_random_sentences_unequal_lengths():
    model = random_model(CONFIG, seed=3)
    assert (model.parameters.flat != 0).all()
    assert model.parameters.flat.dtype == np.float64
    assert not np.array_equal(model.parameters.flat, random_model(CONFIG, seed=4).parameters.flat)
    batch = random_batch(7, 6)
    assert len(set(batch.source_packing.lengths)) > 1
    assert list(batch.source_rows) != sorted(batch.source_rows)


def test_every_parameter_is_checked_and_the_place_of_the_worst_error_reported():
    model, batch = random_model(CONFIG), random_batch(7, 6)
    checks = list(check_gradients(model, batch))
    assert {check.name: check.shape for check in checks} == {k: v.shape for k, v in model.parameters.items()}
    for check in checks:
        assert check.passed
        assert check.worst == relative_errors(np.array([check.derived]), np.array([check.numeric])).max()


@pytest.mark.parametrize("spoil", [-1.0, 1.001, float("nan")])
def test_a_wrong_backward_is_found(monkeypatch, spoil):
    right = Seq2Seq.loss_and_gradients

    def wrong(self, batch, gradients, **options):
        result = right(self, batch, gradients, **options)
        gradients["encoder.rnn.weight_hh_l0"][2, 1] *= spoil
        return result

    monkeypatch.setattr(Seq2Seq, "loss_and_gradients", wrong)
    checks = list(check_gradients(random_model(CONFIG), random_batch(7, 6)))
    assert [check.name for check in checks if not check.passed] == ["encoder.rnn.weight_hh_l0"]
