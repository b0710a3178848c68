import dataclasses
import math
import time
from itertools import pairwise

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, Recipe, TokenizerConfig, TrainingConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model, load_state
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.training.batches import encode_corpus
from seq2seq_cli.training.events import Score, StepReport, ValidationReport
from seq2seq_cli.training.trainer import Trainer, random_stream
from seq2seq_cli.training.validation import validation_loss

WORDS = ["red", "blue", "green", "old", "new", "cat", "dog", "bird", "house", "tree"]


def toy_corpus(n=60, seed=0):
    """Three words in, the same three words in capitals out."""
    generator = np.random.default_rng(seed)
    sources = [" ".join(generator.choice(WORDS, generator.integers(1, 4))) for _ in range(n)]
    return Corpus("toy", sources, [source.upper() for source in sources])


class FixedScore:
    """In place of a validation's translations: the same score every time, and a note of what was asked for."""

    def __init__(self):
        self.asked = []

    def score(self, model, sentences):
        self.asked.append(sentences)
        return Score(1.0, (("a", "A", "A"),))


def make_trainer(path, state=None, checkpoint=None, corpus=None, members=1, synthetic=None, **settings):
    corpus = corpus or toy_corpus()
    config = TrainingConfig(**{"batch_size": 8, "epochs": 3, "learning_rate": 0.01, "cool_down": 0.0, **settings})
    if checkpoint is None:
        source = train_tokenizer(TokenizerConfig("word", 50), corpus.sources)
        target = train_tokenizer(TokenizerConfig("word", 50), corpus.targets)
        shape = ModelConfig(len(source), len(target), "lstm", 8, 12, dropout=0.2, members=members)
        model = create_model(shape, random_stream(config.seed, 0))
        checkpoint = Checkpoint(model, source, target, Recipe())
    checkpoint.recipe = dataclasses.replace(checkpoint.recipe, training=config)
    tokenizers = checkpoint.source_tokenizer, checkpoint.target_tokenizer
    train, _ = encode_corpus(corpus, *tokenizers, False)
    valid, _ = encode_corpus(toy_corpus(10, seed=9), *tokenizers, False)
    if synthetic is not None:
        synthetic, _ = encode_corpus(synthetic, *tokenizers, False)
    return Trainer(checkpoint, train, valid, path, FixedScore(), state, synthetic=synthetic)


def weights(trainer):
    return trainer.model.parameters.flat.copy()


