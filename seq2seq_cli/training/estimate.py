"""Estimate the time and memory of a training run, from a few steps before it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from seq2seq_cli.config import UNLIMITED_EPOCHS
from seq2seq_cli.nn.packing import Index
from seq2seq_cli.training.batches import shards_of
from seq2seq_cli.training.events import CostEstimate
from seq2seq_cli.training.trainer import DROPOUT_STREAM, ORDER_STREAM, Trainer, random_stream

MAX_STEPS = 10
MAX_SECONDS = 4.0
SENTENCES = 128
"""Sentences to translate: two batches, because the search takes most of the memory of a validation."""


def estimate_cost(trainer: Trainer) -> CostEstimate:
    """Time a few steps of a trainer, and return the estimated time and memory of the training run.

    The training is not affected: the learning rate is zero, so the weights do not change; the moments of the optimizer
    are restored afterward; and every random stream belongs to a step or an epoch.

    The first step, on the largest batch, is a warm-up and determines the memory; it is not timed. The timed steps are
    spread over the batches of an epoch, from small to large. At the end some sentences are translated, as in a
    validation, because that takes memory, too.
    """
    config, tokens = trainer.config, trainer.train.lengths
    moments = trainer.optimizer.moments()
    saved = {name: vector.copy() for name, vector in moments.items()} if trainer.step else None
    saved_step = trainer.step
    plan = sorted(trainer.plan(trainer.epoch, trainer.augmented), key=lambda pairs: int(tokens[pairs].sum()))
    try:
        _timed_step(trainer, plan[-1])
        seconds, steps, measured = 0.0, 0, 0
        strata = min(MAX_STEPS, len(plan))
        order = random_stream(config.seed, ORDER_STREAM, trainer.epoch)
        for stratum in order.permutation(
            strata
        ):  # at random, so that a loop that stops early has timed small and large batches
            pairs = plan[(2 * stratum + 1) * len(plan) // (2 * strata)]
            seconds += _timed_step(trainer, pairs)
            steps, measured = steps + 1, measured + int(tokens[pairs].sum())
            if seconds > MAX_SECONDS:
                break
    finally:
        trainer.optimizer.steps = saved_step
        for name, vector in moments.items():
            vector[...] = 0.0 if saved is None else saved[name]
    trainer.validation.score(trainer.model, SENTENCES)
    peak, weights = peak_memory(), trainer.model.parameters.flat.nbytes
    epoch_seconds = seconds * sum(int(tokens[pairs].sum()) for pairs in plan) / measured
    return CostEstimate(
        memory=None if peak is None else peak + trainer.parallel.others_memory(),
        least_memory=(2 + len(moments)) * weights,
        weights=weights,
        steps=steps,
        step_seconds=seconds / steps,
        epoch_seconds=epoch_seconds,
        steps_per_epoch=len(plan),
        seconds=seconds_left(trainer, epoch_seconds / len(plan)),
    )


def _timed_step(trainer: Trainer, pairs: Index) -> float:
    """Take a step with a learning rate of zero, and return the seconds that it took."""
    start = time.perf_counter()
    parallel, config = trainer.parallel, trainer.config
    shards = shards_of(pairs, parallel.shards)
    generators = [random_stream(config.seed, DROPOUT_STREAM, trainer.step, k) for k in range(len(shards))]
    gradients = parallel.loss_and_gradients(shards, generators, config.label_smoothing)
    if np.isfinite(gradients.norm):  # 0 · ∞ would be NaN
        parallel.step(gradients, 0.0, config.clip_norm)
    return trainer.first_clock(time.perf_counter() - start)


def seconds_left(trainer: Trainer, step_seconds: float) -> float | None:
    """Return the maximum time to the last step, or None if there is no limit."""
    config = trainer.config
    if config.epochs >= UNLIMITED_EPOCHS and not config.max_steps and not config.max_minutes:
        return None
    seconds = step_seconds * (trainer.total_steps - trainer.step)
    return seconds if config.max_minutes is None else min(seconds, 60 * config.max_minutes - trainer.seconds)


def peak_memory() -> int | None:
    """Return the peak memory of this process in bytes, or None if the system does not report it."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: the peak of this program, without that of the program that started it
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
