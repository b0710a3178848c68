"""``seq2seq tokenizer``: train a tokenizer, and encode and decode text with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from seq2seq_cli.cli.flags import completion, listed
from seq2seq_cli.cli.help import Command, Group
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.tokens import read_token, show_token
from seq2seq_cli.config import TOKENIZER_KINDS, TokenizerConfig
from seq2seq_cli.errors import UserError, choice_error, usage_error
from seq2seq_cli.text.alphabet import covering_size
from seq2seq_cli.text.characters import visible
from seq2seq_cli.text.corpus import read_lines
from seq2seq_cli.text.inputs import STDIO
from seq2seq_cli.text.lines import Lines
from seq2seq_cli.text.tokenizer import Tokenizer
from seq2seq_cli.text.tokenizer_file import load_tokenizer, save_tokenizer, train_tokenizer

tokenizer_app = typer.Typer(
    cls=Group,
    help="Train a tokenizer, and turn text into tokens and back.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
)
_DEFAULTS = TokenizerConfig()


@tokenizer_app.command("train", cls=Command)
def train_tokenizer_command(
    text: Annotated[
        list[str], typer.Argument(help="Text files, one sentence per line; also .gz files, and - for stdin.")
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="The tokenizer, a JSON file; - for stdout.", rich_help_panel="Tokenizer"),
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            help=f"{listed(TOKENIZER_KINDS)}.",
            rich_help_panel="Tokenizer",
            autocompletion=completion(TOKENIZER_KINDS),
        ),
    ] = _DEFAULTS.kind,
    vocab_size: Annotated[
        int | None,
        typer.Option(
            "--vocab-size",
            help="Maximum number of entries.",
            show_default=f"{_DEFAULTS.vocab_size}, or more to cover all characters",
            rich_help_panel="Tokenizer",
        ),
    ] = None,
    lowercase: Annotated[
        bool,
        typer.Option("--lowercase", help="Convert text to lower case.", rich_help_panel="Tokenizer"),
    ] = False,
    text_normalization: Annotated[
        str,
        typer.Option(
            "--text-normalization",
            help="typographic (variants of apostrophes, quotes and spaces become the most frequent form) or none.",
            rich_help_panel="Tokenizer",
        ),
    ] = _DEFAULTS.text_normalization,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Train a tokenizer on text files.

    Example: seq2seq tokenizer train train.de -o de.json --vocab-size 4000
    """
    size = _DEFAULTS.vocab_size if vocab_size is None else vocab_size
    config = TokenizerConfig(kind, size, lowercase, text_normalization)
    console.check_inputs(*text)
    console.check_output(output)
    lines = Lines(line for path in text for line in read_lines(path))
    if vocab_size is None:
        config = dataclasses.replace(config, vocab_size=covering_size(config, lines))
    tokenizer = train_tokenizer(config, lines)
    if len(tokenizer) <= 3:
        raise UserError("there is no text to train on", where=", ".join(text), fix="give at least one line of text")
    with console.output_to(output) as stream:
        save_tokenizer(tokenizer, stream)
    console.say(f"{'tokenizer' if output == STDIO else output}: {len(tokenizer)} entries ({config.kind})")


TokenizerFile = Annotated[
    Path,
    typer.Option(
        "--tokenizer",
        "-t",
        help="Tokenizer file, from 'seq2seq tokenizer train', or a model file.",
        rich_help_panel="Tokenizer",
    ),
]
SIDES = ("source", "target")
Side = Annotated[
    str | None,
    typer.Option(
        "--side",
        help="The tokenizer of a model: source or target.",
        show_default="source, or target to decode",
        rich_help_panel="Tokenizer",
        autocompletion=completion(SIDES),
    ),
]
Ids = Annotated[bool, typer.Option("--ids", help="Token ids instead of tokens.", rich_help_panel="Tokenizer")]


@tokenizer_app.command("encode", cls=Command)
def encode_command(
    tokenizer: TokenizerFile,
    side: Side = None,
    ids: Ids = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Turn lines of text on stdin into lines of tokens on stdout.

    Tokens are separated by spaces; a space inside a token is shown as ▁.
    A ▁ or \\ in the text itself is shown as \\▁ or \\\\.

    Examples:
    echo "Good morning" | seq2seq tokenizer encode -t en.json
    echo "Bonjour" | seq2seq tokenizer encode -t model.npz --side target
    """
    loaded = _load(tokenizer, side, SIDES[0])

    def encoded() -> Iterator[str]:
        """Yield a line of tokens for each line of text."""
        for number, line in enumerate(console.read_input(STDIO), start=1):
            token_ids = loaded.encode(line)
            yield " ".join(str(k) if ids else show_token(loaded.vocabulary[k]) for k in token_ids)
            unknown = loaded.unknown(line)
            if unknown:
                console.warn(f"line {number}: out of vocabulary, read as <unk>: {', '.join(map(visible, unknown))}")

    console.write_results(encoded())


@tokenizer_app.command("decode", cls=Command)
def decode_command(
    tokenizer: TokenizerFile,
    side: Side = None,
    ids: Ids = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Turn lines of tokens on stdin into lines of text on stdout.

    Example: echo "▁Good ▁morning" | seq2seq tokenizer decode -t en.json
    """
    loaded = _load(tokenizer, side, SIDES[1])

    def decoded() -> Iterator[str]:
        """Yield a line of text for each line of tokens."""
        for number, line in enumerate(console.read_input(STDIO), start=1):
            token_ids = []
            for word in filter(None, line.split(" ")):
                k = _parse_id(word, loaded) if ids else loaded.ids.get(read_token(word))
                if k is None:
                    raise UserError(
                        f"{word!r} is not {'an id' if ids else 'a token'} of this tokenizer",
                        where=f"standard input, line {number}",
                        fix=f"give lines that 'seq2seq tokenizer encode -t {tokenizer}{' --ids' if ids else ''}' wrote",
                    )
                token_ids.append(k)
            yield loaded.decode(token_ids)

    console.write_results(decoded())


def _parse_id(word: str, tokenizer: Tokenizer) -> int | None:
    k = int(word) if word.isascii() and word.isdigit() and len(word) < 10 else -1
    return k if 0 <= k < len(tokenizer) else None


def _load(path: Path, side: str | None, default: str) -> Tokenizer:
    """Return the tokenizer in a file, or that of one side of a model."""
    if side is not None and side not in SIDES:
        raise choice_error("--side", side, SIDES)
    if str(path) == STDIO:
        raise usage_error(
            "the tokenizer cannot be read from standard input, which is the text to encode or decode",
            where="--tokenizer",
            fix="name the tokenizer file",
        )
    if path.suffix == ".npz":
        from seq2seq_cli.storage.checkpoint import load_either

        model = load_either(path)[0]
        return model.source_tokenizer if (side or default) == SIDES[0] else model.target_tokenizer
    if side is not None:
        raise usage_error("--side is only for the tokenizers of a model", where="--side", fix="leave --side out")
    return load_tokenizer(path)
