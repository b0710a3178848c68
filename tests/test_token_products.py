import numpy as np

from seq2seq_cli.inference.token_products import TokenProducts


def test_products_are_those_of_the_embedding_however_often_a_token_comes():
    generator = np.random.default_rng(0)
    embedding, weight, bias = (generator.standard_normal(shape) for shape in ((9, 4), (4, 6), (6,)))
    products = TokenProducts(embedding, weight, bias)
    for ids in ([3], [3, 3, 5], [8, 0, 5, 3]):
        np.testing.assert_allclose(products.of(np.array(ids)), embedding[ids] @ weight + bias, atol=1e-14)
    assert products.known.sum() == 4


def test_what_is_returned_may_be_written_on():
    products = TokenProducts(np.eye(2), np.eye(2), np.zeros(2))
    products.of(np.array([1]))[...] = 7
    assert products.of(np.array([1])).tolist() == [[0, 1]]
