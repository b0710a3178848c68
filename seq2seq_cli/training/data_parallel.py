"""One optimizer step whose mini-batch is sharded over several cores.

The gradient of a sum is the sum of the gradients: each worker runs the forward and the backward pass over its shard of
the batch, into gradients of its own; then the gradients are reduced, and every worker updates its part of the
parameters::

    ∂loss/∂θ = Σ_shards ∂loss_shard/∂θ        loss = Σ over all tokens / number of tokens in all shards

Several networks in one model (``nn/members.py``) are independent of each other, so networks are distributed over the
workers first, and a batch is sharded only if workers remain: products with more rows are faster, and fewer gradients
have to be reduced. With M networks and W workers there are ``W / gcd(M, W)`` shards; for example, two workers train
four networks without splitting the batch, and three networks on two shards.

The result depends on how many shards there are, by rounding, but not on the speed of the workers.

In a run of several processes (see ``inference/communicator.py``), the workers of all processes share the networks and
the batch in this way. Each process reduces the gradients of its own workers; then all processes add up theirs, as one
flat vector, and each of them takes the same optimizer step. So parameters and moments are the same everywhere.
"""

from __future__ import annotations

import hashlib
import math
import weakref
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.communicator import ALONE, Communicator
from seq2seq_cli.inference.workers import WorkerPool, shared_zeros
from seq2seq_cli.nn.members import member_streams
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


class ShardTask(NamedTuple):
    """Some networks' forward and backward pass over a shard of a batch.

    Args:
        shard: its number, which decides whose gradients are written.
        pairs: positions of its training pairs.
        members: which networks.
        generators: one for each of these networks decides its dropout masks; None switches dropout off.
    """

    shard: int
    pairs: Index
    members: range
    generators: Sequence[np.random.Generator | None]


