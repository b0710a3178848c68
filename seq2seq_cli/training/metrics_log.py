"""The metrics log of a training run: JSON Lines with one record per report.

=====================  ===============================================================================================
field                  meaning
=====================  ===============================================================================================
``step``, ``epoch``    number of the step and of the epoch, from 1
``seconds``            time spent in steps and validations so far, in earlier runs, too
``learning_rate``      of this step; of a validation, that of the next step
of a step:
``loss``               mean negative log-likelihood of the batch, with dropout, in nats per real target token
``perplexity``         exp(``loss``)
``objective``          the loss that is minimized: ``loss`` with label smoothing
``tokens_per_second``  real target tokens per second
``gradient_norm``      norm of the gradient before clipping; with M networks, divided by √M
of a validation:
``valid_loss``         as ``loss``, without dropout, on the validation corpus
``valid_perplexity``   exp(``valid_loss``)
``valid_bleu``         sacreBLEU of greedy translations, from 0 to 100, of at most 1,000 sentences
``valid_chrf``         chrF2 of the same translations, from 0 to 100
``improved``           whether this model was kept
=====================  ===============================================================================================

A resumed run neither loses nor repeats a record. Each report is written immediately, so after a kill the log may have
steps that are not in the training state: resuming removes them. A validation is saved in the training state just before
it is reported: resuming adds it if it is missing in the log.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from seq2seq_cli.errors import explain_os_errors
from seq2seq_cli.storage.files import atomic_file, back_up
from seq2seq_cli.storage.model_files import backup_path
from seq2seq_cli.training.events import StepReport, ValidationReport, record_of

START = '{"step": '
"""How every line of a log starts."""


class MetricsLog:
    """An open log.

    Args:
        file: the open file.
        path: its name in error messages.
    """

    def __init__(self, file: IO[str], path: str = "") -> None:
        self.file = file
        self.path = path

    def write(self, report: StepReport | ValidationReport) -> None:
        """Append a report as one JSON object."""
        with explain_os_errors(self.path, "write"):
            self.file.write(as_line(record_of(report)))
            self.file.flush()


@contextlib.contextmanager
def open_log(
    path: str | Path | None, step: int = 0, history: Sequence[Mapping[str, Any]] = ()
) -> Iterator[MetricsLog | None]:
    """Open the metrics log.

    Args:
        path: the file; None for no log.
        step: step of the training state that is resumed; 0 for a new run, which backs up an existing log. A file
            with other lines is backed up in any case.
        history: the validations in the training state; a run that was resumed at step 0 may have one.
    """
    if path is None:
        yield None
        return
    file = Path(path)
    with explain_os_errors(path, "write"):
        if file.is_file() or not file.exists():  # a device or a pipe has no earlier records
            resumed = step or history
            if not resumed and file.exists() and file.stat().st_size:
                back_up(file, backup_path(file), move=True)
            elif resumed and has_other_lines(file):
                back_up(file, backup_path(file))
            kept = kept_lines(file, step, history) if resumed else []
            with atomic_file(file) as log:
                log.write("".join(kept).encode())
        stream = file.open("a", encoding="utf-8", newline="\n")
    try:
        yield MetricsLog(stream, str(path))
    finally:
        with contextlib.suppress(OSError):  # every record was flushed, so an error here was reported before
            stream.close()


def kept_lines(path: Path, step: int, history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a log that belong to a training state, without a half-written last line.

    Args:
        path: the log, which may be missing.
        step: step of the training state.
        history: the validations in the training state; that of the last step may be missing here or in the log.
    """
    kept: list[str] = []
    known = {record.get("step") for record in history}
    logged = set()
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else ():
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            record = json.loads(line)
            validated = "valid_loss" in record
            if record["step"] < step or (record["step"] == step and (not validated or step in known)):
                kept.append(line + "\n")
                logged |= {record["step"]} if validated else set()
    if kept and step in known - logged:
        kept.append(as_line(history[-1]))
    return kept


def has_other_lines(path: Path) -> bool:
    """Whether a file has lines that no training wrote, which resuming would remove; the last line may be half written.

    So the file is not a log, or not only one.
    """
    if not path.exists():
        return False
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        return any(line.strip() and not line.startswith(START) and not START.startswith(line) for line in lines)


def as_line(record: Mapping[str, Any]) -> str:
    """Return a record from ``events.record_of`` as a line of JSON."""
    return json.dumps(record) + "\n"
