"""Names of the files of a model: its training state, and the backup of a model, or another file, that is replaced."""

from __future__ import annotations

import filecmp
import io
from pathlib import Path

from seq2seq_cli.errors import usage_error
from seq2seq_cli.storage.files import back_up
from seq2seq_cli.text.inputs import STDIO

MARKED = 1 << 14
"""Bytes at the start and at the end of a file in which a mark is looked for."""
MAX_BACKUPS = 9
"""Maximum number of backups of a file."""


def state_path(path: Path) -> Path:
    """Return the path of a model's training state: ``NAME.state.npz`` beside ``NAME.npz``."""
    return path.with_name(path.name.removesuffix(".npz") + ".state.npz")


def test_set_path(path: Path) -> Path:
    """Return the path of the test set that was held out for a model: ``NAME.test.tsv`` beside ``NAME.npz``."""
    return path.with_name(path.name.removesuffix(".npz") + ".test.tsv")


def backup_path(path: Path) -> Path:
    """Return the path for the backup of a file that is replaced: a model, a log, any other output.

    It is the first of ``NAME.previous.npz``, ``NAME.previous-2.npz`` … that does not exist; once there are
    ``MAX_BACKUPS``, it is the oldest of them, which is then replaced.
    """
    stem = path.name.removesuffix(path.suffix)
    numbers = ["", *(f"-{number}" for number in range(2, MAX_BACKUPS + 1))]
    backups = [path.with_name(f"{stem}.previous{number}{path.suffix}") for number in numbers]
    for other in backups:
        if not other.exists() and not state_path(other).exists():
            return other
    return min(backups, key=lambda other: other.stat().st_mtime_ns if other.exists() else 0)


def check_model_path(path: Path) -> None:
    """Raise unless the path is valid for a model: ``NAME.npz``, but not that of a training state."""
    if str(path) == STDIO:
        raise usage_error(
            "a model cannot be written to standard output, because its training state is saved beside it",
            where="--output",
            fix="name a file, for example: -o model.npz",
        )
    if path.suffix != ".npz" or path.name.endswith(".state.npz"):
        raise usage_error(
            f"the name of a model file must end in .npz, but not in .state.npz: {path.name!r}",
            where="--output",
            fix="write for example -o model.npz",
        )


def back_up_model(path: Path) -> Path | None:
    """Back up a model file and the training state beside it; return the backup, or None if there is no model.

    At every moment ``path`` holds a complete model, and never beside the state of another training run.
    """
    backup = backup_path(path)
    exists = path.exists()
    state_path(backup).unlink(missing_ok=True)  # of an older backup that is replaced
    back_up(path, backup)
    back_up(state_path(path), state_path(backup), move=True)
    return backup if exists else None


def back_up_replaced(path: Path, new: Path, mark: bytes = b"") -> Path | None:
    """Back up a file that a new one is about to replace, unless nothing would be lost.

    Args:
        path: the file to replace, which may be missing, empty, or a device.
        new: the file with the new content.
        mark: bytes that are near the start or the end of a file that may be lost, because a command can make it again.

    Returns:
        The backup; None if there is none.
    """
    if not path.is_file() or not path.stat().st_size or filecmp.cmp(path, new, shallow=False):
        return None
    if mark and _has_mark(path, mark):
        return None
    backup = backup_path(path)
    back_up(path, backup)
    return backup


def _has_mark(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - MARKED))
        end = file.read(MARKED)
        file.seek(0)
        return mark in end or mark in file.read(MARKED)
