import dataclasses
import os
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from seq2seq_cli.cli.terminal import console, progress
from seq2seq_cli.config import Recipe
from seq2seq_cli.training.events import (
    GradientClipped,
    TrainingFinished,
    TranslationsAllEqual,
    ValidationLossRising,
    WorseThanGuessing,
)
from tests.conftest import SMALL, environment, write_pairs
from tests.reports import validation_report
from tests.terminal import screen

pexpect = pytest.importorskip("pexpect")


def test_a_validation_shows_every_translation_beside_its_reference():
    first, *rest = progress.validation_lines(validation_report(samples=(("a", "b", "c"), ("d", "e", "f"))))
    assert "1:05" in first
    assert "BLEU 12.3  chrF2 45.7" in first
    assert "halved" in first
    assert rest == [
        *("  source:      a", "  reference:   b", "  translation: c"),
        *("  source:      d", "  reference:   e", "  translation: f"),
    ]


def test_the_validation_before_the_first_step_says_so():
    report = dataclasses.replace(validation_report(improved=True), step=0, epoch=0)
    assert progress.validation_lines(report)[0].endswith("BLEU 12.3  chrF2 45.7  before the first step, saved")
    assert "kept: the model before the first step: perplexity 2.72" in progress.summary(finished(report))[0]


def test_a_translation_that_repeats_itself_for_ever_is_cut():
    line = progress.validation_lines(validation_report(samples=(("a", "b", "c " * 500),)))[-1]
    assert line.startswith("  translation: c c c")
    assert line.endswith("…")
    assert len(line) < 220


def finished(best=None, stopped_early=False, trained=True):
    checkpoint = SimpleNamespace(recipe=Recipe.of(patience=3))
    return TrainingFinished(Path("m.npz"), checkpoint, 40, 61.0, best, stopped_early, trained)


def test_the_summary_names_the_model_that_is_kept_and_why_the_training_ended():
    (line,) = progress.summary(finished(validation_report(improved=True)))
    assert line == "done: 40 steps in 1:01; kept: epoch 1, step 8: perplexity 2.72, BLEU 12.3, chrF2 45.7"
    lines = progress.summary(finished(stopped_early=True))
    assert "earlier run" in lines[0]
    assert lines[1] == "stopped early: 3 validations in a row without improvement (--patience)"
    assert progress.summary(finished(trained=False)) == []


