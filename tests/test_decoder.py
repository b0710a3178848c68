import numpy as np
import pytest

from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.gradcheck import numeric_gradient, random_model, relative_errors
from seq2seq_cli.nn.packing import Packing
from tests.models import TARGET_VOCABULARY, config_id, every_config

PACKING = Packing((3, 2, 1))
INPUTS = np.random.default_rng(0).integers(0, TARGET_VOCABULARY, PACKING.tokens)
CONFIGS = list(dict.fromkeys(every_config(tie_embeddings=False)))


def initial_state(model):
    """A random initial decoder state of three sentences."""
    config, generator = model.config, np.random.default_rng(1)
    states = [
        tuple(generator.standard_normal((3, config.hidden_size)) for _ in model.decoder.cell.state_names)
        for _ in range(config.layers)
    ]
    size = config.context_size
    return DecoderState(states, generator.standard_normal((3, size)) if size else None)


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_the_top_has_the_size_that_the_output_layer_reads(config):
    model = random_model(config)
    top, finals, _ = model.decoder.forward(initial_state(model), INPUTS, PACKING)
    assert top.shape == (PACKING.tokens, model.parameters[model.output_name].shape[1])
    assert len(finals) == config.layers


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_backward_matches_finite_differences_for_parameters_and_initial_state(config):
    model, start = random_model(config), initial_state(random_model(config))
    top, _, cache = model.decoder.forward(start, INPUTS, PACKING)
    weight = np.random.default_rng(2).standard_normal(top.shape)

    def weighted() -> float:
        return float((model.decoder.forward(start, INPUTS, PACKING, keep_cache=False)[0] * weight).sum())

    gradients = model.parameters.zeros_like()
    d_start = model.decoder.backward(weight, INPUTS, PACKING, cache, gradients)
    pairs = [(d, part) for d_layer, layer in zip(d_start.states, start.states) for d, part in zip(d_layer, layer)]
    if start.context is not None:
        pairs.append((d_start.context, start.context))
    pairs += [
        (gradients[name].reshape(-1)[:4], view.reshape(-1)[:4])
        for name, view in model.parameters.items()
        if name.startswith("decoder.") and ".fc_out." not in name
    ]
    for derived, array in pairs:
        assert relative_errors(derived, numeric_gradient(weighted, array)).max() < 1e-6


@pytest.mark.parametrize("pooled", [False, True])
def test_the_context_at_every_step_is_part_of_the_input_and_of_the_readout(pooled):
    sought = ("rnn", 1, True, "every-step", pooled)
    (config,) = [c for c in CONFIGS if (c.cell, c.layers, c.bidirectional, c.context, c.pooled_context) == sought]
    model = random_model(config)
    start, p = initial_state(model), model.parameters.below("decoder.")
    top, _, _ = model.decoder.forward(start, INPUTS[:3], Packing((1, 1, 1)))
    embedded, ((h,),), c = p["embedding.weight"][INPUTS[:3]], start.states, start.context
    z = np.concatenate([embedded, c], axis=1) @ p["rnn.weight_ih_l0"].T + h @ p["rnn.weight_hh_l0"].T
    hidden = np.tanh(z + p["rnn.bias_ih_l0"] + p["rnn.bias_hh_l0"])
    expected = np.tanh(np.concatenate([embedded, hidden, c], axis=1) @ p["readout.weight"].T + p["readout.bias"])
    np.testing.assert_allclose(top, expected, rtol=0, atol=1e-13)
