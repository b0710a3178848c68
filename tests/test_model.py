import dataclasses
import importlib.util

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.gradcheck import check_gradients, random_model
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.nn.model import Batch, Seq2Seq
from seq2seq_cli.nn.output_layer import output_forward
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.parameters import Parameters, parameter_shapes
from tests.models import config_id, dropout_errors, every_config, random_batch
from tests.reference import LABEL_SMOOTHING
from tests.reference.stored import below, reference

CONFIGS = list(every_config())
SMALL = list(every_config(embedding_size=2, hidden_size=2))
SMALL_UNTIED = [config for config in SMALL if not config.tie_embeddings]
RATES = dict.fromkeys(("dropout", "word_dropout", "context_dropout", "weight_dropout"), 0.3)
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


def stored_batch() -> Batch:
    data = below("batch/")
    return Batch(
        source=data["source"],
        source_packing=Packing.of(data["source_lengths"]),
        target_inputs=data["target_inputs"],
        target_outputs=data["target_outputs"],
        target_packing=Packing.of(data["target_lengths"]),
        source_rows=data["source_rows"],
    )


def logits_of(model: Seq2Seq, batch: Batch) -> np.ndarray:
    start = model.encode(batch.source, batch.source_packing).select(batch.source_rows)
    top, _, _ = model.decoder.forward(start, batch.target_inputs, batch.target_packing)
    return output_forward(top, model.parameters[model.output_name], model.parameters["decoder.fc_out.bias"])


@pytest.mark.parametrize("config", SMALL, ids=config_id)
def test_gradients_match_finite_differences_for_every_parameter(config):
    checks = list(check_gradients(random_model(config), random_batch()))
    assert [check.name for check in checks] == list(parameter_shapes(config))
    for check in checks:
        assert check.worst < 1e-6, check.name


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("context", ["initial", "every-step"])
def test_gradients_match_finite_differences_with_dropout(cell, context):
    config = ModelConfig(
        7, 6, cell, embedding_size=3, hidden_size=4, layers=2, bidirectional=True, context=context, dropout=0.4
    )
    for name, error in dropout_errors(random_model(config)).items():
        assert error < 1e-6, name


@pytest.mark.parametrize("config", SMALL_UNTIED, ids=config_id)
def test_gradients_match_finite_differences_with_every_kind_of_dropout(config):
    for name, error in dropout_errors(random_model(dataclasses.replace(config, **RATES))).items():
        assert error < 1e-6, name


@pytest.mark.parametrize("config", SMALL_UNTIED, ids=config_id)
def test_masks_follow_the_seed_and_are_for_training_only(config):
    plain, batch = random_model(config), random_batch()
    model = random_model(dataclasses.replace(config, **RATES))
    assert model.loss(batch) == plain.loss(batch)
    gradients = [model.parameters.zeros_like() for _ in range(3)]
    before = model.parameters.flat.copy()
    losses = [
        model.loss_and_gradients(batch, each, generator=np.random.default_rng(seed)).loss
        for each, seed in zip(gradients, (1, 1, 2))
    ]
    assert losses[0] == losses[1] != losses[2]
    assert np.array_equal(gradients[0].flat, gradients[1].flat)
    assert np.array_equal(model.parameters.flat, before)
    model.loss_and_gradients(batch, gradients[0])
    plain.loss_and_gradients(batch, gradients[1])
    assert np.array_equal(gradients[0].flat, gradients[1].flat)


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_logits_loss_and_all_gradients_equal_stored_torch(config):
    data, batch = below(f"{config_id(config)}/"), stored_batch()
    model = random_model(config)
    model.parameters.flat[:] = data["parameters"]
    np.testing.assert_allclose(logits_of(model, batch), data["logits"], rtol=0, atol=1e-10)
    gradients = model.parameters.zeros_like()
    result = model.loss_and_gradients(batch, gradients, label_smoothing=LABEL_SMOOTHING)
    assert result.loss / result.tokens == pytest.approx(float(data["loss"]), abs=1e-10)
    np.testing.assert_allclose(gradients.flat, data["gradients"], rtol=0, atol=1e-10)


