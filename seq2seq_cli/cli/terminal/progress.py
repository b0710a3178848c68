"""Following a training: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from seq2seq_cli.cli.signals import catch_signals
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import bar, can_draw, sparkline
from seq2seq_cli.storage.checkpoint import state_path
from seq2seq_cli.text.inputs import STDIO
from seq2seq_cli.training.diagnostics import Adviser
from seq2seq_cli.training.events import StepReport, ValidationReport
from seq2seq_cli.training.metrics_log import open_log
from seq2seq_cli.training.trainer import UNLIMITED_EPOCHS, Trainer

if TYPE_CHECKING:
    from rich.live import Live

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_PICTURES = 0.2
SMOOTHING = 0.95
"""Weight of the past in the running means that are shown."""
WIDEST_PICTURE = 100
RIGHT_MARGIN = 3
"""Columns that a picture leaves free, for the ``^C`` that a terminal writes behind it: it must not break the line."""
LONGEST_SAMPLE = 200
SAMPLE_INDENT = 15


class Display(Protocol):
    """Shows what happens."""

    def step(self, meter: Meter) -> None:
        """Show the state after a step."""

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Show a line that stays; the style, and the indent where it has to be broken, are for terminals."""


def follow(trainer: Trainer, log_file: str | None, resumed: bool) -> None:
    """Run the training, show its reports, write the log, and save and stop at SIGINT or SIGTERM."""
    if trainer.finished:
        console.say(
            "this training has already reached its limit; "
            "raise it to go on (--epochs, --max-steps, --max-minutes, --patience)"
        )
    meter, adviser = Meter(trainer), Adviser(trainer)
    log_on_terminal = log_file == STDIO and sys.stdout.isatty()  # its lines would run into a picture
    live = console.stderr_is_live() and not log_on_terminal
    with (
        catch_signals(in_place=live) as received,
        open_log(log_file, trainer.step if resumed else 0, trainer.checkpoint.history) as log,
        display(live) as shown,
    ):
        reports = trainer.run()
        for report in reports:
            if log is not None:
                log.write(report)
            if isinstance(report, StepReport):
                meter.after_step(report)
                if received.code is None:  # or the picture would hide that it is stopping
                    shown.step(meter)
                warnings = adviser.after_step(report)
            else:
                meter.after_validation(report)
                first, *rest = validation_lines(report)
                shown.line(first, "bold green" if report.improved else "bold")
                for line in rest:
                    shown.line(line, indent=SAMPLE_INDENT)
                warnings = adviser.after_validation(report)
            for warning in warnings:
                shown.line(f"warning: {warning}", "yellow")
            if received.code is not None:
                reports.close()
                trainer.save()
                shown.line(
                    f"stopped at step {trainer.step}; all is saved in {trainer.output} and {state_path(trainer.output)}"
                )
                shown.line("continue with the same command and --resume")
                raise console.Stop(received.code)
    if meter.report is not None:
        for line in summary(trainer, meter.best):
            console.say(line, indent=2)