class DataParallel:
    """A model, its optimizer, gradients for every shard of a batch, and workers that compute them.

    The workers know both corpora from the start, so a shard is only the positions of its pairs.

    Args:
        model: the model to train; its parameters move to memory that all workers share.
        optimizer: its name in ``OPTIMIZERS``.
        train, valid: encoded pairs.
        size: number of workers in this process.
        processes: as for ``WorkerPool``.
        communicator: the processes of this run; each has ``size`` workers.
    """

    def __init__(
        self,
        model: Seq2Seq,
        optimizer: str,
        train: EncodedCorpus,
        valid: EncodedCorpus,
        size: int = 1,
        processes: bool = True,
        communicator: Communicator = ALONE,
    ) -> None:
        parameters, count, dtype = model.parameters, len(model.parameters.flat), model.parameters.flat.dtype
        parameters.move(shared_zeros(count, dtype))  # before the workers start: workers keep what they inherit
        self.model, self.size, self.communicator = model, size * communicator.size, communicator
        self.train, self.valid = train, valid
        self.gradients = [
            Parameters(parameters.shapes, shared_zeros(count, dtype)) for _ in range(self._own_shards(size))
        ]
        self.optimizer = find_optimizer(optimizer)(count, dtype, shared_zeros)
        self.workers = WorkerPool(weakref.proxy(self), size, processes)
        self.workers.start()  # now, while the program has no other threads

    @property
    def shards(self) -> int:
        """Maximum number of shards of a batch."""
        return self.size // math.gcd(self.size, self.model.config.members)

    def _own_shards(self, workers: int) -> int:
        """Maximum number of shards of which this process has a part."""
        if self.communicator.size == 1:
            return self.shards
        members = self.model.config.members
        tasks = workers * math.ceil(members * self.shards / self.size)
        return min(self.shards, 1 + math.ceil(tasks / members))

    def loss_and_gradients(
        self,
        shards: Sequence[Index],
        generators: Sequence[np.random.Generator] | None = None,
        label_smoothing: float = 0.0,
    ) -> Gradients:
        """Compute the gradients of the mean loss per token of all shards; they are kept in ``gradients[0]``.

        Args:
            shards: positions of training pairs, at most ``self.shards`` of them.
            generators: one for each shard decides its dropout masks; None switches dropout off.
            label_smoothing: ε.
        """
        tokens = sum(int(self.train.target.lengths_of(pairs).sum()) - len(pairs) for pairs in shards)
        tasks = self._tasks(shards, generators)
        count = len(shards)
        if self.communicator.size > 1:
            tasks, count = self._own_tasks(tasks)
        losses = self.workers.call("_networks", [(each, tokens, label_smoothing) for each in tasks])
        parts = self.workers.slices(len(self.gradients[0].flat))
        squares = self.workers.call("_reduce", [(part, count) for part in parts])
        loss, members = add_losses(losses), self.model.config.members
        if self.communicator.size > 1:
            loss = self._sum_losses(loss)
            self.communicator.sum_in_place(self.gradients[0].flat)
            squares = self.communicator.sum(self._own_square())
        mean = Loss(loss.loss / members, loss.negative_log_likelihood / members, loss.tokens // members)
        return Gradients(mean, math.sqrt(sum(squares)))

    def step(self, gradients: Gradients, learning_rate: float, clip_norm: float) -> None:
        """Clip the gradients just computed and let the optimizer take its step."""
        self.optimizer.steps += 1
        scale = clip_factor(gradients.norm, clip_norm)
        parts = self.workers.slices(len(self.gradients[0].flat))
        self.workers.call("_update", [(part, self.optimizer.steps, learning_rate, scale) for part in parts])

    def validation_loss(self, batches: Sequence[Index]) -> Loss:
        """Return the loss of all batches of validation pairs together, without dropout, smoothing or gradients."""
        own = batches[self.communicator.rank :: self.communicator.size]
        return self._sum_losses(
            add_losses(self.workers.call("_loss", [(shard,) for shard in self.workers.shards(own)]))
        )

    def check_equal(self) -> None:
        """Check that parameters and moments are the same in all processes, to the bit.

        Raises:
            UserError: if they are not; it names the processes that differ from most others.
        """
        if self.communicator.size == 1:
            return
        digest = hashlib.blake2b(self.model.parameters.flat.data)
        for vector in self.optimizer.moments().values():
            digest.update(vector.data)
        digests = self.communicator.gather(digest.hexdigest())
        usual = max(digests, key=digests.count)  # the first one, if several are equally frequent
        if different := [rank for rank, found in enumerate(digests) if found != usual]:
            ranks = ", ".join(map(str, different))
            raise UserError(
                f"the weights differ between the processes of this run at step {self.optimizer.steps}",
                where=f"process {ranks} of 0 to {len(digests) - 1}",
                fix="check the memory of that machine, and that all run the same versions; then continue with --resume",
            )

    def others_memory(self) -> int:
        """Return the private memory of the other workers, in bytes; 0 if they are threads."""
        return self.workers.workers_memory()

    def _tasks(
        self, shards: Sequence[Index], generators: Sequence[np.random.Generator] | None
    ) -> list[list[ShardTask]]:
        """Return the tasks of each worker: an equal part of all networks on all shards, one shard after the other."""
        members = self.model.config.members
        streams = [member_streams(None if generators is None else generators[k], members) for k in range(len(shards))]
        tasks: list[list[ShardTask]] = []
        for part in self.workers.slices(members * len(shards), self.size):
            tasks.append([])
            for k, pairs in enumerate(shards):
                first, last = max(part.start - k * members, 0), min(part.stop - k * members, members)
                if first < last:
                    tasks[-1].append(ShardTask(k, pairs, range(first, last), streams[k][first:last]))
        return tasks

    def _own_tasks(self, tasks: list[list[ShardTask]]) -> tuple[list[list[ShardTask]], int]:
        """Return the tasks of this process's workers, with shards numbered from 0, and the number of these shards.

        Gradients that no task of this process writes are set to zero.
        """
        own = tasks[self.communicator.rank * self.workers.size :][: self.workers.size]
        numbers = {shard: k for k, shard in enumerate(dict.fromkeys(task.shard for each in own for task in each))}
        own = [[task._replace(shard=numbers[task.shard]) for task in each] for each in own]
        written = {(task.shard, member) for each in own for task in each for member in task.members}
        for shard in range(max(1, len(numbers))):
            for member in range(self.model.config.members):
                if (shard, member) not in written:
                    self.gradients[shard].scope(member).flat[...] = 0.0
        return own, max(1, len(numbers))

    def _sum_losses(self, loss: Loss) -> Loss:
        """Return the loss of all processes together."""
        total, negative_log_likelihood, tokens = self.communicator.sum(*loss)
        return Loss(total, negative_log_likelihood, round(tokens))

    def _own_square(self) -> float:
        """Return the squared norm of this process's part of the gradients; others might round it differently."""
        length = math.ceil(len(self.gradients[0].flat) / self.communicator.size)
        start = self.communicator.rank * length
        return reduce_gradients([self.gradients[0].flat[start : start + length]])

    def _networks(self, tasks: Sequence[ShardTask], tokens: int, label_smoothing: float) -> Loss:
        losses = []
        for shard, pairs, members, generators in tasks:
            batch = make_batch(self.train, pairs)
            losses += [
                self.model.members[member].loss_and_gradients(
                    batch,
                    self.gradients[shard].scope(member),
                    tokens=tokens,
                    label_smoothing=label_smoothing,
                    generator=generator,
                )
                for member, generator in zip(members, generators)
            ]
        return add_losses(losses)

    def _reduce(self, part: slice, count: int) -> float:
        return reduce_gradients([gradients.flat[part] for gradients in self.gradients[:count]])

    def _update(self, part: slice, steps: int, learning_rate: float, scale: float) -> None:
        self.optimizer.update(
            part, self.model.parameters.flat[part], self.gradients[0].flat[part], steps, learning_rate, scale
        )

    def _loss(self, batches: Sequence[Index]) -> Loss:
        return add_losses([self.model.loss(make_batch(self.valid, pairs)) for pairs in batches])


def add_losses(losses: Sequence[Loss]) -> Loss:
    """Return the loss of several batches together; of none, zeros."""
    return Loss(*(sum(parts) for parts in zip(*losses))) if losses else Loss(0.0, 0.0, 0)