@pytest.mark.parametrize(
    ("event", "parts", "absent"),
    [
        (GradientClipped(100, 7.25, 1.0), ("clipped", "100 steps", "7.25 to 1", "--learning-rate", "--clip-norm"), ()),
        (TranslationsAllEqual("le chat"), ("the same, 'le chat'", "--epochs"), ()),
        (TranslationsAllEqual(""), ("empty", "--epochs"), ()),
        (
            ValidationLossRising(2, 2.0, 2.2, training_loss_rises=False),
            ("2 times in a row, from 2.000 to 2.200", "overfitting", "--dropout"),
            ("--learning-rate",),
        ),
        (ValidationLossRising(2, 2.0, 2.2, training_loss_rises=True), ("--learning-rate",), ("--dropout",)),
        (
            WorseThanGuessing(50.0, 6.9078, 1000),
            ("its validation loss is 50, and guessing one of the 1,000 tokens has a loss of 6.91", "--learning-rate"),
            (),
        ),
    ],
)
def test_a_diagnosis_says_what_it_means_and_what_to_do(event, parts, absent):
    text = progress.diagnosis(event)
    for part in parts:
        assert part in text
    for part in absent:
        assert part not in text


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_the_picture_is_live_and_no_line_is_wider(columns, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    arguments = ["-m", "seq2seq_cli", "train", "p.tsv", "--epochs", "2", *SMALL]
    child = pexpect.spawn(
        sys.executable,
        arguments,
        cwd=str(tmp_path),
        env=environment(TERM="xterm"),
        dimensions=(40, columns),
        encoding="utf-8",
        timeout=300,
    )
    text = child.read()
    child.wait()
    assert child.exitstatus == 0, text
    assert "\x1b[36mepoch 1/2" in text
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    for part in (
        "suspicious: nothing found",
        "loss over time ",
        "ETA 0:",
        "best, saved",
        "chrF2",
        "best BLEU",
        "translate",
    ):
        assert part in " ".join(plain.split())
    for line in re.split("[\r\n]+", plain):
        assert len(line) <= columns, line


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
@pytest.mark.parametrize("columns", [60, 120])
@pytest.mark.parametrize(("at", "pause"), [("step 1[0-9][0-9]", 0.1), ("[?]25l", 0)])  # between pictures; before all
def test_after_an_interruption_nothing_is_left_of_the_picture(at, pause, columns, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    arguments = ["-m", "seq2seq_cli", "train", "p.tsv", "--epochs", "1000", "--patience", "1000", *SMALL]
    child = pexpect.spawn(
        sys.executable,
        arguments,
        cwd=str(tmp_path),
        env=environment(TERM="xterm"),
        dimensions=(40, columns),
        encoding="utf-8",
        codec_errors="replace",
        timeout=300,
    )
    child.expect(at)
    text = child.before + child.after
    time.sleep(pause)
    child.sendintr()
    text += child.read()
    child.wait()
    assert child.exitstatus == 130, text
    assert "stopping after this step, saving ..." in text
    shown = "\n".join(screen(text, columns)).rstrip()
    for part in ("ETA", "loss over time", "tokens/s", "stopping", "^C"):
        assert part not in shown.partition("time: ")[2], shown
    assert shown.endswith("\ncontinue with the same command and --resume"), shown


def test_off_a_terminal_there_are_plain_lines_only(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    text = cli("train", "p.tsv", "--epochs", "2", *SMALL).stderr.decode()
    assert "\x1b" not in text
    assert "\r" not in text
    assert "over time" not in text
    validations = [line for line in text.splitlines() if line.startswith("epoch ")]
    assert len(validations) == 2
    assert all("perplexity" in line and "BLEU" in line for line in validations)


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(monkeypatch):
    monkeypatch.setattr(console.sys, "stderr", SimpleNamespace(isatty=lambda: True, encoding="utf-8"))
    monkeypatch.setenv("TERM", "dumb")
    assert not console.stderr_is_live()
    monkeypatch.setenv("TERM", "xterm")
    assert console.stderr_is_live()
    monkeypatch.setattr(console._Flags, "quiet", True)
    assert not console.stderr_is_live()


def test_in_a_notebook_progress_is_plain_lines(monkeypatch):
    monkeypatch.setattr(console.sys, "stderr", SimpleNamespace(isatty=lambda: True, encoding="utf-8"))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("JPY_PARENT_PID", "17")
    assert not console.stderr_is_live()


def test_a_small_corpus_prints_one_line_an_epoch_and_says_at_once_that_it_starts(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    lines = cli("train", "p.tsv", "--epochs", "15", "--patience", "99", *SMALL).stderr.decode().splitlines()
    assert lines[0] == "reading p.tsv …"
    start = next(k for k, line in enumerate(lines) if line.startswith("epoch "))
    epochs = [line for line in lines[start:] if line.startswith("epoch ")]
    samples = sum("translation:" in line for line in lines)
    assert samples in (3, 6)  # at first, and half a minute later on a loaded machine
    assert len(lines[start:]) <= 15 + 9 * 2 + 9
    assert len(epochs) >= 15


def test_a_resumed_training_says_from_where_it_continues(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--max-steps", "3", *SMALL).returncode == 0
    text = cli("train", "p.tsv", "--max-steps", "5", "--resume").stderr.decode()
    assert re.search(r"continuing at step 3 after 0:\d\d of training, from model.state.npz", text)


def test_lines_of_one_kind_are_not_repeated_at_once(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    often = progress.Often()
    assert often("a")
    assert often("b")
    assert not often("a")
    now[0] += progress.SECONDS_BETWEEN_SAMPLES
    assert often("a")
