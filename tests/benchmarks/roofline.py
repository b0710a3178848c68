"""Roofline: why a training step cannot run at the speed of the machine's best matrix product, and how near it is.

The network and the batches are those of ``training``. Each part of a step is run alone, on both cores at once, as the
step does it, and one after the other in every round:

- **products**: the step's matrix products, in their own shapes, and nothing else;
- **optimizer**: adding up both cores' gradients, their norm, and Adam: as many bytes as there are, past the memory;
- **functions**: the tanh of the gates and the exponentials of the softmax, each once, on arrays in the cache;
- **step**: the whole of it.

The shares are those of the roof (operations of the products per second, against the best ``matmul``): what they would
be at most if a step were nothing but its products, or those and the optimizer, or the functions as well, and what the
share of the whole step is::

    python -m tests.benchmarks.roofline [--quick] [--json FILE] [--sizes large] [--cells lstm,gru]
"""

from __future__ import annotations

import dataclasses
import math
import time
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.inference.workers import WorkerPool, usable_cores
from seq2seq_cli.nn.cells import CELLS
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.model import Batch
from seq2seq_cli.nn.output_layer import BLOCK_BYTES
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.parameters import initialize
from seq2seq_cli.nn.products import StepMatrix
from seq2seq_cli.training.batches import EncodedCorpus, make_batch, plan_batches
from tests.benchmarks.lengths import draw_corpus
from tests.benchmarks.measure import ONE_BLAS_THREAD, Spread, Worker, alternate, parser, report
from tests.benchmarks.training import SEED, SHAPES, SIZES, OurSide, Roof, operations

IN_CACHE = 1 << 16
"""Numbers of an array that a function is applied to again and again: 256 kB."""


