"""Names of characters that cannot be seen, for messages."""

from __future__ import annotations

import unicodedata

_INVISIBLE = frozenset(["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"])
_SELECTORS = range(0xFE00, 0xFE10)


def visible(text: str) -> str:
    r"""Return a text for a message, with its invisible characters named in angle brackets.

    A text of one character that cannot be seen alone, such as a combining accent, becomes its name.

    Example:
        >>> visible("\u200b"), visible("soft\u00adly"), visible("\u0301")
        ('U+200B ZERO WIDTH SPACE', 'soft<U+00AD SOFT HYPHEN>ly', 'U+0301 COMBINING ACUTE ACCENT')
    """
    if len(text) == 1:
        return name_of(text) if _is_invisible(text) or unicodedata.category(text)[0] == "M" else text
    return "".join(f"<{name_of(each)}>" if _is_invisible(each) else each for each in text)


def name_of(character: str) -> str:
    """Return the code point and the Unicode name of a character, as in ``U+00A0 NO-BREAK SPACE``."""
    code = f"U+{ord(character):04X}"
    kinds = {"Cc": "control character", "Co": "private use", "Cn": "unassigned", "Cs": "surrogate"}
    name = unicodedata.name(character, kinds.get(unicodedata.category(character), ""))
    return f"{code} {name}".strip()


def _is_invisible(character: str) -> bool:
    if character == " ":
        return False
    return unicodedata.category(character) in _INVISIBLE or ord(character) in _SELECTORS