class Meter:
    """Running means, the best BLEU so far, and the time that is left.

    Args:
        trainer: the training that is measured.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.loss = self.speed = 0.0
        self.weight = 0.0
        self.losses: list[float] = []
        self.report: StepReport | None = None
        self.best: ValidationReport | None = None
        self.best_bleu = max(trainer.checkpoint.measured("valid_bleu"), default=None)
        self.first_step, self.first_seconds = trainer.step, trainer.seconds

    def after_step(self, report: StepReport) -> None:
        """Take note of a step."""
        self.report = report
        self.losses.append(report.loss)
        self.weight = SMOOTHING * self.weight + 1 - SMOOTHING
        self.loss = SMOOTHING * self.loss + (1 - SMOOTHING) * report.loss
        self.speed = SMOOTHING * self.speed + (1 - SMOOTHING) * report.tokens_per_second

    def after_validation(self, report: ValidationReport) -> None:
        """Take note of a validation."""
        self.best_bleu = report.valid_bleu if self.best_bleu is None else max(self.best_bleu, report.valid_bleu)
        if report.improved:
            self.best = report

    def line(self) -> str:
        """Return one line that says it all."""
        return "  ".join([*self._position(), *self._numbers()[:-1], self._time_left(), self._numbers()[-1]])

    def picture(self, width: int, blocks: bool = True) -> list[str]:
        """Return lines for a terminal of that width: how far it is, the numbers, and how the loss has fallen."""
        position, end = "  ".join(self._position()), f"{min(1.0, self.trainer.done):4.0%}  {self._time_left()}"
        width = min(width, WIDEST_PICTURE)
        room = max(0, width - len(position) - len(end) - 4)
        done = bar(self.trainer.done, room, blocks)[:room].ljust(room, "░" if blocks else ".")
        title = "loss over time  "
        over_time = f"{title}{sparkline(self.losses, max(1, width - len(title)), blocks)}"
        return [line[:width] for line in (f"{position}  {done}  {end}", "  ".join(self._numbers()), over_time)]

    def _position(self) -> list[str]:
        """Epoch and step, and of how many."""
        report, config = self._last(), self.trainer.config
        limited = config.epochs < UNLIMITED_EPOCHS
        epochs = f"/{config.epochs}" if limited else ""
        steps = f"/{self.trainer.total_steps}" if limited or config.max_steps else ""
        return [f"epoch {report.epoch}{epochs}", f"step {report.step}{steps}"]

    def _numbers(self) -> list[str]:
        """Loss, best BLEU, speed and rate."""
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
        """Return the time to the last step, or to the time limit if that comes first, at the pace so far."""
        report = self._last()
        pace = (report.seconds - self.first_seconds) / (report.step - self.first_step)
        left = pace * (self.trainer.total_steps - report.step)
        limit = self.trainer.config.max_minutes
        return left if limit is None else min(left, max(0.0, 60 * limit - report.seconds))

    def _last(self) -> StepReport:
        if self.report is None:
            raise ValueError("there has been no step yet")
        return self.report


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def validation_lines(report: ValidationReport) -> list[str]:
    """Return what to show of a validation: the scores, and a few translations beside their references."""
    kept = "  best so far, saved" if report.improved else "  not better: the learning rate is halved"
    lines = [
        f"epoch {report.epoch}  step {report.step}  {clock(report.seconds)}  valid loss {report.valid_loss:.3f}  "
        f"perplexity {report.valid_perplexity:.2f}  BLEU {report.valid_bleu:.1f}{kept}"
    ]
    for sample in report.score.samples:
        for title, text in zip(("source:", "reference:", "translation:"), sample):
            # A model that has learnt little repeats itself up to the length limit.
            shown = text if len(text) <= LONGEST_SAMPLE else text[: LONGEST_SAMPLE - 1] + "…"
            lines.append(f"  {title:<{SAMPLE_INDENT - 3}} {shown}")
    return lines


def summary(trainer: Trainer, best: ValidationReport | None) -> list[str]:
    """Return what the training came to: its length, the model that is kept, and why it ended early if it did."""
    kept = "the model of the earlier run, which is still the best"
    if best is not None:
        kept = (
            f"the model of epoch {best.epoch}, step {best.step}: perplexity {best.valid_perplexity:.2f}, "
            f"BLEU {best.valid_bleu:.1f}"
        )
    lines = [f"done: {trainer.step} steps in {clock(trainer.seconds)}; kept: {kept}"]
    if trainer.schedule.exhausted:
        lines.append(f"stopped early: {trainer.config.patience} validations without a better one (--patience)")
    return lines


@contextlib.contextmanager
def display(live: bool) -> Iterator[Display]:
    """Show progress as a picture that is written over, or else as plain lines."""
    if live:
        from rich.live import Live

        blocks = can_draw(sys.stderr)  # asked before Rich puts something else in its place
        with Live("", console=console.stderr_console(), auto_refresh=False, transient=True) as picture:
            yield _LiveDisplay(picture, blocks)
    else:
        yield _PlainDisplay()


class _PlainDisplay:
    """A line every few seconds."""

    def __init__(self) -> None:
        self.shown = time.monotonic()

    def step(self, meter: Meter) -> None:
        """Print the state, if the last one was printed long enough ago."""
        if time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES:
            self.shown = time.monotonic()
            console.say(meter.line())

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Print a line."""
        console.say(text)


class _LiveDisplay:
    """A few lines that are written over."""

    def __init__(self, live: Live, blocks: bool) -> None:
        self.live, self.blocks = live, blocks
        self.shown = -SECONDS_BETWEEN_PICTURES

    def step(self, meter: Meter) -> None:
        """Draw the state over the last one, unless that has hardly been seen."""
        if time.monotonic() - self.shown < SECONDS_BETWEEN_PICTURES:
            return
        from rich.text import Text

        self.shown = time.monotonic()
        lines = meter.picture(self.live.console.width - RIGHT_MARGIN, self.blocks)
        picture = Text("\n", no_wrap=True).join(
            Text(line, style) for line, style in zip(lines, ("cyan", "bold", "dim"))
        )
        self.live.update(picture, refresh=True)

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Print a line above it."""
        whole = console.wrapped(console.printable(text), indent, self.live.console.file)
        self.live.console.print(whole, style=style, soft_wrap=False)
        self.shown = -SECONDS_BETWEEN_PICTURES  # there may be news, such as a better BLEU
