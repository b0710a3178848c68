"""Write files so that a failure is explained and never destroys the previous content."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from seq2seq_cli.errors import explain_os_errors


def write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file so that a reader sees the whole old one or the whole new one, whatever happens in between.

    The content goes to a temporary file in the same folder, is flushed to disk, and replaces the old one in one
    step; then the folder is flushed too. Permissions are those of any new file.

    Args:
        path: the file; its folder must exist.
        write: called with the open file.

    Raises:
        UserError: if the folder cannot be written to, the disk is full and so on; the old file is then untouched.
    """
    with explain_os_errors(path, "write"):
        path = real_path(path)  # a link stays a link
        if path.is_dir():
            raise IsADirectoryError
        if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced, only written to
            with path.open("wb") as stream:
                write(stream)
            return
        temporary = _temporary(path)
        try:  # entered before the file exists, so that an interruption at any instant cleans up
            with temporary.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _flush_folder(path.parent)


def check_writable(path: Path) -> None:
    """Raise the error that ``write_atomically`` would raise after hours of work; nothing is changed.

    Raises:
        UserError: if the folder is missing, is a file or may not be written to, the name is too long, and so on.
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
    """Remove the temporary files of processes that were killed while they wrote this file.

    Only for a file that no other process is writing: see ``locks.exclusive``.
    """
    path = real_path(path)
    pattern = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}\.tmp")
    with contextlib.suppress(OSError):
        for other in path.parent.iterdir():
            if pattern.fullmatch(other.name):
                other.unlink()


def keep_as(path: Path, other: Path, move: bool = False) -> None:
    """Link or copy a file, if it exists, to another name, or rename it (``move``)."""
    if not path.exists():
        return
    with explain_os_errors(other, "write"):
        if move:
            path.replace(other)
            return
        temporary = _temporary(other)
        try:
            os.link(real_path(path), temporary)
            temporary.replace(other)
        except OSError:  # not every file system has links
            with path.open("rb") as file:
                write_atomically(other, lambda copy: shutil.copyfileobj(file, copy))
        finally:
            temporary.unlink(missing_ok=True)  # also where both names were links to one file: nothing was renamed


def real_path(path: Path) -> Path:
    """Return the path with every link followed."""
    return Path(os.path.realpath(path))  # Path.resolve() raises RuntimeError for a link to itself


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")


def _flush_folder(folder: Path) -> None:
    """Make the new name itself safe against a loss of power; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
