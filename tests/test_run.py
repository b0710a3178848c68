"""``train``: from a recipe to a model file, as events."""

import json
import multiprocessing
import time

import numpy as np
import pytest

from seq2seq_cli.config import Recipe
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.workers import CAN_FORK
from seq2seq_cli.storage.checkpoint import load_model, load_state
from seq2seq_cli.storage.model_files import backup_path, state_path
from seq2seq_cli.training.events import (
    BatchesSplit,
    CostEstimate,
    ModelBackedUp,
    Network,
    NothingHeldOut,
    PairsSkipped,
    RecipeChosen,
    StepReport,
    SuspiciousPairs,
    TrainingCorpus,
    TrainingFinished,
    TrainingStarted,
    UnknownTokens,
    ValidationReport,
    Vocabularies,
    record_of,
)
from seq2seq_cli.training.resuming import MAY_CHANGE_ON_RESUME
from seq2seq_cli.training.run import train
from tests.conftest import write_pairs

SMALL = {"embedding_size": 6, "hidden_size": 8, "vocab_size": 60, "batch_size": 32, "threads": 1}
BEFORE = [TrainingCorpus, Vocabularies, SuspiciousPairs, Network, RecipeChosen, CostEstimate]
STEPS = 8
"""Of an epoch: 252 pairs, of which a share is held out."""


@pytest.fixture
def recipe(tmp_path):
    return Recipe.of(corpus=str(write_pairs(tmp_path / "p.tsv")), augmentation=0.0, **SMALL)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def arrays(path):
    """Every float array of a file, weights and the optimizer's moments."""
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files if archive[name].dtype == np.float32}


def assert_same_arrays(first, second):
    first, second = arrays(first), arrays(second)
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


def test_events_come_in_the_documented_order_and_the_last_one_carries_the_kept_model(recipe, tmp_path):
    output = tmp_path / "m.npz"
    events = list(train(recipe.replace(epochs=2), output))
    assert [type(event) for event in events] == [
        *BEFORE,
        TrainingStarted,
        *([StepReport] * STEPS + [ValidationReport]) * 2,
        TrainingFinished,
    ]
    corpus, vocabularies, _, network, _, _, started = events[: len(BEFORE) + 1]
    assert corpus.name == recipe.corpora.corpus
    assert corpus.training_pairs + corpus.validation_pairs == 252
    assert len(corpus.source_lengths) == len(corpus.target_lengths) == corpus.training_pairs
    assert (started.step, started.seconds, started.best_bleu, started.finished) == (0, 0.0, None, False)
    assert (started.total_steps, started.output) == (2 * STEPS, output)
    chosen = next(event for event in events if isinstance(event, RecipeChosen)).settings
    assert started.recipe.settings() == recipe.replace(epochs=2).settings() | chosen | {"threads": 1}

    last = events[-1]
    kept = load_model(output)
    assert last.output == output
    assert np.array_equal(last.checkpoint.model.parameters.flat, kept.model.parameters.flat)
    assert last.checkpoint.history == kept.history
    assert (network.config, network.parameters) == (kept.model.config, len(kept.model.parameters.flat))
    assert vocabularies.source.entries == len(kept.source_tokenizer)
    validations = [event for event in events if isinstance(event, ValidationReport)]
    assert last.best is max(validations, key=lambda event: event.score.chrf)
    assert (last.steps, last.stopped_early, last.trained) == (2 * STEPS, False, True)
    assert last.seconds >= validations[-1].seconds > 0
    assert names(tmp_path) == ["m.npz", "m.state.npz", "p.tsv"]


def test_the_generator_returns_what_its_last_event_carries(recipe, tmp_path):
    returned = []

    def whole():
        returned.append((yield from train(recipe.replace(max_steps=1), tmp_path / "m.npz")))

    events = list(whole())
    assert returned[0] is events[-1].checkpoint
    dry = []

    def nothing():
        dry.append((yield from train(recipe, tmp_path / "m.npz", dry_run=True)))

    assert list(nothing())
    assert dry == [None]


@pytest.mark.parametrize("stop_after", [1, STEPS - 1, STEPS, STEPS + 3])
def test_closing_the_generator_saves_and_a_resumed_run_continues_bit_for_bit(stop_after, recipe, tmp_path):
    recipe = recipe.replace(epochs=2, dropout=0.3)
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    expected = [event for event in train(recipe, whole) if isinstance(event, StepReport)]
    events = train(recipe, parts)
    next(event for event in events if isinstance(event, StepReport) and event.step == stop_after)
    events.close()
    assert load_state(state_path(parts))[1].progress["step"] == stop_after
    assert load_model(parts)
    rest = list(train(Recipe.of(threads=1), parts, resume=True))  # the state knows its corpus and settings
    started = next(event for event in rest if isinstance(event, TrainingStarted))
    assert (started.step, started.total_steps) == (stop_after, 2 * STEPS)
    assert not [event for event in rest if isinstance(event, ModelBackedUp)]
    losses = [event.loss for event in rest if isinstance(event, StepReport)]
    assert losses == [event.loss for event in expected[stop_after:]]
    assert_same_arrays(whole, parts)
    assert_same_arrays(state_path(whole), state_path(parts))


