import dataclasses

import numpy as np
import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.nn.gradcheck import relative_errors
from seq2seq_cli.nn.members import EnsembleModel, create_model
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.parameters import Parameters, parameter_shapes
from seq2seq_cli.storage.checkpoint import load_model, load_state
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.training.events import StepReport
from tests.models import every_config, random_batch
from tests.test_trainer import make_trainer, weights

CONFIG = dataclasses.replace(next(every_config(cell="gru")), members=3)


def random_ensemble(config=CONFIG):
    generator = np.random.default_rng(3)
    model = create_model(config, generator, np.float64)
    model.parameters.flat[:] = generator.uniform(-0.6, 0.6, len(model.parameters.flat))
    return model


def test_every_network_has_the_names_of_a_single_one_behind_its_number():
    single, several = parameter_shapes(dataclasses.replace(CONFIG, members=1)), parameter_shapes(CONFIG)
    assert list(several) == [f"{prefix}{name}" for prefix in ("", "member2.", "member3.") for name in single]
    assert create_model(dataclasses.replace(CONFIG, members=1), np.random.default_rng(0)).members[0].config.members == 1


def test_networks_start_from_different_weights_and_the_first_as_a_single_one_would():
    model = create_model(CONFIG, np.random.default_rng(5))
    alone = create_model(dataclasses.replace(CONFIG, members=1), np.random.default_rng(5))
    first, second, third = (member.parameters.flat for member in model.members)
    assert np.array_equal(first, alone.parameters.flat)
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_loss_and_gradients_are_those_of_each_network_on_its_own():
    model, batch = random_ensemble(), random_batch()
    gradients = model.parameters.zeros_like()
    loss = model.loss_and_gradients(batch, gradients, label_smoothing=0.1)
    losses = []
    for k, member in enumerate(model.members):
        alone = Seq2Seq(CONFIG, Parameters(member.parameters.shapes, member.parameters.flat.copy()))
        expected = alone.parameters.zeros_like()
        losses.append(alone.loss_and_gradients(batch, expected, label_smoothing=0.1))
        assert relative_errors(gradients.scope(k).flat, expected.flat).max() < 1e-12
    assert loss.loss == pytest.approx(np.mean([each.loss for each in losses]), rel=1e-13)
    assert loss.tokens == losses[0].tokens
    assert model.loss(batch).loss == pytest.approx(np.mean([member.loss(batch).loss for member in model.members]))


def test_every_network_has_dropout_masks_of_its_own_which_the_seed_decides():
    config = dataclasses.replace(CONFIG, dropout=0.5)
    model, batch = random_ensemble(config), random_batch()
    for member in model.members[1:]:
        member.parameters.flat[:] = model.members[0].parameters.flat
    found = []
    for seed in (1, 1, 2):
        gradients = model.parameters.zeros_like()
        model.loss_and_gradients(batch, gradients, generator=np.random.default_rng(seed))
        found.append(gradients.flat.copy())
        assert not np.array_equal(gradients.scope(0).flat, gradients.scope(1).flat)
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_networks_follow_when_the_vector_moves():
    model = random_ensemble()
    before = [member.parameters.flat.copy() for member in model.members]
    vector = np.zeros_like(model.parameters.flat)
    model.parameters.move(vector)
    vector *= 2
    for member, values in zip(model.members, before, strict=True):
        assert np.array_equal(member.parameters.flat, 2 * values)
        assert np.shares_memory(member.parameters["encoder.embedding.weight"], vector)
        assert np.shares_memory(member.encoder.parameters["encoder.embedding.weight"], vector)


def test_it_trains_saves_resumes_bit_for_bit_and_translates_as_the_ensemble_of_its_networks(tmp_path):
    whole = make_trainer(tmp_path / "whole.npz", members=2)
    list(whole.run())
    path = tmp_path / "parts.npz"
    first = make_trainer(path, members=2)
    next(report for report in first.run() if isinstance(report, StepReport) and report.step == 11)
    first.save()
    checkpoint, state = load_state(state_path(path))
    second = make_trainer(path, state, checkpoint)
    list(second.run())
    assert np.array_equal(weights(second), weights(whole))

    loaded = load_model(path)
    assert isinstance(loaded.model, EnsembleModel)
    shape = dataclasses.replace(loaded.model.config, members=1)
    separate = [
        dataclasses.replace(loaded, model=Seq2Seq(shape, Parameters(member.parameters.shapes, member.parameters.flat)))
        for member in loaded.model.members
    ]
    texts, config = ["red cat", "old blue bird", "tree"], SearchConfig(beam=3, n_best=3)
    together = list(Translator([loaded]).translate_n_best(texts, config))
    assert together == list(Translator(separate).translate_n_best(texts, config))
    assert together != list(Translator(separate[:1]).translate_n_best(texts, config))


def test_the_norm_that_is_reported_is_that_of_one_network(tmp_path):
    one, several = (next(iter(make_trainer(tmp_path / "m.npz", members=n).run())) for n in (1, 4))
    assert several.gradient_norm == pytest.approx(one.gradient_norm, rel=0.3)
