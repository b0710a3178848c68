from types import SimpleNamespace

import pytest

from seq2seq_cli.config import ModelConfig, TrainingConfig
from seq2seq_cli.training.diagnostics import CLIPPED_STEPS, Adviser
from seq2seq_cli.training.events import Score, StepReport, ValidationReport


def adviser(earlier=(), **settings):
    checkpoint = SimpleNamespace(measured=lambda key: list(earlier))
    model = SimpleNamespace(config=ModelConfig(7, 1000))
    return Adviser(SimpleNamespace(config=TrainingConfig(**settings), checkpoint=checkpoint, model=model))


def step(norm=0.5, loss=2.0):
    return StepReport(1, 1, 1.0, loss, 7.4, 1000.0, 0.003, norm)


def validation(loss, hypotheses=("un", "deux"), all_equal=False):
    samples = tuple(("source", "reference", hypothesis) for hypothesis in hypotheses)
    return ValidationReport(1, 1, 1.0, loss, 2.0, 3.0, 0.003, True, Score(3.0, samples, all_equal))


def test_a_gradient_that_is_clipped_at_every_step_is_told_once():
    watch = adviser(clip_norm=1.0)
    said = [line for _ in range(3 * CLIPPED_STEPS) for line in watch.after_step(step(norm=7.25))]
    assert len(said) == 1
    for part in ("clipped", "7.25 to 1", "--learning-rate", "--clip-norm"):
        assert part in said[0]


@pytest.mark.parametrize(("norm", "clip_norm"), [(1.5, 1.0), (100.0, 0.0)])
def test_gradients_that_are_hardly_clipped_or_not_at_all_are_no_trouble(norm, clip_norm):
    watch = adviser(clip_norm=clip_norm)
    assert [line for _ in range(3 * CLIPPED_STEPS) for line in watch.after_step(step(norm))] == []


def test_one_step_that_is_not_clipped_begins_the_count_anew():
    watch = adviser()
    norms = [9.0] * (CLIPPED_STEPS - 1) + [0.9] + [9.0] * (CLIPPED_STEPS - 1)
    assert [line for norm in norms for line in watch.after_step(step(norm))] == []


@pytest.mark.parametrize(("text", "shown"), [("le chat", "the same, 'le chat'"), ("", "empty")])
def test_equal_translations_are_told_with_what_to_do(text, shown):
    (line,) = adviser().after_validation(validation(3.0, (text, text), all_equal=True))
    assert shown in line
    assert "--epochs" in line
    assert adviser().after_validation(validation(3.0)) == []


def rising(*losses, training=(), earlier=()):
    """What is said at each validation, with one training step before it."""
    watch = adviser(earlier)
    said = []
    for k, loss in enumerate(losses):
        watch.after_step(step(loss=training[k] if training else 2.0 - 0.1 * k))
        said.append(watch.after_validation(validation(loss)))
    return said


def test_validation_that_rises_twice_is_told_once_for_each_time_it_begins():
    said = rising(3.0, 2.0, 2.1, 2.2, 2.3, 1.9, 2.0, 2.1)
    assert [len(lines) for lines in said] == [0, 0, 0, 1, 0, 0, 0, 1]
    assert "from 2.000 to 2.200" in said[3][0]
    assert "by heart" in said[3][0]
    assert "--dropout" in said[3][0]


def test_validation_and_training_that_rise_together_ask_for_a_lower_rate():
    (line,) = rising(2.0, 2.1, 2.2, training=(1.0, 1.1, 1.2))[2]
    assert "--learning-rate" in line
    assert "--dropout" not in line


def test_a_resumed_training_remembers_the_validations_before():
    assert len(rising(2.1, 2.2, earlier=(3.0, 2.0))[1]) == 1


def test_a_model_that_is_worse_than_guessing_asks_for_a_lower_rate():
    (line,) = adviser().after_validation(validation(50.0))
    assert "its loss is 50, that of any of the 1,000 tokens at random is 6.91" in line
    assert "--learning-rate" in line
    assert adviser().after_validation(validation(7.0)) == []
