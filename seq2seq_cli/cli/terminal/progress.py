"""Show the progress of a training run: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Protocol, get_args

from seq2seq_cli.cli.signals import Interruption, StopSignal, came_of_interruption, catch_signals
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import can_draw
from seq2seq_cli.cli.terminal.live import PlainDisplay, live_display
from seq2seq_cli.cli.terminal.meter import Meter
from seq2seq_cli.cli.terminal.preflight import LABEL, clock, section_lines, warning_of
from seq2seq_cli.inference.communicator import (
    ALONE,
    Communicator,
    PeerError,
    PeerStoppedError,
    launched_rank,
    launched_size,
)
from seq2seq_cli.storage.model_files import state_path, test_set_path
from seq2seq_cli.text.inputs import STDIO
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
from seq2seq_cli.training.persistence import SavedStep

SECONDS_BETWEEN_SAMPLES = 30.0
"""Between the sample translations of two validations, and between two equal warnings."""
LONGEST_SAMPLE = 200
CONTINUE = "continue with the same command and --resume"
SAMPLE_INDENT = 15


class Display(Protocol):
    """Shows the progress."""

    def step(self, meter: Meter) -> None:
        """Show the progress after a step."""

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Show a permanent line; the style, and the indent of wrapped lines, are for terminals."""


def show_training(
    events: Generator[Event, None, Any], as_result: bool, log_on_stdout: bool, communicator: Communicator = ALONE
) -> None:
    """Show a training run; SIGINT, SIGTERM and SIGHUP save it and stop.

    Args:
        events: the events of ``train``.
        as_result: whether to write the report before the training to standard output, as the result of the command.
        log_on_stdout: whether to write the metrics to standard output, as JSON Lines.
        communicator: the processes of this run; each of them calls this function.
    """
    blocks = as_result or can_draw(sys.stderr)
    for event in events:
        Interruption.raise_again()
        if isinstance(event, TrainingStarted):
            _show_loop(events, event, log_on_stdout, communicator)
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


def _show_loop(
    events: Generator[Event, None, Any], started: TrainingStarted, log_on_stdout: bool, communicator: Communicator
) -> None:
    """Show steps and validations until the end, or until a signal arrives."""
    if started.finished:
        console.say(
            "this training has already reached its limit; "
            "to continue, raise it (--epochs, --max-steps, --max-minutes, --patience)",
            indent=2,
        )
    elif started.step:
        console.say(
            f"continuing at step {started.step:,} after {clock(started.seconds)} of training, from "
            f"{state_path(started.output)}",
            indent=2,
        )
    meter = Meter(started)
    log = JsonLines() if log_on_stdout else None
    often = Often()
    # Lines of the log would overwrite a picture on the same terminal.
    live = console.stderr_is_live() and not (log_on_stdout and sys.stdout.isatty())
    saved = SavedStep(started.output, resumed=started.step > 0)
    with (
        _last_words(meter, saved),
        catch_signals(live, communicator) as received,
        display(live) as shown,
        _together(started, meter, shown, received),
    ):
        for event in events:
            if received.quits:  # an interruption in a place where Python could not raise it
                raise KeyboardInterrupt
            Interruption.raise_again()
            match event:
                case StepReport():
                    meter.after_step(event)
                    if received.code is None:  # otherwise the picture would hide the notice that it is stopping
                        shown.step(meter)
                case ValidationReport():
                    meter.after_validation(event)
                    first, *rest = validation_lines(event, started.recipe.training.halve_on_plateau)
                    shown.line(first, "bold green" if event.improved else "bold")
                    for line in rest if often("samples") else ():
                        shown.line(line, indent=SAMPLE_INDENT)
                case (
                    GradientClipped()
                    | WorseThanGuessing()
                    | TranslationsAllEqual()
                    | ValidationLossRising()
                    | ScoringWarning()
                ):
                    if often(type(event).__name__):
                        shown.line(f"warning: {diagnosis(event)}", "yellow")
                case TrainingFinished():
                    finished = event
            if log is not None and isinstance(event, StepReport | ValidationReport):
                log.write(event)
            if received.code is not None and not isinstance(event, TrainingFinished):
                _stop(events, started, meter, shown, received)
    if not communicator.first:
        return
    for line in summary(finished):
        console.say(line, indent=2)
    _show_next_commands(finished)


