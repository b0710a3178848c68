import numpy as np
import pytest

from seq2seq_cli.nn.cells import CELLS
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.recurrent import layer_backward, layer_forward

E, H, C = 3, 4, 2


def random_layer(cell, generator):
    shapes = {"weight_ih_l0": (cell.gates * H, E + C), "weight_hh_l0": (cell.gates * H, H)}
    shapes |= {"bias_ih_l0": (cell.gates * H,), "bias_hh_l0": (cell.gates * H,)}
    return {name: generator.standard_normal(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("lengths", [(1,), (1, 1, 1), (4, 2, 2, 1)])
@pytest.mark.parametrize("name", CELLS)
def test_no_initial_state_is_one_of_zeros(name, lengths):
    cell, packing, generator = CELLS[name], Packing(lengths), np.random.default_rng(0)
    parameters, B = random_layer(cell, generator), len(lengths)
    inputs, sentence = generator.standard_normal((packing.tokens, E)), generator.standard_normal((B, C))
    d_outputs = generator.standard_normal((packing.tokens, H))
    d_final = tuple(generator.standard_normal((B, H)) for _ in range(len(cell.state_names)))
    found = []
    for initial in (None, tuple(np.zeros((B, H)) for _ in range(len(cell.state_names)))):
        outputs, final, cache = layer_forward(cell, parameters, "_l0", inputs, packing, initial, sentence)
        gradients = {key: np.full_like(value, np.nan) for key, value in parameters.items()}
        d_inputs, _, d_sentence = layer_backward(cell, parameters, "_l0", packing, d_outputs, d_final, cache, gradients)
        found.append([outputs, *final, d_inputs, d_sentence, *gradients.values()])
    for none, zeros in zip(*found):
        np.testing.assert_allclose(none, zeros, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CELLS)
def test_a_sentence_does_not_depend_on_its_neighbors(name):
    cell, generator = CELLS[name], np.random.default_rng(1)
    parameters = random_layer(cell, generator)
    packing = Packing((5, 3, 1))
    inputs, sentence = generator.standard_normal((9, E)), generator.standard_normal((3, C))
    initial = tuple(generator.standard_normal((3, H)) for _ in range(len(cell.state_names)))
    outputs, final, _ = layer_forward(cell, parameters, "_l0", inputs, packing, initial, sentence)
    for k, length in enumerate(packing.lengths):
        rows = packing.token_sentences == k
        alone, its_final, _ = layer_forward(
            cell,
            parameters,
            "_l0",
            inputs[rows],
            Packing((length,)),
            tuple(part[k : k + 1] for part in initial),
            sentence[k : k + 1],
        )
        np.testing.assert_allclose(alone, outputs[rows], rtol=1e-12)
        for part, whole in zip(its_final, final):
            np.testing.assert_allclose(part[0], whole[k], rtol=1e-12)
