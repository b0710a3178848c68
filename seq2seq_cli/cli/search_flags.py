"""What commands that translate share: the flags for models and workers, checking flags, and loading the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2seq_cli.cli.flags import complete_model
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.config import SearchConfig, flag_of, settings_in
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.inference.communicator import find_communicator
from seq2seq_cli.inference.workers import check_threads

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Translator

DEFAULT_MODEL = Path("model.npz")
SHOWN = "Output"
BADLY_COVERED = 0.2
"""Share of a vocabulary's words below which a model of the reverse direction is probably not one (see its coverage)."""

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

Swap = Annotated[
    bool | None,
    typer.Option(
        "--swap/--no-swap",
        help="Whether the two sides of CORPUS change places.",
        show_default="as in the training",
        rich_help_panel="Files",
    ),
]


def search_config(**settings: Any) -> SearchConfig:
    """Return the settings of a search, given as flags.

    Raises:
        UserError: if one is outside its limits, or has no effect with the others.
    """
    config = SearchConfig(**settings)
    changed = {name for name, field in settings_in(SearchConfig).items() if getattr(config, name) != field.default}
    if config.sample and "beam" in changed:
        raise usage_error("--sample draws tokens at random and has no beam", where="--beam", fix="leave --beam out")
    needs = {"temperature": "sample", "seed": "sample", "rerank_weight": "rerank"}
    for name, needed in needs.items():
        if name in changed and not getattr(config, needed):
            flag = flag_of(needed)
            raise usage_error(
                f"{flag_of(name)} has no effect without {flag}", where=flag_of(name), fix=f"add {flag}, or leave it out"
            )
    return config


def load_reverse_model(translator: Translator, config: SearchConfig) -> None:
    """Load the model of ``--rerank``, if there is one, and warn if it seems to be of another language.

    Raises:
        UserError: if the file is missing or not a model.
    """
    if config.rerank is None:
        return
    share = translator.reverse_model(config).coverage(translator.target_tokenizer)
    if share is not None and share < BADLY_COVERED:
        console.warn(
            f"only {share:.0%} of the target words are in the training sources of {config.rerank}: does it translate "
            "in the reverse direction?"
        )


def load_translator(models: list[Path] | None, threads: int | None) -> Translator:
    """Return the translator of the named model files, or of ``model.npz``; all processes of a run share it."""
    from seq2seq_cli.inference.leading import LeadingTranslator
    from seq2seq_cli.inference.translator import Translator

    threads = check_threads(threads)
    if models is None and not DEFAULT_MODEL.exists():
        raise UserError(
            f"there is no model: {DEFAULT_MODEL} does not exist in this folder",
            where="--model",
            fix="train one with 'seq2seq train', or name one with --model",
        )
    communicator = find_communicator()
    kind = Translator if communicator.size == 1 else LeadingTranslator
    return kind.load(*(models or [DEFAULT_MODEL]), threads=threads, processes=True, communicator=communicator)
