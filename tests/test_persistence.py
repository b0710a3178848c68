import dataclasses
import hashlib
import math
import os

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.checkpoint import load_model, load_state
from seq2seq_cli.storage.model_files import MAX_BACKUPS, back_up_model, backup_path, state_path
from seq2seq_cli.training import persistence
from seq2seq_cli.training.persistence import fingerprints
from tests.test_trainer import make_trainer, toy_corpus, weights


def test_a_state_knows_its_corpus_whatever_types_the_ids_are_kept_in(tmp_path, monkeypatch):
    monkeypatch.setattr(persistence, "HASHED_NUMBERS", 100)
    trainer = make_trainer(tmp_path / "m.npz")
    assert trainer.train.source.ids.dtype == np.uint16
    sides = (trainer.train.source, trainer.train.target)
    content = b"".join(side.ids.astype(np.int32).tobytes() + side.starts.astype(np.int64).tobytes() for side in sides)
    assert trainer.files.fingerprints["training corpus"] == hashlib.sha256(content).hexdigest()


def test_resuming_with_another_corpus_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    trainer = make_trainer(path)
    next(iter(trainer.run()))
    trainer.save()
    checkpoint, state = load_state(state_path(path))
    with pytest.raises(UserError, match="corpus is not the one"):
        make_trainer(path, state, checkpoint, corpus=toy_corpus(seed=4))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", None),
        ("step", math.inf),
        ("step", 10**400),
        ("batch", -1),
        ("epoch", "x"),
        ("seconds", []),
        ("seconds", 10**400),
        ("best_loss", 10**400),
    ],
    ids=lambda value: str(value)[:9],
)
def test_a_state_that_somebody_changed_is_refused(name, value, tmp_path):
    path = tmp_path / "m.npz"
    make_trainer(path).save()
    checkpoint, state = load_state(state_path(path))
    state.progress[name] = value
    with pytest.raises(UserError, match="the training state is damaged"):
        make_trainer(path, state, checkpoint)


def test_a_model_is_there_at_every_moment_of_being_replaced(tmp_path, monkeypatch):
    path = tmp_path / "m.npz"
    list(make_trainer(path, epochs=1, seed=1).run())
    earlier, previous = path.read_bytes(), backup_path(path)

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("seq2seq_cli.training.persistence.save_model", dies)
    with pytest.raises(KeyboardInterrupt):
        list(make_trainer(path, epochs=1, seed=2).run())
    assert path.read_bytes() == earlier
    assert not state_path(path).exists()  # the old state is not taken for the new training's
    assert state_path(previous).exists()


def test_a_best_model_that_was_deleted_is_written_anew(tmp_path):
    path = tmp_path / "m.npz"
    list(make_trainer(path, epochs=1).run())
    path.unlink()
    checkpoint, state = load_state(state_path(path))
    list(make_trainer(path, state, checkpoint, epochs=1).run())
    assert load_model(path)


def test_a_damaged_state_is_a_clear_error(tmp_path):
    path = tmp_path / "m.npz"
    trainer = make_trainer(path)
    trainer.save()
    checkpoint, state = load_state(state_path(path))
    for damaged in (
        dataclasses.replace(state, progress={}),
        dataclasses.replace(state, progress={**state.progress, "step": None}),
        dataclasses.replace(state, moments={}),
    ):
        with pytest.raises(UserError) as caught:
            make_trainer(path, damaged, checkpoint)
        assert "--resume" in caught.value.fix


def test_an_earlier_model_is_backed_up(tmp_path):
    path = tmp_path / "m.npz"
    list(make_trainer(path, epochs=1, seed=1).run())
    earlier = path.read_bytes()
    previous = backup_path(path)
    assert previous.name == "m.previous.npz"
    list(make_trainer(path, epochs=1, seed=2).run())
    assert previous.read_bytes() == earlier
    assert path.read_bytes() != earlier


def test_a_second_backup_does_not_overwrite_the_first(tmp_path):
    path = tmp_path / "m.npz"
    kept = []
    for seed in (1, 2, 3):
        list(make_trainer(path, epochs=1, seed=seed).run())
        kept.append((path.read_bytes(), state_path(path).read_bytes()))
    for name, content in (("m.previous.npz", kept[0]), ("m.previous-2.npz", kept[1]), ("m.npz", kept[2])):
        assert ((tmp_path / name).read_bytes(), state_path(tmp_path / name).read_bytes()) == content


