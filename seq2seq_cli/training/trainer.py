"""The training loop.

All randomness depends only on the seed and the position: the pairs and the order of an epoch on ``(seed, epoch)``, the
dropout masks of a step on ``(seed, step, shard of the batch)``. So a run that is resumed at any step continues exactly
as it would have without the interruption.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import numpy as np

from seq2seq_cli.config import TrainingConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.communicator import ALONE, Communicator
from seq2seq_cli.nn.functional import perplexity
from seq2seq_cli.nn.optimizers import PlateauSchedule, cool_down_factor
from seq2seq_cli.nn.packing import Index
from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState
from seq2seq_cli.training.batches import EncodedCorpus, plan_batches, shards_of
from seq2seq_cli.training.clock import TrainingClock
from seq2seq_cli.training.data_parallel import DataParallel
from seq2seq_cli.training.events import StepReport, ValidationReport, record_of
from seq2seq_cli.training.persistence import TrainingFiles, fingerprints, restore
from seq2seq_cli.training.validation import Validation, validation_loss

INITIAL_STREAM, ORDER_STREAM, DROPOUT_STREAM, SYNTHETIC_STREAM = range(4)
"""Independent streams of random numbers under one seed."""

SECONDS_BETWEEN_SAVES = 120.0
SMALLEST_SHARD = 8
"""Minimum number of sentences in a shard."""
SCORED_SENTENCES = 1000
"""Maximum number of sentences that a validation translates; it takes the first ones."""
AUGMENTED = Fraction(4, 5)
"""Share of the training with synthetic pairs; the last part is without, because they are not all correct."""
MAX_RECORDS = 10_000
"""Maximum number of validations in a model file; it keeps the latest."""


def random_stream(seed: int, stream: int, *position: int) -> np.random.Generator:
    """Return the random generator of one stream at one position."""
    return np.random.default_rng([seed, stream, *position])


class Trainer:
    """Trains a model and keeps the best one on disk.

    Args:
        checkpoint: the model to start with, its tokenizers, settings and history.
        train, valid: encoded pairs.
        output: where the model is saved; the training state is saved beside it.
        validation: translates validation sentences and scores them.
        state: the training state to resume, as ``load_state`` returned it.
        threads: maximum number of workers, which share the sentences of each batch.
        synthetic: encoded pairs, of which an epoch draws ``augmentation`` per real pair (see ``augmentation``).
        communicator: the processes of this run; each has up to ``threads`` workers, and the first one saves.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        train: EncodedCorpus,
        valid: EncodedCorpus,
        output: Path,
        validation: Validation,
        state: TrainingState | None = None,
        threads: int = 1,
        synthetic: EncodedCorpus | None = None,
        communicator: Communicator = ALONE,
    ) -> None:
        self.checkpoint, self.communicator = checkpoint, communicator
        self.config: TrainingConfig = checkpoint.recipe.training
        members = checkpoint.model.config.members
        most = members * self.config.batch_size // (SMALLEST_SHARD * communicator.size)
        workers = max(1, min(threads, most))
        self.real_pairs, self.synthetic_pairs = len(train), 0 if synthetic is None else len(synthetic)
        self.train = train if synthetic is None else train.joined(synthetic)  # real pairs first
        self.valid = valid
        self.parallel = DataParallel(
            checkpoint.model, self.config.optimizer, self.train, valid, workers, communicator=communicator
        )
        self.model = checkpoint.model
        self.optimizer = self.parallel.optimizer
        self.validation = validation
        self.schedule = PlateauSchedule(self.config.patience, self.config.halve_on_plateau)
        self.epoch = 1
        self.batch = 0
        self.seconds = 0.0
        self.clock = TrainingClock()
        self.validated_step = 0
        self.steps_per_epoch, self.steps_per_augmented_epoch = len(self.plan(1)), len(self.plan(1, augmented=True))
        self.augmented = False
        self.files = TrainingFiles(output, fingerprints(checkpoint, train, valid), replaces_another=state is None)
        if state is not None:
            restore(self, state)
        if not self.batch:
            self.augmented = self._is_augmented()

    @property
    def step(self) -> int:
        """Optimizer steps so far."""
        return self.optimizer.steps

    @property
    def synthetic_per_epoch(self) -> int:
        """Number of synthetic pairs in an augmented epoch."""
        return min(round(self.config.augmentation * self.real_pairs), self.synthetic_pairs)

    @property
    def total_steps(self) -> int:
        """Maximum optimizer steps of the whole training; early stopping or the time limit may end it sooner.

        If ``max_tokens_per_batch`` splits batches, an epoch may have a few steps more or less than the first one.
        """
        augmented = int(AUGMENTED * self.config.epochs)
        steps = self.steps_per_augmented_epoch * augmented + self.steps_per_epoch * (self.config.epochs - augmented)
        return min(steps, self.config.max_steps or steps)

    @property
    def progress(self) -> float:
        """Share of the planned steps or minutes that is done, from 0 to 1; a last step may exceed 1 a little."""
        progress = self.step / self.total_steps
        if self.config.max_minutes:
            progress = max(progress, self.seconds / (60 * self.config.max_minutes))
        return progress

    @property
    def learning_rate(self) -> float:
        """The rate of the next step: halved after validations without improvement, and cooled down toward the end."""
        return self.config.learning_rate * self.schedule.scale * cool_down_factor(self.progress, self.config.cool_down)

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

        Time counts only in steps and validations: not while files are saved, the caller has a report, or the program
        is stopped (see ``clock``).

        Raises:
            UserError: if the loss is not a finite number.
        """
        with self.clock.running():
            if self.checkpoint.recipe.corpora.start_from is not None and not self.step and not self.checkpoint.history:
                yield self._validate()  # what the model could do before it was fine-tuned
            yield from self._run()

    def _run(self) -> Generator[StepReport | ValidationReport, None, None]:
        saved = time.monotonic()
        while not self.finished:
            if not self.batch:  # an epoch continues as it began, even if it is resumed
                self.augmented = self._is_augmented()
            plan = self.plan(self.epoch, self.augmented)
            while self.batch < len(plan) and not self.finished:
                yield self.train_step(plan[self.batch])
                if self.step - self.validated_step >= self.config.valid_every and self.batch < len(plan):
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
        if self.validated_step < self.step:  # a limit was reached in the middle of an epoch
            yield self._validate()
        self.save()

    def plan(self, epoch: int, augmented: bool = False) -> list[Index]:
        """Return the pairs of every batch of an epoch; an augmented epoch also has synthetic pairs."""
        order = random_stream(self.config.seed, ORDER_STREAM, epoch)
        pairs = np.arange(self.real_pairs)
        if augmented and self.synthetic_per_epoch:
            drawn = order.choice(self.synthetic_pairs, self.synthetic_per_epoch, replace=False)
            pairs = np.concatenate([pairs, self.real_pairs + drawn])
        return plan_batches(self.train, self.config.batch_size, order, self.config.max_tokens_per_batch, pairs)

    def _is_augmented(self) -> bool:
        """Whether the next epoch has synthetic pairs: if it will end before the last part of the training."""
        config, epoch = self.config, self.epoch
        done = max(self.step / (config.max_steps or math.inf), self.seconds / (60 * (config.max_minutes or math.inf)))
        ends = done * epoch / max(1, epoch - 1)  # at the pace of the previous epochs
        return self.synthetic_per_epoch > 0 and epoch <= AUGMENTED * config.epochs and ends <= AUGMENTED

    def train_step(self, pairs: Index) -> StepReport:
        """Take one optimizer step on these pairs."""
        start = self.clock.now()
        shards = shards_of(pairs, self.parallel.shards)
        loss, norm = gradients = self.parallel.loss_and_gradients(
            shards,
            [random_stream(self.config.seed, DROPOUT_STREAM, self.step, k) for k in range(len(shards))],
            self.config.label_smoothing,
        )
        if not (math.isfinite(loss.loss) and math.isfinite(norm)):
            raise self._not_finite("the loss or its gradient", self.step + 1)
        learning_rate = self.learning_rate
        scale = math.sqrt(self.model.config.members)  # the joint norm of M independent gradients is √M times one norm
        self.parallel.step(gradients, learning_rate, self.config.clip_norm * scale)
        self.batch += 1
        seconds = self.first_clock(self.clock.now() - start)
        self.seconds += seconds
        return StepReport(
            step=self.step,
            epoch=self.epoch,
            seconds=self.seconds,
            loss=loss.negative_log_likelihood / loss.tokens,
            perplexity=perplexity(loss.negative_log_likelihood / loss.tokens),
            objective=loss.loss / loss.tokens,
            tokens_per_second=loss.tokens / max(seconds, 1e-9),
            learning_rate=learning_rate,
            gradient_norm=norm / scale,
        )

    def _validate(self) -> ValidationReport:
        """Score the model on the validation pairs, keep it if it is the best, and save the state."""
        start = self.clock.now()
        nll = validation_loss(self.parallel, self.config.max_tokens_per_batch)
        if not math.isfinite(nll):
            raise self._not_finite("the loss on the validation pairs", self.step)
        self.parallel.check_equal()
        score = self.validation.score(self.model, SCORED_SENTENCES)
        improved = self.schedule.observe({"loss": nll, "bleu": -score.bleu, "chrf": -score.chrf}[self.config.keep_best])
        self.validated_step = self.step
        self.seconds += self.first_clock(self.clock.now() - start)
        report = ValidationReport(
            step=self.step,
            epoch=self.epoch if self.step else 0,
            seconds=self.seconds,
            valid_loss=nll,
            valid_perplexity=perplexity(nll),
            valid_bleu=score.bleu,
            valid_chrf=score.chrf,
            learning_rate=self.learning_rate,
            improved=improved,
            score=score,
        )
        self.checkpoint.history.append(record_of(report))
        del self.checkpoint.history[:-MAX_RECORDS]
        self.save(improved)
        return report

    def save(self, improved: bool = False) -> None:
        """Write the model, if it has just become the best or there is none yet, then the training state.

        Raises:
            UserError: if the disk is full and so on, or if a weight is no longer a finite number; the files that were
                saved before stay as they are.
        """
        if not np.isfinite(self.model.parameters.flat).all():
            raise self._not_finite("a weight", self.step)
        if self.communicator.first:
            self.files.save(self, improved)

    def first_clock(self, seconds: float) -> float:
        """Return the seconds that the first process has measured, on which all processes base their decisions."""
        return self.communicator.sum(seconds if self.communicator.first else 0.0)[0]

    def _not_finite(self, what: str, step: int) -> UserError:
        """Return the error for a training that has diverged; it is raised before anything is saved."""
        return UserError(
            f"{what} is no longer a finite number at step {step}",
            where=f"{self.files.output}, which keeps the best model so far if there was a validation",
            fix="train again with a lower --learning-rate or a lower --clip-norm",
        )
