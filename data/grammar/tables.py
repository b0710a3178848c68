"""Small tables of words that the constructions use, read from groups.tsv and expressions.tsv."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from grammar.tsv import read_tsv

FOLDER = Path(__file__).resolve().parent.parent / "lexicon"


@cache
def _groups() -> dict[str, frozenset[str]]:
    """All groups of words by name."""
    return {row["group"]: frozenset(row["words"].split()) for row in read_tsv(FOLDER / "groups.tsv")}


@cache
def _tables() -> dict[str, list[tuple[str, str, str]]]:
    """All tables of expressions by name."""
    tables: dict[str, list[tuple[str, str, str]]] = {}
    for row in read_tsv(FOLDER / "expressions.tsv"):
        tables.setdefault(row["table"], []).append((row["en"], row["fr"], row["words"]))
    return tables


def group(name: str) -> frozenset[str]:
    """A set of words: verbs of everyday life, colors, tags of people."""
    return _groups()[name]


def expressions(name: str) -> list[tuple[str, str, str]]:
    """The rows of a table: English, French, and words that say what goes with them."""
    return _tables()[name]
