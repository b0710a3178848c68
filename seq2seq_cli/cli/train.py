"""``seq2seq train``: from sentence pairs to a model file, with everything a user wants to know on the way."""

from __future__ import annotations

import dataclasses
import inspect
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from seq2seq_cli.cli import console
from seq2seq_cli.cli.settings import read_settings
from seq2seq_cli.config import ModelConfig, TokenizerConfig, TrainingConfig
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.files import explain_os_errors

if TYPE_CHECKING:
    from seq2seq_cli.checkpoint import Checkpoint, TrainingState
    from seq2seq_cli.nn.model import Seq2Seq
    from seq2seq_cli.text.corpus import Corpus
    from seq2seq_cli.text.tokenizer import Tokenizer
    from seq2seq_cli.training import Score

_MODEL, _TRAINING, _TOKENIZER = ModelConfig(1, 1), TrainingConfig(), TokenizerConfig()
TEXT_DEFAULTS = {
    "tokenizer": _TOKENIZER.kind,
    "vocab_size": _TOKENIZER.vocab_size,
    "lowercase": _TOKENIZER.lowercase,
    "source_tokenizer": None,
    "target_tokenizer": None,
}
MAY_CHANGE_ON_RESUME = {"epochs", "max_steps", "max_minutes", "patience", "learning_rate"}


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
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Train a model and keep the best one.

    Without arguments it trains on the built-in English–French corpus and writes model.npz. Ctrl-C saves and stops;
    the same command with --resume continues.

    Examples: seq2seq train · seq2seq train pairs.tsv -o mine.npz · seq2seq train a.de,a.en --valid b.de,b.en
    """
    names = [name for name in inspect.signature(train_command).parameters if name not in ("quiet", "debug", "config")]
    given = {name: value for name, value in locals().items() if name in names and value is not None}
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


class Run:
    """One training run: the settings put together, checked, and carried out.

    Args:
        given: settings that the user named, from flags and the configuration file.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.output = Path(given.get("output", "model.npz"))
        self.resumed: tuple[Checkpoint, TrainingState] | None = None

    def train(self) -> None:
        """Check everything, then train; afterwards say what to type next."""
        from seq2seq_cli.checkpoint import previous_path
        from seq2seq_cli.cli.progress import follow
        from seq2seq_cli.training import Trainer, default_epochs

        self._check_output()
        if self.given.get("resume"):
            self._load_state()
        training = self._settings(TrainingConfig, TrainingConfig())
        self._settings(ModelConfig, _MODEL)  # wrong flags are reported before any file is read
        tokenizer_config = self._tokenizer_config()
        train, valid = self._read_corpora(training.seed)
        if "epochs" not in self.given and not self.resumed:
            another_limit = training.max_steps is not None or training.max_minutes is not None
            epochs = default_epochs(math.ceil(len(train) / training.batch_size), another_limit)
            training = dataclasses.replace(training, epochs=epochs)
        checkpoint = self._checkpoint(train, training, tokenizer_config)
        encoded = self._encode(train, checkpoint), self._encode(valid, checkpoint)
        trainer = Trainer(
            checkpoint,
            *encoded,
            self.output,
            score=lambda model: self._score(model, checkpoint, valid),
            state=self.resumed[1] if self.resumed else None,
        )
        self._introduce(checkpoint, train, valid, encoded[0].target_tokens)
        if self.output.exists() and not self.resumed:
            console.say(f"note:       the model now in {self.output} will be kept as {previous_path(self.output)}")
        follow(trainer, log_file=self.given.get("log_file"), resumed=self.resumed is not None)
        self._say_what_next()

    def _check_output(self) -> None:
        from seq2seq_cli.checkpoint import state_path

        if self.output.suffix != ".npz" or self.output.name.endswith(".state.npz"):
            raise usage_error(
                f"the model's file must end in .npz, not {self.output.name!r}",
                where="--output",
                fix="for example: -o model.npz",
            )
        log_file = self.given.get("log_file")
        for path in (self.output, state_path(self.output), *([Path(log_file)] if log_file else [])):
            with explain_os_errors(path, "write"):
                if path.is_dir():
                    raise IsADirectoryError
                if not path.parent.is_dir():
                    raise FileNotFoundError
                if not os.access(path.parent, os.W_OK):
                    raise PermissionError

    def _load_state(self) -> None:
        from seq2seq_cli.checkpoint import load_state, state_path

        path = state_path(self.output)
        if not path.exists():
            raise UserError("there is no training to resume", where=str(path), fix="train without --resume")
        self.resumed = load_state(path)
        checkpoint = self.resumed[0]
        stored = {
            **dataclasses.asdict(checkpoint.model.config),
            **dataclasses.asdict(checkpoint.training),
            **{name: checkpoint.text.get(name, default) for name, default in TEXT_DEFAULTS.items()},
        }
        for name, value in self.given.items():
            if name in stored and name not in MAY_CHANGE_ON_RESUME and stored[name] != value:
                flag = name.replace("_", "-")
                raise UserError(
                    f"--{flag} {value} is not what this training started with: {stored[name]}",
                    where=str(path),
                    fix=f"leave --{flag} out, or train without --resume",
                )

    def _settings(self, kind: type[Any], defaults: Any) -> Any:
        """Return the configuration of that kind: what was given, else what is resumed, else the default."""
        base = defaults
        if self.resumed:
            base = self.resumed[0].training if kind is TrainingConfig else self.resumed[0].model.config
        names = {field.name for field in dataclasses.fields(kind)}
        changes = {name: value for name, value in self.given.items() if name in names}
        if kind is ModelConfig and not self.resumed:
            changes.setdefault("tie_embeddings", None)  # decided anew where the sizes or the context are others
        return dataclasses.replace(base, **changes)

    def _tokenizer_config(self) -> TokenizerConfig:
        return TokenizerConfig(
            self.given.get("tokenizer", _TOKENIZER.kind),
            self.given.get("vocab_size", _TOKENIZER.vocab_size),
            self.given.get("lowercase", _TOKENIZER.lowercase),
        )

    def _read_corpora(self, seed: int) -> tuple[Corpus, Corpus]:
        from seq2seq_cli.text.builtin import builtin_corpus
        from seq2seq_cli.text.corpus import hold_out, read_corpus

        name, valid_name = self.given.get("corpus"), self.given.get("valid")
        if name is None:
            name, valid_name = builtin_corpus("train"), valid_name or builtin_corpus("valid")
        if name == valid_name == "-":
            raise usage_error("standard input cannot be both corpora", where="--valid", fix="name a file for --valid")
        train = read_corpus(name)
        console.warn_of_skipped(train.name, train.skipped)
        if valid_name is not None:
            valid = read_corpus(valid_name)
            console.warn_of_skipped(valid.name, valid.skipped)
            return train, valid
        train, valid = hold_out(train, seed)
        if valid is train:
            console.warn("no pairs can be held out for validation: the training pairs are used for it")
        return train, valid

    def _checkpoint(self, train: Corpus, training: TrainingConfig, tokenizer_config: TokenizerConfig) -> Checkpoint:
        from seq2seq_cli.checkpoint import Checkpoint
        from seq2seq_cli.nn.model import Seq2Seq
        from seq2seq_cli.training import INITIAL_STREAM, random_stream

        if self.resumed:
            checkpoint = self.resumed[0]
            checkpoint.training = training
            return checkpoint
        source = self._tokenizer("source", train.sources, tokenizer_config)
        target = self._tokenizer("target", train.targets, tokenizer_config)
        config = dataclasses.replace(
            self._settings(ModelConfig, _MODEL), source_vocabulary=len(source), target_vocabulary=len(target)
        )
        model = Seq2Seq.create(config, random_stream(training.seed, INITIAL_STREAM))
        text = {name: self.given[name] for name in TEXT_DEFAULTS if name in self.given}
        return Checkpoint(model, source, target, training, corpus=self._corpus_name(train), text=text)

    def _tokenizer(self, side: str, lines: list[str], config: TokenizerConfig) -> Tokenizer:
        from seq2seq_cli.text.storage import load_tokenizer, train_tokenizer

        path = self.given.get(f"{side}_tokenizer")
        return train_tokenizer(config, lines) if path is None else load_tokenizer(Path(path))

    def _encode(self, corpus: Corpus, checkpoint: Checkpoint) -> Any:
        from seq2seq_cli.batches import encode_corpus
        from seq2seq_cli.text.tokenizer import UNKNOWN

        reverse = checkpoint.model.config.reverse_source
        encoded = encode_corpus(corpus, checkpoint.source_tokenizer, checkpoint.target_tokenizer, reverse)
        for side, sentences in (("source", encoded.source), ("target", encoded.target)):
            unknown = int((sentences.ids == UNKNOWN).sum())
            if unknown:
                share = 100 * unknown / len(sentences.ids)
                console.warn(
                    f"{corpus.name}: {unknown:,} {side} tokens ({share:.1f} %) are not in the vocabulary: <unk>"
                )
        return encoded

    def _score(self, model: Seq2Seq, checkpoint: Checkpoint, valid: Corpus) -> Score:
        """Translate the first thousand validation sentences greedily and score them."""
        from seq2seq_cli.config import SearchConfig
        from seq2seq_cli.evaluation import corpus_bleu
        from seq2seq_cli.training import Score
        from seq2seq_cli.translation import Translator

        sources, targets = valid.sources[:1000], valid.targets[:1000]
        hypotheses = Translator([checkpoint]).translate(sources, SearchConfig(beam=1, n_best=1))
        # A sentence of middling length shows more of what the model can do than a very short or very long one.
        shown = sorted(range(len(sources)), key=lambda k: (len(sources[k]), k))[len(sources) // 2]
        sample = (sources[shown], targets[shown], hypotheses[shown])
        return Score(corpus_bleu(hypotheses, targets), sample)

    def _corpus_name(self, train: Corpus) -> str:
        from seq2seq_cli.text.builtin import BUILTIN

        return BUILTIN if self.given.get("corpus") is None else train.name

    def _introduce(self, checkpoint: Checkpoint, train: Corpus, valid: Corpus, tokens: int) -> None:
        config = checkpoint.model.config
        builtin = self.given.get("corpus") is None
        name = "the built-in English–French corpus" if builtin else self._corpus_name(train)
        console.say(
            f"corpus:     {name}: {len(train):,} training pairs ({tokens:,} target tokens), "
            f"{len(valid):,} for validation"
        )
        console.say(
            f"vocabulary: {config.source_vocabulary:,} source and {config.target_vocabulary:,} target tokens "
            f"({checkpoint.source_tokenizer.kind})"
        )
        directions = "both directions" if config.bidirectional else "one direction"
        console.say(
            f"model:      {config.cell}, {config.layers} layer{'s' * (config.layers > 1)}, {directions}, context "
            f"{config.context}, {len(checkpoint.model.parameters.flat):,} parameters"
        )

    def _say_what_next(self) -> None:
        model = "" if self.output == Path("model.npz") else f" -m {self.output}"
        test = "" if self.given.get("corpus") is None else " TEST_CORPUS"
        console.say(
            f"\nThe model is in {self.output}. Now try:\n  seq2seq translate{model}\n  seq2seq eval{test}{model}"
        )