class Parts(OurSide):
    """A step and its parts; runs in a worker."""

    def __init__(self, config: ModelConfig, corpus: EncodedCorpus, plan: Sequence[Index]) -> None:
        super().__init__(config, initialize(config, np.random.default_rng(SEED)), corpus, plan, 0.0)
        self.config = config
        self.packed = [[make_batch(corpus, shard) for shard in shards] for shards in self.shards]
        self.workers = WorkerPool(weakref.proxy(self), usable_cores())
        self.workers.start()

    def products(self, places: Sequence[int]) -> float:
        """Seconds of the matrix products of these batches."""
        return self._timed("products_of", places)

    def functions(self, places: Sequence[int]) -> float:
        """Seconds of the transcendental functions of these batches."""
        return self._timed("functions_of", places)

    def step(self, places: Sequence[int]) -> float:
        """Seconds of whole steps."""
        return self.block(places)

    def _timed(self, method: str, places: Sequence[int]) -> float:
        start = time.perf_counter()
        for k in places:
            self.workers.call(method, [(batch,) for batch in self.packed[k]])
        return time.perf_counter() - start

    def optimizer(self, places: Sequence[int]) -> float:
        """Seconds of reducing and updating, as often as there are batches."""
        size = len(self.parallel.gradients[0].flat)
        start = time.perf_counter()
        for step, _ in enumerate(places, start=1):
            slices = self.parallel.workers.slices(size)
            self.parallel.workers.call("_reduce", [(part, self.parallel.size) for part in slices])
            self.parallel.workers.call("_update", [(part, step, 1e-12, 0.5) for part in slices])
        return time.perf_counter() - start

    def products_of(self, batch: Batch) -> None:
        """One shard's products: forward, and two for each of them in the backward pass."""
        config = self.config
        E, H, D = config.embedding_size, config.hidden_size, config.directions
        g, B, N = CELLS[config.cell].gates, batch.target_packing.sentences, batch.target_packing.tokens
        for _ in range(D):
            _layer(g, E, H, batch.source_packing, from_zero=True)
        _layer(g, E, H, batch.target_packing, from_zero=False)
        top = H
        if config.bidirectional:
            for _ in CELLS[config.cell].state_names:
                _linear(B, D * H, H)
        if config.context == "every-step":
            top = E
            _linear(B, D * H, g * H)
            for rows, width in ((N, E), (N, H), (B, D * H)):
                _linear(rows, width, E)
        _linear(N, top, config.target_vocabulary)

    def functions_of(self, batch: Batch) -> None:
        """One shard's tanh and exponentials."""
        config, source, target = self.config, batch.source_packing.tokens, batch.target_packing.tokens
        cell = CELLS[config.cell]
        gates = (config.directions * source + target) * (cell.gates + (len(cell.state_names) == 2)) * config.hidden_size
        numbers = np.zeros(IN_CACHE, np.float32)
        for function, count in ((np.tanh, gates), (np.exp, target * config.target_vocabulary)):
            for _ in range(count // IN_CACHE):
                function(numbers, out=numbers)
                numbers[...] = 0.5


_INPUTS: dict[tuple[int, ...], Array] = {}
_OUTPUTS: dict[tuple[int, ...], Array] = {}


def _input(*shape: int) -> Array:
    """An array of numbers, made once."""
    if shape not in _INPUTS:  # few different numbers: drawing them all would take longer than multiplying them
        _INPUTS[shape] = np.resize(np.random.default_rng(SEED).random(1 << 12, dtype=np.float32), shape)
    return _INPUTS[shape]


def _output(*shape: int) -> Array:
    """An array to write to, made once."""
    return _OUTPUTS.setdefault(shape, np.zeros(shape, np.float32))


def _linear(rows: int, width: int, outputs: int) -> None:
    """``Y = X Wᵀ`` and both gradients, some rows at a time where Y is large, as the output layer does."""
    pieces = math.ceil(rows * outputs * 4 / BLOCK_BYTES)
    some = math.ceil(rows / pieces)
    x, weight, d_y = _input(some, width), _input(outputs, width), _input(some, outputs)
    for _ in range(pieces):
        np.matmul(x, weight.T, out=_output(some, outputs))
        np.matmul(d_y, weight, out=_output(some, width))
        np.matmul(d_y.T, x, out=_output(outputs, width))


def _layer(g: int, E: int, H: int, packing: Packing, from_zero: bool) -> None:
    """A recurrent layer's products, as in ``nn/recurrent.py``."""
    N, after = packing.tokens, packing.sentences if from_zero else 0
    inputs, hidden, d_projection = _input(N, E), _input(N, H), _input(N, g * H)
    weight_ih, weight_hh = _input(g, H, E), _input(g, H, H)
    np.matmul(inputs, weight_ih.transpose(0, 2, 1), out=_output(g, N, H))
    for matrix, each in ((StepMatrix(weight_hh.transpose(0, 2, 1)), ()), (StepMatrix(weight_hh), (g,))):
        for size in packing.batch_sizes[from_zero:]:
            matrix.multiply(_input(*each, size, H))
    np.matmul(d_projection.T, inputs, out=_output(g * H, E))
    np.matmul(d_projection[after:].T, hidden[after:], out=_output(g * H, H))
    np.matmul(d_projection, _input(g * H, E), out=_output(N, E))


def measure(name: str, cell: str, rounds: int) -> dict[str, Any]:
    """One network."""
    size = SIZES[name]
    config = dataclasses.replace(size.config, cell=cell, dropout=0.0)
    corpus = draw_corpus(20 * size.batch_size, config.target_vocabulary, SEED)
    plan = plan_batches(corpus, size.batch_size, np.random.default_rng(SEED))[: size.batches]
    work = sum(operations(config, make_batch(corpus, pairs)) for pairs in plan)
    places, names = list(range(len(plan))), ("products", "optimizer", "functions", "step")
    with (
        Worker(Parts, config, corpus, plan, environment=ONE_BLAS_THREAD) as ours,
        Worker(Roof) as roof_worker,
    ):
        sides: dict[str, Any] = {part: lambda _, part=part: ours.call(part, places) for part in names}
        sides |= {str(shape): lambda _, shape=shape: roof_worker.call("matmul_speed", shape) for shape in SHAPES}
        results = alternate(sides, rounds + 1)
    peak = Spread.of([max(results[str(shape)][k] for shape in SHAPES) for k in range(1, rounds + 1)]).median
    seconds = {part: Spread.of(results[part][1:]).median for part in names}
    row: dict[str, Any] = {"size": name, "cell": cell, "roof GFLOP/s": peak / 1e9}
    row |= {f"{part} ms": 1000 * seconds[part] / len(plan) for part in names}
    so_far = 0.0
    for part in names[:-1]:
        so_far += seconds[part]
        row[f"{'' if part == names[0] else '+ '}{part}"] = work / so_far / peak
    return row | {"step": work / seconds["step"] / peak}


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--sizes", default="large")
    flags.add_argument("--cells", default="lstm,gru")
    given = flags.parse_args()
    rounds = 5 if given.quick else 11
    rows = [measure(name, cell, rounds) for name in given.sizes.split(",") for cell in given.cells.split(",")]
    report("roofline: a training step and its parts", rows, given)


if __name__ == "__main__":
    main()