@needs_torch
@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_weights_load_into_torch_by_name_and_give_the_same_numbers(config):
    from tests.torch_twin import Twin

    model, batch = random_model(config, seed=10), random_batch(seed=11)
    logits, loss, expected = Twin(config, model.parameters).logits_loss_gradients(batch, 0.2)
    np.testing.assert_allclose(logits_of(model, batch), logits, rtol=0, atol=1e-10)
    gradients = model.parameters.zeros_like()
    result = model.loss_and_gradients(batch, gradients, label_smoothing=0.2)
    assert result.loss / result.tokens == pytest.approx(loss, abs=1e-10)
    assert expected.keys() == gradients.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(gradients[name], value, rtol=0, atol=1e-10, err_msg=name)


@needs_torch
def test_stored_reference_is_what_torch_gives_now():
    from tests.reference import make_reference

    fresh = {**make_reference.models(), **make_reference.cells(), **make_reference.optimizers()}
    assert fresh.keys() == reference().keys()
    for name, value in fresh.items():
        np.testing.assert_allclose(value, reference()[name], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_stepping_gives_the_logits_of_teacher_forcing(config):
    model, batch = random_model(config), random_batch()
    expected = logits_of(model, batch)
    packing = batch.target_packing
    state = model.encode(batch.source, batch.source_packing).select(batch.source_rows)
    for t in range(packing.steps):
        rows = slice(packing.offsets[t], packing.offsets[t + 1])
        state = state.select(np.arange(packing.batch_sizes[t]))
        logits, state = model.decode_step(state, batch.target_inputs[rows])
        np.testing.assert_allclose(logits, expected[rows], rtol=0, atol=1e-12)


@pytest.mark.parametrize("config", CONFIGS, ids=config_id)
def test_a_sentence_does_not_depend_on_its_neighbors(config):
    model, batch = random_model(config), random_batch()
    together = model.encode(batch.source, batch.source_packing)
    for row, length in enumerate(batch.source_packing.lengths):
        alone = model.encode(batch.source[batch.source_packing.token_sentences == row], Packing((length,)))
        for a, b in zip(together.select(np.array([row])).states, alone.states):
            for x, y in zip(a, b):
                np.testing.assert_allclose(x, y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("config", CONFIGS[-2:], ids=config_id)
def test_every_gradient_is_written_not_added(config):
    model, batch = random_model(config), random_batch()
    clean, dirty = model.parameters.zeros_like(), model.parameters.zeros_like()
    dirty.flat[:] = 1e9
    model.loss_and_gradients(batch, clean)
    model.loss_and_gradients(batch, dirty)
    assert np.array_equal(clean.flat, dirty.flat)


def test_float32_model_stays_float32():
    config = ModelConfig(7, 6, "lstm", 4, 4, layers=2)
    model = create_model(config, np.random.default_rng(0))
    gradients = model.parameters.zeros_like()
    model.loss_and_gradients(random_batch(), gradients, generator=np.random.default_rng(1))
    assert isinstance(gradients, Parameters)
    assert gradients.flat.dtype == np.float32
    state = model.encode(random_batch().source, random_batch().source_packing)
    logits, state = model.decode_step(state, np.zeros(4, dtype=np.intp))
    assert logits.dtype == np.float32
    assert all(part.dtype == np.float32 for layer in state.states for part in layer)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_batch_of_one_sentence_of_one_token_and_sizes_of_one_work(cell):
    config = ModelConfig(1, 3, cell, embedding_size=1, hidden_size=1)
    model = random_model(config)
    zero, one = np.zeros(1, dtype=np.intp), Packing((1,))
    batch = Batch(zero, one, zero, zero, one, zero)
    gradients = model.parameters.zeros_like()
    assert np.isfinite(model.loss_and_gradients(batch, gradients).loss)
    assert np.isfinite(gradients.flat).all()
