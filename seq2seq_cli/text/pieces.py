"""Split a line of text into pieces that never cross a word boundary, and join them again without loss.

A piece is a run of letters, a run of digits, or one other character. A piece that follows a space starts with
that space, so that joining the pieces gives the text again, spacing included::

    "Don't wait, l'ami !"   →   " Don" "'t" " wait" "," " l'" "ami" " !"

The leading space of the line itself is added when splitting and removed when joining.
"""

from __future__ import annotations

import re
import unicodedata

NO_BREAK_SPACES = "\u00a0\u2007\u202f"
"""Typographic spaces, as before a French ``?`` or ``!``; they are not word boundaries, and are kept."""

APOSTROPHES = "'\u2019"
JOINERS = "\u200c\u200d"
LONGEST_PIECE = 100
"""Characters; a longer run is split, so that the time for a line is linear in its length."""

_MANY_MARKS = re.compile(r"[^\w\s]{32,}")
"""A run of characters that are neither letters, digits nor spaces: it may be a run of combining marks."""

_BREAKING_SPACE = re.compile(rf"[^\S{NO_BREAK_SPACES}]+")
_ELISIONS = frozenset(["c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quelqu", "quoiqu"])


def normalize(text: str, lowercase: bool = False) -> str:
    """Return the text in the form that a tokenizer round-trips.

    1. Unicode NFC (composed characters: ``e`` + ``´`` becomes ``é``).
    2. Lower case, if asked for.
    3. Every run of white space becomes one space, and white space at both ends is removed. No-break spaces are kept.

    Args:
        text: any string.
        lowercase: whether to convert to lower case.

    Returns:
        The normalized string; normalizing it again changes nothing.

    Example:
        >>> normalize("  Cafe\\u0301\\tau  lait ")
        'Café au lait'
    """
    text = compose(text)
    if lowercase:
        text = compose(text.lower())
    return _BREAKING_SPACE.sub(" ", text).strip(" ")


def compose(text: str) -> str:
    """Return the text in NFC, in time linear in its length.

    ``unicodedata`` needs quadratic time to put combining marks in canonical order, so long runs of them are sorted here
    first: by canonical combining class, equal ones in their original order (Unicode Standard, D109).
    """
    if text.isascii():  # nothing to compose
        return text
    return unicodedata.normalize("NFC", _MANY_MARKS.sub(_in_canonical_order, text))


def _in_canonical_order(match: re.Match[str]) -> str:
    """Return the match, decomposed, with every run of combining marks sorted."""
    ordered: list[str] = []
    run: list[str] = []
    for character in "".join(unicodedata.normalize("NFD", each) for each in match.group()):
        if not unicodedata.combining(character):
            ordered += sorted(run, key=unicodedata.combining)
            ordered.append(character)
            run = []
        else:
            run.append(character)
    return "".join(ordered + sorted(run, key=unicodedata.combining))


def _kind(character: str) -> str:
    """Return ``L`` (letter or mark), ``N`` (digit), ``'`` (apostrophe), ``_`` (no-break space) or ``.`` (any other)."""
    if character in APOSTROPHES:
        return "'"
    if character in NO_BREAK_SPACES:
        return "_"
    category = unicodedata.category(character)
    if category[0] in "LM" or character in JOINERS:
        return "L"
    return "N" if category[0] == "N" else "."


def split_word(word: str) -> list[str]:
    """Split a word (the text between two spaces) into pieces; joined, they are a space and the word.

    An apostrophe between letters belongs to the French elision before it (``l'`` ``ami``), or else to the English
    ending after it (``don`` ``'t``). A no-break space belongs to the character after it.

    Args:
        word: at least one character, none of them a plain space.

    Example:
        >>> split_word("aren't?")
        [' aren', "'t", '?']
    """
    kinds = [_kind(character) for character in word]
    pieces: list[str] = []
    current = " "
    for position, (character, kind) in enumerate(zip(word, kinds)):
        before = kinds[position - 1] if position else "_"
        after = kinds[position + 1] if position + 1 < len(word) else ""
        elision = kind == "'" and before == after == "L" and current.strip().lower() in _ELISIONS
        ending = kind == "'" and before == after == "L" and not elision
        starts = not (
            before == "_"  # the space belongs to the next character
            or (kind in "LN" and kind == before)
            or (kind == "L" and before == "'" and current[0] in APOSTROPHES and len(current) == 1)
            or elision
        )
        if (starts or ending or len(current) >= LONGEST_PIECE) and current:
            pieces.append(current)
            current = ""
        current += character
    pieces.append(current)
    return pieces


def join_pieces(text: str) -> str:
    """Return the joined pieces without the leading space that splitting added."""
    return text.removeprefix(" ")
