import numpy as np
import pytest

from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.gradcheck import numeric_gradient, random_model, relative_errors
from seq2seq_cli.nn.packing import Packing
from tests.models import SOURCE_VOCABULARY, config_id, every_config

PACKING = Packing((4, 2, 1))
SOURCE = np.random.default_rng(0).integers(0, SOURCE_VOCABULARY, PACKING.tokens)
CONFIGS = list(dict.fromkeys(every_config(tie_embeddings=False)))


def arrays(state):
    return [*(part for layer in state.states for part in layer), *([] if state.context is None else [state.context])]


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_the_initial_decoder_state_has_a_row_for_each_sentence_and_a_context_only_for_every_step(config):
    model = random_model(config)
    state, _ = model.encoder.forward(SOURCE, PACKING)
    assert len(state.states) == config.layers
    assert all(part.shape == (3, config.hidden_size) for layer in state.states for part in layer)
    if config.context == "initial":
        assert state.context is None
    else:
        assert state.context.shape == (3, config.context_size)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_bridge_maps_both_directions_final_states_and_one_direction_has_none(bidirectional):
    (config,) = [
        c
        for c in CONFIGS
        if (c.cell, c.layers, c.bidirectional, c.context) == ("lstm", 1, bidirectional, "every-step")
        and not c.pooled_context
    ]
    model = random_model(config)
    finals = [tuple(np.full((2, 4), value + k) for k in (0.0, 0.5)) for value in (0.1, 0.2)[: config.directions]]
    state, joined = model.encoder.initial_decoder_state(finals, None)
    np.testing.assert_array_equal(state.context, joined[-1][0])
    if not bidirectional:
        assert state.states == finals == joined
        return
    for k, name in enumerate(("hidden", "cell")):
        both = np.concatenate([finals[0][k], finals[1][k]], axis=1)
        np.testing.assert_array_equal(joined[0][k], both)
        weight, bias = (model.parameters[f"encoder.bridge.{name}.0.{part}"] for part in ("weight", "bias"))
        np.testing.assert_allclose(state.states[0][k], np.tanh(both @ weight.T + bias), atol=1e-14)


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_backward_matches_finite_differences(config):
    model, generator = random_model(config), np.random.default_rng(1)
    state, cache = model.encoder.forward(SOURCE, PACKING)
    weights = [generator.standard_normal(part.shape) for part in arrays(state)]

    def weighted() -> float:
        found, _ = model.encoder.forward(SOURCE, PACKING, keep_cache=False)
        return float(sum((part * weight).sum() for part, weight in zip(arrays(found), weights)))

    gradients, rest = model.parameters.zeros_like(), iter(weights)
    d_states = [tuple(next(rest) for _ in layer) for layer in state.states]
    model.encoder.backward(DecoderState(d_states, next(rest, None)), SOURCE, PACKING, cache, gradients)
    for name, view in model.parameters.items():
        if name.startswith("encoder."):
            some = view.reshape(-1)[:4]
            assert relative_errors(gradients[name].reshape(-1)[:4], numeric_gradient(weighted, some)).max() < 1e-6, name


def test_rows_of_a_state_can_be_selected_more_than_once():
    state = DecoderState([(np.arange(3.0)[:, None],)], np.arange(3.0)[:, None] + 10)
    selected = state.select(np.array([2, 0, 2]))
    assert selected.states[0][0].ravel().tolist() == [2, 0, 2]
    assert selected.context.ravel().tolist() == [12, 10, 12]
    assert DecoderState(state.states, None).select(np.array([1])).context is None


@pytest.mark.parametrize("context", [None, np.ones((300, 6))])
def test_context_dropout_masks_every_array_but_the_prior(context):
    state = DecoderState([(np.ones((300, 4)), np.ones((300, 4)))] * 2, context, np.ones((300, 9)))
    masks = state.context_dropout(0.25, np.random.default_rng(0))
    masked = state.masked(masks)
    parts = arrays(masked)
    assert len(parts) == len(arrays(state))
    for k, part in enumerate(parts):
        np.testing.assert_allclose(np.unique(part), [0, 4 / 3])
        assert np.mean(part == 0) == pytest.approx(0.25, abs=0.06)
        assert all(part.shape != other.shape or not np.array_equal(part, other) for other in parts[:k])
    assert masked.prior is state.prior
    assert all((part == 1).all() for part in arrays(state))


def test_without_context_dropout_the_state_is_the_same_object():
    state = DecoderState([(np.ones((2, 3)),)], None)
    assert state.context_dropout(0.0, np.random.default_rng(0)) is None
    assert state.context_dropout(0.5, None) is None
    assert state.masked(None) is state
