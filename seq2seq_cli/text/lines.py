"""A sequence of lines that takes little memory, however long it is: most lines are in a temporary file."""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, overload

from seq2seq_cli.errors import UserError

BLOCK = 1 << 14
"""Characters that are written and read at a time."""
IN_MEMORY = 2 << 20
"""Bytes that are kept in memory before a file is used."""


class Lines(Sequence[str]):
    """An append-only sequence of lines of text, designed to be read from start to end.

    A Python string takes about 50 bytes more than its text, and a list 8 more. Here the lines are UTF-8, joined into
    blocks, in an unnamed temporary file that is deleted however the program ends (the first few megabytes stay in
    memory). Access to one line reads its block; the last block read is cached.

    Args:
        lines: the first lines; no line may contain a line end (LF).
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed with this object)
        weakref.finalize(self, _close, self._file)
        self._firsts = array("q", [0])  # index of the first line of each block, the tail included
        self._offsets = array("q", [0])  # where each block starts in the file
        self._tail: list[str] = []  # not written yet
        self._tail_size = 0
        self._read = -1, self._tail  # cache: the block read last, its index and its lines
        for line in lines:
            self.append(line)

    def append(self, line: str) -> None:
        """Add a line at the end.

        Raises:
            UserError: if there is no space for temporary files.
        """
        self._tail.append(line)
        self._tail_size += len(line)
        if self._tail_size >= BLOCK:
            self._write_tail()

    def __len__(self) -> int:
        return self._firsts[-1] + len(self._tail)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        resolved = range(len(self))[index]  # turns negative indices into positive ones, or raises IndexError
        if isinstance(resolved, range):
            return [self[k] for k in resolved]
        block = bisect_right(self._firsts, resolved) - 1
        return self._block(block)[resolved - self._firsts[block]]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(map(self._block, range(len(self._firsts))))

    def _block(self, block: int) -> list[str]:
        """Return the lines of one block."""
        if block == len(self._offsets) - 1:
            return self._tail
        if block != self._read[0]:
            start, end = self._offsets[block : block + 2]
            with _explained():
                self._file.seek(start)
                self._read = block, self._file.read(end - start).decode().split("\n")
        return self._read[1]

    def _write_tail(self) -> None:
        """Write the lines of the tail to the end of the file, as a block."""
        with _explained():
            self._file.seek(self._offsets[-1])
            self._file.write("\n".join(self._tail).encode())
            self._file.flush()
            self._offsets.append(self._file.tell())
        self._firsts.append(len(self))
        self._tail, self._tail_size = [], 0


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn an OSError into a UserError that says where space is needed."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot use a temporary file for a large text: {error.strerror or error}",
            where=tempfile.tempdir or "the folder for temporary files",
            fix="free some space, or set TMPDIR to a folder with more space",
        ) from None


def _close(file: IO[bytes]) -> None:
    """Close the file; this may retry a failed write, and fail again."""
    with contextlib.suppress(OSError):
        file.close()
