"""What all benchmarks share: fair timing, workers, a description of the machine, the table and the JSON.

Two sides are never timed in one process, where the threads of one BLAS would spin while the other works. Each side is a
``Worker``, a process of its own that is started once and idles on a pipe while the other side runs; blocks of work
alternate, A B A B …, so that a change of the machine's speed meets both. A result is the median of the blocks' ratios,
with the smallest and the largest.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

CHECKOUT = Path(__file__).parent.parent.parent
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""As the command line sets it, because the workers of the program share the work."""
NO_TORCH = "PyTorch is not installed: our side alone."


def has_torch() -> bool:
    """Whether the other side can be measured; if not, say so in one line."""
    if find_spec("torch") is None:
        print(NO_TORCH, file=sys.stderr)
        return False
    return True


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """Where the numbers come from."""
    blas: Any = np.show_config(mode="dicts")
    blas = blas["Build Dependencies"]["blas"]
    packages = ("torch", "tokenizers", "subword-nmt")
    return {
        "processor": _processor(),
        "cores": cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        "threads": os.environ.get("OPENBLAS_NUM_THREADS") or f"one for each core ({cores()})",
        **{name: importlib.metadata.version(name) for name in packages if find_spec(name.replace("-", "_"))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


class Spread(NamedTuple):
    """The median of some measurements, with the smallest and the largest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours over theirs, block by block."""
    return Spread.of([a / b for a, b in zip(ours, theirs)])


def alternate(sides: Mapping[str, Callable[[int], float]], rounds: int) -> dict[str, list[float]]:
    """Call every side once per round, in turn, with the round's number; collect what they return."""
    results: dict[str, list[float]] = {name: [] for name in sides}
    for k in range(rounds):
        for name, side in sides.items():
            results[name].append(side(k))
    return results


def timed(work: Callable[[], Any]) -> float:
    """Seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Worker:
    """An object in its own process; calling a method here runs it there and waits for the result.

    Args:
        kind: its class, importable.
        arguments: for the class.
        environment: variables that must be set before the process starts, as for OpenMP.
    """

    def __init__(self, kind: Callable[..., Any], *arguments: Any, environment: Mapping[str, str] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        before = dict(os.environ)
        os.environ.update(environment or {})
        self._process = context.Process(target=_serve, args=(theirs, kind, arguments))
        self._process.start()
        os.environ.clear()
        os.environ.update(before)
        theirs.close()
        self._receive()

    def call(self, method: str, *arguments: Any) -> Any:
        """Run a method there."""
        self._pipe.send((method, arguments))
        return self._receive()

    def _receive(self) -> Any:
        failure, result = self._pipe.recv()
        if failure:
            raise RuntimeError(failure)
        return result

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join()


def _serve(pipe: Connection, kind: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        side = kind(*arguments)
        pipe.send((None, None))
    except Exception:
        pipe.send((traceback.format_exc(), None))
        return
    while True:
        try:
            method, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((None, getattr(side, method)(*arguments)))
        except Exception:
            pipe.send((traceback.format_exc(), None))


def environment() -> dict[str, str]:
    """For processes that run this checkout's code from any folder, compiled once, as it is when it is installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(CHECKOUT)}


def process_seconds(command: Sequence[str], cwd: Path | None = None) -> float:
    """Whole-process time of a command that must succeed."""
    return timed(lambda: subprocess.run(command, check=True, capture_output=True, cwd=cwd, env=environment()))


def parser(docstring: str | None) -> argparse.ArgumentParser:
    """The flags of every benchmark."""
    flags = argparse.ArgumentParser(
        description=(docstring or "").partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    flags.add_argument("--quick", action="store_true", help="fewer and shorter blocks: a look, not a result")
    flags.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    return flags


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows as a table: a ``Spread`` as median (smallest–largest), a float with the digits that it needs."""
    table = Table(title=title)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k and _is_number(rows[0].get(name)) else "left")
    for row in rows:
        table.add_row(*(_shown(row.get(name, "")) for name in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def report(title: str, rows: Sequence[Mapping[str, Any]], flags: argparse.Namespace, **more: Any) -> None:
    """Print the rows as a table, and the machine; write them, and anything more, as JSON where asked for."""
    show(title, rows)
    found = {"benchmark": title, "machine": machine(), "quick": flags.quick, "rows": rows, **more}
    print("machine: " + ", ".join(f"{name} {value}" for name, value in found["machine"].items()))
    if flags.json:
        flags.json.write_text(json.dumps(_plain(found), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Spread))


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: Any) -> Any:
    """The same in JSON's types; a spread keeps its names."""
    if isinstance(value, Spread):
        return value._asdict()
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value
