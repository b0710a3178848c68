"""Watching a training for what goes wrong most often."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seq2seq_cli.training.events import (
    Diagnostic,
    GradientClipped,
    StepReport,
    TranslationsAllEqual,
    ValidationLossRising,
    ValidationReport,
    WorseThanGuessing,
)

CLIPPED_STEPS = 100
"""Gradients are large at first anyway: only so many clipped steps in a row say something."""
STRONGLY = 2.0
"""A gradient of norm 1.1 that is clipped to 1 hardly changes: only those that lose half their norm count."""
MUCH_WORSE = 1.0
"""Nats per token: a new model is often a little worse than guessing, never so much."""
RISES = 2
"""One validation worse than the last is chance, and is answered by halving the learning rate."""


class Diagnostics:
    """Finds what looks wrong in the reports of a training.

    Args:
        clip_norm: largest norm of the gradient; 0: no limit.
        vocabulary: target tokens.
        valid_losses: of the validations before, of a resumed training.
        by_loss: whether the loss decides which model is kept; if BLEU or chrF2 does, the loss may rise meanwhile.
    """

    def __init__(
        self, clip_norm: float, vocabulary: int, valid_losses: Sequence[float] = (), by_loss: bool = True
    ) -> None:
        self.by_loss = by_loss
        self.clip_norm = clip_norm
        self.vocabulary = vocabulary
        self.valid_losses = list(valid_losses)
        self.clipped = 0
        self.rises = 0
        self.training_loss = math.inf
        self.loss_sum, self.steps = 0.0, 0

    def after_step(self, report: StepReport) -> list[Diagnostic]:
        """Return what a step shows."""
        self.loss_sum += report.loss
        self.steps += 1
        strongly = bool(self.clip_norm) and report.gradient_norm > STRONGLY * self.clip_norm
        self.clipped = self.clipped + 1 if strongly else 0
        if self.clipped != CLIPPED_STEPS:
            return []
        return [GradientClipped(CLIPPED_STEPS, report.gradient_norm, self.clip_norm)]

    def after_validation(self, report: ValidationReport) -> list[Diagnostic]:
        """Return what a validation shows."""
        found: list[Diagnostic] = []
        if report.score.all_equal:
            found.append(TranslationsAllEqual(report.score.samples[0][2]))
        guessing = math.log(self.vocabulary)
        if report.valid_loss > guessing + MUCH_WORSE:
            found.append(WorseThanGuessing(report.valid_loss, guessing, self.vocabulary))
        return found + self._rising_loss(report)

    def _rising_loss(self, report: ValidationReport) -> list[Diagnostic]:
        training_loss, before = self.loss_sum / max(1, self.steps), self.training_loss
        self.loss_sum, self.steps, self.training_loss = 0.0, 0, training_loss
        last = self.valid_losses[-1] if self.valid_losses else math.inf
        self.rises = self.rises + 1 if report.valid_loss > last else 0
        self.valid_losses.append(report.valid_loss)
        if self.rises != RISES or not self.by_loss:
            return []
        first = self.valid_losses[-RISES - 1]
        return [ValidationLossRising(RISES, first, report.valid_loss, training_loss > before)]
