"""Memory: the peak of a process that trains, and of one that translates, beside PyTorch.

Each measurement is a process of its own, with those that it starts to share its work, and the peak is all that they
held together: interpreter, libraries, weights, Adam's moments, batches and caches. What several of them share counts
once (Linux's ``Pss``, read again and again).

Training: the networks of ``training`` on the same batches, PyTorch in each plain form, of which the smallest peak
counts. Translation: one model file, the built-in test set in batches of 64, beam 5::

    python -m tests.benchmarks.memory [--quick] [--json FILE] [--model model.npz] [--sizes small,default,large]
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq_cli.nn.parameters import initialize
from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import read_corpus
from seq2seq_cli.training.batches import plan_batches
from tests.benchmarks import training, translation
from tests.benchmarks.lengths import draw_corpus
from tests.benchmarks.measure import ONE_BLAS_THREAD, Worker, cores, has_torch, parser, report
from tests.benchmarks.models import add_model_flag, model_file
from tests.benchmarks.training import SEED, SIZES

STATUS = Path("/proc/self/status")
SECONDS = 0.03
"""Seconds between two measurements."""


def peak_bytes() -> int:
    """Peak memory of this process.

    Linux hands a parent's peak down through ``getrusage``, so there its own record is read instead.
    """
    if STATUS.exists():
        lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def held_together() -> int:
    """Memory of this process and its children now, in bytes; 0 if the system does not report it."""
    total = 0
    for pid in (os.getpid(), *(child.pid for child in multiprocessing.active_children())):
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            total += 1024 * int(next(line.split()[1] for line in lines if line.startswith("Pss:")))
    return total


class Measured:
    """Any side of a benchmark, which can also be asked for its process's peak."""

    def __init__(self, kind: Callable[..., Any], *arguments: Any) -> None:
        self.side = kind(*arguments)

    def peak_of(self, method: str, *arguments: Any) -> int:
        """Bytes, of this process and its children, while it works."""
        together, done = [0], threading.Event()

        def watch() -> None:
            while not done.wait(SECONDS):
                together.append(held_together())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            getattr(self.side, method)(*arguments)
        finally:
            done.set()
            watcher.join()
        return max(peak_bytes(), *together)


def peak(
    kind: Callable[..., Any],
    arguments: tuple[Any, ...],
    method: str,
    *details: Any,
    environment: Mapping[str, str] | None = None,
) -> float:
    """Megabytes of a new process that makes that side and does that work."""
    with Worker(Measured, kind, *arguments, environment=environment) as worker:
        return float(worker.call("peak_of", method, *details)) / 1e6


def row_of(what: str, ours: float, theirs: float | None) -> dict[str, Any]:
    other = {} if theirs is None else {"PyTorch MB": theirs, "ours / PyTorch": ours / theirs}
    return {"what": what, "ours MB": ours, **other}


def measure_training(name: str, cell: str, torch: bool, batches: int) -> dict[str, Any]:
    size = SIZES[name]
    config = dataclasses.replace(size.config, cell=cell, dropout=0.0)
    corpus = draw_corpus(100 * size.batch_size, config.target_vocabulary, SEED)
    plan = plan_batches(corpus, size.batch_size, np.random.default_rng(SEED))[:batches]
    arguments = config, initialize(config, np.random.default_rng(SEED)), corpus, plan, 0.0
    places = list(range(batches))
    ours = peak(training.OurSide, arguments, "block", places, environment=ONE_BLAS_THREAD)
    theirs = None
    if torch:
        from tests.benchmarks.torch_training import TorchSide, forms

        theirs = min(peak(TorchSide, arguments, "block_only", places, form) for form in forms(cell))
    return row_of(f"training, {name}, {cell}", ours, theirs)


def measure_translation(path: str, torch: bool, sentences: int) -> dict[str, Any]:
    texts, theirs = read_corpus(builtin_corpus("test")).sources[:sentences], None
    ours = peak(translation.OurSide, (path,), "block", texts, 5, 64, environment=ONE_BLAS_THREAD)
    if torch:
        from tests.benchmarks.torch_translation import STEPS, TorchTranslator

        theirs = min(peak(TorchTranslator, (path, cores()), "block", texts, 5, 64, form) for form in STEPS)
    return row_of("translation, beam 5, batch 64", ours, theirs)


def main() -> None:
    flags = parser(__doc__)
    add_model_flag(flags)
    flags.add_argument("--sizes", default=",".join(SIZES))
    flags.add_argument("--cells", default="lstm,gru")
    given = flags.parse_args()
    torch = has_torch()
    batches = 10 if given.quick else 50
    rows = [
        measure_training(name, cell, torch, batches)
        for name in given.sizes.split(",")
        for cell in given.cells.split(",")
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = str(model_file(given.model, Path(folder)))
        rows.append(measure_translation(path, torch, 128 if given.quick else 1000))
    report("memory: peak of the process and those that share its work", rows, given)


if __name__ == "__main__":
    main()
