"""Diagnostics of a training run: detect the most frequent problems."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seq2seq_cli.training.events import (
    Diagnostic,
    GradientClipped,
    ScoringWarning,
    StepReport,
    TranslationsAllEqual,
    ValidationLossRising,
    ValidationReport,
    WorseThanGuessing,
)

CLIPPED_STEPS = 100
"""Clipped steps in a row that are reported; at first, gradients are always large."""
STRONGLY = 2.0
"""Only gradients that lose half of their norm count; one of norm 1.1 that is clipped to 1 hardly changes."""
MUCH_WORSE = 1.0
"""Nats per token; a new model is often a little worse than guessing, but not by this much."""
RISES = 2
"""Rises in a row that are reported; a single one may be chance, and halving the learning rate may fix it."""
PERFECT = 99.95
"""BLEU that is shown as 100.0; the loss may rise then, but there is nothing to improve."""


class Diagnostics:
    """Detects problems in the reports of a training run.

    Args:
        clip_norm: maximum norm of the gradient; 0: no limit.
        vocabulary: size of the target vocabulary.
        valid_losses: losses of earlier validations, if the training was resumed.
        by_loss: whether the model with the lowest loss is kept; with BLEU or chrF2 as criterion, the loss may rise.
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
        self.warned = False
        self.training_loss = math.inf
        self.loss_sum, self.steps = 0.0, 0

    def after_step(self, report: StepReport) -> list[Diagnostic]:
        """Return the diagnostics after a step."""
        self.loss_sum += report.loss
        self.steps += 1
        strongly = bool(self.clip_norm) and report.gradient_norm > STRONGLY * self.clip_norm
        self.clipped = self.clipped + 1 if strongly else 0
        if self.clipped != CLIPPED_STEPS:
            return []
        return [GradientClipped(CLIPPED_STEPS, report.gradient_norm, self.clip_norm)]

    def after_validation(self, report: ValidationReport) -> list[Diagnostic]:
        """Return the diagnostics after a validation."""
        problems: list[Diagnostic] = []
        if report.score.all_equal:
            problems.append(TranslationsAllEqual(report.score.samples[0][2]))
        if report.score.warnings and not self.warned:
            self.warned = True
            problems += map(ScoringWarning, report.score.warnings)
        guessing = math.log(self.vocabulary)
        if report.valid_loss > guessing + MUCH_WORSE:
            problems.append(WorseThanGuessing(report.valid_loss, guessing, self.vocabulary))
        return problems + self._rising_loss(report)

    def _rising_loss(self, report: ValidationReport) -> list[Diagnostic]:
        training_loss, before = self.loss_sum / max(1, self.steps), self.training_loss
        self.loss_sum, self.steps, self.training_loss = 0.0, 0, training_loss
        last = self.valid_losses[-1] if self.valid_losses else math.inf
        self.rises = self.rises + 1 if report.valid_loss > last else 0
        self.valid_losses.append(report.valid_loss)
        if self.rises != RISES or not self.by_loss or report.valid_bleu >= PERFECT:
            return []
        first = self.valid_losses[-RISES - 1]
        return [ValidationLossRising(RISES, first, report.valid_loss, training_loss > before)]
