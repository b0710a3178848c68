"""Show the progress of a training run: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, get_args

from seq2seq_cli.cli.signals import StopSignal, catch_signals
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import can_draw
from seq2seq_cli.cli.terminal.meter import Meter
from seq2seq_cli.cli.terminal.preflight import LABEL, clock, section_lines, warning_of
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.training.events import (
    Diagnostic,
    Event,
    GradientClipped,
    Preparation,
    ScoringWarning,
    StepReport,
    TrainingFinished,
    TrainingStarted,
    TranslationsAllEqual,
    ValidationLossRising,
    ValidationReport,
    WorseThanGuessing,
    record_of,
)

if TYPE_CHECKING:
    from rich.live import Live

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_PICTURES = 0.2
RIGHT_MARGIN = 3
"""Free columns for the ``^C`` that a terminal writes after the picture, so that it does not break the line."""
LONGEST_SAMPLE = 200
SAMPLE_INDENT = 15


class Display(Protocol):
    """Shows the progress."""

    def step(self, meter: Meter) -> None:
        """Show the progress after a step."""

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Show a permanent line; the style, and the indent of wrapped lines, are for terminals."""


def show_training(events: Generator[Event, None, Any], as_result: bool, log_on_stdout: bool) -> None:
    """Show a training run; SIGINT, SIGTERM and SIGHUP save it and stop.

    Args:
        events: the events of ``train``.
        as_result: whether to write the report before the training to standard output, as the result of the command.
        log_on_stdout: whether to write the metrics to standard output, as JSON Lines.
    """
    blocks = as_result or can_draw(sys.stderr)
    for event in events:
        if isinstance(event, TrainingStarted):
            _show_loop(events, event, log_on_stdout)
        elif isinstance(event, get_args(Preparation)):
            _show_preparation(event, as_result, blocks)


def _show_preparation(event: Preparation, as_result: bool, blocks: bool) -> None:
    warning = warning_of(event)
    if warning is not None:
        console.warn(warning)
    lines = section_lines(event, blocks)
    if as_result:
        console.write_results(console.wrapped(line, LABEL, sys.stdout) for line in lines)
    else:
        for line in lines:
            console.say(line, indent=LABEL)


def _show_loop(events: Generator[Event, None, Any], started: TrainingStarted, log_on_stdout: bool) -> None:
    """Show steps and validations until the end, or until a signal arrives."""
    if started.finished:
        console.say(
            "this training has already reached its limit; "
            "to continue, raise it (--epochs, --max-steps, --max-minutes, --patience)"
        )
    meter = Meter(started)
    log = JsonLines() if log_on_stdout else None
    # Lines of the log would overwrite a picture on the same terminal.
    live = console.stderr_is_live() and not (log_on_stdout and sys.stdout.isatty())
    with catch_signals(in_place=live) as received, display(live) as shown:
        for event in events:
            match event:
                case StepReport():
                    meter.after_step(event)
                    if received.code is None:  # otherwise the picture would hide the notice that it is stopping
                        shown.step(meter)
                case ValidationReport():
                    meter.after_validation(event)
                    first, *rest = validation_lines(event, started.recipe.training.halve_on_plateau)
                    shown.line(first, "bold green" if event.improved else "bold")
                    for line in rest:
                        shown.line(line, indent=SAMPLE_INDENT)
                case (
                    GradientClipped()
                    | WorseThanGuessing()
                    | TranslationsAllEqual()
                    | ValidationLossRising()
                    | ScoringWarning()
                ):
                    shown.line(f"warning: {diagnosis(event)}", "yellow")
                case TrainingFinished():
                    finished = event
            if log is not None and isinstance(event, StepReport | ValidationReport):
                log.write(event)
            if received.code is not None and not isinstance(event, TrainingFinished):
                _stop(events, started, meter, shown, received)
    for line in summary(finished):
        console.say(line, indent=2)
    _show_next_commands(finished)


def _stop(
    events: Generator[Event, None, Any], started: TrainingStarted, meter: Meter, shown: Display, received: StopSignal
) -> None:
    """Save the training and end the program."""
    events.close()
    step = meter.report.step if meter.report else started.step
    shown.line(f"stopped at step {step}; everything is saved in {started.output} and {state_path(started.output)}")
    shown.line("continue with the same command and --resume")
    raise console.Stop(received.code or 0)


