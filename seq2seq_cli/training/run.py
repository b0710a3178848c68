"""One training run, from the settings to the saved model: what stands between the flags and the training loop."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.config import ModelConfig, TokenizerConfig, TrainingConfig
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.inference.workers import check_threads
from seq2seq_cli.storage.files import check_writable, remove_leftovers
from seq2seq_cli.storage.locks import exclusive
from seq2seq_cli.text.inputs import STDIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seq2seq_cli.nn.model import Seq2Seq
    from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState
    from seq2seq_cli.text.corpus import Corpus
    from seq2seq_cli.text.tokenizer import Tokenizer
    from seq2seq_cli.training.batches import EncodedCorpus
    from seq2seq_cli.training.events import Score

_MODEL, _TOKENIZER = ModelConfig(1, 1), TokenizerConfig()
TEXT_DEFAULTS = {
    "tokenizer": _TOKENIZER.kind,
    "vocab_size": _TOKENIZER.vocab_size,
    "lowercase": _TOKENIZER.lowercase,
    "source_tokenizer": None,
    "target_tokenizer": None,
}
MAY_CHANGE_ON_RESUME = {"epochs", "max_steps", "max_minutes", "patience", "learning_rate"}


class Run:
    """One training run: the settings put together, checked, and carried out.

    Args:
        given: settings that the user named, from flags and the configuration file.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.output = Path(given.get("output", "model.npz"))
        self.threads = check_threads(given.get("threads"))
        self.resumed: tuple[Checkpoint, TrainingState] | None = None
        self._dry = bool(given.get("dry_run"))

    def train(self) -> None:
        """Check everything, then train; afterwards say what to type next."""
        from seq2seq_cli.storage.checkpoint import state_path

        outputs = self._check_output()
        if self._dry:  # nothing will be written
            self._train()
            return
        with contextlib.ExitStack() as locks:
            for path in outputs:
                if path != state_path(self.output):  # the model's lock is the state's too
                    locks.enter_context(exclusive(path))
            for path in outputs:
                remove_leftovers(path)
            self._train()

    def _train(self) -> None:
        from seq2seq_cli.cli.terminal.preflight import preflight
        from seq2seq_cli.cli.terminal.progress import follow
        from seq2seq_cli.nn.cells import find_cell
        from seq2seq_cli.nn.optimizers import find_optimizer
        from seq2seq_cli.storage.checkpoint import previous_path
        from seq2seq_cli.text.training_vocabulary import TrainingVocabulary
        from seq2seq_cli.training.trainer import Trainer, default_epochs

        if self.given.get("resume"):
            self._load_state()
        training = self._settings(TrainingConfig, TrainingConfig())
        find_cell(self._settings(ModelConfig, _MODEL).cell)  # wrong flags are reported before any file is read
        find_optimizer(training.optimizer)
        tokenizer_config = self._tokenizer_config()
        train, valid = self._read_corpora(training.seed)
        if "epochs" not in self.given and not self.resumed:
            another_limit = training.max_steps is not None or training.max_minutes is not None
            epochs = default_epochs(math.ceil(len(train) / training.batch_size), another_limit)
            training = dataclasses.replace(training, epochs=epochs)
        checkpoint = self._checkpoint(train, training, tokenizer_config)
        same = valid is train  # where nothing could be held out
        train, encoded_train = self._encode(train, checkpoint)
        valid, encoded_valid = (train, encoded_train) if same else self._encode(valid, checkpoint)
        checkpoint.training_vocabulary = TrainingVocabulary.of(
            train.sources, longest=int(encoded_train.source.lengths.max()) - 1
        )
        trainer = Trainer(
            checkpoint,
            encoded_train,
            encoded_valid,
            self.output,
            score=lambda model, sentences: self._score(model, checkpoint, valid, sentences),
            state=self.resumed[1] if self.resumed else None,
            threads=self.threads,
        )
        preflight(trainer, train, valid, self._corpus_title(train), as_result=self._dry)
        if trainer.steps_per_epoch > math.ceil(len(train) / training.batch_size):
            console.say(
                f"note:       --max-tokens-per-batch {training.max_tokens_per_batch} makes some batches smaller than "
                f"--batch-size {training.batch_size}"
            )
        if self._dry:
            return
        del train  # from here on the ids are enough, and the text of a large corpus is several times as large
        if self.output.exists() and not self.resumed:
            console.say(f"note:       the model now in {self.output} will be kept as {previous_path(self.output)}")
        follow(trainer, log_file=self.given.get("log_file"), resumed=self.resumed is not None)
        self._say_what_next()

    def _check_output(self) -> list[Path]:
        """Return the files that nobody else may write meanwhile; all can be written."""
        from seq2seq_cli.storage.checkpoint import check_model_path, state_path

        check_model_path(self.output)
        outputs = [self.output, state_path(self.output)]
        log_file = self.given.get("log_file")
        if log_file == STDIO:
            console.results()  # an error if it is closed
        elif log_file is not None:
            if os.path.realpath(log_file) in map(os.path.realpath, outputs):
                raise usage_error("the log cannot be the model", where="--log-file", fix="name another file")
            outputs.append(Path(log_file))
        for path in outputs:
            check_writable(path)
        return [path for path in outputs if path.is_file() or not path.exists()]

    def _load_state(self) -> None:
        from seq2seq_cli.storage.checkpoint import load_state, state_path
        from seq2seq_cli.text.tokenizer_file import load_tokenizer

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
        for side, found in (("source", checkpoint.source_tokenizer), ("target", checkpoint.target_tokenizer)):
            del stored[f"{side}_tokenizer"]  # what is in it counts, not its name
            file = self.given.get(f"{side}_tokenizer")
            if file is not None and load_tokenizer(Path(file)).to_json() != found.to_json():
                raise UserError(
                    f"this {side} tokenizer is not the one that this training started with",
                    where=str(file),
                    fix=f"leave --{side}-tokenizer out, or train without --resume",
                )
        for name, value in self.given.items():
            if name in stored and name not in MAY_CHANGE_ON_RESUME and stored[name] != value:
                flag = name.replace("_", "-")
                may_change = ", ".join(f"--{each.replace('_', '-')}" for each in sorted(MAY_CHANGE_ON_RESUME))
                raise UserError(
                    f"--{flag} {value} is not what this training started with: {stored[name]}",
                    where=str(path),
                    fix=f"leave --{flag} out ({may_change} may change), or train without --resume",
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
        train = read_corpus(name)
        if valid_name is not None:
            return train, read_corpus(valid_name)
        train, valid = hold_out(train, seed)
        if valid is train:
            console.warn("no pairs can be held out for validation: the training pairs are used for it")
        return train, valid

    def _checkpoint(self, train: Corpus, training: TrainingConfig, tokenizer_config: TokenizerConfig) -> Checkpoint:
        from seq2seq_cli.nn.model import Seq2Seq
        from seq2seq_cli.storage.checkpoint import Checkpoint
        from seq2seq_cli.training.trainer import INITIAL_STREAM, random_stream

        if self.resumed:
            checkpoint = self.resumed[0]
            checkpoint.training, checkpoint.threads = training, self.threads
            return checkpoint
        source = self._tokenizer("source", train.sources, tokenizer_config)
        target = self._tokenizer("target", train.targets, tokenizer_config)
        config = dataclasses.replace(
            self._settings(ModelConfig, _MODEL), source_vocabulary=len(source), target_vocabulary=len(target)
        )
        model = Seq2Seq.create(config, random_stream(training.seed, INITIAL_STREAM))
        text = {name: self.given.get(name, default) for name, default in TEXT_DEFAULTS.items()}
        corpus, valid = self._corpus_name(train), self.given.get("valid")
        return Checkpoint(model, source, target, training, corpus=corpus, text=text, valid=valid, threads=self.threads)

    def _tokenizer(self, side: str, lines: Iterable[str], config: TokenizerConfig) -> Tokenizer:
        from seq2seq_cli.text.tokenizer_file import load_tokenizer, train_tokenizer

        path = self.given.get(f"{side}_tokenizer")
        return train_tokenizer(config, lines) if path is None else load_tokenizer(Path(path))

    def _encode(self, corpus: Corpus, checkpoint: Checkpoint) -> tuple[Corpus, EncodedCorpus]:
        """Return the pairs that fit the limits of length, as text and as ids."""
        from seq2seq_cli.text.corpus import shorten
        from seq2seq_cli.training.batches import encode_corpus

        reverse = checkpoint.model.config.reverse_source
        source, target = checkpoint.source_tokenizer, checkpoint.target_tokenizer
        source_length, batch_tokens = checkpoint.training.max_source_length, checkpoint.training.max_tokens_per_batch
        encoded, fitting = encode_corpus(corpus, source, target, reverse, source_length, batch_tokens)
        skipped = len(corpus) - len(encoded)
        limits = f"--max-source-length {source_length} or --max-tokens-per-batch {batch_tokens}"
        if not len(encoded):
            raise UserError(
                f"every pair is longer than {limits} allows",
                where=corpus.name,
                fix="give sentences in place of whole texts, or raise these limits",
            )
        if skipped:
            first = corpus.sources[fitting.index(0)]
            counted = "1 pair" if skipped == 1 else f"{skipped:,} pairs"
            console.warn(f"{corpus.name}: skipped {counted} longer than {limits} allows, the first: {shorten(first)}")
            corpus = corpus.select(fitting)
        return corpus, encoded

    def _score(self, model: Seq2Seq, checkpoint: Checkpoint, valid: Corpus, sentences: int) -> Score:
        """Translate the first so many validation sentences greedily and score them."""
        from seq2seq_cli.config import SearchConfig
        from seq2seq_cli.evaluation.scores import corpus_bleu
        from seq2seq_cli.inference.translator import Translator
        from seq2seq_cli.training.events import Score

        sources, targets = valid.sources[:sentences], valid.targets[:sentences]
        training = checkpoint.training
        limits = {name: getattr(training, name) for name in ("max_tokens_per_batch", "max_source_length")}
        translator = Translator([dataclasses.replace(checkpoint, model=model)], threads=self.threads)
        hypotheses = translator.translate(sources, SearchConfig(beam=1, n_best=1, **limits))
        # A short, a middling and a long sentence: what the model learns first, what it learns next, what it may never.
        by_length = sorted(range(len(sources)), key=lambda k: (len(sources[k]), k))
        shown = dict.fromkeys(by_length[len(sources) * part // 6] for part in (1, 3, 5))
        samples = tuple((sources[k], targets[k], hypotheses[k]) for k in shown)
        all_equal = len(set(sources)) > 1 and len(set(targets)) > 1 and len(set(hypotheses)) == 1
        return Score(corpus_bleu(hypotheses, targets), samples, all_equal)

    def _corpus_name(self, train: Corpus) -> str:
        from seq2seq_cli.text.builtin import BUILTIN

        return BUILTIN if self.given.get("corpus") is None else train.name

    def _corpus_title(self, train: Corpus) -> str:
        builtin = self.given.get("corpus") is None
        return "the built-in English–French corpus" if builtin else self._corpus_name(train)

    def _say_what_next(self) -> None:
        """Name the next commands, as they can be typed here."""
        model = "" if self.output == Path("model.npz") else f" -m {shlex.quote(str(self.output))}"
        test = "" if self.given.get("corpus") is None else " TEST_CORPUS"
        called_by_path = shutil.which("seq2seq") is None and Path(sys.argv[0]).stem == "seq2seq"
        command = sys.argv[0] if called_by_path else "seq2seq"
        console.say(f"\nThe model is in {self.output}. Now try:")
        console.say(f"  {command} translate{model}\n  {command} eval{test}{model}")
