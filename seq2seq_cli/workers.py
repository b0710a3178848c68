"""Threads that share work: several batches, or several parts of one, at the same time.

NumPy lets other threads run while it computes, so threads are enough to use every core, and they share the weights.
It works best where the BLAS under NumPy uses one thread itself; the command line sees to that (``__main__.py``).
With two cores that is as fast as threads inside each product when the machine is idle, and three to six times faster
when anything else runs on it, for then every product waits for the slower half of itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from seq2seq_cli.errors import usage_error

MOST_THREADS = 256
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_threads(threads: int | None) -> int:
    """Return how many threads to use: what ``--threads`` says, or one for each core.

    Raises:
        UserError: for a number below 1 or above ``MOST_THREADS``.
    """
    if threads is None:
        return min(usable_cores(), MOST_THREADS)
    if not 1 <= threads <= MOST_THREADS:
        raise usage_error(
            f"--threads must be from 1 to {MOST_THREADS}, not {threads}",
            where="--threads",
            fix="leave --threads out to use every core",
        )
    return threads


class Workers:
    """A few threads; the caller's own is one of them.

    Args:
        threads: how many, the caller's included.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def map(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
        """Return ``[function(item) for item in items]``, computed at the same time.

        Whatever fails, nothing runs any more when this returns or raises.
        """
        if self._pool is None or len(items) < 2:
            return [function(item) for item in items]
        mine, others = items[:: self.threads], [k for k in range(len(items)) if k % self.threads]
        futures = [self._pool.submit(function, items[k]) for k in others]
        try:
            results = dict(zip(range(0, len(items), self.threads), [function(item) for item in mine]))
        finally:
            wait(futures)
        results |= {k: future.result() for k, future in zip(others, futures)}
        return [results[k] for k in range(len(items))]


ALONE = Workers(1)
"""No other threads."""
