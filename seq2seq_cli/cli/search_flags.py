"""What the commands that translate share: the flags of the search, and the models that they name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.workers import check_threads

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Translator

DEFAULT_MODEL = Path("model.npz")
SEARCH, SHOWN = "The search", "What is shown"

Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Model file; several form an ensemble.",
        show_default="model.npz",
    ),
]
Beam = Annotated[
    int,
    typer.Option(
        "--beam", metavar="N", help="Hypotheses kept per sentence; 1 is greedy search.", rich_help_panel=SEARCH
    ),
]
LengthPenalty = Annotated[
    float,
    typer.Option(
        "--length-penalty",
        metavar="A",
        help="Compare hypotheses by log-probability / length^A; 0 favours short ones.",
        rich_help_panel=SEARCH,
    ),
]
Normalization = Annotated[
    str,
    typer.Option(
        "--normalization",
        metavar="FORM",
        help="plain: by length^A; gnmt: by ((5 + length) / 6)^A.",
        rich_help_panel=SEARCH,
    ),
]
NoRepeatNgram = Annotated[
    int,
    typer.Option(
        "--no-repeat-ngram",
        metavar="N",
        help="Never write the same N tokens in a row twice; 0 allows it.",
        rich_help_panel=SEARCH,
    ),
]
MaxLength = Annotated[
    str,
    typer.Option(
        "--max-length",
        metavar="LENGTH",
        help="Most target tokens: a number, or by the source's tokens, as 2x or 1.5x+10 (then at most 500).",
        rich_help_panel=SEARCH,
    ),
]
AllowUnknown = Annotated[
    bool,
    typer.Option(
        "--allow-unknown", help="A translation may hold <unk>, where it is most probable.", rich_help_panel=SEARCH
    ),
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size",
        metavar="N",
        help="Sentences translated at a time; 1 answers each line as it comes.",
        rich_help_panel=SEARCH,
    ),
]
MaxTokensPerBatch = Annotated[
    int,
    typer.Option(
        "--max-tokens-per-batch",
        metavar="N",
        help="Most source tokens translated at a time; it bounds the memory.",
        rich_help_panel=SEARCH,
    ),
]
MaxSourceLength = Annotated[
    int,
    typer.Option(
        "--max-source-length",
        metavar="N",
        help="Most source tokens; of a longer line the first so many are read.",
        rich_help_panel=SEARCH,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="Batches translated at a time.",
        show_default="one for each core",
        rich_help_panel=SEARCH,
    ),
]


def search_config(flags: dict[str, Any]) -> SearchConfig:
    """Return the search that a command's flags ask for; what it has no flag for has its default.

    Args:
        flags: the command's arguments by name, as ``locals()`` gives them; those for other things are passed over.
    """
    names = {field.name for field in dataclasses.fields(SearchConfig)}
    return SearchConfig(**{name: value for name, value in flags.items() if name in names})


def load_translator(models: list[Path] | None, threads: int | None) -> Translator:
    """Return the translator of the named model files, or of ``model.npz``."""
    from seq2seq_cli.inference.translator import Translator

    threads = check_threads(threads)
    if models is None and not DEFAULT_MODEL.exists():
        raise UserError(
            f"there is no model: {DEFAULT_MODEL} does not exist in this folder",
            where="--model",
            fix="train one with 'seq2seq train', or name one with --model",
        )
    return Translator.load(*(models or [DEFAULT_MODEL]), threads=threads, processes=True)
