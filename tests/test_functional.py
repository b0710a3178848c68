import numpy as np
import pytest

from seq2seq_cli.nn import functional as F
from seq2seq_cli.nn.gradcheck import numeric_gradient, relative_errors


def test_sigmoid_equals_its_definition_and_never_overflows():
    x = np.linspace(-20, 20, 101)
    np.testing.assert_allclose(F.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-7)
    with np.errstate(all="raise"):
        extremes = F.sigmoid(np.array([-1e30, 1e30], dtype=np.float32))
    assert extremes.tolist() == [0.0, 1.0]
    assert extremes.dtype == np.float32


@pytest.mark.parametrize(
    ("forward", "slope"), [(F.sigmoid, F.sigmoid_slope), (np.tanh, F.tanh_slope)], ids=["sigmoid", "tanh"]
)
def test_slopes_match_finite_differences(forward, slope):
    x, d_y = np.random.default_rng(0).standard_normal((2, 4, 3))
    numeric = numeric_gradient(lambda: float((forward(x) * d_y).sum()), x)
    assert relative_errors(d_y * slope(forward(x)), numeric).max() < 1e-6


def test_tanh_backward_is_the_slope_times_the_gradient_and_leaves_both_alone():
    y, d_y = np.tanh(np.random.default_rng(0).standard_normal((2, 4, 3)))
    before = y.copy(), d_y.copy()
    np.testing.assert_allclose(F.tanh_backward(d_y, y), d_y * F.tanh_slope(y), rtol=1e-15)
    assert np.array_equal(y, before[0])
    assert np.array_equal(d_y, before[1])


def test_sigmoid_leaves_its_argument_alone_and_the_other_one_does_not():
    x = np.array([0.0, 1.0])
    F.sigmoid(x)
    assert x.tolist() == [0.0, 1.0]
    assert F.sigmoid_in_place(x) is x
    assert x[0] == 0.5


def test_log_softmax_is_normalized_and_survives_large_logits():
    logits = np.array([[1000.0, 999.0, -1000.0], [0.0, 0.0, 0.0]])
    with np.errstate(over="raise", invalid="raise"):
        result = F.log_softmax(logits)
    np.testing.assert_allclose(np.exp(result).sum(axis=1), 1.0)
    np.testing.assert_allclose(result[1], -np.log(3))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_cross_entropy_is_the_smoothed_sum_and_its_gradient_matches_finite_differences(smoothing):
    generator = np.random.default_rng(0)
    logits = generator.standard_normal((5, 4)) * 3
    targets = np.array([0, 3, 3, 1, 2])
    log_p = F.log_softmax(logits)
    nll = -log_p[np.arange(5), targets].sum()
    expected = (1 - smoothing) * nll - smoothing * log_p.mean(axis=1).sum()
    loss, plain, d_logits = F.softmax_cross_entropy(logits.copy(), targets, smoothing)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert plain == pytest.approx(nll, rel=1e-12)
    numeric = numeric_gradient(lambda: F.softmax_cross_entropy(logits.copy(), targets, smoothing).loss, logits)
    assert relative_errors(d_logits, numeric).max() < 1e-6


def test_cross_entropy_of_huge_logits_is_finite():
    logits = np.array([[1e30, -1e30, 0.0]], dtype=np.float32)
    loss, _, d_logits = F.softmax_cross_entropy(logits, np.array([0]))
    assert loss == 0.0
    assert np.isfinite(d_logits).all()


def test_dropout_mask_keeps_the_mean_and_follows_the_generator():
    mask = F.dropout_mask((400, 500), 0.3, np.random.default_rng(0), np.float32)
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs(mask.mean() - 1) < 0.01
    assert np.array_equal(mask, F.dropout_mask((400, 500), 0.3, np.random.default_rng(0), np.float32))


def test_perplexity_overflows_to_infinity():
    assert F.perplexity(0.0) == 1.0
    assert F.perplexity(1e6) == float("inf")
