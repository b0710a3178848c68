"""The training vocabulary: the words of the training sources, so that a model can report words outside of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from seq2seq_cli.text.pieces import normalize, split_word
from seq2seq_cli.text.source_style import SourceStyle
from seq2seq_cli.text.units import split_characters

MAX_WORDS = 100_000
"""Distinct words; for a larger corpus none are kept, because an incomplete list would give wrong reports."""


@dataclass(frozen=True)
class TrainingVocabulary:
    """The words of the training sources (in scripts without spaces, characters), their style, and the longest's length.

    A byte-pair vocabulary splits every word into known subwords, so it cannot tell which words occurred in training.

    Args:
        longest: tokens of the longest source sentence, EOS not counted; 0 if unknown.
        words: in lower case; empty if unknown.
        style: how the sources are written; ``of`` does not learn it.
    """

    longest: int = 0
    words: frozenset[str] = frozenset()
    style: SourceStyle = field(default_factory=SourceStyle)

    @classmethod
    def of(cls, sources: Iterable[str], longest: int) -> TrainingVocabulary:
        """Collect the words of the training sources."""
        texts = {text for line in sources for text in normalize(line).split(" ") if text}
        words = {word.casefold() for text in texts for word in _words(text)}
        return cls(longest, frozenset(words) if len(words) <= MAX_WORDS else frozenset())

    def joined(self, other: TrainingVocabulary) -> TrainingVocabulary:
        """Return the vocabulary of two trainings, one after the other, in the style of the first.

        There are no words if those of one are unknown.
        """
        words = self.words | other.words if self.words and other.words else frozenset()
        words = words if len(words) <= MAX_WORDS else frozenset()
        return TrainingVocabulary(max(self.longest, other.longest), words, self.style)

    def oov_words(self, text: str) -> list[str]:
        """Return the out-of-vocabulary words of a text, in order, each once; none if the vocabulary is unknown.

        Example:
            >>> TrainingVocabulary(9, frozenset({"the", "cat"})).oov_words("The zebra, the cat")
            ['zebra']
        """
        if not self.words:
            return []
        words = (word for part in normalize(text).split(" ") if part for word in _words(part))
        return list(dict.fromkeys(word for word in words if word.casefold() not in self.words))

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON values."""
        return {"longest": self.longest, "words": sorted(self.words), "style": self.style.to_json()}

    @classmethod
    def from_json(cls, value: Any) -> TrainingVocabulary:
        """Return the training vocabulary of a JSON value from ``to_json``.

        Raises:
            ValueError: if the value does not have that form.
        """
        longest, words = value["longest"], value["words"]
        if type(longest) is not int or longest < 0 or not isinstance(words, list):
            raise ValueError("'seen' does not hold a length and a list of words")
        if not all(isinstance(word, str) for word in words):
            raise ValueError("'seen' holds words that are not strings")
        parts = frozenset(part for word in words for part in split_characters(word))  # older files: phrases
        style = SourceStyle.from_json(value["style"]) if "style" in value else SourceStyle()
        return cls(longest, parts, style)


def _words(text: str) -> list[str]:
    """Return the words of a text between two spaces: the pieces that begin with a letter."""
    pieces = (piece.strip(" '\u2019") for piece in split_word(text))
    return [part for piece in pieces for part in split_characters(piece) if part[:1].isalpha()]
