"""Watching a training for what goes wrong most often, and saying what to do about it."""

from __future__ import annotations

import math

from seq2seq_cli.training.events import StepReport, ValidationReport
from seq2seq_cli.training.trainer import Trainer

CLIPPED_STEPS = 100
"""Gradients are large at first anyway: only so many clipped steps in a row say something."""
STRONGLY = 2.0
"""A gradient of norm 1.1 that is clipped to 1 is hardly changed: only those that lose half their length count."""
MUCH_WORSE = 1.0
"""Nats per token: a new model is often a little worse than guessing, never so much."""
RISES = 2
"""One validation worse than the last is chance, and is answered by halving the learning rate."""


class Adviser:
    """Turns reports into warnings, each a line that says what to do.

    Args:
        trainer: the training that is watched; its history says how far earlier runs of it came.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.clip_norm = trainer.config.clip_norm
        self.clipped = 0
        self.valid_losses = trainer.checkpoint.measured("valid_loss")
        self.rises = 0
        self.vocabulary = trainer.model.config.target_vocabulary
        self.training_loss = self.last_training_loss = math.inf
        self.loss_sum, self.steps = 0.0, 0

    def after_step(self, report: StepReport) -> list[str]:
        """Return what to say after a step."""
        self.loss_sum += report.loss
        self.steps += 1
        strongly = bool(self.clip_norm) and report.gradient_norm > STRONGLY * self.clip_norm
        self.clipped = self.clipped + 1 if strongly else 0
        if self.clipped != CLIPPED_STEPS:
            return []
        return [
            f"the gradient was clipped to less than half at each of the last {CLIPPED_STEPS} steps (now from "
            f"{report.gradient_norm:.3g} to {self.clip_norm:g}): lower --learning-rate, or raise --clip-norm"
        ]

    def after_validation(self, report: ValidationReport) -> list[str]:
        """Return what to say after a validation."""
        return [*self._of_equal_translations(report), *self._of_guessing(report), *self._of_rising_loss(report)]

    def _of_guessing(self, report: ValidationReport) -> list[str]:
        guessing = math.log(self.vocabulary)
        if report.valid_loss <= guessing + MUCH_WORSE:
            return []
        return [
            f"the model is worse than guessing: its loss is {report.valid_loss:.3g}, that of any of the "
            f"{self.vocabulary:,} tokens at random is {guessing:.3g}; lower --learning-rate"
        ]

    def _of_equal_translations(self, report: ValidationReport) -> list[str]:
        if not report.score.all_equal:
            return []
        some = report.score.samples[0][2]
        shown = f"the same, {some!r}" if some else "empty"
        return [
            f"all validation translations are {shown}: so far the model only knows which words are frequent; train "
            "longer (--epochs), with more steps an epoch (a lower --batch-size) or with more pairs"
        ]

    def _of_rising_loss(self, report: ValidationReport) -> list[str]:
        training_loss, before = self.loss_sum / max(1, self.steps), self.training_loss
        self.loss_sum, self.steps, self.training_loss = 0.0, 0, training_loss
        last = self.valid_losses[-1] if self.valid_losses else math.inf
        self.rises = self.rises + 1 if report.valid_loss > last else 0
        self.valid_losses.append(report.valid_loss)
        if self.rises != RISES:
            return []
        first = self.valid_losses[-RISES - 1]
        risen = f"validation loss has risen {RISES} times in a row, from {first:.3f} to {report.valid_loss:.3f}"
        if training_loss > before:
            return [f"{risen}, and the training loss rises too: lower --learning-rate"]
        return [
            f"{risen}, while the training loss falls: the model learns the training pairs by heart; the best model is "
            "kept; more --dropout, a smaller --hidden-size or more pairs help"
        ]
