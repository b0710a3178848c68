import numpy as np
import pytest

from seq2seq_cli.nn import products
from seq2seq_cli.nn.products import StepMatrix, few_rows_product


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("before", [(), (4,), (3, 2)])
@pytest.mark.parametrize(
    ("rows", "K", "N"),
    [(1, 1, 1), (3, 5, 7), (4, 20, 64), (4, 20, 130), (5, 128, 100), (64, 512, 48), (64, 1024, 96), (64, 16000, 20)],
)
def test_products_in_blocks_equal_plain_ones_for_every_number_of_rows(dtype, before, rows, K, N):
    generator = np.random.default_rng(0)
    weight = generator.standard_normal((*before, N, K)).astype(dtype).swapaxes(-2, -1)
    matrix = StepMatrix(weight)
    tolerance = {"rtol": 0, "atol": K * np.finfo(dtype).eps * 8}
    for count in {rows, 1}:
        same = generator.standard_normal((count, K)).astype(dtype)
        each = generator.standard_normal((*before, count, K)).astype(dtype)
        np.testing.assert_allclose(matrix.multiply(same), same @ weight, **tolerance)
        np.testing.assert_allclose(matrix.multiply(each), each @ weight, **tolerance)
        assert matrix.multiply(same).dtype == dtype


@pytest.mark.parametrize("rows", [1, 2, 16, 61, 62, 150])
@pytest.mark.parametrize("columns", [1, 5, 64, 130])
@pytest.mark.parametrize("unpacked", [100, 1_000_000])
def test_a_member_of_the_product_may_be_the_same_for_some_of_the_matrices(rows, columns, unpacked, monkeypatch):
    monkeypatch.setattr(products, "UNPACKED_PRODUCT", unpacked)
    generator = np.random.default_rng(0)
    weight, x = generator.standard_normal((3, 2, 256, columns)), generator.standard_normal((2, rows, 256))
    found = StepMatrix(weight).multiply(x)  # three gates and two directions
    np.testing.assert_allclose(found, np.einsum("drk,gdkn->gdrn", x, weight), atol=1e-12)


@pytest.mark.parametrize(("K", "width"), [(256, 64), (512, 64), (1024, 32), (2048, 16), (16_000, 16)])
def test_blocks_are_as_wide_as_an_unpacked_product_allows(K, width):
    assert StepMatrix(np.zeros((1, K, 300), np.float32)).width == width


def test_no_product_is_so_large_that_the_weights_would_be_copied(monkeypatch):
    sizes = []

    class Watched:
        def __getattr__(self, name):
            return getattr(np, name)

        def matmul(self, a, b, out):
            sizes.append(a.shape[-2] * b.shape[-2] * b.shape[-1])
            return np.matmul(a, b, out=out)

    monkeypatch.setattr(products, "np", Watched())
    for K in (64, 256, 512, 1024):
        StepMatrix(np.ones((1, K, 128), np.float32)).multiply(np.ones((320, K), np.float32))
    assert max(sizes) <= products.UNPACKED_PRODUCT
    assert len(sizes) > 8


@pytest.mark.parametrize("rows", [1, 2, 16])
@pytest.mark.parametrize("before", [(), (3,)])
def test_a_product_with_few_rows_is_the_plain_one_and_contiguous(rows, before):
    generator = np.random.default_rng(0)
    x, weight = generator.standard_normal((rows, 7)), generator.standard_normal((*before, 5, 9))[..., 2:]
    found = few_rows_product(x, weight)
    np.testing.assert_allclose(found, x @ weight.swapaxes(-2, -1), rtol=1e-12)
    assert found.flags.c_contiguous
