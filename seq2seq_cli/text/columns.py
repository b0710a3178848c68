"""Which columns of a corpus are source and target: the first two, unless they hold numbers.

Tatoeba exports pairs with the number of each sentence: ``id<TAB>text<TAB>id<TAB>text``, or ``id<TAB>text<TAB>text``.
A model of the first two columns would learn to translate numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from seq2seq_cli.errors import UserError

SAMPLE = 1000
"""Lines from which the columns are recognized, at most."""
LARGEST_SAMPLE = 1 << 20
"""Characters of these lines, about."""
FEW_ROWS = 20
"""With fewer lines, a column that is the same in all of them is not taken for a language code."""
_LABEL = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?")
"""A language code: ``eng``, ``fr``, ``pt-BR``."""


class Columns(NamedTuple):
    """The columns of source and target, counted from 0, and those of numbers, which are not text."""

    source: int = 0
    target: int = 1
    numbers: tuple[int, ...] = ()

    @property
    def note(self) -> str:
        """What to tell the user; nothing if the columns are the first two."""
        if (self.source, self.target) == (0, 1):
            return ""
        why = _listed("column", self.numbers)
        why = f" ({why} {'are' if len(self.numbers) > 1 else 'is'} numbers, as in exports of Tatoeba)" if why else ""
        return f"source and target are columns {self.source + 1} and {self.target + 1}{why}"

    def pair(self, line: str, where: str) -> tuple[str, str]:
        """Return source and target of a line.

        Raises:
            UserError: if it does not have these columns.
        """
        row = line.split("\t")
        fix = "give every line the same columns, or only source<TAB>target"
        if len(row) <= self.target:
            columns = f"{len(row)} column{'s' * (len(row) > 1)}"
            raise UserError(f"this line has {columns}, but {self.note}", where=where, fix=fix)
        for column in self.numbers:
            if row[column].strip() and not is_number(row[column]):
                raise UserError(
                    f"column {column + 1} of this line is not a number, as in the lines before", where=where, fix=fix
                )
        return row[self.source], row[self.target]


def find_columns(lines: Sequence[str], where: str) -> Columns:
    """Return the columns of source and target.

    Args:
        lines: the first lines of the corpus.
        where: its name, for errors.

    Raises:
        UserError: if only one column is text, and it is neither the first nor the second one.

    Example:
        >>> find_columns(["77\\tHello.\\t5\\tBonjour.", "80\\tWait!\\t9\\tAttendez !"], "")[:2]
        (1, 3)
    """
    rows = [line.split("\t") for line in lines if "\t" in line]
    if not rows:
        return Columns()
    body = rows[1:] if len(rows) > 2 else rows  # without a line of titles, if there is one
    columns = list(zip(*body))  # those that every line has
    numbers = tuple(k for k, column in enumerate(columns) if _all_numbers(column))
    text = [k for k, column in enumerate(columns) if k not in numbers and not _is_label(column)]
    if {0, 1} <= set(text):
        return Columns()
    if len(text) >= 2:
        source, target = text[:2]
        return Columns(source, target, tuple(k for k in numbers if k < target))
    if text and text[0] > 1:
        raise UserError(
            f"only column {text[0] + 1} is text; {'numbers' if numbers else 'language codes'} are in the other ones",
            where=where,
            fix="give pairs, source<TAB>target on every line: from Tatoeba, export 'sentence pairs'",
        )
    return Columns()


def is_number(text: str) -> bool:
    """Whether a text is a whole number, as the identifier of a sentence is."""
    return text.strip().isdecimal()


def _all_numbers(column: Sequence[str]) -> bool:
    values = [value for value in column if value.strip()]
    return bool(values) and all(map(is_number, values))


def _is_label(column: Sequence[str]) -> bool:
    """Whether a column holds the same language code in every line."""
    return len(column) >= FEW_ROWS and len(set(column)) == 1 and bool(_LABEL.fullmatch(column[0].strip()))


def _listed(what: str, columns: Sequence[int]) -> str:
    """Return ``column 1``, ``columns 1 and 3`` or nothing."""
    names = [str(column + 1) for column in columns]
    return f"{what}{'s' * (len(names) > 1)} {' and '.join(names)}" if names else ""
