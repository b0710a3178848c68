"""Lines of text that hardly take memory, however many there are: most of them wait in a temporary file."""

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
"""Bytes up to which no file is needed."""


class Lines(Sequence[str]):
    """Lines of text, in a sequence that only grows, and is made to be read from its start to its end.

    A Python string takes some 50 bytes more than its text, and a list 8 more. Here the lines are UTF-8, joined to
    blocks, one block after the other in a file that has no name and is gone when the program ends in whatever way (the
    first few megabytes are kept in memory instead). A look at one line reads its block; the last one read is kept.

    Args:
        lines: to begin with; no line may hold a line end (LF).
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed with this object)
        weakref.finalize(self, _close, self._file)
        self._firsts = array("q", [0])  # number of the first line of each block, that of the tail included
        self._offsets = array("q", [0])  # where each block starts in the file
        self._tail: list[str] = []  # not written yet
        self._tail_size = 0
        self._read = -1, self._tail  # the block read last: its number and its lines
        for line in lines:
            self.append(line)

    def append(self, line: str) -> None:
        """Add a line at the end.

        Raises:
            UserError: if there is no room for temporary files.
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
        places = range(len(self))[index]  # resolves what is negative, and raises IndexError
        if isinstance(places, range):
            return [self[k] for k in places]
        block = bisect_right(self._firsts, places) - 1
        return self._block(block)[places - self._firsts[block]]

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
        """Make the lines that are not written yet the file's last block."""
        with _explained():
            self._file.seek(self._offsets[-1])
            self._file.write("\n".join(self._tail).encode())
            self._file.flush()
            self._offsets.append(self._file.tell())
        self._firsts.append(len(self))
        self._tail, self._tail_size = [], 0


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn the operating system's refusal into an error that says where the room is missing."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"a large text needs a temporary file, and that failed: {error.strerror or error}",
            where=tempfile.tempdir or "the folder for temporary files",
            fix="free some space, or set TMPDIR to a folder that has more",
        ) from None


def _close(file: IO[bytes]) -> None:
    """Let go of the file; it may be that what could not be written is tried once more, in vain."""
    with contextlib.suppress(OSError):
        file.close()