@contextlib.contextmanager
def _last_words(meter: Meter, saved: SavedStep) -> Iterator[None]:
    """After a second Ctrl-C, say which steps are lost, and end the program."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if not came_of_interruption(error):
            raise
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        step, kept = meter.step, saved.step()
        where = "nothing was saved" if kept is None else f"the last save holds step {kept}; --resume continues there"
        console.say(
            f"quit at step {step}: {where}" if kept != step else f"quit at step {step}, which is saved", indent=2
        )
        raise console.Stop(console.EXIT_INTERRUPTED) from None


def _stop(
    events: Generator[Event, None, Any], started: TrainingStarted, meter: Meter, shown: Display, received: StopSignal
) -> None:
    """Save the training and end the program."""
    events.close()
    _say_stopped(started, meter, shown, received)


@contextlib.contextmanager
def _together(started: TrainingStarted, meter: Meter, shown: Display, received: StopSignal) -> Iterator[None]:
    """End the program if another process of the run was stopped; the training is saved."""
    try:
        yield
    except PeerError as error:
        if received.code is None and not isinstance(error, PeerStoppedError):
            raise
        _say_stopped(started, meter, shown, received)


def _say_stopped(started: TrainingStarted, meter: Meter, shown: Display, received: StopSignal) -> None:
    """Say where the training was saved, and end the program."""
    files = f"{started.output} and {state_path(started.output)}"
    lines = [f"stopped at step {meter.step}; everything is saved in {files}", CONTINUE]
    for line in lines:
        shown.line(line)
    if received.code is not None and launched_size() > 1 and launched_rank() == 0:
        console.to_terminal(lines)  # an mpirun that ends no longer shows what its processes write
    raise console.Stop(received.code or console.EXIT_SIGNAL + signal.SIGTERM)


class Often:
    """Decides whether lines of one kind are shown again: an epoch of a small corpus takes only a moment."""

    def __init__(self) -> None:
        self._shown: dict[str, float] = {}

    def __call__(self, kind: str) -> bool:
        """Return whether lines of this kind were last shown some time ago; if so, they are shown now."""
        now = time.monotonic()
        if now - self._shown.get(kind, -SECONDS_BETWEEN_SAMPLES) < SECONDS_BETWEEN_SAMPLES:
            return False
        self._shown[kind] = now
        return True


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
    kept = "  best, saved" if report.improved else not_improved
    if not report.step:
        kept = "  before the first step, saved"
    lines = [
        f"epoch {report.epoch}  step {report.step}  {clock(report.seconds)}  valid loss {report.valid_loss:.3f}  "
        f"perplexity {report.valid_perplexity:.2f}  BLEU {report.valid_bleu:.1f}  "
        f"chrF2 {report.valid_chrf:.1f}{kept}"
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
        kept = f"epoch {best.epoch}, step {best.step}" if best.step else "the model before the first step"
        scores = f"perplexity {best.valid_perplexity:.2f}, BLEU {best.valid_bleu:.1f}, chrF2 {best.valid_chrf:.1f}"
        kept = f"{kept}: {scores}"
    lines = [f"done: {event.steps} steps in {clock(event.seconds)}; kept: {kept}"]
    if event.stopped_early:
        patience = event.checkpoint.recipe.training.patience
        lines.append(f"stopped early: {patience} validations in a row without improvement (--patience)")
    return lines


def _show_next_commands(event: TrainingFinished) -> None:
    """Print the next commands to try, as the user can type them."""
    model = "" if event.output == Path("model.npz") else f" -m {shlex.quote(str(event.output))}"
    corpora = event.checkpoint.recipe.corpora
    test: str | None = ""
    if corpora.corpus is not None:
        named = str(test_set_path(event.output)) if corpora.test else corpora.valid
        test = None if named in (None, STDIO) else f" {shlex.quote(str(named))}"
    called_by_path = shutil.which("seq2seq") is None and Path(sys.argv[0]).stem == "seq2seq"
    command = sys.argv[0] if called_by_path else "seq2seq"
    console.say(f"\nThe model is in {event.output}. Now try:")
    console.say(f"  {command} translate{model}")
    if test is None:
        console.say(f"  {command} inspect {shlex.quote(str(event.output))}")
        console.say("To score it, name a test corpus, or train with --test 0.05 to hold one out.", indent=2)
    else:
        console.say(f"  {command} eval{test}{model}")


@contextlib.contextmanager
def display(live: bool) -> Iterator[Display]:
    """Show the progress as a live picture, or else as plain lines."""
    if live:
        blocks = can_draw(sys.stderr)  # before Rich replaces the stream
        with live_display(blocks) as picture:
            yield picture
    else:
        yield PlainDisplay()
