"""Input from a file, or from standard input under the name ``-``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from seq2seq_cli.errors import UserError, explain_os_errors

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


def read_bytes(path: Path, limit: int) -> bytes:
    """Return the content of a file, or of standard input (``-``), of at most ``limit`` bytes.

    Raises:
        UserError: if it cannot be read, or is larger than that.
    """
    with explain_os_errors(title(path), "read"):
        if str(path) == STDIO:
            data = standard_input().read(limit + 1)
        else:
            with path.open("rb") as file:
                data = file.read(limit + 1)
    if len(data) > limit:
        raise UserError(f"this file is larger than {limit >> 20} MiB", where=title(path), fix="check the path")
    return data


def read_text(path: Path, limit: int) -> str:
    """Return the text of a file, or of standard input (``-``), of at most ``limit`` bytes; a BOM is dropped.

    Raises:
        UserError: as for ``read_bytes``, and at the first line that is not UTF-8.
    """
    data = read_bytes(path, limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(
            "this line is not UTF-8", where=f"{title(path)}, line {line}", fix="save the file as UTF-8"
        ) from None
