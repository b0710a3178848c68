"""The training loop: it yields records of what happened, saves what must not be lost, and prints nothing.

Everything random is decided by the seed and the position: the order of an epoch by ``(seed, epoch)``, a step's dropout
masks by ``(seed, step, share of the batch)``. So a run resumed from any step continues exactly as it would have without
the interruption.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import MOST_TOKENS_PER_BATCH, TrainingConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.functional import perplexity
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.optimizers import PlateauSchedule, cool_down_factor
from seq2seq_cli.nn.packing import Index
from seq2seq_cli.storage.checkpoint import (
    Checkpoint,
    TrainingState,
    back_up,
    save_model,
    save_state,
    state_path,
)
from seq2seq_cli.training.batches import EncodedCorpus, make_batch, plan_batches, share_out
from seq2seq_cli.training.data_parallel import DataParallel
from seq2seq_cli.training.events import Score, StepReport, ValidationReport, record_of

INITIAL_STREAM, ORDER_STREAM, DROPOUT_STREAM = range(3)
"""Independent streams of random numbers under one seed."""

MOST_STEPS_BETWEEN_VALIDATIONS = 2000
SECONDS_BETWEEN_SAVES = 120.0
MOST_DEFAULT_EPOCHS = 60
UNLIMITED_EPOCHS = 1_000_000
VALIDATION_BATCH = 64
SMALLEST_SHARE = 8
"""Sentences of a batch that are worth a thread of their own."""
REHEARSED_STEPS = 10
REHEARSAL_SECONDS = 4.0
SCORED_SENTENCES = 1000
"""Most sentences that a validation translates, the first ones."""
REHEARSED_SENTENCES = 128
"""The same in a rehearsal: two batches, for the search's tables take most of what a validation adds to the memory."""
HASHED_NUMBERS = 1 << 16
"""Token ids that are turned into the bytes of a hash at a time."""
MOST_RECORDS = 10_000
"""Validations that a model file remembers, the latest."""


def random_stream(seed: int, stream: int, *position: int) -> np.random.Generator:
    """Return the generator of one purpose at one position."""
    return np.random.default_rng([seed, stream, *position])


class Rehearsal(NamedTuple):
    """What a few steps of a training that has not begun took: their number, seconds a step, seconds an epoch.

    ``workers_memory`` is what the processes that shared the work hold beside this one, in bytes.
    """

    steps: int
    step_seconds: float
    epoch_seconds: float
    workers_memory: int


