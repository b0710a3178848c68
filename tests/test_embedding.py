import numpy as np

from seq2seq_cli.nn.embedding import embedding_backward, embedding_forward
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
