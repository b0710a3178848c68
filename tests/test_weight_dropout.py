import dataclasses

import numpy as np
import pytest

from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.weight_dropout import weight_dropout_backward, weight_dropout_forward
from tests.models import config_id, every_config, random_batch

CONFIGS = list(every_config(tie_embeddings=False, embedding_size=2, hidden_size=3))
PARAMETERS = {name: np.ones(shape) for name, shape in (("weight_ih_l0", (9, 2)), ("weight_hh_l0", (300, 100)))}


def test_only_recurrent_weights_are_dropped_and_what_is_kept_is_scaled():
    weights, masks = weight_dropout_forward(PARAMETERS, 0.25, np.random.default_rng(0))
    assert masks.keys() == {"weight_hh_l0"}
    assert weights["weight_ih_l0"] is PARAMETERS["weight_ih_l0"]
    np.testing.assert_array_equal(weights["weight_hh_l0"], masks["weight_hh_l0"])
    np.testing.assert_allclose(np.unique(masks["weight_hh_l0"]), [0, 4 / 3])
    assert np.mean(masks["weight_hh_l0"] == 0) == pytest.approx(0.25, abs=0.01)
    assert (PARAMETERS["weight_hh_l0"] == 1).all()
    gradients = {name: np.full_like(weight, 3) for name, weight in PARAMETERS.items()}
    weight_dropout_backward(masks, gradients)
    np.testing.assert_array_equal(gradients["weight_hh_l0"], 3 * masks["weight_hh_l0"])
    assert (gradients["weight_ih_l0"] == 3).all()


@pytest.mark.parametrize(("rate", "generator"), [(0.0, np.random.default_rng(0)), (0.5, None)])
def test_without_dropout_the_parameters_are_the_same_object(rate, generator):
    weights, masks = weight_dropout_forward(PARAMETERS, rate, generator)
    assert weights is PARAMETERS
    assert not masks


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_a_dropped_weight_has_no_gradient_and_every_other_one_has(config):
    model = random_model(dataclasses.replace(config, weight_dropout=0.5))
    gradients = model.parameters.zeros_like()
    model.loss_and_gradients(random_batch(), gradients, generator=np.random.default_rng(3))
    generator = np.random.default_rng(3)  # nothing else is drawn from it
    for side in ("encoder.rnn.", "decoder.rnn."):
        _, masks = weight_dropout_forward(model.parameters.below(side), 0.5, generator)
        assert len(masks) == config.layers * (config.directions if side == "encoder.rnn." else 1)
        for name, mask in masks.items():
            np.testing.assert_array_equal(gradients[side + name] == 0, mask == 0)
