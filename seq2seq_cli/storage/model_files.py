"""Names of the files of a model: its training state, and the backup of a model that is replaced."""

from __future__ import annotations

from pathlib import Path

from seq2seq_cli.errors import usage_error
from seq2seq_cli.storage.files import back_up
from seq2seq_cli.text.inputs import STDIO

MAX_BACKUPS = 9
"""Maximum number of backups of a file."""


def state_path(path: Path) -> Path:
    """Return the path of a model's training state: ``NAME.state.npz`` beside ``NAME.npz``."""
    return path.with_name(path.name.removesuffix(".npz") + ".state.npz")


def test_set_path(path: Path) -> Path:
    """Return the path of the test set that was held out for a model: ``NAME.test.tsv`` beside ``NAME.npz``."""
    return path.with_name(path.name.removesuffix(".npz") + ".test.tsv")


def backup_path(path: Path) -> Path:
    """Return the path for the backup of a model, or of a log, that a new training run replaces.

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
