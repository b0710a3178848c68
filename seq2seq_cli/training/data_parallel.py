"""One optimizer step whose mini-batch is sharded over several cores.

The gradient of a sum is the sum of the gradients: each worker runs the forward and the backward pass over its shard of
the batch, into gradients of its own; then the gradients are reduced, and every worker updates its part of the
parameters::

    ∂loss/∂θ = Σ_shards ∂loss_shard/∂θ        loss = Σ over all tokens / number of tokens in all shards

The result depends on how many shards there are, by rounding, and not at all on which worker is faster.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq_cli.inference.workers import WorkerPool, shared_zeros
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.optimizers import clip_factor, find_optimizer, reduce_gradients
from seq2seq_cli.nn.output_layer import Loss
from seq2seq_cli.nn.packing import Index
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.training.batches import EncodedCorpus, make_batch


class Gradients(NamedTuple):
    """What one pass over a batch gives: the loss, and the norm of its gradients before clipping."""

    loss: Loss
    norm: float


class DataParallel:
    """A model, its optimizer, gradients for every shard of a batch, and workers that compute them.

    The workers know both corpora from the start, so a shard is only the positions of its pairs.

    Args:
        model: what is trained; its parameters move to memory that all workers share.
        optimizer: its name in ``OPTIMIZERS``.
        train, valid: encoded pairs.
        size: number of workers; a batch may have as many shards.
        processes: as for ``WorkerPool``.
    """

    def __init__(
        self,
        model: Seq2Seq,
        optimizer: str,
        train: EncodedCorpus,
        valid: EncodedCorpus,
        size: int = 1,
        processes: bool = True,
    ) -> None:
        parameters, count, dtype = model.parameters, len(model.parameters.flat), model.parameters.flat.dtype
        parameters.move(shared_zeros(count, dtype))  # before the workers start: whatever they inherit, they keep
        self.model = model
        self.train, self.valid = train, valid
        self.gradients = [Parameters(parameters.shapes, shared_zeros(count, dtype)) for _ in range(size)]
        self.optimizer = find_optimizer(optimizer)(count, dtype, shared_zeros)
        self.workers = WorkerPool(weakref.proxy(self), size, processes)
        self.workers.start()  # now, while the program has no other threads

    @property
    def size(self) -> int:
        """Number of workers."""
        return self.workers.size

    def loss_and_gradients(
        self,
        shards: Sequence[Index],
        generators: Sequence[np.random.Generator] | None = None,
        label_smoothing: float = 0.0,
    ) -> Gradients:
        """Compute the gradients of the mean loss per token of all shards; they are kept in ``gradients[0]``.

        Args:
            shards: positions of training pairs, at most as many shards as there are workers.
            generators: one for each shard decides its dropout masks; None switches dropout off.
            label_smoothing: ε.
        """
        tokens = sum(int(self.train.target.lengths_of(pairs).sum()) - len(pairs) for pairs in shards)
        losses = self.workers.call(
            "_shard",
            [
                (k, pairs, tokens, label_smoothing, None if generators is None else generators[k])
                for k, pairs in enumerate(shards)
            ],
        )
        parts = self.workers.slices(len(self.gradients[0].flat))
        squares = self.workers.call("_reduce", [(part, len(shards)) for part in parts])
        return Gradients(add_losses(losses), math.sqrt(sum(squares)))

    def step(self, gradients: Gradients, learning_rate: float, clip_norm: float) -> None:
        """Clip the gradients just computed and let the optimizer take its step."""
        self.optimizer.steps += 1
        scale = clip_factor(gradients.norm, clip_norm)
        parts = self.workers.slices(len(self.gradients[0].flat))
        self.workers.call("_update", [(part, self.optimizer.steps, learning_rate, scale) for part in parts])

    def validation_loss(self, batches: Sequence[Index]) -> Loss:
        """Return the loss of all batches of validation pairs together, without dropout, smoothing or gradients."""
        return add_losses(self.workers.call("_loss", [(shard,) for shard in self.workers.shards(batches)]))

    def others_memory(self) -> int:
        """Return the bytes that the other workers hold for themselves alone; 0 if they are threads."""
        return self.workers.workers_memory()

    def _shard(
        self, k: int, pairs: Index, tokens: int, label_smoothing: float, generator: np.random.Generator | None
    ) -> Loss:
        return self.model.loss_and_gradients(
            make_batch(self.train, pairs),
            self.gradients[k],
            tokens=tokens,
            label_smoothing=label_smoothing,
            generator=generator,
        )

    def _reduce(self, part: slice, count: int) -> float:
        return reduce_gradients([gradients.flat[part] for gradients in self.gradients[:count]])

    def _update(self, part: slice, steps: int, learning_rate: float, scale: float) -> None:
        self.optimizer.update(
            part, self.model.parameters.flat[part], self.gradients[0].flat[part], steps, learning_rate, scale
        )

    def _loss(self, batches: Sequence[Index]) -> Loss:
        return add_losses([self.model.loss(make_batch(self.valid, pairs)) for pairs in batches])


def add_losses(losses: Sequence[Loss]) -> Loss:
    """Return the loss of several batches together."""
    return Loss(*(sum(parts) for parts in zip(*losses)))
