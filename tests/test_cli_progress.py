import math
import os
import re
import sys
import time
from types import SimpleNamespace

import pytest

from seq2seq_cli.cli.terminal import console, progress
from seq2seq_cli.config import TrainingConfig
from seq2seq_cli.training.events import Score, StepReport, ValidationReport
from seq2seq_cli.training.trainer import UNLIMITED_EPOCHS
from tests.conftest import SMALL, environment, write_pairs
from tests.terminal import screen

pexpect = pytest.importorskip("pexpect")


def step_report(step, seconds=10.0, **changes):
    values = {"step": step, "epoch": 1, "seconds": seconds, "loss": 2.0, "perplexity": 7.4, "tokens_per_second": 1000.0}
    return StepReport(**{**values, "learning_rate": 0.001, "gradient_norm": 1.0, **changes})


def meter(*reports, earlier=(), **settings):
    config = TrainingConfig(**settings)
    checkpoint = SimpleNamespace(measured=lambda key: list(earlier))
    trainer = SimpleNamespace(config=config, step=0, seconds=0.0, total_steps=100, checkpoint=checkpoint)
    found = progress.Meter(trainer)
    for report in reports:
        found.after_step(report)
        trainer.done = report.step / 100
    return found


def validation_report(bleu=12.34, improved=False, samples=(("a", "b", "c"),)):
    return ValidationReport(8, 1, 65.0, 1.0, math.e, bleu, 0.001, improved, Score(bleu, samples))


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")])
def test_clock(seconds, shown):
    assert progress.clock(seconds) == shown


def test_time_left_follows_the_pace_so_far_and_the_limit():
    assert meter(step_report(10)).seconds_left() == pytest.approx(90.0)
    assert meter(step_report(10), max_minutes=1.0).seconds_left() == pytest.approx(50.0)


def test_a_line_of_progress_fits_a_narrow_terminal_and_names_what_matters():
    line = meter(step_report(10), epochs=5).line()
    assert line == "epoch 1/5  step 10/100  loss 2.000  1,000 tokens/s  ETA 1:30  rate 0.001"
    assert len(line) < 80
    timed = meter(step_report(10), epochs=UNLIMITED_EPOCHS, max_minutes=1.0).line()
    assert timed.startswith("epoch 1  step 10  loss")


def test_the_best_bleu_so_far_is_that_of_all_validations_those_before_a_resumption_included():
    resumed = meter(step_report(10), earlier=(3.0, 20.0, 10.0))
    assert "best BLEU 20.0" in resumed.line()
    resumed.after_validation(validation_report(19.0))
    assert "best BLEU 20.0" in resumed.line()
    resumed.after_validation(validation_report(21.0))
    assert "best BLEU 21.0" in resumed.line()


@pytest.mark.parametrize("width", [30, 79, 119])
@pytest.mark.parametrize("blocks", [True, False])
def test_the_picture_fits_its_terminal_and_shows_the_loss_falling(width, blocks):
    reports = [step_report(k, loss=10.0 / k) for k in range(1, 51)]
    lines = meter(*reports, epochs=5, earlier=(4.2,)).picture(width, blocks)
    assert len(lines) == 3
    assert all(len(line) <= width for line in lines)
    highest, lowest = ("█", "▁") if blocks else ("#", "_")
    assert highest in lines[2]
    if width > 30:
        assert lines[0].startswith("epoch 1/5  step 50/100")
        assert lines[0].endswith("50%  ETA 0:10")
        assert "best BLEU 4.2" in lines[1]
        assert "rate 0.001" in lines[1]
        assert lines[2].endswith(lowest)


def test_a_validation_shows_every_translation_beside_its_reference():
    first, *rest = progress.validation_lines(validation_report(samples=(("a", "b", "c"), ("d", "e", "f"))))
    assert "1:05" in first
    assert "BLEU 12.3" in first
    assert "halved" in first
    assert rest == [
        *("  source:      a", "  reference:   b", "  translation: c"),
        *("  source:      d", "  reference:   e", "  translation: f"),
    ]


def test_a_translation_that_repeats_itself_for_ever_is_cut():
    line = progress.validation_lines(validation_report(samples=(("a", "b", "c " * 500),)))[-1]
    assert line.startswith("  translation: c c c")
    assert line.endswith("…")
    assert len(line) < 220


def test_the_summary_names_the_model_that_is_kept_and_why_the_training_ended():
    trainer = SimpleNamespace(
        step=40, seconds=61.0, schedule=SimpleNamespace(exhausted=False), config=TrainingConfig(patience=3)
    )
    (line,) = progress.summary(trainer, validation_report(improved=True))
    assert line == "done: 40 steps in 1:01; kept: the model of epoch 1, step 8: perplexity 2.72, BLEU 12.3"
    trainer.schedule.exhausted = True
    lines = progress.summary(trainer, None)
    assert "earlier run" in lines[0]
    assert lines[1] == "stopped early: 3 validations without a better one (--patience)"


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
    for part in ("suspicious: nothing found", "loss over time ", "ETA 0:", "best so far", "best BLEU", "translate"):
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
