import math
from types import SimpleNamespace

import pytest

from seq2seq_cli.cli import progress
from seq2seq_cli.config import TrainingConfig
from seq2seq_cli.training import UNLIMITED_EPOCHS, StepReport, ValidationReport


def step_report(step, seconds=10.0, **changes):
    values = {"step": step, "epoch": 1, "seconds": seconds, "loss": 2.0, "perplexity": 7.4, "tokens_per_second": 1000.0}
    return StepReport(**{**values, "learning_rate": 0.001, "gradient_norm": 1.0, **changes})


def meter(**settings):
    config = TrainingConfig(**settings)
    return progress.Meter(SimpleNamespace(config=config, step=0, seconds=0.0, total_steps=100))


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")])
def test_clock(seconds, shown):
    assert progress.clock(seconds) == shown


def test_time_left_follows_the_pace_so_far_and_the_limit():
    assert meter().seconds_left(step_report(10)) == pytest.approx(90.0)
    assert meter(max_minutes=1.0).seconds_left(step_report(10)) == pytest.approx(50.0)


def test_a_line_of_progress_fits_a_narrow_terminal_and_names_what_matters():
    line = meter(epochs=5).after(step_report(10))
    assert line == "epoch 1/5  step 10/100  loss 2.000  1,000 tokens/s  ETA 1:30  rate 0.001"
    assert len(line) < 80
    timed = meter(epochs=UNLIMITED_EPOCHS, max_minutes=1.0).after(step_report(10))
    assert timed.startswith("epoch 1  step 10  loss")


def test_a_validation_shows_the_translation_beside_its_reference():
    report = ValidationReport(8, 1, 65.0, 1.0, math.e, 12.34, 0.001, False, ("a", "b", "c"))
    first, *rest = progress.validation_lines(report)
    assert "1:05" in first
    assert "BLEU 12.3" in first
    assert "halved" in first
    assert rest == ["  source:      a", "  reference:   b", "  translation: c"]
