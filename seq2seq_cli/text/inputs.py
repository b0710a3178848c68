"""Input from a file, or from standard input under the name ``-``; compressed or in UTF-16 as well (see ``streams``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from seq2seq_cli.errors import UserError, explain_os_errors
from seq2seq_cli.text.streams import as_text

STDIO = "-"
"""Stands for standard input or standard output where a path is expected."""


def standard_input() -> IO[bytes]:
    """Return standard input as bytes.

    Raises:
        UserError: if it is closed.
    """
    if sys.stdin is None:
        raise UserError(
            "standard input is closed", where="standard input", fix="pipe text into this command, or name a file"
        )
    return sys.stdin.buffer


def title(path: str | Path) -> str:
    """Return the name of an input for messages: its path, or ``standard input``."""
    return "standard input" if str(path) == STDIO else str(path)


def text_pieces(path: str | Path) -> Iterator[bytes]:
    """Yield the text of a file, or of standard input (``-``), as UTF-8 bytes, in pieces, as it arrives.

    Raises:
        UserError: if it cannot be read, is damaged, or is not text.
    """
    name = title(path)
    with explain_os_errors(name, "read"):
        if str(path) == STDIO:
            yield from as_text(standard_input(), name)
        else:
            with Path(path).open("rb") as file:
                yield from as_text(file, name)


def read_bytes(path: Path, limit: int) -> bytes:
    """Return the text of a file, or of standard input (``-``), of at most ``limit`` bytes.

    Raises:
        UserError: as for ``text_pieces``, or if it is larger than that.
    """
    data = bytearray()
    for piece in text_pieces(path):
        data += piece
        if len(data) > limit:
            raise UserError(f"this file is larger than {limit >> 20} MiB", where=title(path), fix="check the path")
    return bytes(data)


def read_text(path: Path, limit: int) -> str:
    """Return the text of a file, or of standard input (``-``), of at most ``limit`` bytes.

    A byte-order mark is dropped, and every line ends with LF.

    Raises:
        UserError: as for ``read_bytes``, and at the first line that is not UTF-8.
    """
    data = read_bytes(path, limit).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(
            "this line is not UTF-8", where=f"{title(path)}, line {line}", fix="save the file as UTF-8"
        ) from None