def test_closing_the_generator_before_the_first_step_leaves_everything_as_it_was(recipe, tmp_path):
    list(train(recipe.replace(max_steps=1), tmp_path / "m.npz"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for kind in (*BEFORE, ModelBackedUp, TrainingStarted):
        events = train(recipe.replace(seed=2), tmp_path / "m.npz")
        next(event for event in events if isinstance(event, kind))
        events.close()
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(not CAN_FORK, reason="without processes there is nobody beside this one")
@pytest.mark.parametrize("last", [CostEstimate, TrainingStarted, StepReport, None])
def test_no_worker_stays_behind(last, recipe, tmp_path):
    recipe = recipe.replace(threads=2, max_steps=2)
    for event in (events := train(recipe, tmp_path / "m.npz")):
        if last is not None and isinstance(event, last):
            break
    events.close()
    deadline = time.monotonic() + 30
    while multiprocessing.active_children():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_dry_run_writes_nothing_and_stops_before_the_first_step(recipe, tmp_path):
    (tmp_path / "m.npz").write_bytes(b"precious")
    before = names(tmp_path)
    events = list(train(recipe, tmp_path / "m.npz", dry_run=True, log_file=tmp_path / "log.jsonl"))
    assert [type(event) for event in events] == BEFORE
    assert names(tmp_path) == before
    assert (tmp_path / "m.npz").read_bytes() == b"precious"


def test_nothing_happens_before_the_first_event_is_asked_for(recipe, tmp_path):
    train(recipe.replace(cell="elman"), tmp_path / "nowhere" / "m.npz")
    assert names(tmp_path) == ["p.tsv"]


def test_the_log_holds_a_record_of_every_report(recipe, tmp_path):
    log = tmp_path / "log.jsonl"
    events = list(train(recipe.replace(epochs=2), tmp_path / "m.npz", log_file=log))
    reports = [event for event in events if isinstance(event, StepReport | ValidationReport)]
    assert [json.loads(line) for line in log.read_text().splitlines()] == [record_of(report) for report in reports]


def test_a_resumed_log_has_every_step_once(recipe, tmp_path):
    log = tmp_path / "log.jsonl"
    events = train(recipe.replace(epochs=2), tmp_path / "m.npz", log_file=str(log))
    next(event for event in events if isinstance(event, StepReport) and event.step == 5)
    events.close()
    list(train(None, tmp_path / "m.npz", resume=True, log_file=str(log)))
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [each["step"] for each in records if "loss" in each] == list(range(1, 2 * STEPS + 1))
    assert [each["step"] for each in records if "valid_loss" in each] == [STEPS, 2 * STEPS]


def test_an_earlier_model_is_announced_and_backed_up(recipe, tmp_path):
    output = tmp_path / "m.npz"
    list(train(recipe.replace(max_steps=1), output))
    earlier, backup = output.read_bytes(), backup_path(output)
    events = list(train(recipe.replace(max_steps=1, seed=2), output))
    assert [event for event in events if isinstance(event, ModelBackedUp)] == [ModelBackedUp(output, backup)]
    assert isinstance(events[len(BEFORE)], ModelBackedUp)
    assert isinstance(events[len(BEFORE) + 1], TrainingStarted)
    assert backup.read_bytes() == earlier != output.read_bytes()


def test_a_training_at_its_limit_finishes_at_once(recipe, tmp_path):
    output = tmp_path / "m.npz"
    list(train(recipe.replace(epochs=1), output))
    before = arrays(output)
    events = list(train(None, output, resume=True))
    assert [type(event) for event in events] == [*BEFORE[:-2], TrainingStarted, TrainingFinished]
    assert events[-2].finished
    assert events[-2].best_bleu == events[-1].checkpoint.history[-1]["valid_bleu"]
    assert (events[-1].best, events[-1].trained, events[-1].steps) == (None, False, STEPS)
    assert {name: array.tobytes() for name, array in arrays(output).items()} == {
        name: array.tobytes() for name, array in before.items()
    }


def test_problems_of_the_corpora_are_reported_before_the_start(recipe, tmp_path):
    odd = tmp_path / "odd.tsv"
    odd.write_text("red cat\trouge chat\n" + "red " * 9 + "\tx\nzebra\tx\n")
    changed = recipe.replace(valid=str(odd), tokenizer="word", max_source_length=5, max_tokens_per_batch=64)
    events = list(train(changed, tmp_path / "m.npz", dry_run=True))
    (skipped,) = (event for event in events if isinstance(event, PairsSkipped))
    assert (skipped.corpus, skipped.count, skipped.max_source_length) == (str(odd), 1, 5)
    unknown = [(event.corpus, event.side, event.count) for event in events if isinstance(event, UnknownTokens)]
    assert unknown == [(str(odd), "source", 1), (str(odd), "target", 1)]
    assert [event for event in events if isinstance(event, BatchesSplit)] == [BatchesSplit(64, 32)]


def test_one_pair_is_trained_on_and_validated_with(tmp_path):
    (tmp_path / "one.tsv").write_text("a\tb\n")
    recipe = Recipe.of(corpus=str(tmp_path / "one.tsv"), max_steps=1, **SMALL)
    events = list(train(recipe, tmp_path / "m.npz"))
    assert events[0] == NothingHeldOut()
    assert isinstance(events[-1], TrainingFinished)


@pytest.mark.parametrize(
    ("changes", "output", "options", "what", "code"),
    [
        ({}, "m.txt", {}, "must end in .npz", 2),
        ({}, "m.state.npz", {}, "must end in .npz", 2),
        ({}, "m.npz", {"log_file": "m.npz"}, "the metrics log cannot be the model file", 2),
        ({}, "nowhere/m.npz", {}, "no such folder", 1),
        ({"cell": "elman"}, "m.npz", {}, "--cell must be one of", 2),
        ({"optimizer": "adamw"}, "m.npz", {}, "--optimizer must be one of", 2),
        ({"threads": 0}, "m.npz", {}, "--threads must be", 2),
        ({}, "m.npz", {"resume": True}, "no training to resume", 1),
    ],
)
def test_invalid_settings_are_reported_before_the_first_event(
    changes, output, options, what, code, recipe, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    events = train(recipe.replace(**changes), output, **options)
    with pytest.raises(UserError) as caught:
        next(events)
    assert what in caught.value.what
    assert caught.value.exit_code == code
    assert names(tmp_path) == ["p.tsv"]


def test_resuming_refuses_every_setting_that_changed_but_those_that_may(recipe, tmp_path):
    output = tmp_path / "m.npz"
    list(train(recipe.replace(max_steps=1), output))
    before = state_path(output).read_bytes()
    for name, value in {
        "hidden_size": 9,
        "cell": "gru",
        "bidirectional": False,
        "tokenizer": "word",
        "vocab_size": 61,
        "batch_size": 4,
        "dropout": 0.5,
        "seed": 4,
        "optimizer": "sgd",
        "cool_down": 0.1,
        "clip_norm": 9.0,
        "label_smoothing": 0.0,
        "max_source_length": 4,
    }.items():
        with pytest.raises(UserError, match=f"--{name.replace('_', '-')} ") as caught:
            list(train(Recipe.of(**{name: value}), output, resume=True))
        assert all(f"--{each.replace('_', '-')}" in caught.value.fix for each in MAY_CHANGE_ON_RESUME)
    assert state_path(output).read_bytes() == before
    changes = {"epochs": 9, "learning_rate": 0.001, "max_minutes": 9.0, "max_steps": 3, "patience": 9}
    assert changes.keys() == set(MAY_CHANGE_ON_RESUME)
    kept = list(train(Recipe.of(hidden_size=8, **changes), output, resume=True))[-1]
    assert kept.steps == 3
    settings = load_state(state_path(output))[0].recipe.settings()
    assert {name: settings[name] for name in changes} == changes
    assert (settings["hidden_size"], settings["corpus"]) == (8, recipe.corpora.corpus)


def test_a_resumed_training_without_its_model_keeps_the_next_validation(recipe, tmp_path):
    output = tmp_path / "m.npz"
    list(train(recipe.replace(epochs=2), output))
    output.unlink()
    events = list(train(recipe.replace(epochs=3), output, resume=True))
    [validation] = [event for event in events if isinstance(event, ValidationReport)]
    assert validation.improved
    assert events[-1].best is validation
    assert np.array_equal(load_model(output).model.parameters.flat, events[-1].checkpoint.model.parameters.flat)


def test_the_model_to_start_from_is_not_overwritten_by_a_backup(recipe, tmp_path):
    output = tmp_path / "m.npz"
    for _ in range(2):
        list(train(recipe.replace(max_steps=1), output))
    while not (start := backup_path(output)).exists():  # until the next backup replaces the oldest one
        start.write_bytes(output.read_bytes())
    kept = start.read_bytes()
    with pytest.raises(UserError, match="the backup of --output would overwrite --start-from"):
        list(train(recipe.replace(max_steps=1, start_from=str(start)), output))
    assert start.read_bytes() == kept
