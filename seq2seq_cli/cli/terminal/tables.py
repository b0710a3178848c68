"""Tables for people, as plain lines that fit the terminal, or are as wide as they like in a file or pipe."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from typing import IO

from seq2seq_cli.cli.terminal import console

UNLIMITED = 10_000
"""Columns of what is not a terminal: no cell is folded there, so that lines can be searched."""


def width_of(stream: IO[bytes]) -> int:
    """Return how many columns there are to write in."""
    return shutil.get_terminal_size().columns if stream.isatty() else UNLIMITED


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lines of a table; cells that do not fit are folded.

    Args:
        headers: one for each column; one that starts with ``>`` is of numbers, set to the right. Where no column has a
            name, no header is shown.
        rows: cells, as text; nothing in them is markup, and nothing drives the terminal.
        width: columns of the terminal.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(header.strip(">") for header in headers)
    )
    for header in headers:
        grid.add_column(
            Text(header.removeprefix(">")), justify="right" if header.startswith(">") else "left", overflow="fold"
        )
    for row in rows:
        grid.add_row(*(Text(console.printable(cell)) for cell in row))
    file = io.StringIO()
    Console(file=file, width=width, color_system=None, legacy_windows=False).print(grid)
    return [line.rstrip() for line in file.getvalue().splitlines()]