def test_a_state_holds_the_latest_weights_the_moments_and_the_position(tmp_path):
    path = tmp_path / "m.npz"
    trainer = make_trainer(path)
    next(report for report in trainer.run() if report.step == 11)
    trainer.save()
    checkpoint, state = load_state(state_path(path))
    assert np.array_equal(checkpoint.model.parameters.flat, weights(trainer))
    for name, vector in trainer.optimizer.moments().items():
        assert np.array_equal(state.moments[name], vector)
    position = {"step": 11, "epoch": 2, "batch": 3, "validated_step": 8, "failures": 0, "rate_scale": 1.0}
    assert {name: state.progress[name] for name in position} == position
    assert state.progress["best_loss"] == trainer.schedule.best
    assert state.progress["fingerprints"] == trainer.files.fingerprints
    resumed = make_trainer(path, state, checkpoint)
    assert (resumed.step, resumed.epoch, resumed.batch, resumed.seconds) == (11, 2, 3, trainer.seconds)


def test_before_the_first_validation_the_model_is_saved_at_once_and_then_only_when_it_is_better(tmp_path):
    path = tmp_path / "m.npz"
    trainer = make_trainer(path)
    trainer.save()
    assert np.array_equal(load_model(path).model.parameters.flat, weights(trainer))
    for report in trainer.run():
        if report.step == 11:
            break
    best = path.read_bytes()
    trainer.save()
    assert path.read_bytes() == best
    trainer.save(improved=True)
    assert np.array_equal(load_model(path).model.parameters.flat, weights(trainer))


def test_fingerprints_tell_what_differs(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz")
    checkpoint, train, valid = trainer.checkpoint, trainer.train, trainer.valid
    first = fingerprints(checkpoint, train, valid)
    assert first == fingerprints(checkpoint, train, valid) == trainer.files.fingerprints
    swapped = fingerprints(checkpoint, valid, train)
    assert {name for name in first if first[name] != swapped[name]} == {"training corpus", "validation corpus"}
    other = dataclasses.replace(checkpoint, source_tokenizer=checkpoint.target_tokenizer)
    found = fingerprints(other, train, valid)
    assert {name for name in first if first[name] != found[name]} == {"pair of tokenizers"}


@pytest.mark.parametrize("name", ["network", "pair of tokenizers", "training corpus", "validation corpus"])
def test_a_state_of_anything_else_is_refused_by_its_name(name, tmp_path):
    path = tmp_path / "m.npz"
    make_trainer(path).save()
    checkpoint, state = load_state(state_path(path))
    state.progress["fingerprints"][name] = "of another one"
    with pytest.raises(UserError, match=f"the {name} is not the one that this training started with"):
        make_trainer(path, state, checkpoint)
    del state.progress["fingerprints"][name]
    with pytest.raises(UserError, match=f"the {name} is not the one"):
        make_trainer(path, state, checkpoint)


def test_a_state_of_another_optimizer_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    make_trainer(path, optimizer="adam").save()
    checkpoint, state = load_state(state_path(path))
    with pytest.raises(UserError, match="of another optimizer"):
        make_trainer(path, state, checkpoint, optimizer="sgd")


def test_the_number_of_backups_is_bounded_and_the_oldest_is_replaced(tmp_path):
    path = tmp_path / "m.npz"
    for number in range(1, MAX_BACKUPS + 3):
        path.write_text(f"model {number}")
        state_path(path).write_text(f"state {number}")
        os.utime(path, (number, number))
        back_up_model(path)
        path.unlink()
    backups = {each.name: each.read_text() for each in tmp_path.glob("*.npz")}
    assert len(backups) == 2 * MAX_BACKUPS
    assert backups["m.previous.npz"] == f"model {MAX_BACKUPS + 1}"
    assert backups["m.previous.state.npz"] == f"state {MAX_BACKUPS + 1}"
    assert backups["m.previous-2.npz"] == f"model {MAX_BACKUPS + 2}"
    assert backups["m.previous-3.npz"] == "model 3"
