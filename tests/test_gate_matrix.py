import numpy as np
import pytest

from seq2seq_cli.nn import gate_matrix
from seq2seq_cli.nn.gate_matrix import GateMatrix


@pytest.mark.parametrize("rows", [1, 2, 16, 61, 62, 150])
@pytest.mark.parametrize("columns", [1, 5, 64, 130])
@pytest.mark.parametrize("unpacked", [100, 1_000_000])
def test_products_are_those_of_the_whole_matrices(rows, columns, unpacked, monkeypatch):
    monkeypatch.setattr(gate_matrix, "UNPACKED_PRODUCT", unpacked)
    generator = np.random.default_rng(0)
    weight, x = generator.standard_normal((2, 3, 256, columns)), generator.standard_normal((2, rows, 256))
    found = GateMatrix(weight.swapaxes(2, 3).copy().swapaxes(2, 3)).multiply(x)
    np.testing.assert_allclose(found, np.einsum("drk,dgkn->gdrn", x, weight), atol=1e-12)


def test_no_product_is_so_large_that_the_weights_would_be_copied(monkeypatch):
    sizes = []

    class Watched:
        def __getattr__(self, name):
            return getattr(np, name)

        def matmul(self, a, b, out):
            sizes.append(a.shape[-2] * b.shape[-2] * b.shape[-1])
            return np.matmul(a, b, out=out)

    monkeypatch.setattr(gate_matrix, "np", Watched())
    for K in (64, 256, 512, 1024):
        GateMatrix(np.ones((1, 1, K, 128), np.float32)).multiply(np.ones((1, 320, K), np.float32))
    assert max(sizes) <= gate_matrix.UNPACKED_PRODUCT
    assert len(sizes) > 8
