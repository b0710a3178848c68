"""Training speed: real target tokens per second of forward, backward, clipping and Adam, beside PyTorch.

Both sides train the same network, from the same weights, on the very same batches: sentence lengths of Multi30k (see
``lengths``), random words, planned by the program's own bucketing. Before anything is timed, both losses of a batch
must agree. What is compared, in alternating blocks:

- **ours**;
- **PyTorch** in its fastest form for this network (``torch_training`` lists those that are tried, each run);
- **the tutorial's way** in PyTorch: random batches, padded, logits on padding too, plain Adam, the decoder in
  steps;
- **padded**: the same, but the decoder is called once for whole sentences;
- **the machine**: the best of several float32 ``matmul`` shapes, which is the roof over the products of a step. A
  product (m, k) × (k, n) counts 2·m·n·k operations, and its two gradients as many each.

::

    python -m tests.benchmarks.training [--quick] [--json FILE] [--sizes small,default,large] [--cells lstm,gru]
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq_cli.config import ModelConfig, TrainingConfig
from seq2seq_cli.inference.workers import usable_cores
from seq2seq_cli.nn.cells import CELLS
from seq2seq_cli.nn.model import Batch, Seq2Seq
from seq2seq_cli.nn.packing import Index
from seq2seq_cli.nn.parameters import Parameters, initialize
from seq2seq_cli.training.batches import EncodedCorpus, make_batch, plan_batches, shards_of
from seq2seq_cli.training.data_parallel import DataParallel
from tests.benchmarks.lengths import draw_corpus
from tests.benchmarks.measure import ONE_BLAS_THREAD, Spread, Worker, alternate, has_torch, parser, ratios, report

SEED = 4
SHAPES = ((512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (1024, 512, 2048), (2048, 256, 4096))
"""(m, k, n) of the products that look for the roof: square ones, and a vocabulary's or a gate's tall and wide ones."""
AGREEMENT = 2e-5


class Size(NamedTuple):
    """A network, its batch size, and how many batches make a block of about a second."""

    config: ModelConfig
    batch_size: int
    batches: int


SIZES = {
    "small": Size(
        ModelConfig(1000, 1000, embedding_size=64, hidden_size=128, bidirectional=False, context="initial"), 64, 40
    ),
    "default": Size(ModelConfig(2000, 2000), TrainingConfig.batch_size, 24),
    "large": Size(ModelConfig(8000, 8000, embedding_size=256, hidden_size=512), 64, 5),
}


def operations(config: ModelConfig, batch: Batch) -> int:
    """Floating-point operations of a training step's matrix products: forward, and twice that backward."""
    E, H, D = config.embedding_size, config.hidden_size, config.directions
    G = CELLS[config.cell].gates * H
    source, target, B = batch.source_packing.tokens, batch.target_packing.tokens, batch.target_packing.sentences
    products = D * source * (E + H) * G + target * (E + H) * G
    if config.bidirectional:
        products += len(CELLS[config.cell].state_names) * B * 2 * H * H
    top = H
    if config.context == "every-step":
        products += B * D * H * (G + E) + target * (E + H) * E  # the context's part once per sentence
        top = E
    products += target * top * config.target_vocabulary
    return 3 * 2 * products


class OurSide:
    """Trains with the program's own model, clipping and Adam; runs in a worker."""

    def __init__(
        self,
        config: ModelConfig,
        parameters: Parameters,
        corpus: EncodedCorpus,
        plan: Sequence[Index],
        label_smoothing: float,
    ) -> None:
        self.model = Seq2Seq(config, parameters)
        self.batches = [make_batch(corpus, pairs) for pairs in plan]
        threads = usable_cores()
        self.shards = [shards_of(pairs, threads) for pairs in plan]
        self.label_smoothing = label_smoothing
        self.parallel = DataParallel(self.model, "adam", corpus, corpus, threads)
        self.dropout = [np.random.default_rng([SEED, k]) for k in range(threads)]

    def loss(self, k: int) -> float:
        """The mean loss per token of batch k."""
        loss = self.model.loss(self.batches[k], self.label_smoothing)
        return loss.loss / loss.tokens

    def block(self, places: Sequence[int]) -> float:
        """Seconds of training on these batches."""
        start = time.perf_counter()
        for k in places:
            gradients = self.parallel.loss_and_gradients(
                self.shards[k], self.dropout if self.model.config.dropout else None, self.label_smoothing
            )
            self.parallel.step(gradients, 0.001, 1.0)
        return time.perf_counter() - start


class Roof:
    """Finds the fastest float32 product, with the threads of the BLAS on every core."""

    def matmul_speed(self, shape: tuple[int, int, int]) -> float:
        """Operations per second of one float32 product."""
        m, k, n = shape
        generator = np.random.default_rng(SEED)
        a = generator.random((m, k), dtype=np.float32)
        b, c = generator.random((k, n), dtype=np.float32), np.empty((m, n), np.float32)
        np.matmul(a, b, out=c)
        repeats = math.ceil(4e9 / (2 * m * n * k))
        start = time.perf_counter()
        for _ in range(repeats):
            np.matmul(a, b, out=c)
        return repeats * 2 * m * n * k / (time.perf_counter() - start)