def test_training_learns(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", epochs=25)
    before = validation_loss(trainer.parallel)
    reports = list(trainer.run())
    losses = [report.valid_loss for report in reports if isinstance(report, ValidationReport)]
    assert min(losses) < 0.5 * before


def test_reports_have_the_numbers_of_the_step(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", epochs=2)
    reports = list(trainer.run())
    steps = [report for report in reports if isinstance(report, StepReport)]
    validations = [report for report in reports if isinstance(report, ValidationReport)]
    assert [report.step for report in steps] == list(range(1, 17)) == list(range(1, trainer.total_steps + 1))
    assert [report.epoch for report in steps] == [1] * 8 + [2] * 8
    assert [report.step for report in validations] == [8, 16]
    assert all(a.seconds <= b.seconds for a, b in pairwise(reports))
    assert all(report.gradient_norm > 0 and report.tokens_per_second > 0 for report in steps)
    assert validations[0].valid_perplexity == pytest.approx(np.exp(validations[0].valid_loss))
    assert trainer.checkpoint.history[1]["step"] == 16


def test_same_seed_same_weights_and_another_seed_others(tmp_path):
    results = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        trainer = make_trainer(tmp_path / f"{name}.npz", seed=seed)
        list(trainer.run())
        results.append(weights(trainer))
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("stop_after", [1, 5, 8, 11, 17])
@pytest.mark.parametrize("cool_down", [0.0, 0.7])
def test_resumed_run_matches_uninterrupted_run_bit_for_bit(optimizer, cool_down, stop_after, tmp_path):
    settings = {"optimizer": optimizer, "cool_down": cool_down}
    whole = make_trainer(tmp_path / "whole.npz", **settings)
    expected = [report for report in whole.run() if isinstance(report, StepReport)]

    path = tmp_path / "parts.npz"
    first = make_trainer(path, **settings)
    for report in first.run():
        if isinstance(report, StepReport) and report.step == stop_after:
            break
    first.save()
    checkpoint, state = load_state(state_path(path))
    second = make_trainer(path, state, checkpoint, **settings)
    rest = [report for report in second.run() if isinstance(report, StepReport)]

    assert np.array_equal(weights(second), weights(whole))
    assert [r.loss for r in rest] == [r.loss for r in expected[stop_after:]]
    assert np.array_equal(
        load_model(path).model.parameters.flat, load_model(tmp_path / "whole.npz").model.parameters.flat
    )
    untimed = [[{k: v for k, v in r.items() if k != "seconds"} for r in t.checkpoint.history] for t in (whole, second)]
    assert untimed[0] == untimed[1]


def test_the_learning_rate_falls_to_the_planned_end_of_steps_or_minutes(tmp_path):
    rates = [
        r.learning_rate for r in make_trainer(tmp_path / "m.npz", cool_down=0.5).run() if isinstance(r, StepReport)
    ]
    assert rates[:13] == [0.01] * 13
    assert rates[13:] == pytest.approx([0.01 * (24 - step) / 12 for step in range(13, 24)])
    timed = make_trainer(tmp_path / "t.npz", cool_down=0.5, max_minutes=1.0)
    timed.seconds = 45.0
    assert timed.learning_rate == pytest.approx(0.005)


@pytest.mark.parametrize("limit", [{"epochs": 1}, {"max_steps": 5}])
def test_a_run_interrupted_between_its_last_step_and_the_validation_is_still_validated(limit, tmp_path):
    path = tmp_path / "m.npz"
    trainer = make_trainer(path, **limit)
    for report in trainer.run():
        if report.step == trainer.total_steps:
            break
    trainer.save()
    checkpoint, state = load_state(state_path(path))
    rest = list(make_trainer(path, state, checkpoint, **limit).run())
    assert [type(report) for report in rest] == [ValidationReport]


def test_resuming_with_more_epochs_continues(tmp_path):
    path = tmp_path / "m.npz"
    list(make_trainer(path, epochs=1).run())
    checkpoint, state = load_state(state_path(path))
    longer = make_trainer(path, state, checkpoint, epochs=2)
    assert [r.step for r in longer.run() if isinstance(r, StepReport)] == list(range(9, 17))


def test_the_best_model_is_kept_and_training_stops_early(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path / "m.npz", epochs=50, patience=2)
    losses = iter([3.0, 2.0, 2.5, 2.2, 9.9])
    monkeypatch.setattr("seq2seq_cli.training.trainer.validation_loss", lambda *_: next(losses))
    kept = {}
    for report in trainer.run():
        if isinstance(report, ValidationReport):
            kept[report.step] = weights(trainer)
    assert sorted(kept) == [8, 16, 24, 32]
    assert np.array_equal(load_model(tmp_path / "m.npz").model.parameters.flat, kept[16])
    history = trainer.checkpoint.history
    assert [record["learning_rate"] for record in history] == [0.01, 0.01, 0.005, 0.0025]  # of the next step


@pytest.mark.parametrize(("criterion", "best"), [("loss", 1), ("bleu", 2), ("chrf", 3)])
def test_keep_best_keeps_the_model_that_is_best_by_its_criterion(criterion, best, tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path / "m.npz", epochs=4, keep_best=criterion)
    losses = iter([3.0, 2.0, 2.5, 2.2])
    scores = iter([(1.0, 10.0), (2.0, 20.0), (9.0, 30.0), (8.0, 40.0)])
    monkeypatch.setattr("seq2seq_cli.training.trainer.validation_loss", lambda *_: next(losses))

    def score(model, sentences):
        bleu, chrf = next(scores)
        return Score(bleu, (("a", "A", "A"),), chrf=chrf)

    monkeypatch.setattr(trainer.validation, "score", score)
    validations = [(report, weights(trainer)) for report in trainer.run() if isinstance(report, ValidationReport)]
    kept = load_model(tmp_path / "m.npz")
    assert np.array_equal(kept.model.parameters.flat, validations[best][1])
    assert [k for k, (report, _) in enumerate(validations) if report.improved][-1] == best
    assert kept.history[-1]["step"] == validations[best][0].step


@pytest.mark.parametrize(("every", "expected"), [(3, [3, 6, 8, 11, 14, 16]), (8, [8, 16]), (2000, [8, 16])])
def test_validations_come_after_each_epoch_and_after_so_many_steps(every, expected, tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", epochs=2, valid_every=every)  # epochs of 8 steps
    assert [report.step for report in trainer.run() if isinstance(report, ValidationReport)] == expected


@pytest.mark.parametrize(("limit", "steps"), [({"max_steps": 5}, 5), ({"max_minutes": 1e-3}, 1)])
def test_limits_end_the_training_with_a_saved_model(limit, steps, tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", **limit)
    if "max_minutes" in limit:
        trainer.seconds = 60 * limit["max_minutes"] - 1e-9
    assert sum(isinstance(report, StepReport) for report in trainer.run()) == steps
    assert load_model(tmp_path / "m.npz")
    assert load_state(state_path(tmp_path / "m.npz"))[1].progress["step"] == steps


def test_a_loss_that_is_not_a_number_stops_with_advice_and_keeps_the_last_good_model(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz")
    run = trainer.run()
    for report in run:
        if isinstance(report, ValidationReport):
            break
    good = load_model(tmp_path / "m.npz").model.parameters.flat
    trainer.model.parameters.flat[:] = np.nan
    with pytest.raises(UserError, match="step 9") as caught:
        next(run)
    assert "--learning-rate" in caught.value.fix
    assert np.array_equal(load_model(tmp_path / "m.npz").model.parameters.flat, good)


def test_a_resumed_run_takes_a_new_learning_rate(tmp_path):
    path = tmp_path / "m.npz"
    list(make_trainer(path, epochs=1).run())
    checkpoint, state = load_state(state_path(path))
    reports = make_trainer(path, state, checkpoint, epochs=2, learning_rate=0.001).run()
    assert next(reports).learning_rate == 0.001


def test_one_pair_is_enough(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", corpus=Corpus("one", ["cat"], ["CAT"]), epochs=2)
    assert sum(isinstance(report, StepReport) for report in trainer.run()) == 2


SYNTHETIC = toy_corpus(100, seed=5)


def test_an_augmented_epoch_has_every_real_pair_and_its_own_draw_of_the_synthetic_ones(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", synthetic=SYNTHETIC, augmentation=0.5)
    assert len(trainer.train) == 160
    drawn = []
    for epoch in (1, 2):
        pairs = np.sort(np.concatenate(trainer.plan(epoch, augmented=True)))
        np.testing.assert_array_equal(pairs[:60], np.arange(60))
        drawn.append(set(pairs[60:].tolist()))
        assert len(drawn[-1]) == len(pairs) - 60 == trainer.synthetic_per_epoch == 30
        batches = trainer.plan(epoch, augmented=True)
        assert sum(any(batch >= 60) and any(batch < 60) for batch in batches) > 1  # shuffled among each other
        for batch, again in zip(batches, trainer.plan(epoch, augmented=True), strict=True):
            np.testing.assert_array_equal(batch, again)
        np.testing.assert_array_equal(np.sort(np.concatenate(trainer.plan(epoch))), np.arange(60))
    assert drawn[0] != drawn[1]


def test_no_more_synthetic_pairs_are_drawn_than_there_are(tmp_path):
    for pairs, expected in ((SYNTHETIC, 100), (Corpus("none", [], []), 0), (None, 0)):
        trainer = make_trainer(tmp_path / "m.npz", synthetic=pairs, augmentation=3.0)
        assert trainer.synthetic_per_epoch == expected
        assert trainer.augmented == (expected > 0)
        assert sum(map(len, trainer.plan(1, augmented=True))) == 60 + expected


def test_the_last_fifth_of_the_epochs_is_without_synthetic_pairs_and_all_steps_are_counted(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", synthetic=SYNTHETIC, augmentation=1.0, epochs=5)
    assert (trainer.steps_per_epoch, trainer.steps_per_augmented_epoch) == (8, 15)
    assert trainer.total_steps == 4 * 15 + 8
    steps = [report for report in trainer.run() if isinstance(report, StepReport)]
    assert [sum(report.epoch == epoch for report in steps) for epoch in range(1, 6)] == [15, 15, 15, 15, 8]


def test_a_limit_of_steps_or_minutes_ends_the_augmented_epochs_too(tmp_path):
    for limits, per_epoch in (({"max_steps": 100}, {"steps": 20}), ({"max_minutes": 10.0}, {"seconds": 120.0})):
        trainer = make_trainer(tmp_path / "m.npz", synthetic=SYNTHETIC, augmentation=1.0, epochs=1000, **limits)
        augmented = []
        for epoch in range(1, 6):
            trainer.epoch = epoch
            augmented.append(trainer._is_augmented())
            trainer.optimizer.steps += per_epoch.get("steps", 0)
            trainer.seconds += per_epoch.get("seconds", 0.0)
        assert augmented == [True] * 4 + [False]


@pytest.mark.parametrize("stop", [1, 20, 30, 34, 40])
def test_resumed_augmented_run_matches_the_uninterrupted_one_bit_for_bit(stop, tmp_path):
    settings = {"synthetic": SYNTHETIC, "augmentation": 1.0, "epochs": 3}
    whole = make_trainer(tmp_path / "whole.npz", **settings)
    expected = [report.step for report in whole.run()]
    first = make_trainer(tmp_path / "parts.npz", **settings)
    found = []
    for report in first.run():
        found.append(report.step)
        if report.step == stop and isinstance(report, StepReport):
            break
    first.save()
    checkpoint, state = load_state(state_path(tmp_path / "parts.npz"))
    second = make_trainer(tmp_path / "parts.npz", state, checkpoint, **settings)
    assert second.augmented == first.augmented
    found += [report.step for report in second.run()]
    assert found == expected
    assert np.array_equal(weights(second), weights(whole))


def test_the_fingerprint_is_that_of_the_real_pairs(tmp_path):
    plain = make_trainer(tmp_path / "m.npz")
    augmented = make_trainer(tmp_path / "m.npz", synthetic=SYNTHETIC, augmentation=1.0)
    assert augmented.files.fingerprints == plain.files.fingerprints


def test_an_epoch_that_has_not_begun_follows_a_changed_limit_and_one_that_has_begun_does_not(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", synthetic=SYNTHETIC, augmentation=1.0, epochs=2)
    assert trainer.augmented
    trainer.config = dataclasses.replace(trainer.config, epochs=1)
    steps = [report for report in trainer.run() if isinstance(report, StepReport)]
    assert len(steps) == trainer.total_steps == trainer.steps_per_epoch
    begun = make_trainer(tmp_path / "b.npz", synthetic=SYNTHETIC, augmentation=1.0, epochs=2)
    next(begun.run())
    begun.config = dataclasses.replace(begun.config, epochs=1)
    assert len([report for report in begun.run() if isinstance(report, StepReport)]) == 15 - 1


def test_the_loss_of_a_step_has_no_label_smoothing_and_is_the_logarithm_of_its_perplexity(tmp_path):
    smoothed, plain = (list(make_trainer(tmp_path / "m.npz", epochs=1, label_smoothing=x).run()) for x in (0.2, 0.0))
    assert smoothed[0].loss == pytest.approx(plain[0].loss, rel=1e-5)  # before the first update
    for reports in (smoothed, plain):
        for report in reports:
            if isinstance(report, StepReport):
                assert math.exp(report.loss) == pytest.approx(report.perplexity)
    assert plain[0].objective == pytest.approx(plain[0].loss)
    assert smoothed[-2].objective > smoothed[-2].loss + 0.1


def test_a_slow_disk_and_a_slow_caller_do_not_use_up_the_minutes(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path / "m.npz", epochs=2)
    save = trainer.files.save

    def slow(*arguments):
        time.sleep(1.0)
        save(*arguments)

    monkeypatch.setattr(trainer.files, "save", slow)
    start = time.monotonic()
    for report in trainer.run():
        if isinstance(report, ValidationReport):
            time.sleep(1.0)
    assert trainer.seconds < time.monotonic() - start - 4.0  # two validations, each with a save and a pause
