"""Reports of a training, as a test needs them."""

import math

from seq2seq_cli.training.events import Score, StepReport, ValidationReport


def step_report(step, seconds=10.0, **changes):
    values = {"step": step, "epoch": 1, "seconds": seconds, "loss": 2.0, "perplexity": 7.4, "tokens_per_second": 1000.0}
    return StepReport(**{**values, "learning_rate": 0.001, "gradient_norm": 1.0, **changes})


def validation_report(bleu=12.34, improved=False, samples=(("a", "b", "c"),)):
    return ValidationReport(8, 1, 65.0, 1.0, math.e, bleu, 45.67, 0.001, improved, Score(bleu, samples))