class JsonLines:
    """The metrics on standard output."""

    def __init__(self) -> None:
        self._file: Any = sys.stdout  # the original stream, which a live display replaces

    def write(self, report: StepReport | ValidationReport) -> None:
        """Write a report as one JSON object; if the reader has closed the pipe, the training continues without it."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(record_of(report)) + "\n")
            self._file.flush()
        except BrokenPipeError:
            console.discard_output()
            console.warn("the reader of the log has closed the pipe; the training continues without the log")
            self._file = None


def diagnosis(event: Diagnostic) -> str:
    """Return the meaning of a diagnostic, and what to do about it."""
    match event:
        case GradientClipped(steps, norm, clip_norm):
            return (
                f"the gradient was clipped to less than half at each of the last {steps} steps (now from {norm:.3g} to "
                f"{clip_norm:g}): lower --learning-rate, or raise --clip-norm"
            )
        case WorseThanGuessing(loss, guessing, vocabulary):
            return (
                f"the model is worse than guessing: its validation loss is {loss:.3g}, and guessing one of the "
                f"{vocabulary:,} tokens has a loss of {guessing:.3g}; lower --learning-rate"
            )
        case ScoringWarning(text):
            return f"sacreBLEU: {text}"
        case TranslationsAllEqual(translation):
            shown = f"the same, {translation!r}" if translation else "empty"
            return (
                f"all validation translations are {shown}: so far the model has learned only which words are frequent; "
                "train longer (--epochs), with more steps per epoch (a lower --batch-size) or with more pairs"
            )
        case ValidationLossRising(times, before, now, training_loss_rises):
            risen = f"validation loss has risen {times} times in a row, from {before:.3f} to {now:.3f}"
            if training_loss_rises:
                return f"{risen}, and the training loss rises too: lower --learning-rate"
            return (
                f"{risen}, while the training loss falls: overfitting; the best model is kept; more --dropout, a "
                "smaller --hidden-size or more pairs help"
            )


def validation_lines(report: ValidationReport, halved: bool = True) -> list[str]:
    """Return lines with the scores of a validation, and a few translations with their references.

    ``halved`` says whether the learning rate is halved after a validation without improvement.
    """
    not_improved = "  no improvement: the learning rate is halved" if halved else "  no improvement"
    kept = "  best so far, saved" if report.improved else not_improved
    if not report.step:
        kept = "  before the first step, saved"
    lines = [
        f"epoch {report.epoch}  step {report.step}  {clock(report.seconds)}  valid loss {report.valid_loss:.3f}  "
        f"perplexity {report.valid_perplexity:.2f}  BLEU {report.valid_bleu:.1f}{kept}"
    ]
    for sample in report.score.samples:
        for title, text in zip(("source:", "reference:", "translation:"), sample):
            # A model that has learned little repeats itself up to the length limit.
            shown = text if len(text) <= LONGEST_SAMPLE else text[: LONGEST_SAMPLE - 1] + "…"
            lines.append(f"  {title:<{SAMPLE_INDENT - 3}} {shown}")
    return lines


def summary(event: TrainingFinished) -> list[str]:
    """Return a summary: steps and time, the kept model, and why the training ended early if it did."""
    if not event.trained:
        return []
    best, kept = event.best, "the model of an earlier run, which is still the best"
    if best is not None:
        which = f"of epoch {best.epoch}, step {best.step}" if best.step else "before the first step"
        kept = f"the model {which}: perplexity {best.valid_perplexity:.2f}, BLEU {best.valid_bleu:.1f}"
    lines = [f"done: {event.steps} steps in {clock(event.seconds)}; kept: {kept}"]
    if event.stopped_early:
        patience = event.checkpoint.recipe.training.patience
        lines.append(f"stopped early: {patience} validations in a row without improvement (--patience)")
    return lines


def _show_next_commands(event: TrainingFinished) -> None:
    """Print the next commands to try, as the user can type them."""
    model = "" if event.output == Path("model.npz") else f" -m {shlex.quote(str(event.output))}"
    test = "" if event.checkpoint.recipe.corpora.corpus is None else " TEST_CORPUS"
    called_by_path = shutil.which("seq2seq") is None and Path(sys.argv[0]).stem == "seq2seq"
    command = sys.argv[0] if called_by_path else "seq2seq"
    console.say(f"\nThe model is in {event.output}. Now try:")
    console.say(f"  {command} translate{model}\n  {command} eval{test}{model}")


@contextlib.contextmanager
def display(live: bool) -> Iterator[Display]:
    """Show the progress as a live picture, or else as plain lines."""
    if live:
        from rich.live import Live

        blocks = can_draw(sys.stderr)  # before Rich replaces the stream
        with Live("", console=console.stderr_console(), auto_refresh=False, transient=True) as picture:
            yield _LiveDisplay(picture, blocks)
    else:
        yield _PlainDisplay()


class _PlainDisplay:
    """Print a line every few seconds."""

    def __init__(self) -> None:
        self.shown = time.monotonic()

    def step(self, meter: Meter) -> None:
        """Print the progress, unless it was printed a few seconds ago."""
        if time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES:
            self.shown = time.monotonic()
            console.say(meter.line())

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Print a line."""
        console.say(text)


class _LiveDisplay:
    """Draw a few lines, each time over the last ones."""

    def __init__(self, live: Live, blocks: bool) -> None:
        self.live, self.blocks = live, blocks
        self.shown = -SECONDS_BETWEEN_PICTURES

    def step(self, meter: Meter) -> None:
        """Draw the progress, unless it was drawn a moment ago."""
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
        """Print a line above the picture."""
        whole = console.wrapped(console.printable(text), indent, self.live.console.file)
        self.live.console.print(whole, style=style, soft_wrap=False)
        self.shown = (
            -SECONDS_BETWEEN_PICTURES
        )  # draw again at the next step: numbers such as the best BLEU may have changed
