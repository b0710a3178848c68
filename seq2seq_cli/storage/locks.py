"""One writer at a time: a lock file beside the file that is written."""

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


def _release_inherited() -> None:
    """Close a forked process's copies of its parent's locks, or the locks would outlive the parent."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_inherited)


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
        handle = _open_locked(lock, path)
    _held.add(handle)
    try:
        yield
    finally:
        _held.discard(handle)
        if os.name == "nt":  # there, an open file cannot be removed
            os.close(handle)
        with contextlib.suppress(OSError):
            lock.unlink()
        if os.name != "nt":  # here, closing first would let others lock a file that is about to be removed
            os.close(handle)


def _open_locked(lock: Path, path: Path) -> int:
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
        os.close(handle)  # its previous holder removed it meanwhile: lock the new file


def _lock(handle: int) -> bool:
    """Lock an open file until it is closed; return False if another process holds the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond the content, which others read
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
