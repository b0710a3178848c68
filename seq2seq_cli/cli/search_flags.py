"""What commands that translate share: the flags for models and workers, and loading the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seq2seq_cli.cli.flags import complete_model
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.workers import check_threads

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Translator

DEFAULT_MODEL = Path("model.npz")
SHOWN = "Output"

Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Model file; several form an ensemble.",
        show_default="model.npz",
        rich_help_panel="Files",
        autocompletion=complete_model,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="Batches translated in parallel.",
        show_default="one per core",
        rich_help_panel=SearchConfig.panel,
    ),
]


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
