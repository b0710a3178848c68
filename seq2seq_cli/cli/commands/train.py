"""``seq2seq train``: from sentence pairs to a model file, with everything a user wants to know on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.config import ModelConfig, TokenizerConfig, TrainingConfig

_MODEL, _TRAINING, _TOKENIZER = ModelConfig(1, 1), TrainingConfig(), TokenizerConfig()
_FILES, _NETWORK, _SWITCHES, _TEXT, _LOOP = "Files", "The network", "The network: yes or no", "Text", "Training"


def _option(flag: str, value: str, help_text: str, default: Any, panel: str) -> Any:
    """Return a flag: what stands for its value, what it means, its default if it has one, and its panel."""
    help_text += "" if default is None else f" Default: {default}."
    return typer.Option(*flag.split(), metavar=value, help=help_text, show_default=False, rich_help_panel=panel)


def _switch(name: str, help_text: str, default: Any, panel: str) -> Any:
    """Return a flag that has a negative form; the default is a truth value or a text."""
    default = {True: "yes", False: "no"}.get(default, default)
    return _option(f"--{name}/--no-{name}", "", help_text, default, panel)


def train_command(
    corpus: Annotated[
        str | None,
        typer.Argument(
            metavar="CORPUS",
            help="pairs.tsv (source<TAB>target), or two files: source.txt,target.txt; .gz of these; - for stdin. "
            "Default: the built-in English–French corpus.",
            show_default=False,
        ),
    ] = None,
    valid: Annotated[
        str | None, _option("--valid", "CORPUS", "Validation pairs.", "a seeded share of CORPUS", _FILES)
    ] = None,
    output: Annotated[str | None, _option("--output -o", "FILE", "The model.", "model.npz", _FILES)] = None,
    config: Annotated[
        Path | None, _option("--config", "FILE", "Settings: any of these flags, as TOML; flags win.", None, _FILES)
    ] = None,
    log_file: Annotated[
        str | None,
        _option("--log-file", "FILE", "Also write metrics there, as JSON Lines (- for stdout).", None, _FILES),
    ] = None,
    dry_run: Annotated[
        bool | None,
        _option("--dry-run", "", "Look at the corpus, time a few steps, stop; write no file.", None, _FILES),
    ] = None,
    resume: Annotated[
        bool | None, _option("--resume", "", "Continue an interrupted training of this output.", None, _FILES)
    ] = None,
    cell: Annotated[str | None, _option("--cell", "KIND", "rnn, lstm or gru.", _MODEL.cell, _NETWORK)] = None,
    embedding_size: Annotated[
        int | None, _option("--embedding-size", "N", "Size of a token's vector.", _MODEL.embedding_size, _NETWORK)
    ] = None,
    hidden_size: Annotated[
        int | None, _option("--hidden-size", "N", "Size of the state, per direction.", _MODEL.hidden_size, _NETWORK)
    ] = None,
    layers: Annotated[
        int | None, _option("--layers", "N", "Recurrent layers on each side.", _MODEL.layers, _NETWORK)
    ] = None,
    bidirectional: Annotated[
        bool | None,
        _switch("bidirectional", "Whether the encoder also reads from the end.", _MODEL.bidirectional, _SWITCHES),
    ] = None,
    context: Annotated[
        str | None,
        _option("--context", "WHEN", "initial (Sutskever) or every-step (Cho).", _MODEL.context, _NETWORK),
    ] = None,
    reverse_source: Annotated[
        bool | None,
        _switch("reverse-source", "Whether the source is read in reverse.", _MODEL.reverse_source, _SWITCHES),
    ] = None,
    dropout: Annotated[
        float | None, _option("--dropout", "X", "Share of values dropped while training.", _MODEL.dropout, _NETWORK)
    ] = None,
    tie_embeddings: Annotated[
        bool | None,
        _switch(
            "tie-embeddings",
            "Whether the target embedding is also the output layer.",
            "yes where the sizes agree",
            _SWITCHES,
        ),
    ] = None,
    source_tokenizer: Annotated[
        str | None,
        _option("--source-tokenizer", "FILE", "From 'seq2seq tokenizer train'.", "learnt from CORPUS", _TEXT),
    ] = None,
    target_tokenizer: Annotated[
        str | None, _option("--target-tokenizer", "FILE", "The same for the target.", "learnt from CORPUS", _TEXT)
    ] = None,
    tokenizer: Annotated[
        str | None, _option("--tokenizer", "KIND", "What to learn: bpe, word or char.", _TOKENIZER.kind, _TEXT)
    ] = None,
    vocab_size: Annotated[
        int | None, _option("--vocab-size", "N", "Most entries of each vocabulary.", _TOKENIZER.vocab_size, _TEXT)
    ] = None,
    lowercase: Annotated[
        bool | None, _switch("lowercase", "Fold text to lower case.", _TOKENIZER.lowercase, _TEXT)
    ] = None,
    epochs: Annotated[
        int | None,
        _option(
            "--epochs",
            "N",
            "Most passes over the corpus.",
            f"{_TRAINING.epochs}, more for a small corpus; no limit if there is another",
            _LOOP,
        ),
    ] = None,
    max_steps: Annotated[int | None, _option("--max-steps", "N", "Most optimizer steps.", None, _LOOP)] = None,
    max_minutes: Annotated[float | None, _option("--max-minutes", "X", "Most minutes.", None, _LOOP)] = None,
    batch_size: Annotated[
        int | None, _option("--batch-size", "N", "Sentence pairs per step.", _TRAINING.batch_size, _LOOP)
    ] = None,
    max_tokens_per_batch: Annotated[
        int | None,
        _option(
            "--max-tokens-per-batch",
            "N",
            "Most tokens of both sides per step; it bounds the memory. A batch with more is cut.",
            _TRAINING.max_tokens_per_batch,
            _LOOP,
        ),
    ] = None,
    max_source_length: Annotated[
        int | None,
        _option(
            "--max-source-length",
            "N",
            "Most source tokens of a pair; pairs with more are skipped.",
            _TRAINING.max_source_length,
            _TEXT,
        ),
    ] = None,
    optimizer: Annotated[str | None, _option("--optimizer", "NAME", "adam or sgd.", _TRAINING.optimizer, _LOOP)] = None,
    learning_rate: Annotated[
        float | None,
        _option(
            "--learning-rate",
            "X",
            "At the start; halved when validation does not improve.",
            _TRAINING.learning_rate,
            _LOOP,
        ),
    ] = None,
    cool_down: Annotated[
        float | None,
        _option("--cool-down", "X", "Last share of the training, where the rate falls.", _TRAINING.cool_down, _LOOP),
    ] = None,
    clip_norm: Annotated[
        float | None,
        _option("--clip-norm", "X", "Largest norm of the gradient; 0: no limit.", _TRAINING.clip_norm, _LOOP),
    ] = None,
    label_smoothing: Annotated[
        float | None,
        _option(
            "--label-smoothing",
            "X",
            "Share of the target spread over the vocabulary.",
            _TRAINING.label_smoothing,
            _LOOP,
        ),
    ] = None,
    patience: Annotated[
        int | None,
        _option("--patience", "N", "Stop after so many validations without a better one.", _TRAINING.patience, _LOOP),
    ] = None,
    seed: Annotated[int | None, _option("--seed", "N", "Decides everything random.", _TRAINING.seed, _LOOP)] = None,
    threads: Annotated[
        int | None,
        _option("--threads", "N", "Threads that share the sentences of a batch.", "one for each core", _LOOP),
    ] = None,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Train a model and keep the best one.

    Without arguments it trains on the built-in English–French corpus and writes model.npz.
    Ctrl-C saves and stops; the same command with --resume continues.

    Examples:
      seq2seq train --dry-run
      seq2seq train pairs.tsv -o mine.npz --max-minutes 10
      seq2seq train train.de,train.en --valid val.de,val.en --config recipe.toml
    """
    flags = locals()
    from seq2seq_cli.cli.settings import read_settings
    from seq2seq_cli.training.run import Run

    given = {name: value for name, value in flags.items() if name in setting_types() and value is not None}
    from_file = {} if config is None else read_settings(config, setting_types())
    settings = {**from_file, **given}
    inputs = ("corpus", "valid", "source_tokenizer", "target_tokenizer")
    console.check_inputs(config, *(settings.get(name) for name in inputs))
    Run(settings).train()


def setting_types() -> dict[str, type]:
    """Return the type of every setting that ``--config`` may hold, by flag name with underscores."""
    types: dict[str, type] = {}
    for name, hint in get_type_hints(train_command).items():
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        if name not in ("quiet", "debug", "config", "return") and kinds:
            types[name] = kinds[0]
    return types
