"""Train a tokenizer of any kind; read and write its JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from seq2seq_cli.config import LARGEST_VOCABULARY, TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.text.bpe import BpeTokenizer
from seq2seq_cli.text.inputs import read_bytes, title
from seq2seq_cli.text.lines import Lines
from seq2seq_cli.text.normalization import Normalizer
from seq2seq_cli.text.tokenizer import FORMAT, SPECIALS, VERSIONS, CharTokenizer, Tokenizer, WordTokenizer

KINDS: dict[str, type[BpeTokenizer] | type[WordTokenizer] | type[CharTokenizer]] = {
    "bpe": BpeTokenizer,
    "word": WordTokenizer,
    "char": CharTokenizer,
}
LARGEST_FILE = 256 << 20


def train_tokenizer(config: TokenizerConfig, lines: Iterable[str]) -> Tokenizer:
    """Return a tokenizer of the configured kind and size, learned from the lines, as is the convention of its text."""
    kind = KINDS[config.kind]
    if config.text_normalization == "none":
        return kind.train(lines, config.vocab_size, config.lowercase)
    lines = lines if isinstance(lines, Sequence) else Lines(lines)  # they are read twice
    normalizer = Normalizer.learn(lines)
    normalized = (normalizer.apply(line, config.lowercase) for line in lines)
    tokenizer = kind.train(normalized, config.vocab_size, config.lowercase)
    tokenizer.normalizer = normalizer
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, file: IO[bytes]) -> None:
    """Write a tokenizer to an open file as readable JSON, one vocabulary entry per line."""
    file.write(json.dumps(tokenizer.to_json(), ensure_ascii=False, indent=1).encode() + b"\n")


def load_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer from a file, or from standard input (``-``).

    Raises:
        UserError: if the file is missing or not a tokenizer.
    """
    try:
        data = json.loads(read_bytes(path, LARGEST_FILE).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"this is not JSON: {error}",
            where=title(path),
            fix="give a file that 'seq2seq tokenizer train' wrote",
        ) from None
    return tokenizer_from_json(data, title(path))


def tokenizer_from_json(data: Any, where: str) -> Tokenizer:
    """Return the tokenizer of a JSON value, with every part checked.

    Args:
        data: what ``Tokenizer.to_json`` returned.
        where: name of the file, for errors.

    Raises:
        UserError: if it is not a tokenizer, or is of a newer version.
    """

    def refuse(what: str) -> UserError:
        """Return the error for a value that is not a tokenizer."""
        return UserError(what, where=where, fix="give a file that 'seq2seq tokenizer train' wrote")

    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise refuse("this is not a seq2seq tokenizer")
    if data.get("version") not in VERSIONS:
        known = " and ".join(map(str, VERSIONS))
        raise UserError(
            f"this tokenizer has format version {data.get('version')!r}; this program reads versions {known}",
            where=where,
            fix="install a newer version of seq2seq-cli",
        )
    kind, lowercase, vocabulary = data.get("kind"), data.get("lowercase"), data.get("vocabulary")
    if not isinstance(kind, str) or kind not in KINDS or not isinstance(lowercase, bool):
        raise refuse(
            f"the tokenizer has an unknown kind {kind!r}, or lowercase {lowercase!r} is neither true nor false"
        )
    if not isinstance(vocabulary, list) or not all(_is_text(token) for token in vocabulary):
        raise refuse("the tokenizer's vocabulary is not a list of strings")
    if tuple(vocabulary[: len(SPECIALS)]) != SPECIALS or len(set(vocabulary)) != len(vocabulary):
        raise refuse(f"the tokenizer's vocabulary does not start with {', '.join(SPECIALS)}, or repeats an entry")
    if len(vocabulary) > LARGEST_VOCABULARY:
        raise refuse(f"the tokenizer's vocabulary has {len(vocabulary)} entries; the maximum is {LARGEST_VOCABULARY}")
    try:
        normalizer = Normalizer.from_json(data["normalization"]) if "normalization" in data else None
    except ValueError as error:
        raise refuse(str(error)) from None
    tokenizer: Tokenizer
    if kind != "bpe":
        tokenizer = (WordTokenizer if kind == "word" else CharTokenizer)(vocabulary, lowercase)
        tokenizer.normalizer = normalizer
        return tokenizer
    merges = data.get("merges")
    entries = set(vocabulary)
    if not isinstance(merges, list) or not all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(_is_text(part) for part in pair)
        and {pair[0], pair[1], pair[0] + pair[1]} <= entries
        for pair in merges
    ):
        raise refuse("the tokenizer's merges are not pairs of entries whose concatenation is an entry")
    tokenizer = BpeTokenizer(vocabulary, [(left, right) for left, right in merges], lowercase)
    tokenizer.normalizer = normalizer
    return tokenizer


def _is_text(value: Any) -> bool:
    """Whether a value is a string, not empty, that can be written as UTF-8 (JSON can hold half of a surrogate pair)."""
    try:
        return isinstance(value, str) and value.encode() != b""
    except UnicodeEncodeError:
        return False
