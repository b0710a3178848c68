"""One optimizer step whose sentences are shared out to several cores.

The gradient of a sum is the sum of the gradients: each member of a team goes forward and back over its share of the
batch, into gradients of its own; then the shares are added up, and every member improves its part of the parameters::

    ∂loss/∂θ = Σ_shares ∂loss_share/∂θ        loss = Σ over all tokens / number of tokens in all shares

The result depends on how many shares there are, by rounding, and not at all on which member is faster.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq_cli.inference.workers import WorkerPool, shared_zeros
from seq2seq_cli.nn.model import Batch, Seq2Seq
from seq2seq_cli.nn.optimizers import clip_factor, find_optimizer, reduce_gradients
from seq2seq_cli.nn.output_layer import Loss
from seq2seq_cli.nn.parameters import Parameters


class Gradients(NamedTuple):
    """What one pass over a batch gives: the loss, and the norm of its gradients before clipping."""

    loss: Loss
    norm: float


class DataParallel:
    """A model, its optimizer, gradients for every share of a batch, and a team to work on them.

    Args:
        model: what is trained; its parameters move to memory that all members share.
        optimizer: its name in ``OPTIMIZERS``.
        size: members of the team; a batch may have as many shares.
        processes: as for ``WorkerPool``.
    """

    def __init__(self, model: Seq2Seq, optimizer: str, size: int = 1, processes: bool = True) -> None:
        parameters, count, dtype = model.parameters, len(model.parameters.flat), model.parameters.flat.dtype
        parameters.move(shared_zeros(count, dtype))  # before the members come: whatever they inherit, they keep
        self.model = model
        self.gradients = [Parameters(parameters.shapes, shared_zeros(count, dtype)) for _ in range(size)]
        self.optimizer = find_optimizer(optimizer)(count, dtype, shared_zeros)
        self.team = WorkerPool(weakref.proxy(self), size, processes)
        self.team.start()  # now, while the program has no other threads

    def loss_and_gradients(
        self,
        shares: Sequence[Batch],
        generators: Sequence[np.random.Generator] | None = None,
        label_smoothing: float = 0.0,
    ) -> Gradients:
        """Compute the gradients of the mean loss per token of all shares; they are kept in ``gradients[0]``.

        Args:
            shares: at most as many as the team has members.
            generators: one for each share decides its dropout masks; None switches dropout off.
            label_smoothing: ε.
        """
        tokens = sum(len(share.target_outputs) for share in shares)
        losses = self.team.call(
            "_share",
            [
                (k, share, tokens, label_smoothing, None if generators is None else generators[k])
                for k, share in enumerate(shares)
            ],
        )
        parts = self.team.slices(len(self.gradients[0].flat))
        squares = self.team.call("_join", [(part, len(shares)) for part in parts])
        return Gradients(add_losses(losses), math.sqrt(sum(squares)))

    def step(self, gradients: Gradients, learning_rate: float, clip_norm: float) -> None:
        """Clip the gradients just computed and let the optimizer take its step."""
        self.optimizer.steps += 1
        scale = clip_factor(gradients.norm, clip_norm)
        parts = self.team.slices(len(self.gradients[0].flat))
        self.team.call("_update", [(part, self.optimizer.steps, learning_rate, scale) for part in parts])

    def loss(self, batches: Sequence[Batch]) -> Loss:
        """Return the loss of all batches together, without dropout, smoothing or gradients."""
        return add_losses(self.team.call("_loss", [(dealt,) for dealt in self.team.shards(batches)]))

    def _share(
        self, k: int, batch: Batch, tokens: int, label_smoothing: float, generator: np.random.Generator | None
    ) -> Loss:
        return self.model.loss_and_gradients(
            batch, self.gradients[k], tokens=tokens, label_smoothing=label_smoothing, generator=generator
        )

    def _join(self, part: slice, count: int) -> float:
        return reduce_gradients([gradients.flat[part] for gradients in self.gradients[:count]])

    def _update(self, part: slice, steps: int, learning_rate: float, scale: float) -> None:
        self.optimizer.update(
            part, self.model.parameters.flat[part], self.gradients[0].flat[part], steps, learning_rate, scale
        )

    def _loss(self, batches: Sequence[Batch]) -> Loss:
        return add_losses([self.model.loss(batch) for batch in batches])


def add_losses(losses: Sequence[Loss]) -> Loss:
    """Return the loss of several batches together."""
    return Loss(*(sum(parts) for parts in zip(*losses)))
