"""What may be fed with anything: each target takes bytes and gives a result that holds its promise, or a UserError.

``tests/test_fuzz.py`` feeds them with Hypothesis in the test suite, ``tests/benchmarks/fuzz.py`` for hours.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

from seq2seq_cli.cli import app, exits
from seq2seq_cli.cli.commands.train import LARGEST_FILE, RUN_FLAGS
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.config import TokenizerConfig, parse_toml, setting_types
from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.checkpoint import load_model, save_model
from seq2seq_cli.text.corpus import read_corpus
from seq2seq_cli.text.inputs import read_text
from seq2seq_cli.text.tokenizer import UNKNOWN, Tokenizer
from seq2seq_cli.text.tokenizer_file import load_tokenizer, save_tokenizer, train_tokenizer


@cache
def folder() -> Path:
    """One folder for all files of this process, removed at its end."""
    place = tempfile.TemporaryDirectory()
    folder.keep = place  # type: ignore[attr-defined]
    return Path(place.name)


def as_text(data: bytes) -> str:
    """Any text that can come out of a UTF-8 file."""
    return data.decode("utf-8", "replace")


@cache
def tokenizers() -> list[Tokenizer]:
    lines = ["The cat's old house, isn't it?", "été à l'ami 12 345 漢字 ةيبرع", "\u00a0! \u200d \u0301"]
    return [
        train_tokenizer(TokenizerConfig(kind, 60, lowercase), lines)
        for kind in ("bpe", "word", "char")
        for lowercase in (False, True)
    ]


def tokenizer_target(data: bytes) -> None:
    """Encoding gives ids; without an unknown part, decoding gives the normalized text, and that is normal."""
    text = as_text(data)
    for tokenizer in tokenizers():
        normal = tokenizer.normalize(text)
        assert tokenizer.normalize(normal) == normal
        assert unicodedata.is_normalized("NFC", normal)
        ids = tokenizer.encode(text)
        assert all(0 <= k < len(tokenizer) for k in ids)
        assert tokenizer.encode(text, 3) == ids[:3]
        if UNKNOWN not in ids:
            assert tokenizer.decode(ids) == normal
        assert bool(tokenizer.unknown(text)) == (UNKNOWN in ids)
        tokenizer.decode(ids).encode("utf-8")


def training_target(data: bytes) -> None:
    """A tokenizer that was trained on a text round-trips it, also after it was saved and loaded."""
    text = as_text(data)
    for kind in ("bpe", "word", "char"):
        trained = train_tokenizer(TokenizerConfig(kind, 5000), [text])
        path = folder() / "trained.json"
        with path.open("wb") as file:
            save_tokenizer(trained, file)
        loaded = load_tokenizer(path)
        assert loaded.to_json() == trained.to_json()
        assert loaded.decode(loaded.encode(text)) == loaded.normalize(text)


def corpus_target(data: bytes) -> None:
    """A corpus has two sides of the same length without an empty sentence, and no line is lost."""
    path = folder() / ("p.tsv.gz" if data[:2] == b"\x1f\x8b" else "p.tsv")
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        corpus = read_corpus(str(path))
        assert len(corpus.sources) == len(corpus.targets) > 0
        assert all(side.strip() and "\n" not in side for side in [*corpus.sources, *corpus.targets])
        if path.suffix != ".gz":
            assert len(corpus) + len(corpus.skipped) == data.count(b"\n") + (not data.endswith(b"\n"))


def toml_target(data: bytes) -> None:
    """Settings have the types of their flags."""
    path = folder() / "c.toml"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        types = {**setting_types(), **RUN_FLAGS}
        settings = parse_toml(read_text(path, LARGEST_FILE), str(path), types)
        assert all(type(value) is types[name] for name, value in settings.items())


def json_target(data: bytes) -> None:
    """A tokenizer's file is refused, or is one that works."""
    path = folder() / "t.json"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        tokenizer = load_tokenizer(path)
        ids = tokenizer.encode("The old cat 漢")
        tokenizer.decode(ids).encode("utf-8")
        assert json.loads(json.dumps(tokenizer.to_json())) == tokenizer.to_json()


def model_target(data: bytes) -> None:
    """A model's file is refused, or is one that can be saved."""
    path = folder() / "m.npz"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        save_model(folder() / "again.npz", load_model(path))


def command_target(data: bytes) -> None:
    """Any command line, split at NULs, ends with a documented exit code and explains itself; training takes no step."""
    arguments = [os.fsdecode(part) for part in data.split(b"\0")]
    before, argv, streams = Path.cwd(), sys.argv, (sys.stdin, sys.stdout, sys.stderr)
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8", "replace")
    place = folder() / "commands"
    place.mkdir(exist_ok=True)
    (place / "x.tsv").write_text("a\tb\nc\td\n")
    console._Flags.quiet = console._Flags.debug = False
    try:
        os.chdir(place)
        sys.argv = ["seq2seq", *arguments]
        sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(b"a\tb\n")), out, err
        with (
            mock.patch("seq2seq_cli.text.builtin.builtin_corpus", return_value="x.tsv"),
            mock.patch("seq2seq_cli.training.trainer.Trainer.run", return_value=()),
        ):
            code = exits.run(app)
    finally:
        os.chdir(before)
        sys.argv, (sys.stdin, sys.stdout, sys.stderr) = argv, streams
    err.flush()
    message = err.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert code in (0, 1, 2), (arguments, code)
    assert code == 0 or "error: " in message, (arguments, message)
    assert "a bug in this program" not in message, (arguments, message)
    assert "Traceback" not in message or "--debug" in arguments, (arguments, message)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "tokenizer": tokenizer_target,
    "training": training_target,
    "corpus": corpus_target,
    "toml": toml_target,
    "json": json_target,
    "model": model_target,
    "command": command_target,
}
