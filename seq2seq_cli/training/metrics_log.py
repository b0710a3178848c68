"""The metrics log of a training: JSON Lines, a record per report, none lost and none twice when a run is resumed.

A report is written here as soon as it is there. A killed training leaves steps behind that its state does not know
yet: resuming drops them. A validation is saved in the state just before it is reported: resuming adds it where it is
missing.
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


class MetricsLog:
    """An open log.

    Args:
        file: where the records go.
        path: what to call it in errors.
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
        step: of the state that is resumed from; 0 for a new training, which backs up an older log.
        history: the validations that the state knows.
    """
    if path is None:
        yield None
        return
    file = Path(path)
    with explain_os_errors(path, "write"):
        if file.is_file() or not file.exists():  # a device or a pipe has no past
            if not step and file.exists() and file.stat().st_size:
                back_up(file, backup_path(file), move=True)
            kept = kept_lines(file, step, history) if step else []
            with atomic_file(file) as log:
                log.write("".join(kept).encode())
        stream = file.open("a", encoding="utf-8", newline="\n")
    try:
        yield MetricsLog(stream, str(path))
    finally:
        with contextlib.suppress(OSError):  # every record was flushed: what fails now has failed before
            stream.close()


def kept_lines(path: Path, step: int, history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a log that belong to a state: a half-written last line does not.

    Args:
        path: the log, which need not be there.
        step: of the state.
        history: the validations that the state knows; one of its last step may be unknown to the log, or the reverse.
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


def as_line(record: Mapping[str, Any]) -> str:
    """Return a record, as ``reports.record_of`` makes them, as a line of JSON."""
    return json.dumps(record) + "\n"
