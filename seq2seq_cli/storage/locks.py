"""Locks: only one process at a time writes a file."""

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


def _close_inherited() -> None:
    """Close a forked process's copies of its parent's locks; otherwise the locks would outlive the parent."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


@contextlib.contextmanager
def acquire_lock(path: Path) -> Iterator[None]:
    """Acquire the lock on a file for a ``with`` block, so that no other process that uses locks writes it.

    The lock file ``.NAME.lock`` beside it holds the process id. The operating system locks it, and releases the lock
    when the process ends, even if it is killed: a lock file that was left behind blocks no other process.

    Raises:
        UserError: if another process holds the lock.
    """
    lock = lock_path(path)
    with explain_os_errors(path, "write"):
        handle = _acquire(lock, path)
    _held.add(handle)
    try:
        yield
    finally:
        _held.discard(handle)
        if os.name == "nt":  # Windows cannot remove an open file
            os.close(handle)
        with contextlib.suppress(OSError):
            lock.unlink()
        if os.name != "nt":  # if it were released first, others could lock a file that is about to be removed
            os.close(handle)


def lock_path(path: Path) -> Path:
    """Return the path of a file's lock file."""
    real = real_path(path)
    return real.with_name(f".{real.name}.lock")


def _acquire(lock: Path, path: Path) -> int:
    """Open and lock the lock file, and return its descriptor."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(handle):
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise UserError(
                f"another process{f' ({holder})' if holder else ''} is writing this file",
                where=str(path),
                fix="wait until it has finished, stop it, or write to another file",
            )
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), lock.stat()):
                os.ftruncate(handle, 0)
                os.write(handle, b"%d\n" % os.getpid())
                return handle
        os.close(handle)  # another process has just removed the file, so this lock protects nothing: try again


def _lock(handle: int) -> bool:
    """Lock an open file for as long as it is open; return False if another process holds the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond the content, so that others can read the process id
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # the file system has no locks
        return True
    return True
