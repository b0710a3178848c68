"""One optimizer step whose sentences are shared out to several threads.

The gradient of a sum is the sum of the gradients: each thread goes forward and back over its share of the batch, into
gradients of its own; then the shares are added up, and every thread improves its part of the parameters::

    ∂loss/∂θ = Σ_shares ∂loss_share/∂θ        loss = Σ over all tokens / number of tokens in all shares

The result depends on how many shares there are only by rounding, and not at all on which thread is faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq_cli.nn.model import Batch, Seq2Seq
from seq2seq_cli.nn.optimizers import Optimizer, clip_factor, join_gradients
from seq2seq_cli.nn.output_layer import Loss
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.workers import Workers


class Gradients(NamedTuple):
    """What one pass over a batch gives: the loss, and the norm of its gradients before clipping."""

    loss: Loss
    norm: float


class DataParallel:
    """A model, its optimizer, and gradients for every share of a batch.

    Args:
        model: whose parameters are to be improved.
        optimizer: has to know the same number of parameters.
        workers: the threads; a batch may have as many shares.
    """

    def __init__(self, model: Seq2Seq, optimizer: Optimizer, workers: Workers) -> None:
        self.model, self.optimizer, self.workers = model, optimizer, workers
        self.gradients: list[Parameters] = [model.parameters.zeros_like() for _ in range(workers.threads)]

    def loss_and_gradients(
        self,
        shares: Sequence[Batch],
        generators: Sequence[np.random.Generator] | None = None,
        label_smoothing: float = 0.0,
    ) -> Gradients:
        """Compute the gradients of the mean loss per token of all shares; they are kept in ``gradients[0]``.

        Args:
            shares: at most as many as there are threads.
            generators: one for each share decides its dropout masks; None switches dropout off.
            label_smoothing: ε.
        """
        tokens = sum(len(share.target_outputs) for share in shares)

        def work(k: int) -> Loss:
            return self.model.loss_and_gradients(
                shares[k],
                self.gradients[k],
                tokens=tokens,
                label_smoothing=label_smoothing,
                generator=generators[k] if generators is not None else None,
            )

        losses = self.workers.map(work, range(len(shares)))
        norm = join_gradients([gradients.flat for gradients in self.gradients[: len(shares)]], self.workers)
        return Gradients(Loss(*(sum(parts) for parts in zip(*losses))), norm)

    def step(self, gradients: Gradients, learning_rate: float, clip_norm: float) -> None:
        """Clip the gradients just computed and let the optimizer take its step."""
        self.optimizer.step(
            self.model.parameters.flat,
            self.gradients[0].flat,
            learning_rate,
            scale=clip_factor(gradients.norm, clip_norm),
            workers=self.workers,
        )
