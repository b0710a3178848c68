"""Tables as plain lines, as wide as the terminal; in a file or pipe, as wide as necessary."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from typing import IO

from seq2seq_cli.cli.terminal import console

UNLIMITED = 10_000
"""Width if the output is not a terminal: no cell is folded, so that lines can be searched."""


def width_of(stream: IO[bytes]) -> int:
    """Return the width of a table for this stream."""
    return shutil.get_terminal_size().columns if stream.isatty() else UNLIMITED


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lines of a table; cells that do not fit are folded.

    Args:
        headers: one for each column; a leading ``>`` aligns the column right, for numbers. If all are empty, no
            header is shown.
        rows: cells as text; markup and control characters in them have no effect.
        width: maximum width in columns.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(header.strip(">") for header in headers)
    )
    for header in headers:
        title = header.removeprefix(">")
        longest = max(map(len, title.split()), default=0)  # a header breaks between words only
        grid.add_column(
            Text(title), justify="right" if header.startswith(">") else "left", overflow="fold", min_width=longest
        )
    for row in rows:
        grid.add_row(*(Text(console.printable(cell)) for cell in row))
    file = io.StringIO()
    Console(file=file, width=width, color_system=None, legacy_windows=False).print(grid)
    return [line.rstrip() for line in file.getvalue().splitlines()]
