"""Text to token ids and back: the base class, and the two simplest tokenizers, by words and by characters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

from seq2seq_cli.errors import UserError
from seq2seq_cli.text.normalization import Normalizer
from seq2seq_cli.text.pieces import join_pieces, normalize, split_word

UNKNOWN, BOS, EOS = 0, 1, 2
SPECIALS = ("<unk>", "<s>", "</s>")
"""The first three entries of every vocabulary: unknown, beginning of sentence, end of sentence."""

FORMAT = "seq2seq tokenizer"
VERSIONS = (1, 2)
"""A tokenizer without text normalization has version 1, which older programs can read."""
CACHE_SIZE = 1 << 16
LONGEST_CACHED = 64


class Tokenizer(ABC):
    """A vocabulary, and how to split text into its entries.

    Every entry is exactly the text that it stands for, including a space before it. So decoding is concatenation, and
    ``decode(encode(s)) == normalize(s)`` for every text without unknown parts. A run of characters that are not in the
    vocabulary becomes one ``<unk>``; with a word vocabulary, so does each unknown word.

    Args:
        vocabulary: entries in the order of their ids, ``SPECIALS`` first.
        lowercase: whether text is converted to lower case first.
        normalizer: an attribute, set after training or loading; it brings text into the convention of the training
            text. None, as in models of earlier versions: variants of the same text stay different.
    """

    kind: ClassVar[str]
    unknown_text: ClassVar[str] = "<unk>"
    """The text of ``<unk>`` when decoding."""

    def __init__(self, vocabulary: Sequence[str], lowercase: bool = False) -> None:
        self.vocabulary = list(vocabulary)
        self.lowercase = lowercase
        self.normalizer: Normalizer | None = None
        self.ids = {token: k for k, token in enumerate(self.vocabulary)}
        self._cache: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.vocabulary)

    @abstractmethod
    def _encode_word(self, word: str) -> list[int]:
        """Return the ids of a word (the text between two spaces), the space before it included."""

    @abstractmethod
    def _unknown_in_word(self, word: str) -> list[str]:
        """Return the parts of a word that become ``<unk>``."""

    def normalize(self, text: str) -> str:
        """Return the text in the form that this tokenizer round-trips (see ``Normalizer`` and ``pieces.normalize``)."""
        if self.normalizer is not None:
            text = self.normalizer.apply(text, self.lowercase)
        return normalize(text, self.lowercase)

    def encode(self, text: str, max_tokens: int | None = None) -> list[int]:
        """Return the token ids of a line of text, truncated to ``max_tokens``; an empty line has none.

        Words are cached, so that encoding a corpus takes little more time than encoding its distinct words.
        """
        ids: list[int] = []
        normalized = self.normalize(text)
        cached = self._cache.get
        for word in normalized.split(" ") if normalized else ():
            ids += cached(word) or self._encode_uncached(word)
            if max_tokens is not None and len(ids) >= max_tokens:
                break
        return ids[:max_tokens]

    def _encode_uncached(self, word: str) -> list[int]:
        """Return the ids of a word, and cache them."""
        ids = self._encode_word(word)
        if len(word) <= LONGEST_CACHED:
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            self._cache[word] = ids
        return ids

    def decode(self, ids: Iterable[int], replaced: Mapping[int, str] | None = None) -> str:
        """Return the text of token ids, without BOS and EOS.

        Args:
            ids: token ids.
            replaced: ids that stand for another text than their entry.

        Raises:
            UserError: for an id outside the vocabulary.
        """
        parts = []
        for k in ids:
            if not 0 <= k < len(self.vocabulary):
                raise UserError(
                    f"{k} is not a token id of this tokenizer",
                    where="the token ids",
                    fix=f"give ids from 0 to {len(self.vocabulary) - 1}",
                )
            if k not in (BOS, EOS):
                entry = self.unknown_text if k == UNKNOWN else self.vocabulary[k]
                parts.append(replaced.get(k, entry) if replaced else entry)
        return join_pieces("".join(parts))

    def unknown(self, text: str) -> list[str]:
        """Return the parts of a line that become ``<unk>``, in order, each once."""
        normalized = self.normalize(text)
        words = normalized.split(" ") if normalized else []
        parts = (part for word in words if UNKNOWN in self.encode(word) for part in self._unknown_in_word(word))
        return list(dict.fromkeys(parts))

    def to_json(self) -> dict[str, Any]:
        """Return everything that ``tokenizer_from_json`` needs, as plain JSON values."""
        normalization = {} if self.normalizer is None else {"normalization": self.normalizer.to_json()}
        return {
            "format": FORMAT,
            "version": VERSIONS[self.normalizer is not None],
            "kind": self.kind,
            "lowercase": self.lowercase,
            **normalization,
            "vocabulary": self.vocabulary,
        }


def most_frequent(counts: Counter[str], limit: int) -> list[str]:
    """Return the ``limit`` most frequent keys; equal counts are in alphabetical order."""
    return sorted(counts, key=lambda key: (-counts[key], key))[: max(0, limit)]


class WordTokenizer(Tokenizer):
    """Whole words, numbers and punctuation marks; a word that is not in the vocabulary becomes ``<unk>``."""

    kind = "word"
    unknown_text = " <unk>"

    @classmethod
    def train(cls, lines: Iterable[str], vocab_size: int, lowercase: bool = False) -> WordTokenizer:
        """Keep the most frequent pieces of the lines.

        Args:
            lines: text.
            vocab_size: maximum number of entries, special tokens included.
            lowercase: whether to convert to lower case.
        """
        words = count_words(lines, lowercase)
        pieces: Counter[str] = Counter()
        for word, count in words.items():
            for piece in split_word(word):
                pieces[piece] += count
        return cls([*SPECIALS, *most_frequent(pieces, vocab_size - len(SPECIALS))], lowercase)

    def _encode_word(self, word: str) -> list[int]:
        return [self.ids.get(piece, UNKNOWN) for piece in split_word(word)]

    def _unknown_in_word(self, word: str) -> list[str]:
        return [piece.strip(" ") for piece in split_word(word) if piece not in self.ids]


class CharTokenizer(Tokenizer):
    """Single characters: a small vocabulary and long sequences."""

    kind = "char"

    @classmethod
    def train(cls, lines: Iterable[str], vocab_size: int, lowercase: bool = False) -> CharTokenizer:
        """Keep the most frequent characters of the lines; arguments as for ``WordTokenizer.train``."""
        characters: Counter[str] = Counter()
        for word, count in count_words(lines, lowercase).items():
            for character in f" {word}":
                characters[character] += count
        return cls([*SPECIALS, *most_frequent(characters, vocab_size - len(SPECIALS))], lowercase)

    def _encode_word(self, word: str) -> list[int]:
        return merge_unknown([self.ids.get(character, UNKNOWN) for character in f" {word}"])

    def _unknown_in_word(self, word: str) -> list[str]:
        return [character for character in word if character not in self.ids]


def merge_unknown(ids: Sequence[int]) -> list[int]:
    """Return the ids with every run of ``<unk>`` merged: ``[5, 0, 0, 7]`` becomes ``[5, 0, 7]``."""
    return [k for position, k in enumerate(ids) if k != UNKNOWN or position == 0 or ids[position - 1] != UNKNOWN]


def count_words(lines: Iterable[str], lowercase: bool) -> Counter[str]:
    """Return the count of each word (the text between two spaces) in the normalized lines."""
    words = Counter(chain.from_iterable(normalize(line, lowercase).split(" ") for line in lines))
    del words[""]
    return words


def source_ids(tokenizer: Tokenizer, text: str, reverse: bool, max_tokens: int | None = None) -> list[int]:
    """Return the encoder's input for a source sentence: its tokens, truncated to ``max_tokens``, and EOS."""
    return finish_source(tokenizer.encode(text, max_tokens), reverse)


def finish_source(ids: Sequence[int], reverse: bool) -> list[int]:
    """Return the encoder's input for the tokens of a source sentence: reversed if so configured, then EOS.

    Reversing brings the first words of both languages close together (Sutskever et al. 2014, section 3.3).
    """
    return [*(reversed(ids) if reverse else ids), EOS]
