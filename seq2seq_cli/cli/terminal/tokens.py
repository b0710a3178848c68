"""Show tokens without spaces, so that a line of tokens can be split again."""

from __future__ import annotations

SPACE = "\u2581"
"""Stands for a space inside a token."""


def show_token(token: str) -> str:
    r"""Return a token in a form without spaces: ``" the"`` becomes ``▁the``; ``▁`` itself becomes ``\▁``."""
    return token.replace("\\", "\\\\").replace(SPACE, "\\" + SPACE).replace(" ", SPACE)


def read_token(shown: str) -> str:
    """Return the token of which ``show_token`` returns this text."""
    token, characters = "", iter(shown)
    for character in characters:
        if character == "\\":
            token += next(characters, "\\")
        else:
            token += " " if character == SPACE else character
    return token
