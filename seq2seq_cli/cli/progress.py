"""Following a training: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any, Protocol

from seq2seq_cli.checkpoint import state_path
from seq2seq_cli.cli import console
from seq2seq_cli.cli.metrics_log import open_log
from seq2seq_cli.training import UNLIMITED_EPOCHS, StepReport, Trainer, ValidationReport

SECONDS_BETWEEN_LINES = 10.0
SMOOTHING = 0.95
"""Weight of the past in the running means that are shown."""


class Display(Protocol):
    """Shows what happens."""

    def step(self, text: str) -> None:
        """Show the state after a step."""

    def line(self, text: str) -> None:
        """Show a line that stays."""


def follow(trainer: Trainer, log_file: str | None, resumed: bool) -> None:
    """Run the training, show its reports, write the log, and save and stop at SIGINT or SIGTERM."""
    if trainer.finished:
        console.say(
            "this training has already reached its limit; "
            "raise it to go on (--epochs, --max-steps, --max-minutes, --patience)"
        )
    meter = Meter(trainer)
    with (
        console.catch_signals() as received,
        open_log(log_file, trainer.step if resumed else 0, trainer.checkpoint.history) as log,
        display() as shown,
    ):
        reports = trainer.run()
        for report in reports:
            if log is not None:
                log.write(report)
            if isinstance(report, StepReport):
                shown.step(meter.after(report))
            else:
                for line in validation_lines(report):
                    shown.line(line)
            if received.code is not None:
                reports.close()
                trainer.save()
                shown.line(
                    f"stopped at step {trainer.step}; all is saved in {trainer.output} and {state_path(trainer.output)}"
                )
                shown.line("continue with the same command and --resume")
                raise console.Stop(received.code)


class Meter:
    """Running means and the time that is left."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.loss = self.speed = 0.0
        self.weight = 0.0
        self.first_step, self.first_seconds = trainer.step, trainer.seconds

    def after(self, report: StepReport) -> str:
        """Return the line that describes the training after this step."""
        self.weight = SMOOTHING * self.weight + 1 - SMOOTHING
        self.loss = SMOOTHING * self.loss + (1 - SMOOTHING) * report.loss
        self.speed = SMOOTHING * self.speed + (1 - SMOOTHING) * report.tokens_per_second
        config = self.trainer.config
        limited = config.epochs < UNLIMITED_EPOCHS
        epochs = f"/{config.epochs}" if limited else ""
        steps = f"/{self.trainer.total_steps}" if limited or config.max_steps else ""
        return (
            f"epoch {report.epoch}{epochs}  step {report.step}{steps}  loss {self.loss / self.weight:.3f}  "
            f"{self.speed / self.weight:,.0f} tokens/s  ETA {clock(self.seconds_left(report))}  "
            f"rate {report.learning_rate:.2g}"
        )

    def seconds_left(self, report: StepReport) -> float:
        """Return the time to the last step, or to the time limit if that comes first, at the pace so far."""
        pace = (report.seconds - self.first_seconds) / (report.step - self.first_step)
        left = pace * (self.trainer.total_steps - report.step)
        limit = self.trainer.config.max_minutes
        return left if limit is None else min(left, max(0.0, 60 * limit - report.seconds))


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def validation_lines(report: ValidationReport) -> list[str]:
    """Return what to show of a validation: the scores, and one translation beside its reference."""
    kept = "  best so far, saved" if report.improved else "  not better: the learning rate is halved"
    source, reference, hypothesis = report.sample
    return [
        f"epoch {report.epoch}  step {report.step}  {clock(report.seconds)}  valid loss {report.valid_loss:.3f}  "
        f"perplexity {report.valid_perplexity:.2f}  BLEU {report.valid_bleu:.1f}{kept}",
        f"  source:      {source}",
        f"  reference:   {reference}",
        f"  translation: {hypothesis}",
    ]


@contextlib.contextmanager
def display() -> Iterator[Display]:
    """Choose how to show progress: live on a terminal, plain lines elsewhere."""
    if sys.stderr is not None and sys.stderr.isatty() and not console.quiet():
        from rich.live import Live

        with Live(console=console.stderr_console(), refresh_per_second=4, transient=True) as live:
            yield _LiveDisplay(live)
    else:
        yield _PlainDisplay()


class _PlainDisplay:
    """A line every few seconds."""

    def __init__(self) -> None:
        self.shown = time.monotonic()

    def step(self, text: str) -> None:
        """Print the state, if the last one was printed long enough ago."""
        if time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES:
            self.shown = time.monotonic()
            console.say(text)

    def line(self, text: str) -> None:
        """Print a line."""
        console.say(text)


class _LiveDisplay:
    """One line that is written over."""

    def __init__(self, live: Any) -> None:
        self.live = live

    def step(self, text: str) -> None:
        """Write the state over the last one."""
        from rich.text import Text

        self.live.update(Text(text, overflow="ellipsis", no_wrap=True))

    def line(self, text: str) -> None:
        """Print a line above it."""
        self.live.console.print(console.printable(text))
