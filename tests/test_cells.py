import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.cells import CELLS, find_cell
from seq2seq_cli.nn.gradcheck import numeric_gradient, relative_errors
from tests.reference.stored import below


def by_gate(stacked, gates):
    """(B, gH) as torch has it to (g, B, H)."""
    return np.stack(np.split(stacked, gates, axis=1))


def projections(data, gates):
    x_projection = data["x"] @ data["weight_ih_l0"].T + data["bias_ih_l0"]
    h_projection = data["state0"] @ data["weight_hh_l0"].T + data["bias_hh_l0"]
    return by_gate(x_projection, gates), by_gate(h_projection, gates)


@pytest.mark.parametrize("name", CELLS)
def test_one_step_equals_torch(name):
    cell, data = CELLS[name], below(f"cell/{name}/")
    state = tuple(data[f"state{k}"] for k in range(len(cell.state_names)))
    final, _ = cell.forward(*projections(data, cell.gates), state)
    for k in range(len(cell.state_names)):
        np.testing.assert_allclose(final[k], data[f"final{k}"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_of_one_step_equal_torch(name):
    cell, data = CELLS[name], below(f"cell/{name}/")
    state = tuple(data[f"state{k}"] for k in range(len(cell.state_names)))
    _, cache = cell.forward(*projections(data, cell.gates), state)
    d_x, d_h, d_state = cell.backward(tuple(data[f"d_final{k}"] for k in range(len(cell.state_names))), cache)
    d_x, d_h = np.concatenate(list(d_x), axis=1), np.concatenate(list(d_h), axis=1)
    d_hidden = d_h @ data["weight_hh_l0"] + (0 if d_state[0] is None else d_state[0])
    found = {
        "d_x": d_x @ data["weight_ih_l0"],
        "d_state0": d_hidden,
        "d_weight_ih_l0": d_x.T @ data["x"],
        "d_weight_hh_l0": d_h.T @ data["state0"],
        "d_bias_ih_l0": d_x.sum(axis=0),
        "d_bias_hh_l0": d_h.sum(axis=0),
    }
    if len(cell.state_names) == 2:
        found["d_state1"] = d_state[1]
    for key, value in found.items():
        np.testing.assert_allclose(value, data[key], rtol=0, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", CELLS)
def test_backward_matches_finite_differences(name):
    cell = CELLS[name]
    generator = np.random.default_rng(0)
    B, H = 2, 3
    inputs = [generator.standard_normal((cell.gates, B, H)) for _ in range(2)]
    state = tuple(generator.standard_normal((B, H)) for _ in range(len(cell.state_names)))
    d_final = tuple(generator.standard_normal((B, H)) for _ in range(len(cell.state_names)))

    def weighted() -> float:
        final, _ = cell.forward(inputs[0], inputs[1], state)
        return float(sum((part * d).sum() for part, d in zip(final, d_final)))

    _, cache = cell.forward(inputs[0], inputs[1], state)
    d_x, d_h, d_state = cell.backward(d_final, cache)
    for analytic, array in [(d_x, inputs[0]), (d_h, inputs[1]), *zip(d_state, state)]:
        if analytic is None:  # all of it goes through h_projection
            assert abs(numeric_gradient(weighted, array)).max() < 1e-9
            continue
        assert relative_errors(analytic, numeric_gradient(weighted, array)).max() < 1e-6


@pytest.mark.parametrize("name", CELLS)
def test_backward_leaves_its_arguments_alone(name):
    cell = CELLS[name]
    generator = np.random.default_rng(0)
    state = tuple(generator.standard_normal((2, 3)) for _ in range(len(cell.state_names)))
    x, h = generator.standard_normal((2, cell.gates, 2, 3))
    before = [part.copy() for part in (*state, x, h)]
    _, cache = cell.forward(x, h, state)
    d_state = tuple(generator.standard_normal((2, 3)) for _ in range(len(cell.state_names)))
    d_before = [part.copy() for part in d_state]
    first = cell.backward(d_state, cache)
    second = cell.backward(d_state, cache)
    for a, b in zip([*state, x, h, *d_state], [*before, *d_before]):
        assert np.array_equal(a, b)
    assert np.array_equal(first[0], second[0])


@pytest.mark.parametrize("name", CELLS)
def test_the_hidden_state_is_written_where_it_is_asked_for(name):
    cell = CELLS[name]
    generator = np.random.default_rng(0)
    state = tuple(generator.standard_normal((2, 3)) for _ in range(len(cell.state_names)))
    x, h = generator.standard_normal((2, cell.gates, 2, 3))
    expected, _ = cell.forward(x, h, state)
    place = np.zeros((2, 3))
    found, _ = cell.forward(x, h, state, out=place)
    assert found[0] is place
    for a, b in zip(found, expected):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("name", ["elman", "LSTM", "", None, 3, ["lstm"]])
def test_an_unknown_cell_is_an_error_that_lists_the_choices(name):
    with pytest.raises(UserError, match="--cell must be one of rnn, lstm, gru") as caught:
        find_cell(name)
    assert (caught.value.where, caught.value.exit_code) == ("--cell", 2)
