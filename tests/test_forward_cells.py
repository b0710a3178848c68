import numpy as np
import pytest

from seq2seq_cli.inference.forward_cells import FORWARD_CELLS, rearranged
from seq2seq_cli.nn.cells import CELLS
from seq2seq_cli.nn.recurrent import by_gate


def test_every_cell_has_its_forward_form():
    assert FORWARD_CELLS.keys() == CELLS.keys()
    for name, cell in CELLS.items():
        form = FORWARD_CELLS[name]
        assert (len(form.order), form.states, form.additive) == (cell.gates, len(cell.state_names), cell.additive)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_forward_form_equals_the_cell_to_the_bit(name, dtype):
    cell, form = CELLS[name], FORWARD_CELLS[name]
    generator = np.random.default_rng(0)
    x, h = (3 * generator.standard_normal((cell.gates * 7, 5)).astype(dtype) for _ in range(2))  # (gH, rows)
    state = tuple(generator.standard_normal((5, 7)).astype(dtype) for _ in range(len(cell.state_names)))
    expected, _ = cell.forward(*(by_gate(each, cell).transpose(0, 2, 1).copy() for each in (x, h)), state)
    found = form.step(*(rearranged(form, each).transpose(0, 2, 1) for each in (x, h)), state)
    for part, known in zip(found, expected):
        np.testing.assert_array_equal(part, known)


def test_the_parameters_stay_as_they_are():
    bias = np.arange(8.0)
    assert rearranged(FORWARD_CELLS["lstm"], bias).tolist() == [[0, 0.5], [1, 1.5], [3, 3.5], [4, 5]]
    assert bias.tolist() == list(range(8))