def measure(name: str, cell: str, rounds: int, flags: Any, torch: bool) -> dict[str, Any]:
    """One network: all sides, in turn."""
    size = SIZES[name]
    config = dataclasses.replace(size.config, cell=cell, dropout=flags.dropout)
    count = max(2, size.batches // 3) if flags.quick else size.batches
    corpus = draw_corpus(100 * size.batch_size, config.target_vocabulary, SEED)
    plan = plan_batches(corpus, size.batch_size, np.random.default_rng(SEED))
    blocks = [[k % len(plan) for k in range(start * count, (start + 1) * count)] for start in range(rounds)]
    random_plan = np.split(np.random.default_rng(SEED).permutation(len(corpus)), len(plan))
    common = config, initialize(config, np.random.default_rng(SEED)), corpus
    smoothing = flags.label_smoothing
    batches = [make_batch(corpus, pairs) for pairs in plan]

    def per_second(seconds: list[float], of: list[int]) -> list[float]:
        return [sum(of[k] for k in block) / s for block, s in zip(blocks, seconds)]

    with (
        Worker(OurSide, *common, plan, smoothing, environment=ONE_BLAS_THREAD) as ours,
        Worker(Roof) as roof_worker,
    ):
        sides: dict[str, Any] = {"ours": lambda k: ours.call("block", blocks[k])}
        workers, tried, best = [], {}, ""
        if torch:
            from tests.benchmarks.torch_training import TUTORIAL_FORMS, TorchSide, forms

            theirs = Worker(TorchSide, *common, plan, smoothing)
            tutorial = Worker(TorchSide, *common, random_plan, smoothing, True)
            workers = [theirs, tutorial]
            tried = try_forms(ours, theirs, blocks[0], forms(cell), flags)
            best = min((form for form in tried if not isinstance(tried[form], str)), key=lambda form: tried[form])
            sides["torch"] = lambda k: theirs.call("block", blocks[k], best)
            for form in TUTORIAL_FORMS:
                sides[form] = lambda k, form=form: tutorial.call("block", blocks[k], form)
        for side in sides.values():
            side(0)  # warm
        peaks = {shape: f"matmul {shape}" for shape in SHAPES}
        sides |= {
            label: lambda _, shape=shape: roof_worker.call("matmul_speed", shape) for shape, label in peaks.items()
        }
        results = alternate(sides, rounds)
        for worker in workers:
            worker.__exit__()

    tokens = [batch.target_packing.tokens for batch in batches]
    speed = per_second(results["ours"], tokens)
    rate = per_second(results["ours"], [operations(config, batch) for batch in batches])
    roof = [max(results[label][k] for label in peaks.values()) for k in range(rounds)]
    row: dict[str, Any] = {"size": name, "cell": cell, "tokens/s": Spread.of(speed).median}
    if torch:
        real = [sum(int(corpus.target.lengths[pair]) - 1 for pair in pairs) for pairs in random_plan]
        fastest = per_second(results["torch"], tokens)
        row |= {
            "PyTorch": Spread.of(fastest).median,
            "ours / PyTorch": ratios(speed, fastest),
            "PyTorch's form": best,
            "ours / tutorial": ratios(speed, per_second(results["steps"], real)),
            "ours / padded": ratios(speed, per_second(results["sequences"], real)),
        }
    row |= {
        "GFLOP/s": Spread.of(rate).median / 1e9,
        "matmul": Spread.of(roof).median / 1e9,
        "share of roof": ratios(rate, roof),
    }
    return row | {"forms": tried} if flags.json else row


def try_forms(ours: Worker, theirs: Worker, block: list[int], plain: list[str], flags: Any) -> dict[str, float | str]:
    """Seconds of a block in every form of PyTorch's side, the best of three after a warm-up; or why it failed."""
    tried: dict[str, float | str] = {}

    def attempt(form: str) -> None:
        try:
            if not flags.dropout:
                mine, its = ours.call("loss", block[0]), theirs.call("loss", block[0], form)
                assert abs(mine - its) < AGREEMENT * mine, f"{form}: the losses differ, {mine} and {its}"
            times = [theirs.call("block", block, form) for _ in range(4)]
            tried[form] = min(times[1:])
        except RuntimeError as error:  # what the worker could not do
            if form in plain:
                raise
            tried[form] = str(error).strip().splitlines()[-1]

    for form in plain:
        attempt(form)
    if flags.compile:
        best = min(plain, key=lambda form: tried[form])
        attempt(f"{best} compiled")
        attempt(f"{best} whole")
    return tried


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--sizes", default=",".join(SIZES))
    flags.add_argument("--cells", default="lstm,gru")
    flags.add_argument("--dropout", type=float, default=0.0, help="on both sides; the losses can be compared without")
    flags.add_argument("--label-smoothing", type=float, default=0.0, help="on both sides")
    flags.add_argument("--rounds", type=int, default=0, help="blocks of each side; 0: 7, or 3 with --quick")
    flags.add_argument("--compile", action="store_true", help="also try torch.compile (minutes)")
    given = flags.parse_args()
    torch = has_torch()
    rounds = given.rounds or (3 if given.quick else 7)
    rows = [
        measure(name, cell, rounds, given, torch) for name in given.sizes.split(",") for cell in given.cells.split(",")
    ]
    tried = {f"{row['size']} {row['cell']}": row.pop("forms", {}) for row in rows}
    report("training: real target tokens per second", rows, given, forms=tried)


if __name__ == "__main__":
    main()
