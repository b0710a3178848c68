import math

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.parameters import Parameters, initialize, parameter_shapes
from tests.models import config_id, every_config


def test_named_arrays_are_views_into_the_flat_vector():
    parameters = Parameters({"a": (2, 3), "b": (2,)})
    parameters["b"][...] = 7
    assert parameters.flat.tolist() == [0] * 6 + [7, 7]
    parameters.flat[:] = 1
    assert parameters["a"].sum() == 6


def test_parameters_move_to_another_vector_with_all_their_values():
    parameters = Parameters({"a": (2, 3), "b": (2,)}, np.arange(8.0))
    new = np.zeros(8)
    parameters.move(new)
    assert new.tolist() == list(range(8))
    parameters["b"][...] = -1
    assert parameters.flat is new
    assert new.tolist() == [0, 1, 2, 3, 4, 5, -1, -1]


def test_below_removes_the_prefix():
    parameters = Parameters({"encoder.rnn.weight_ih_l0": (2, 3), "decoder.fc_out.bias": (2,)})
    assert list(parameters.below("encoder.rnn.")) == ["weight_ih_l0"]


@pytest.mark.parametrize("config", list(every_config()), ids=config_id)
def test_initialization_is_what_its_docstring_says(config):
    parameters = initialize(config, np.random.default_rng(0))
    H = config.hidden_size
    assert parameters.flat.dtype == np.float32
    for name, view in parameters.items():
        if ".rnn.weight_hh" in name:
            for block in np.split(view, len(view) // H):
                np.testing.assert_allclose(block @ block.T, np.eye(H), atol=1e-5)
        elif name.endswith("bias") or ".rnn.bias" in name:
            ones = np.zeros(len(view))
            if config.cell == "lstm" and "bias_ih" in name:
                ones[H : 2 * H] = 1
            np.testing.assert_array_equal(view, ones)
        elif not name.endswith("embedding.weight"):
            fan_out = H if "weight_ih" in name else view.shape[0]
            assert 0 < np.abs(view).max() <= math.sqrt(6 / (view.shape[1] + fan_out))


@pytest.mark.parametrize("tied", [False, True])
def test_embeddings_are_standard_normal_and_smaller_where_they_are_the_output_layer(tied):
    config = ModelConfig(500, 500, embedding_size=100, tie_embeddings=tied)
    parameters = initialize(config, np.random.default_rng(0))
    assert abs(parameters["encoder.embedding.weight"].std() - 1) < 0.02
    assert abs(parameters["decoder.embedding.weight"].std() - (100**-0.25 if tied else 1)) < 0.02


def test_same_seed_same_values_in_either_precision():
    config = ModelConfig(5, 5)
    single = initialize(config, np.random.default_rng(3))
    double = initialize(config, np.random.default_rng(3), np.float64)
    np.testing.assert_array_equal(single.flat, double.flat.astype(np.float32))


def test_names_and_shapes_of_the_contract():
    plain = parameter_shapes(ModelConfig(9, 8, "lstm", 4, 5, bidirectional=False, context="initial"))
    assert plain == {
        "encoder.embedding.weight": (9, 4),
        "encoder.rnn.weight_ih_l0": (20, 4),
        "encoder.rnn.weight_hh_l0": (20, 5),
        "encoder.rnn.bias_ih_l0": (20,),
        "encoder.rnn.bias_hh_l0": (20,),
        "decoder.embedding.weight": (8, 4),
        "decoder.rnn.weight_ih_l0": (20, 4),
        "decoder.rnn.weight_hh_l0": (20, 5),
        "decoder.rnn.bias_ih_l0": (20,),
        "decoder.rnn.bias_hh_l0": (20,),
        "decoder.fc_out.weight": (8, 5),
        "decoder.fc_out.bias": (8,),
    }
    cho = parameter_shapes(ModelConfig(9, 8, "gru", 4, 5, bidirectional=True, context="every-step"))
    assert cho["decoder.rnn.weight_ih_l0"] == (15, 4 + 10)
    assert cho["decoder.readout.weight"] == (4, 4 + 5 + 10)
    assert cho["encoder.rnn.weight_ih_l0_reverse"] == (15, 4)
    assert cho["encoder.bridge.hidden.0.weight"] == (5, 10)
