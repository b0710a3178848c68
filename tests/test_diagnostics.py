import dataclasses
import math

import pytest

from seq2seq_cli.training.diagnostics import CLIPPED_STEPS, Diagnostics
from seq2seq_cli.training.events import (
    GradientClipped,
    Score,
    ScoringWarning,
    StepReport,
    TranslationsAllEqual,
    ValidationLossRising,
    ValidationReport,
    WorseThanGuessing,
)


def diagnostics(earlier=(), clip_norm=1.0):
    return Diagnostics(clip_norm, 1000, earlier)


def step(norm=0.5, loss=2.0):
    return StepReport(1, 1, 1.0, loss, 7.4, 1000.0, 0.003, norm)


def validation(loss, hypotheses=("un", "deux"), all_equal=False):
    samples = tuple(("source", "reference", hypothesis) for hypothesis in hypotheses)
    return ValidationReport(1, 1, 1.0, loss, 2.0, 3.0, 9.0, 0.003, True, Score(3.0, samples, all_equal))


def test_a_gradient_that_is_clipped_at_every_step_is_reported_once():
    watch = diagnostics()
    found = [each for _ in range(3 * CLIPPED_STEPS) for each in watch.after_step(step(norm=7.25))]
    assert found == [GradientClipped(CLIPPED_STEPS, 7.25, 1.0)]


@pytest.mark.parametrize(("norm", "clip_norm"), [(1.5, 1.0), (100.0, 0.0)])
def test_gradients_that_are_hardly_clipped_or_not_at_all_are_not_reported(norm, clip_norm):
    watch = diagnostics(clip_norm=clip_norm)
    assert [each for _ in range(3 * CLIPPED_STEPS) for each in watch.after_step(step(norm))] == []


def test_one_step_that_is_not_clipped_begins_the_count_anew():
    watch = diagnostics()
    norms = [9.0] * (CLIPPED_STEPS - 1) + [0.9] + [9.0] * (CLIPPED_STEPS - 1)
    assert [each for norm in norms for each in watch.after_step(step(norm))] == []


@pytest.mark.parametrize("text", ["le chat", ""])
def test_equal_translations_are_reported(text):
    assert diagnostics().after_validation(validation(3.0, (text, text), all_equal=True)) == [TranslationsAllEqual(text)]
    assert diagnostics().after_validation(validation(3.0)) == []


def rising(*losses, training=(), earlier=()):
    """What is found at each validation, with one training step before it."""
    watch = diagnostics(earlier)
    found = []
    for k, loss in enumerate(losses):
        watch.after_step(step(loss=training[k] if training else 2.0 - 0.1 * k))
        found.append(watch.after_validation(validation(loss)))
    return found


def test_a_loss_that_rises_twice_is_reported_once_for_each_rise():
    found = rising(3.0, 2.0, 2.1, 2.2, 2.3, 1.9, 2.0, 2.1)
    assert [len(each) for each in found] == [0, 0, 0, 1, 0, 0, 0, 1]
    assert found[3] == [ValidationLossRising(2, 2.0, 2.2, training_loss_rises=False)]
    assert found[7] == [ValidationLossRising(2, 1.9, 2.1, training_loss_rises=False)]


def test_validation_and_training_losses_that_rise_together_are_another_diagnosis():
    found = rising(2.0, 2.1, 2.2, training=(1.0, 1.1, 1.2))[2]
    assert found == [ValidationLossRising(2, 2.0, 2.2, training_loss_rises=True)]


def test_a_resumed_training_includes_the_earlier_validations():
    assert len(rising(2.1, 2.2, earlier=(3.0, 2.0))[1]) == 1


def test_a_model_that_is_worse_than_guessing_is_reported():
    assert diagnostics().after_validation(validation(50.0)) == [WorseThanGuessing(50.0, math.log(1000), 1000)]
    assert diagnostics().after_validation(validation(7.0)) == []


def test_all_diagnostics_of_a_validation_are_reported_at_once():
    watch = diagnostics(earlier=(40.0, 45.0))
    found = watch.after_validation(validation(50.0, ("x", "x"), all_equal=True))
    assert [type(each) for each in found] == [TranslationsAllEqual, WorseThanGuessing, ValidationLossRising][:2]
    found = watch.after_validation(validation(51.0, ("x", "x"), all_equal=True))
    assert [type(each) for each in found] == [TranslationsAllEqual, WorseThanGuessing, ValidationLossRising]


def test_a_warning_of_sacrebleu_is_reported_once():
    watch = diagnostics()
    score = Score(3.0, (("a", "b", "c"),), warnings=("That is tokenized.",))
    report = dataclasses.replace(validation(1.0), score=score)
    assert watch.after_validation(report) == [ScoringWarning("That is tokenized.")]
    assert watch.after_validation(report) == []


def test_at_bleu_100_a_rising_loss_is_no_overfitting():
    watch = diagnostics()
    found = []
    for loss in (2.0, 2.1, 2.2):
        watch.after_step(step())
        found += watch.after_validation(dataclasses.replace(validation(loss), valid_bleu=100.0))
    assert found == []
