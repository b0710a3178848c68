import dataclasses

import numpy as np
import pytest

from seq2seq_cli.storage.checkpoint import load_state
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.training.estimate import SENTENCES, estimate_cost, peak_memory
from seq2seq_cli.training.events import StepReport, ValidationReport
from seq2seq_cli.training.trainer import SCORED_SENTENCES
from tests.test_trainer import make_trainer, toy_corpus, weights


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_estimate_leaves_no_trace_in_the_result(optimizer, tmp_path):
    plain = make_trainer(tmp_path / "plain.npz", optimizer=optimizer)
    expected = list(plain.run())
    measured = make_trainer(tmp_path / "measured.npz", optimizer=optimizer)
    before = weights(measured)
    estimate = estimate_cost(measured)
    assert estimate.steps == 8
    assert estimate.step_seconds > 0
    assert np.array_equal(weights(measured), before)
    assert (measured.step, measured.seconds, measured.checkpoint.history) == (0, 0.0, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.npz", "plain.state.npz"]
    found = list(measured.run())
    assert np.array_equal(weights(measured), weights(plain))
    for a, b in zip(expected, found, strict=True):
        untimed = {"seconds": 0.0, **({"tokens_per_second": 0.0} if isinstance(a, StepReport) else {})}
        assert dataclasses.replace(a, **untimed) == dataclasses.replace(b, **untimed)
    for moment, vector in plain.optimizer.moments().items():
        assert np.array_equal(measured.optimizer.moments()[moment], vector)


def test_an_estimate_in_the_middle_of_a_training_leaves_no_trace_either(tmp_path):
    whole = make_trainer(tmp_path / "whole.npz")
    list(whole.run())
    path = tmp_path / "parts.npz"
    first = make_trainer(path)
    next(report for report in first.run() if report.step == 11)
    first.save()
    checkpoint, state = load_state(state_path(path))
    second = make_trainer(path, state, checkpoint)
    estimate_cost(second)
    list(second.run())
    assert np.array_equal(weights(second), weights(whole))


def test_an_estimate_translates_some_sentences_as_a_validation_does(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz")
    estimate_cost(trainer)
    assert trainer.validation.asked == [SENTENCES]
    next(report for report in trainer.run() if isinstance(report, ValidationReport))
    assert trainer.validation.asked[1:] == [SCORED_SENTENCES]


def test_an_estimate_multiplies_its_steps_to_an_epoch(tmp_path):
    estimate = estimate_cost(make_trainer(tmp_path / "m.npz", corpus=toy_corpus(400)))
    assert estimate.steps == 10
    assert estimate.epoch_seconds == pytest.approx(50 * estimate.step_seconds, rel=0.2)


def test_an_estimate_of_slow_steps_is_cut_short(tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq_cli.training.estimate.MAX_SECONDS", 0.0)
    assert estimate_cost(make_trainer(tmp_path / "m.npz")).steps == 1


def test_the_memory_of_this_process_is_known_in_bytes():
    before = peak_memory()
    if before is None:
        pytest.skip("this system does not say")
    assert before > 1e7
    block = np.ones(before // 8)
    assert peak_memory() >= block.nbytes


def test_an_estimate_of_an_augmented_training_counts_what_each_epoch_takes(tmp_path):
    corpus, synthetic = toy_corpus(400), toy_corpus(2000, seed=5)
    trainer = make_trainer(tmp_path / "m.npz", corpus=corpus, synthetic=synthetic, augmentation=1.0, epochs=5)
    estimate = estimate_cost(trainer)
    assert estimate.steps_per_epoch == 100
    assert estimate.epoch_seconds == pytest.approx(100 * estimate.step_seconds, rel=0.2)
    assert estimate.seconds == pytest.approx((4 * 100 + 50) / 100 * estimate.epoch_seconds)
