import numpy as np
import pytest

from seq2seq_cli.nn.embedding import embedding_backward, embedding_dropout, embedding_forward
from seq2seq_cli.nn.gradcheck import numeric_gradient, relative_errors

IDS = np.array([3, 1, 3, 0, 3, 1])


def test_forward_looks_up_rows():
    weight = np.arange(10.0).reshape(5, 2)
    assert embedding_forward(IDS[:3], weight).tolist() == [[6, 7], [2, 3], [6, 7]]


def test_backward_is_the_gradient_and_adds_up_every_occurrence_of_a_token():
    generator = np.random.default_rng(0)
    weight, d_embedded = generator.standard_normal((5, 2)), generator.standard_normal((6, 2))
    d_weight = np.zeros_like(weight)
    embedding_backward(IDS, d_embedded, d_weight)
    numeric = numeric_gradient(lambda: float((embedding_forward(IDS, weight) * d_embedded).sum()), weight)
    assert relative_errors(d_weight, numeric).max() < 1e-6
    np.testing.assert_allclose(d_weight[3], d_embedded[[0, 2, 4]].sum(axis=0))


def test_backward_adds_to_what_is_there_and_leaves_other_tokens_alone():
    d_weight = np.ones((5, 2))
    embedding_backward(IDS, np.ones((6, 2)), d_weight)
    assert d_weight[:, 0].tolist() == [2, 3, 1, 4, 1]


def test_word_dropout_drops_whole_tokens_and_scales_the_others():
    embedded = np.ones((4000, 3))
    mask = embedding_dropout(embedded, 0.0, 0.25, np.random.default_rng(0))
    assert mask.shape == (4000, 1)
    np.testing.assert_array_equal(embedded, np.broadcast_to(mask, embedded.shape))
    np.testing.assert_allclose(np.unique(embedded), [0, 4 / 3])
    assert np.mean(embedded == 0) == pytest.approx(0.25, abs=0.03)


def test_both_kinds_of_dropout_multiply_and_the_same_seed_gives_the_same_mask():
    drawn = [embedding_dropout(np.ones((500, 4)), 0.5, 0.2, np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    np.testing.assert_allclose(np.unique(drawn[0]), [0, 2 / 0.8])
    values_alone = embedding_dropout(np.ones((500, 4)), 0.5, 0.0, np.random.default_rng(3))
    assert np.array_equal(drawn[0] != 0, (values_alone != 0) & (drawn[0] != 0).any(axis=1, keepdims=True))


@pytest.mark.parametrize(("rates", "generator"), [((0.0, 0.0), np.random.default_rng(0)), ((0.5, 0.5), None)])
def test_without_dropout_there_is_no_mask_and_nothing_is_drawn(rates, generator):
    embedded, before = np.ones((5, 2)), None if generator is None else generator.bit_generator.state
    assert embedding_dropout(embedded, *rates, generator) is None
    assert (embedded == 1).all()
    assert generator is None or generator.bit_generator.state == before
