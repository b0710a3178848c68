from pathlib import Path

import pytest

from seq2seq_cli.cli.terminal.meter import Meter
from seq2seq_cli.config import UNLIMITED_EPOCHS, Recipe
from seq2seq_cli.training.events import TrainingStarted
from tests.reports import step_report, validation_report


def meter(*reports, best_bleu=None, step=0, seconds=0.0, **settings):
    started = TrainingStarted(Recipe.of(**settings), Path("m.npz"), step, seconds, 100, best_bleu, False)
    found = Meter(started)
    for report in reports:
        found.after_step(report)
    return found


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
    resumed = meter(step_report(10), best_bleu=20.0)
    assert "best BLEU 20.0" in resumed.line()
    resumed.after_validation(validation_report(19.0))
    assert "best BLEU 20.0" in resumed.line()
    resumed.after_validation(validation_report(21.0))
    assert "best BLEU 21.0" in resumed.line()


@pytest.mark.parametrize("width", [30, 79, 119])
@pytest.mark.parametrize("blocks", [True, False])
def test_the_picture_fits_its_terminal_and_shows_the_loss_falling(width, blocks):
    reports = [step_report(k, loss=10.0 / k) for k in range(1, 51)]
    lines = meter(*reports, epochs=5, best_bleu=4.2).picture(width, blocks)
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


def test_a_resumed_training_goes_at_the_pace_of_this_run():
    resumed = meter(step_report(60, seconds=1010.0), step=50, seconds=1000.0)
    assert resumed.seconds_left() == pytest.approx(40.0)
    assert resumed.done == pytest.approx(0.6)


def test_how_much_is_done_is_the_larger_share_of_steps_and_minutes():
    assert meter(step_report(10)).done == pytest.approx(0.1)
    assert meter(step_report(10, seconds=30.0), max_minutes=1.0).done == pytest.approx(0.5)
    assert meter(step_report(10, seconds=99.0), max_minutes=1.0).done == 1.0


def test_means_forget_the_past_slowly():
    found = meter(step_report(1, loss=4.0))
    assert found.loss / found.weight == pytest.approx(4.0)
    found.after_step(step_report(2, loss=2.0))
    assert found.loss / found.weight == pytest.approx((0.95 * 4 + 2) / 1.95)
