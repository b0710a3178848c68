"""What stands on a terminal in the end: enough of one for what this program writes."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|([\s\S])")


def screen(output: str, columns: int) -> list[str]:
    """Return the lines of a terminal of that width, and of any height, after this output.

    It knows carriage return, line feed, cursor up (``ESC [ n A``) and erase line (``ESC [ 2 K``), ignores colors
    and the look of the cursor, and wraps a line that is too long.
    """
    lines, row, column = [[" "] * columns], 0, 0
    for argument, command, character in _PARTS.findall(output):
        if command == "A":
            row = max(0, row - int(argument or 1))
        elif command == "K":
            assert argument == "2"
            lines[row] = [" "] * columns
        elif command:
            assert command in "mhl", command
        elif character == "\r":
            column = 0
        elif character == "\n" or column == columns:
            row, column = row + 1, 0
            if row == len(lines):
                lines.append([" "] * columns)
        if character and character not in "\r\n":
            lines[row][column] = character
            column += 1
    return ["".join(line).rstrip() for line in lines]
