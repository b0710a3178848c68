"""What a model saw of the source language while it was trained, so that it can say what is new to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seq2seq_cli.text.pieces import normalize, split_word

MOST_WORDS = 100_000
"""Distinct words; of a larger corpus none are kept, rather than some that would make false claims."""


@dataclass(frozen=True)
class Seen:
    """The words of the training sources, and the length of the longest.

    A byte-pair vocabulary can spell words that were never in the training text, so it cannot tell which were.

    Args:
        longest: tokens of the longest source sentence, its end symbol not counted; 0 if it is not known.
        words: in lower case; empty if they are not known.
    """

    longest: int = 0
    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, sources: Iterable[str], longest: int) -> Seen:
        """Collect the words of the training sources."""
        texts = {text for line in sources for text in normalize(line).split(" ") if text}
        words = {word.casefold() for text in texts for word in _words(text)}
        return cls(longest, frozenset(words) if len(words) <= MOST_WORDS else frozenset())

    def new_words(self, text: str) -> list[str]:
        """Return the words of a text that were in no training source, in order, each once; none if that is not known.

        Example:
            >>> Seen(9, frozenset({"the", "cat"})).new_words("The zebra, the cat")
            ['zebra']
        """
        if not self.words:
            return []
        words = (word for part in normalize(text).split(" ") if part for word in _words(part))
        return list(dict.fromkeys(word for word in words if word.casefold() not in self.words))

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON values."""
        return {"longest": self.longest, "words": sorted(self.words)}

    @classmethod
    def from_json(cls, value: Any) -> Seen:
        """Return what ``to_json`` made a value of.

        Raises:
            ValueError: if the value is of another form.
        """
        longest, words = value["longest"], value["words"]
        if type(longest) is not int or longest < 0 or not isinstance(words, list):
            raise ValueError("'seen' is not a length and a list of words")
        if not all(isinstance(word, str) for word in words):
            raise ValueError("'seen' holds words that are not text")
        return cls(longest, frozenset(words))


def _words(text: str) -> list[str]:
    """Return the pieces of what stands between two spaces that are words: those that begin with a letter."""
    pieces = (piece.strip(" '\u2019") for piece in split_word(text))
    return [piece for piece in pieces if piece[:1].isalpha()]
