"""Write files atomically: a failure is reported as a user error, and never destroys the previous content."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from seq2seq_cli.errors import explain_os_errors


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing so that a reader sees either the complete old file or the complete new one.

    What the ``with`` block writes goes to a temporary file in the same folder. At the end of the block it is flushed
    to disk and renamed to ``path`` in one step; then the folder is flushed too. If the block raises, the temporary file
    is removed. A device or a pipe cannot be replaced and is written to directly. Permissions are those of any new file.

    Args:
        path: the file; its folder must exist.

    Yields:
        The open file.

    Raises:
        UserError: if the folder is not writable, the disk is full and so on; the old file then stays as it is.
    """
    with explain_os_errors(path, "write"):
        path = real_path(path)  # a link stays a link
        if path.is_dir():
            raise IsADirectoryError
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
            return
        temporary = _temporary(path)
        try:  # before the file exists, so that an interruption at any instant removes it
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _flush_folder(path.parent)


def check_writable(path: Path) -> None:
    """Raise now, before hours of work, any error that ``atomic_file`` would raise; nothing is changed.

    Raises:
        UserError: if the folder is missing, is a file or is not writable, the name is too long, and so on.
    """
    with explain_os_errors(path, "write"):
        path = real_path(path)
        if path.is_dir():
            raise IsADirectoryError
        if path.exists() and not path.is_file():
            return
        temporary = _temporary(path)
        try:
            temporary.open("xb").close()
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of processes that were killed while writing this file.

    Call it only while no other process can write the file (see ``locks.acquire_lock``).
    """
    path = real_path(path)
    pattern = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}\.tmp")
    with contextlib.suppress(OSError):
        for other in path.parent.iterdir():
            if pattern.fullmatch(other.name):
                other.unlink()


def back_up(path: Path, backup: Path, move: bool = False) -> None:
    """Keep a file, if it exists, under a second name as well, or only there (``move``)."""
    if not path.exists():
        return
    with explain_os_errors(backup, "write"):
        if move:
            path.replace(backup)
            return
        temporary = _temporary(backup)
        try:
            os.link(real_path(path), temporary)
            temporary.replace(backup)
        except OSError:  # not every file system supports links
            with path.open("rb") as file, atomic_file(backup) as copy:
                shutil.copyfileobj(file, copy)
        finally:
            temporary.unlink(missing_ok=True)  # renaming does nothing if both names are links to the same file


def real_path(path: Path) -> Path:
    """Return the path with all symbolic links resolved."""
    return Path(os.path.realpath(path))  # Path.resolve() raises RuntimeError for a link to itself


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")


def _flush_folder(folder: Path) -> None:
    """Flush the folder, so that the new name survives a loss of power, on systems that can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
