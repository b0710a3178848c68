"""Reading and writing files so that a failure is explained and never costs what was there before."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from seq2seq_cli.errors import UserError


@contextlib.contextmanager
def explain_os_errors(path: str | Path, doing: str) -> Iterator[None]:
    """Turn the operating system's refusals into errors that name the file and the way out.

    Args:
        path: of the file concerned.
        doing: ``read`` or ``write``.
    """
    try:
        yield
    except FileNotFoundError:
        missing = "no such file" if doing == "read" else "no such folder"
        raise UserError(missing, where=str(path), fix="check the path, also for spelling") from None
    except IsADirectoryError:
        raise UserError("this is a folder, not a file", where=str(path), fix="give a file's path") from None
    except NotADirectoryError:
        raise UserError("a part of this path is a file, not a folder", where=str(path), fix="check the path") from None
    except PermissionError:
        raise UserError(f"no permission to {doing} this file", where=str(path), fix="check its permissions") from None
    except OSError as error:
        reason = error.strerror or str(error)
        fix = "free some space, or write elsewhere" if "space" in reason else "check the path, or use another place"
        raise UserError(f"cannot {doing} this file: {reason}", where=str(path), fix=fix) from None
    except ValueError as error:  # a path with a NUL character
        if "null" not in str(error):
            raise
        raise UserError("this is not a file's path", where=repr(str(path)), fix="check the path") from None


def read_bytes(path: Path, most: int) -> bytes:
    """Return a file's content, of at most so many bytes.

    Raises:
        UserError: if it cannot be read or is larger.
    """
    with explain_os_errors(path, "read"), path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise UserError(f"this file is larger than {most >> 20} MiB", where=str(path), fix="check the path")
    return data


def write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file so that a reader sees the whole old one or the whole new one, whatever happens on the way.

    The content goes to a temporary file in the same folder, is flushed to disk, and takes the old one's name in one
    step; then the folder is flushed too. Permissions are those of any new file.

    Args:
        path: the file; its folder must exist.
        write: called with the open file.

    Raises:
        UserError: if the folder cannot be written to, the disk is full and so on; the old file is then untouched.
    """
    with explain_os_errors(path, "write"):
        path = path.resolve()  # a link stays a link
        if path.is_dir():
            raise IsADirectoryError
        if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced, only written to
            with path.open("wb") as stream:
                write(stream)
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        _flush_folder(path.parent)


def keep_as(path: Path, other: Path, move: bool = False) -> None:
    """Keep a file, if there is one, under another name too, or (``move``) under the other name only."""
    if not path.exists():
        return
    with explain_os_errors(other, "write"):
        if move:
            path.replace(other)
            return
        temporary = other.with_name(f".{other.name}.tmp")
        temporary.unlink(missing_ok=True)
        try:
            os.link(path, temporary)
        except OSError:  # not every file system has links
            shutil.copy2(path, temporary)
        temporary.replace(other)


def _flush_folder(folder: Path) -> None:
    """Make the new name itself safe against a loss of power; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
