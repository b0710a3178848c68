"""One writer at a time: a lock file beside what is written."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from seq2seq_cli.errors import UserError, explain_os_errors
from seq2seq_cli.storage.files import real_path

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
def acquire_lock(path: Path) -> Iterator[None]:
    """Acquire the lock on a file for a ``with`` block: no other process that does the same writes the file meanwhile.

    The lock file ``.NAME.lock`` beside it holds the process id. The operating system locks it, and releases the lock
    when the process ends, however it ends: the lock file of a killed process blocks nobody.

    Raises:
        UserError: if another process holds the lock.
    """
    real = real_path(path)
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
