"""``seq2seq train``: from sentence pairs to a model file, with everything a user wants to know on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from seq2seq_cli.cli import console
from seq2seq_cli.config import ModelConfig, TokenizerConfig, TrainingConfig

_MODEL, _TRAINING, _TOKENIZER = ModelConfig(1, 1), TrainingConfig(), TokenizerConfig()


def _option(flag: str, help_text: str, default: Any, panel: str) -> Any:
    shown = default if isinstance(default, str) else "no" if default is False else str(default)
    return typer.Option(flag, help=help_text, show_default=shown, rich_help_panel=panel)


_NETWORK, _TEXT, _LOOP, _FILES = "The network", "Text", "Training", "Files"


def train_command(
    corpus: Annotated[
        str | None,
        typer.Argument(
            help="pairs.tsv (source<TAB>target), source.txt,target.txt, .gz of these, or - for stdin.",
            show_default="the built-in English–French corpus",
        ),
    ] = None,
    valid: Annotated[str | None, _option("--valid", "Validation corpus.", "a seeded share of CORPUS", _FILES)] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Model file.", show_default="model.npz", rich_help_panel=_FILES)
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="TOML file with any of these flags; flags win over it.", rich_help_panel=_FILES),
    ] = None,
    log_file: Annotated[
        str | None, typer.Option("--log-file", help="Write metrics as JSON Lines.", rich_help_panel=_FILES)
    ] = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume",
            help="Continue an interrupted training of the same output, bit for bit.",
            show_default=False,
            rich_help_panel=_FILES,
        ),
    ] = None,
    cell: Annotated[str | None, _option("--cell", "rnn, lstm or gru.", _MODEL.cell, _NETWORK)] = None,
    embedding_size: Annotated[
        int | None, _option("--embedding-size", "Size of a token's vector.", _MODEL.embedding_size, _NETWORK)
    ] = None,
    hidden_size: Annotated[
        int | None, _option("--hidden-size", "Size of the state, per direction.", _MODEL.hidden_size, _NETWORK)
    ] = None,
    layers: Annotated[
        int | None, _option("--layers", "Recurrent layers on each side.", _MODEL.layers, _NETWORK)
    ] = None,
    bidirectional: Annotated[
        bool | None,
        _option(
            "--bidirectional/--no-bidirectional",
            "Whether the encoder also reads from the end.",
            "bidirectional" if _MODEL.bidirectional else "no-bidirectional",
            _NETWORK,
        ),
    ] = None,
    context: Annotated[
        str | None, _option("--context", "initial (Sutskever) or every-step (Cho).", _MODEL.context, _NETWORK)
    ] = None,
    reverse_source: Annotated[
        bool | None,
        _option(
            "--reverse-source/--no-reverse-source",
            "Whether the source is read in reverse.",
            "reverse-source" if _MODEL.reverse_source else "no-reverse-source",
            _NETWORK,
        ),
    ] = None,
    dropout: Annotated[
        float | None, _option("--dropout", "Share of values dropped while training.", _MODEL.dropout, _NETWORK)
    ] = None,
    tie_embeddings: Annotated[
        bool | None,
        _option(
            "--tie-embeddings/--no-tie-embeddings",
            "Whether the target embedding is also the output layer.",
            "tied where the sizes agree",
            _NETWORK,
        ),
    ] = None,
    source_tokenizer: Annotated[
        str | None, _option("--source-tokenizer", "JSON from 'seq2seq tokenizer train'.", "learnt from CORPUS", _TEXT)
    ] = None,
    target_tokenizer: Annotated[
        str | None, _option("--target-tokenizer", "The same for the target.", "learnt from CORPUS", _TEXT)
    ] = None,
    tokenizer: Annotated[
        str | None, _option("--tokenizer", "Kind to learn: bpe, word or char.", _TOKENIZER.kind, _TEXT)
    ] = None,
    vocab_size: Annotated[
        int | None, _option("--vocab-size", "Most entries of each vocabulary.", _TOKENIZER.vocab_size, _TEXT)
    ] = None,
    lowercase: Annotated[
        bool | None, _option("--lowercase/--no-lowercase", "Fold text to lower case.", "no-lowercase", _TEXT)
    ] = None,
    epochs: Annotated[
        int | None,
        _option(
            "--epochs",
            "Most passes over the corpus.",
            f"{_TRAINING.epochs}, more for a small corpus, no limit with another one",
            _LOOP,
        ),
    ] = None,
    max_steps: Annotated[int | None, _option("--max-steps", "Most optimizer steps.", "no limit", _LOOP)] = None,
    max_minutes: Annotated[float | None, _option("--max-minutes", "Most minutes.", "no limit", _LOOP)] = None,
    batch_size: Annotated[
        int | None, _option("--batch-size", "Sentence pairs per step.", _TRAINING.batch_size, _LOOP)
    ] = None,
    max_tokens_per_batch: Annotated[
        int | None,
        _option(
            "--max-tokens-per-batch",
            "Most tokens of both sides per step; it bounds the memory. A batch with more is cut.",
            _TRAINING.max_tokens_per_batch,
            _LOOP,
        ),
    ] = None,
    max_source_length: Annotated[
        int | None,
        _option(
            "--max-source-length",
            "Most source tokens of a pair; pairs with more are skipped.",
            _TRAINING.max_source_length,
            _TEXT,
        ),
    ] = None,
    optimizer: Annotated[str | None, _option("--optimizer", "adam or sgd.", _TRAINING.optimizer, _LOOP)] = None,
    learning_rate: Annotated[
        float | None,
        _option(
            "--learning-rate", "At the start; halved when validation does not improve.", _TRAINING.learning_rate, _LOOP
        ),
    ] = None,
    cool_down: Annotated[
        float | None,
        _option(
            "--cool-down",
            "Share of the training, at its end, over which the rate falls to 0.",
            _TRAINING.cool_down,
            _LOOP,
        ),
    ] = None,
    clip_norm: Annotated[
        float | None,
        _option("--clip-norm", "Largest norm of the gradient; 0 for no limit.", _TRAINING.clip_norm, _LOOP),
    ] = None,
    label_smoothing: Annotated[
        float | None,
        _option(
            "--label-smoothing", "Share of the target spread over the vocabulary.", _TRAINING.label_smoothing, _LOOP
        ),
    ] = None,
    patience: Annotated[
        int | None,
        _option("--patience", "Stop after so many validations without a better one.", _TRAINING.patience, _LOOP),
    ] = None,
    seed: Annotated[int | None, _option("--seed", "Decides everything random.", _TRAINING.seed, _LOOP)] = None,
    threads: Annotated[
        int | None, _option("--threads", "Threads that share the sentences of a batch.", "one for each core", _LOOP)
    ] = None,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Train a model and keep the best one.

    Without arguments it trains on the built-in English–French corpus and writes model.npz.
    Ctrl-C saves and stops; the same command with --resume continues.

    Examples: seq2seq train · seq2seq train pairs.tsv -o mine.npz · seq2seq train a.de,a.en --valid b.de,b.en
    """
    flags = locals()
    from seq2seq_cli.cli.settings import read_settings
    from seq2seq_cli.cli.training_run import Run

    given = {name: value for name, value in flags.items() if name in setting_types() and value is not None}
    from_file = {} if config is None else read_settings(config, setting_types())
    Run({**from_file, **given}).train()


def setting_types() -> dict[str, type]:
    """Return the type of every setting that ``--config`` may hold, by flag name with underscores."""
    types: dict[str, type] = {}
    for name, hint in get_type_hints(train_command).items():
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        if name not in ("quiet", "debug", "config", "return") and kinds:
            types[name] = kinds[0]
    return types
