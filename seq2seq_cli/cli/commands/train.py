"""``seq2seq train``: train a model on sentence pairs, and show the progress."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seq2seq_cli.cli.flags import with_flags
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.config import (
    CorpusConfig,
    ModelConfig,
    Recipe,
    TokenizerConfig,
    TrainingConfig,
    parse_toml,
    setting_types,
)
from seq2seq_cli.inference.communicator import Communicator, find_communicator
from seq2seq_cli.storage.paths import check_outputs, model_files
from seq2seq_cli.text.builtin import recipe_file
from seq2seq_cli.text.inputs import STDIO, read_text, title

DEFAULT_MODEL = "model.npz"
LARGEST_FILE = 1 << 20
RUN_FLAGS = {"output": str, "log_file": str, "dry_run": bool, "resume": bool}
"""What a file of settings may contain besides a recipe."""


@with_flags(CorpusConfig, ModelConfig, TokenizerConfig, TrainingConfig, optional=True)
def train_command(
    corpus: Annotated[
        str | None,
        typer.Argument(
            metavar="CORPUS",
            help="pairs.tsv (source<TAB>target), or two files: source.txt,target.txt; also .gz files; - for stdin.",
            show_default="the built-in English–French corpus",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Path of the model; an existing one is backed up as NAME.previous.npz (at most nine backups).",
            show_default=DEFAULT_MODEL,
            rich_help_panel="Files",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="TOML file with any of these flags; flags given here win. builtin:NAME is a recipe of the program.",
            show_default="none",
            rich_help_panel="Files",
        ),
    ] = None,
    log_file: Annotated[
        str | None,
        typer.Option(
            "--log-file",
            metavar="FILE",
            help="Also write metrics to this file, as JSON Lines (- for stdout).",
            show_default="none",
            rich_help_panel="Files",
        ),
    ] = None,
    dry_run: Annotated[
        bool | None,
        typer.Option(
            "--dry-run",
            metavar="",
            help="Only describe the corpus and time a few steps; write no file.",
            show_default="no",
            rich_help_panel="Files",
        ),
    ] = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume",
            metavar="",
            help="Continue the interrupted training of this model.",
            show_default="no",
            rich_help_panel="Files",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            help="Workers that share the sentences of a batch.",
            show_default="one per core",
            rich_help_panel="Training",
        ),
    ] = None,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
    **settings: Any,
) -> None:
    """Train a model and keep the best one.

    Without arguments it trains on the built-in English–French corpus and writes model.npz.
    Ctrl-C saves and stops; the same command with --resume continues.

    Examples:
      seq2seq train --dry-run
      seq2seq train pairs.tsv -o mine.npz --max-minutes 10
      seq2seq train train.de,train.en --valid val.de,val.en --config recipe.toml
      seq2seq train new.tsv --start-from mine.npz -o tuned.npz
    """
    communicator = find_communicator()
    with communicator.together():
        _train(
            communicator, {"corpus": corpus, "threads": threads, **settings}, config, output, log_file, dry_run, resume
        )


def _train(
    communicator: Communicator,
    given: dict[str, Any],
    config: Path | None,
    output: str | None,
    log_file: str | None,
    dry_run: bool | None,
    resume: bool | None,
) -> None:
    """Train as one of the processes of a run; the first one reads the file of settings."""
    given |= {"output": output, "log_file": log_file, "dry_run": dry_run, "resume": resume}
    given = {name: value for name, value in given.items() if value is not None}
    console.check_inputs(config)
    if config is not None and communicator.first:
        known = {**setting_types(), **RUN_FLAGS}
        file = recipe_file(str(config))
        given = {**parse_toml(read_text(file, LARGEST_FILE), title(file), known), **given}
    given = communicator.broadcast(given)
    inputs = ("corpus", "valid", "source_tokenizer", "target_tokenizer")
    console.check_inputs(config, *(given.get(name) for name in inputs))
    run = {name: given.pop(name, None) for name in RUN_FLAGS}
    # At once: importing, reading and counting may take a while.
    console.say(f"reading {title(given.get('corpus') or 'the built-in corpus')} …")
    if config is not None:
        logs = [] if run["log_file"] is None else [("--log-file", run["log_file"])]
        check_outputs([("--config", config)], [*model_files("--output", run["output"] or DEFAULT_MODEL), *logs])
    from seq2seq_cli.cli.terminal.progress import show_training
    from seq2seq_cli.training.run import train

    log_on_stdout = run["log_file"] == STDIO and communicator.first
    if log_on_stdout:
        console.results()  # raises an error if stdout is closed
    events = train(
        Recipe.of(**given),
        run["output"] or DEFAULT_MODEL,
        resume=bool(run["resume"]),
        dry_run=bool(run["dry_run"]),
        log_file=None if log_on_stdout else run["log_file"],
        communicator=communicator,
    )
    as_result = bool(run["dry_run"]) and communicator.first
    show_training(events, as_result=as_result, log_on_stdout=log_on_stdout, communicator=communicator)
