"""The progress of a training run: running means, the remaining time, and the lines that show them."""

from __future__ import annotations

from seq2seq_cli.cli.terminal.charts import bar, sparkline
from seq2seq_cli.cli.terminal.preflight import clock
from seq2seq_cli.config import UNLIMITED_EPOCHS
from seq2seq_cli.training.events import StepReport, TrainingStarted, ValidationReport

SMOOTHING = 0.95
"""Weight of the previous value in the running means."""
WIDEST_PICTURE = 100


class Meter:
    """Running means, the best BLEU so far, and the remaining time.

    Args:
        started: the event with which this run started.
    """

    def __init__(self, started: TrainingStarted) -> None:
        self.started = started
        self.config = started.recipe.training
        self.loss = self.speed = 0.0
        self.weight = 0.0
        self.losses: list[float] = []
        self.report: StepReport | None = None
        self.best_bleu = started.best_bleu

    @property
    def step(self) -> int:
        """Steps so far, those of earlier runs included."""
        return self.report.step if self.report else self.started.step

    @property
    def done(self) -> float:
        """Share of the planned steps or minutes that is done, from 0 to 1."""
        report = self._last()
        done = report.step / self.started.total_steps
        if self.config.max_minutes:
            done = max(done, report.seconds / (60 * self.config.max_minutes))
        return min(1.0, done)

    def after_step(self, report: StepReport) -> None:
        """Update the running means with a step."""
        self.report = report
        self.losses.append(report.loss)
        self.weight = SMOOTHING * self.weight + 1 - SMOOTHING
        self.loss = SMOOTHING * self.loss + (1 - SMOOTHING) * report.loss
        self.speed = SMOOTHING * self.speed + (1 - SMOOTHING) * report.tokens_per_second

    def after_validation(self, report: ValidationReport) -> None:
        """Update the best BLEU with a validation."""
        self.best_bleu = report.valid_bleu if self.best_bleu is None else max(self.best_bleu, report.valid_bleu)

    def line(self) -> str:
        """Return the progress as one line."""
        return "  ".join([*self._position(), *self._numbers()[:-1], self._time_left(), self._numbers()[-1]])

    def picture(self, width: int, blocks: bool = True) -> list[str]:
        """Return the progress as three lines of that width: a bar, the numbers, and a sparkline of the loss."""
        position, end = "  ".join(self._position()), f"{self.done:4.0%}  {self._time_left()}"
        width = min(width, WIDEST_PICTURE)
        room = max(0, width - len(position) - len(end) - 4)
        done = bar(self.done, room, blocks)[:room].ljust(room, "░" if blocks else ".")
        title = "loss over time  "
        over_time = f"{title}{sparkline(self.losses, max(1, width - len(title)), blocks)}"
        return [line[:width] for line in (f"{position}  {done}  {end}", "  ".join(self._numbers()), over_time)]

    def _position(self) -> list[str]:
        """Return epoch and step, with their limits."""
        report, config = self._last(), self.config
        limited = config.epochs < UNLIMITED_EPOCHS
        epochs = f"/{config.epochs}" if limited else ""
        steps = f"/{self.started.total_steps}" if limited or config.max_steps else ""
        return [f"epoch {report.epoch}{epochs}", f"step {report.step}{steps}"]

    def _numbers(self) -> list[str]:
        """Return loss, best BLEU, speed and learning rate."""
        best = [] if self.best_bleu is None else [f"best BLEU {self.best_bleu:.1f}"]
        return [
            f"loss {self.loss / self.weight:.3f}",
            *best,
            f"{self.speed / self.weight:,.0f} tokens/s",
            f"rate {self._last().learning_rate:.2g}",
        ]

    def _time_left(self) -> str:
        return f"ETA {clock(self.seconds_left())}"

    def seconds_left(self) -> float:
        """Return the time to the last step at the current pace, or to the time limit if that is sooner."""
        report = self._last()
        pace = (report.seconds - self.started.seconds) / (report.step - self.started.step)
        left = pace * (self.started.total_steps - report.step)
        limit = self.config.max_minutes
        return left if limit is None else min(left, max(0.0, 60 * limit - report.seconds))

    def _last(self) -> StepReport:
        if self.report is None:
            raise ValueError("there has been no step yet")
        return self.report
