import numpy as np
import pytest

from seq2seq_cli.nn.products import StepMatrix


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gates", [1, 4])
@pytest.mark.parametrize(
    ("rows", "K", "N"),
    [(1, 1, 1), (3, 5, 7), (4, 20, 64), (4, 20, 130), (5, 128, 100), (64, 512, 48), (64, 1024, 96), (64, 16000, 20)],
)
def test_products_in_blocks_equal_plain_ones_for_every_number_of_rows(dtype, gates, rows, K, N):
    generator = np.random.default_rng(0)
    weight = generator.standard_normal((gates, N, K)).astype(dtype).transpose(0, 2, 1)
    matrix = StepMatrix(weight, rows)
    tolerance = {"rtol": 0, "atol": K * np.finfo(dtype).eps * 8}
    for count in {rows, 1}:
        same = generator.standard_normal((count, K)).astype(dtype)
        each = generator.standard_normal((gates, count, K)).astype(dtype)
        np.testing.assert_allclose(matrix.multiply(same), same @ weight, **tolerance)
        np.testing.assert_allclose(matrix.multiply(each), each @ weight, **tolerance)
        assert matrix.multiply(same).dtype == dtype


@pytest.mark.parametrize(
    ("rows", "K", "width"), [(16, 256, 64), (64, 512, 16), (64, 1024, 0), (64, 2048, 0), (1, 15_625, 64)]
)
def test_blocks_are_as_wide_as_an_unpacked_product_allows(rows, K, width):
    assert StepMatrix(np.zeros((1, K, 300), np.float32), rows).width == width
