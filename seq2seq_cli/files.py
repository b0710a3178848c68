"""Reading and writing files so that a failure is explained and never costs what was there before."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from seq2seq_cli.errors import UserError

STDIO = "-"
"""In place of a file's path: standard input, or standard output."""


def standard_input() -> IO[bytes]:
    """Return standard input as bytes.

    Raises:
        UserError: if it is closed.
    """
    if sys.stdin is None:
        raise UserError(
            "standard input is closed", where="standard input", fix="pipe something into this command, or name a file"
        )
    return sys.stdin.buffer


def title(path: str | Path) -> str:
    """Return what to call an input in a message: its path, or ``standard input``."""
    return "standard input" if str(path) == STDIO else str(path)


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
    """Return the content of a file, or of standard input (``-``), of at most so many bytes.

    Raises:
        UserError: if it cannot be read or is larger.
    """
    with explain_os_errors(title(path), "read"):
        if str(path) == STDIO:
            data = standard_input().read(most + 1)
        else:
            with path.open("rb") as file:
                data = file.read(most + 1)
    if len(data) > most:
        raise UserError(f"this file is larger than {most >> 20} MiB", where=title(path), fix="check the path")
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
        path = _real(path)  # a link stays a link
        if path.is_dir():
            raise IsADirectoryError
        if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced, only written to
            with path.open("wb") as stream:
                write(stream)
            return
        temporary = _temporary(path)
        try:  # from before the file is there, so that an interruption at any instant cleans up
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
    """Raise now what ``write_atomically`` would raise after hours of work; nothing is changed.

    Raises:
        UserError: if the folder is missing, is a file or may not be written to, the name is too long, and so on.
    """
    with explain_os_errors(path, "write"):
        path = _real(path)
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
    """Remove the temporary files that processes left which were killed while they wrote this file.

    Only for a file that no other process is writing: see ``exclusive``.
    """
    path = _real(path)
    pattern = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}\.tmp")
    with contextlib.suppress(OSError):
        for other in path.parent.iterdir():
            if pattern.fullmatch(other.name):
                other.unlink()


_held: set[int] = set()
"""Descriptors of the locks that this process holds."""


def _let_go() -> None:
    """Close a forked process's copies of its parent's locks, or they would outlive the parent with it."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Be the only process that writes this file for the time of a ``with`` block.

    A lock file ``.NAME.lock`` beside it holds the process's number and is locked by the operating system, which lets go
    when the process ends, however it ends: what a killed process leaves behind stops nobody.

    Raises:
        UserError: if another process is at it.
    """
    real = _real(path)
    lock = real.with_name(f".{real.name}.lock")
    with explain_os_errors(path, "write"):
        handle = _take(lock, path)
    _held.add(handle)
    try:
        yield
    finally:
        _held.discard(handle)
        if os.name == "nt":  # there, an open file cannot be removed
            os.close(handle)
        with contextlib.suppress(OSError):
            lock.unlink()
        if os.name != "nt":  # here, letting go first would let others lock a file that is about to vanish
            os.close(handle)


def _take(lock: Path, path: Path) -> int:
    """Return the open, locked lock file."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(handle):
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise UserError(
                f"another process{f' ({holder})' if holder else ''} is writing this file",
                where=str(path),
                fix="wait until it has finished, stop it, or write elsewhere",
            )
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), lock.stat()):
                os.ftruncate(handle, 0)
                os.write(handle, b"%d\n" % os.getpid())
                return handle
        os.close(handle)  # the one who had it removed it just now: that lock is worth nothing


def _lock(handle: int) -> bool:
    """Lock an open file for as long as it is open; return False if another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 1 << 20, os.SEEK_SET)  # behind the content, which others want to read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


def keep_as(path: Path, other: Path, move: bool = False) -> None:
    """Keep a file, if there is one, under another name too, or (``move``) under the other name only."""
    if not path.exists():
        return
    with explain_os_errors(other, "write"):
        if move:
            path.replace(other)
            return
        temporary = _temporary(other)
        try:
            os.link(_real(path), temporary)
            temporary.replace(other)
        except OSError:  # not every file system has links
            with path.open("rb") as file:
                write_atomically(other, lambda copy: shutil.copyfileobj(file, copy))
        finally:
            temporary.unlink(missing_ok=True)  # also where both names were links to one file: nothing was renamed


def _real(path: Path) -> Path:
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
