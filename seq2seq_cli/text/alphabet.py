"""The size of a vocabulary that covers the characters of a text: Chinese and Japanese have thousands of them."""

from __future__ import annotations

from collections.abc import Iterable

from seq2seq_cli.config import LARGEST_VOCABULARY, TokenizerConfig
from seq2seq_cli.text.pieces import normalize
from seq2seq_cli.text.tokenizer import SPECIALS

ROUNDING = 100


def covering_size(config: TokenizerConfig, lines: Iterable[str]) -> int:
    """Return the size of a vocabulary that covers every character of a text, at least the configured size.

    ::

        bpe:  max(size, characters + size / 2)        half of the usual size is left for merges
        char: max(size, characters)

    A word vocabulary has the configured size, because its entries are not characters.

    Args:
        config: kind and size of the vocabulary.
        lines: the training text.
    """
    if config.kind == "word":
        return config.vocab_size
    characters = set(" ")
    for line in lines:
        characters.update(line if line.isascii() else normalize(line, config.lowercase))
    merges = config.vocab_size // 2 if config.kind == "bpe" else 0
    needed = len(SPECIALS) + len(characters) + merges
    if needed <= config.vocab_size:
        return config.vocab_size
    return min(-(-needed // ROUNDING) * ROUNDING, LARGEST_VOCABULARY)