class Trainer:
    """Trains a model and keeps the best one on disk.

    Args:
        checkpoint: the model to start with, its tokenizers, settings and history.
        train, valid: encoded pairs.
        output: where the model is saved; the training state is saved beside it.
        score: translates so many of the validation sentences, the first ones, with the model and scores them.
        state: to resume from, as ``load_state`` returned it.
        threads: cores that share each batch's sentences, if there are enough of them.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        train: EncodedCorpus,
        valid: EncodedCorpus,
        output: Path,
        score: Callable[[Seq2Seq, int], Score],
        state: TrainingState | None = None,
        threads: int = 1,
    ) -> None:
        self.checkpoint = checkpoint
        self.config: TrainingConfig = checkpoint.training
        members = max(1, min(threads, self.config.batch_size // SMALLEST_SHARE))
        self.parallel = DataParallel(checkpoint.model, self.config.optimizer, members)
        self.model = checkpoint.model
        self.optimizer = self.parallel.optimizer
        self.train, self.valid = train, valid
        self.output = output
        self.score = score
        self.schedule = PlateauSchedule(self.config.patience)
        self.epoch = 1
        self.batch = 0
        self.seconds = 0.0
        self.validated_step = 0
        self.steps_per_epoch = len(self._plan(1))
        self.fingerprints = fingerprints(checkpoint, train, valid)
        self.replaces_another = state is None
        if state is not None:
            self._restore(state)

    @property
    def step(self) -> int:
        """Optimizer steps so far."""
        return self.optimizer.steps

    @property
    def total_steps(self) -> int:
        """Most optimizer steps of the whole training; early stopping or the time limit may end it sooner.

        Where ``max_tokens_per_batch`` cuts batches, an epoch may have a few steps more or less than the first one.
        """
        steps = self.steps_per_epoch * self.config.epochs
        return min(steps, self.config.max_steps or steps)

    @property
    def done(self) -> float:
        """Share of the planned steps or minutes that is done, from 0 to 1 or, by a last step, a little more."""
        done = self.step / self.total_steps
        if self.config.max_minutes:
            done = max(done, self.seconds / (60 * self.config.max_minutes))
        return done

    @property
    def learning_rate(self) -> float:
        """The rate of the next step: halved by validations that did not improve, and cooled down towards the end."""
        return self.config.learning_rate * self.schedule.scale * cool_down_factor(self.done, self.config.cool_down)

    @property
    def finished(self) -> bool:
        """Whether a limit is reached: steps, epochs, minutes or patience."""
        return (
            self.epoch > self.config.epochs
            or (self.config.max_steps is not None and self.step >= self.config.max_steps)
            or (self.config.max_minutes is not None and self.seconds >= 60 * self.config.max_minutes)
            or self.schedule.exhausted
        )

    def run(self) -> Generator[StepReport | ValidationReport, None, None]:
        """Train until a limit is reached, yielding a report after every step and every validation.

        The caller may stop iterating after any report and call ``save``; a later run can then resume there.

        Raises:
            UserError: if the loss is not a finite number.
        """
        saved = time.monotonic()
        while not self.finished:
            plan = self._plan(self.epoch)
            while self.batch < len(plan) and not self.finished:
                yield self._step(plan[self.batch])
                if self.step - self.validated_step >= MOST_STEPS_BETWEEN_VALIDATIONS and self.batch < len(plan):
                    yield self._validate()
                    saved = time.monotonic()
                elif time.monotonic() - saved >= SECONDS_BETWEEN_SAVES:
                    self.save()
                    saved = time.monotonic()
            if self.batch >= len(plan):
                if self.validated_step < self.step:
                    yield self._validate()
                    saved = time.monotonic()
                self.epoch += 1
                self.batch = 0
        if self.validated_step < self.step:  # a limit in the middle of an epoch
            yield self._validate()
        self.save()

    def rehearse(self) -> Rehearsal:
        """Take a few real steps with a copy of the model, and return how long they and an epoch take.

        Nothing that the training depends on is touched: weights, moments and gradients are the copy's, every random
        stream belongs to a step or an epoch, and the copy saves nothing. The learning rate is next to nothing, so that
        the copy stays sane.

        The first step, on the largest batch, warms up and shows how much memory is needed; it is not counted. Those
        that count are spread over the batches of an epoch from small to large. Some sentences are translated at the
        end, as in a validation, for that needs memory as well.
        """
        model = Seq2Seq(self.model.config, self.model.parameters.astype(np.float32))
        config = dataclasses.replace(self.config, learning_rate=1e-12)
        checkpoint = dataclasses.replace(self.checkpoint, model=model, training=config, history=[])
        copy = Trainer(checkpoint, self.train, self.valid, self.output, self.score, threads=self.parallel.team.size)
        try:
            rehearsal = copy._timed_steps()
        finally:
            copy.parallel.team.shut_down()
        self.score(copy.model, REHEARSED_SENTENCES)
        return rehearsal

    def _timed_steps(self) -> Rehearsal:
        """Take the steps of a rehearsal; this trainer is the copy."""
        tokens = self.train.lengths
        plan = sorted(self._plan(self.epoch), key=lambda pairs: int(tokens[pairs].sum()))
        self._step(plan[-1])
        self.seconds, steps, seen = 0.0, 0, 0
        strata = min(REHEARSED_STEPS, len(plan))
        order = random_stream(self.config.seed, ORDER_STREAM, self.epoch)
        for stratum in order.permutation(strata):  # at random: one that is cut short has seen small and large ones
            pairs = plan[(2 * stratum + 1) * len(plan) // (2 * strata)]
            self._step(pairs)
            steps, seen = steps + 1, seen + int(tokens[pairs].sum())
            if self.seconds > REHEARSAL_SECONDS:
                break
        return Rehearsal(
            steps,
            self.seconds / steps,
            self.seconds * int(tokens.sum()) / seen,
            self.parallel.team.workers_memory(),
        )

    def _plan(self, epoch: int) -> list[Index]:
        """Return the batches of an epoch."""
        order = random_stream(self.config.seed, ORDER_STREAM, epoch)
        return plan_batches(self.train, self.config.batch_size, order, self.config.max_tokens_per_batch)

    def _step(self, pairs: Index) -> StepReport:
        start = time.perf_counter()
        shares = share_out(pairs, self.parallel.team.size)
        loss, norm = gradients = self.parallel.loss_and_gradients(
            [make_batch(self.train, share) for share in shares],
            [random_stream(self.config.seed, DROPOUT_STREAM, self.step, k) for k in range(len(shares))],
            self.config.label_smoothing,
        )
        if not (math.isfinite(loss.loss) and math.isfinite(norm)):
            raise self._not_finite("the loss or its gradient", self.step + 1)
        learning_rate = self.learning_rate
        self.parallel.step(gradients, learning_rate, self.config.clip_norm)
        self.batch += 1
        seconds = time.perf_counter() - start
        self.seconds += seconds
        return StepReport(
            step=self.step,
            epoch=self.epoch,
            seconds=self.seconds,
            loss=loss.loss / loss.tokens,
            perplexity=perplexity(loss.negative_log_likelihood / loss.tokens),
            tokens_per_second=loss.tokens / max(seconds, 1e-9),
            learning_rate=learning_rate,
            gradient_norm=norm,
        )

    def _validate(self) -> ValidationReport:
        """Measure the model on the validation pairs, keep it if it is the best, and save the state."""
        start = time.perf_counter()
        nll = corpus_loss(self.parallel, self.valid, self.config.max_tokens_per_batch)
        if not math.isfinite(nll):
            raise self._not_finite("the loss on the validation pairs", self.step)
        score = self.score(self.model, SCORED_SENTENCES)
        learning_rate = self.learning_rate
        improved = self.schedule.observe(nll)
        self.validated_step = self.step
        self.seconds += time.perf_counter() - start
        report = ValidationReport(
            step=self.step,
            epoch=self.epoch,
            seconds=self.seconds,
            valid_loss=nll,
            valid_perplexity=perplexity(nll),
            valid_bleu=score.bleu,
            learning_rate=learning_rate,
            improved=improved,
            score=score,
        )
        self.checkpoint.history.append(record_of(report))
        del self.checkpoint.history[:-MOST_RECORDS]
        self.save(improved)
        return report

    def save(self, improved: bool = False) -> None:
        """Write the training state, and before it the model, if it has just become the best, or there is none yet.

        Raises:
            UserError: if the disk is full and so on, or a weight is no longer a finite number; what was saved before is
                then untouched.
        """
        if not np.isfinite(self.model.parameters.flat).all():
            raise self._not_finite("a weight", self.step)
        if improved or not self.checkpoint.history or not self.output.exists():
            self._save_model()
        progress = {
            "step": self.step,
            "epoch": self.epoch,
            "batch": self.batch,
            "seconds": self.seconds,
            "validated_step": self.validated_step,
            "rate_scale": self.schedule.scale,
            "best_loss": self.schedule.best if math.isfinite(self.schedule.best) else None,
            "failures": self.schedule.failures,
            "fingerprints": self.fingerprints,
        }
        save_state(state_path(self.output), self.checkpoint, TrainingState(self.optimizer.moments(), progress))

    def _save_model(self) -> None:
        """Write the model; one of an earlier training, and its state, are first put aside, not lost."""
        if self.replaces_another:
            back_up(self.output)
        self.replaces_another = False
        save_model(self.output, self.checkpoint)

    def _not_finite(self, what: str, step: int) -> UserError:
        """Return the error for a training that has run away; it is raised before anything of it is saved."""
        return UserError(
            f"{what} is no longer a finite number at step {step}",
            where=f"{self.output} keeps the best model before that, if there was a validation",
            fix="train again with a lower --learning-rate or a lower --clip-norm",
        )

    def _restore(self, state: TrainingState) -> None:
        progress, where = state.progress, str(state_path(self.output))
        moments = self.optimizer.moments()
        try:
            found = dict(progress["fingerprints"])
            counts = {name: int(progress[name]) for name in ("step", "epoch", "batch", "validated_step", "failures")}
            if not all(0 <= count <= sys.maxsize for count in counts.values()):
                raise ValueError("a count is out of range")
            self.optimizer.steps, self.epoch, self.batch = counts["step"], counts["epoch"], counts["batch"]
            self.validated_step, self.schedule.failures = counts["validated_step"], counts["failures"]
            self.seconds = float(progress["seconds"])
            self.schedule.scale = float(progress["rate_scale"])
            self.schedule.best = math.inf if progress["best_loss"] is None else float(progress["best_loss"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UserError(
                f"the training state is damaged: {error}", where=where, fix="train without --resume"
            ) from None
        for name, value in self.fingerprints.items():
            if found.get(name) != value:
                raise UserError(
                    f"the {name} is not the one that this training started with",
                    where=where,
                    fix=f"give the same {name} as before, or train without --resume",
                )
        if state.moments.keys() != moments.keys():
            raise UserError("the training state is of another optimizer", where=where, fix="train without --resume")
        for name, vector in moments.items():
            vector[...] = state.moments[name]


def default_epochs(steps_per_epoch: int, another_limit: bool = False) -> int:
    """Return how long to train if nothing is said: six epochs, more for a small corpus, about 4,000 steps.

    With a limit of steps or minutes there is none of epochs.

    The built-in corpus takes six. A few thousand pairs need as many steps, not as few epochs; early stopping ends
    what does not help any more.
    """
    if another_limit:
        return UNLIMITED_EPOCHS
    return min(MOST_DEFAULT_EPOCHS, max(TrainingConfig.epochs, math.ceil(4000 / steps_per_epoch)))


def corpus_loss(parallel: DataParallel, corpus: EncodedCorpus, max_tokens: int = MOST_TOKENS_PER_BATCH) -> float:
    """Return the mean negative log-likelihood per real target token, in nats, without dropout or smoothing."""
    plan = plan_batches(corpus, VALIDATION_BATCH, max_tokens=max_tokens)
    loss = parallel.loss([make_batch(corpus, pairs) for pairs in plan])
    return loss.negative_log_likelihood / loss.tokens


def fingerprints(checkpoint: Checkpoint, train: EncodedCorpus, valid: EncodedCorpus) -> dict[str, str]:
    """Return a hash of everything that a resumed training must share with the one it continues, by what it is."""

    def hashed(parts: Iterable[Any]) -> str:
        """Return one hash of several parts, each bytes or an array."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        return digest.hexdigest()

    def text(value: Any) -> bytes:
        """Return a JSON value as bytes, the same for the same value."""
        return json.dumps(value, sort_keys=True).encode()

    def pairs(corpus: EncodedCorpus) -> Iterator[npt.NDArray[np.integer]]:
        """Yield the ids of a corpus, some at a time, in the same types whatever it keeps them in."""
        for side in (corpus.source, corpus.target):
            for numbers, kind in ((side.ids, np.int32), (side.starts, np.int64)):
                for start in range(0, len(numbers), HASHED_NUMBERS):
                    yield numbers[start : start + HASHED_NUMBERS].astype(kind)

    tokenizers = (checkpoint.source_tokenizer, checkpoint.target_tokenizer)
    return {
        "network": hashed([text(dataclasses.asdict(checkpoint.model.config))]),
        "pair of tokenizers": hashed(text(tokenizer.to_json()) for tokenizer in tokenizers),
        "training corpus": hashed(pairs(train)),
        "validation corpus": hashed(pairs(valid)),
    }
