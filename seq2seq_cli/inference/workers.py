"""A worker pool: each worker runs the same method on another shard of the data, on its own core.

Workers are processes forked from this one, with results in shared memory. Threads would be simpler, and NumPy releases
the GIL while it computes; but between its calls only one thread at a time can run Python, and a recurrent network makes
very many small calls: on two cores, a training step of a small and of the default network took 17 and 36 ms with
threads, and takes 13 and 29 ms with processes. Where a fork is not safe (macOS, Windows, or a program with other
threads, such as a notebook), the workers are threads.

Both work best if the BLAS of NumPy uses one thread; the command line sets this (``__main__.py``). Threads inside
each matrix product are about as fast on an idle machine, and three to six times slower on a loaded one, because every
product then waits for its slower half.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.inference.cpu_quota import quota_cores

if TYPE_CHECKING:  # imported where they are needed: the command line checks --threads before any of them is
    from concurrent.futures import ThreadPoolExecutor
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    import numpy.typing as npt

CAN_FORK = sys.platform.startswith("linux")
"""Whether workers can be processes; on other systems there is no fork, or libraries do not survive it."""
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that stop a program."""
MAX_THREADS = 256


def usable_cores() -> int:
    """Return the number of cores that this process may use: its affinity, and the CPU quota of a container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, quota_cores() or cores)


def check_threads(threads: int | None) -> int:
    """Return the number of workers: ``--threads``, or one per core.

    Raises:
        UserError: for a number below 1 or above ``MAX_THREADS``.
    """
    if threads is None:
        return min(usable_cores(), MAX_THREADS)
    if not 1 <= threads <= MAX_THREADS:
        raise usage_error(
            f"--threads must be from 1 to {MAX_THREADS}, not {threads}",
            where="--threads",
            fix="leave --threads out to use every core",
        )
    return threads


def shared_zeros(size: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return ``np.zeros(size, dtype)`` in memory that forked processes share."""
    import numpy as np

    memory = mmap.mmap(-1, max(1, size * np.dtype(dtype).itemsize))
    return np.frombuffer(memory, dtype, size)


class WorkerPool:
    """Workers that call methods of one object at the same time; the caller itself is the first worker.

    Args:
        target: the object. A process has a copy from the time when the pool was started: what changes later must be in
            ``shared_zeros`` or among the arguments. (The owner of a pool passes a ``weakref.proxy`` of itself, or else
            both would stay in memory, with all their arrays, until the garbage collector finds the cycle.)
        size: number of workers, the caller included.
        processes: whether to use processes if a fork is safe when the pool starts; otherwise threads.
    """

    def __init__(self, target: Any, size: int, processes: bool = True) -> None:
        self.target, self.size = target, size
        self._processes = processes and CAN_FORK
        self._pipes: list[Connection] = []
        self._workers: list[BaseProcess] = []
        self._threads: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Start the workers, unless they are running; without this, the first call starts them."""
        if self.size > 1 and not self._pipes and self._threads is None:
            # Another thread, for example of a notebook, may hold a lock, for which a forked copy would wait forever.
            if self._processes and threading.active_count() == 1:
                self._fork()
            else:
                from concurrent.futures import ThreadPoolExecutor

                self._threads = ThreadPoolExecutor(self.size - 1)

    def call(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Have worker k call ``target.method(*arguments[k])``; return all results, in order.

        No worker is busy when this returns or raises.

        Args:
            method: name of the method.
            arguments: a tuple for each worker that is needed.

        Raises:
            UserError: if a process has ended, for example because the machine ran out of memory.
            Exception: any exception that a worker's call raised.
        """
        function = getattr(self.target, method)
        if len(arguments) < 2 or self.size == 1:
            return [function(*each) for each in arguments]
        own, *others = arguments
        self.start()
        if self._threads is not None:
            from concurrent.futures import wait

            futures = [self._threads.submit(function, *other) for other in others]
            try:
                result = function(*own)
            finally:
                wait(futures)
            return [result, *(future.result() for future in futures)]
        busy = self._pipes[: len(others)]
        try:
            for pipe, other in zip(busy, others):
                pipe.send((method, other))
            failure = None
            try:
                result = function(*own)
            except Exception as error:
                failure = error
            results = [pipe.recv() for pipe in busy]
        except (EOFError, OSError):
            self.shut_down()
            raise UserError(
                "a worker process has ended unexpectedly; the operating system may have run out of memory",
                where="this machine",
                fix="use less memory (a smaller --batch-size), or --threads 1",
            ) from None
        except BaseException:  # for example Ctrl-C: results may remain in the pipes, which are then unusable
            self.shut_down()
            raise
        for outcome in (failure, *results):
            if isinstance(outcome, Exception):
                raise outcome
        return [result, *results]

    def shards(self, items: Sequence[Any]) -> list[Sequence[Any]]:
        """Split items into one shard per worker, with every ``size``-th item."""
        return [items[k :: self.size] for k in range(min(self.size, len(items)))]

    def slices(self, size: int, workers: int | None = None) -> list[slice]:
        """Split the positions of a vector of this size into one contiguous slice per worker, of this pool or of all."""
        length = max(1, math.ceil(size / (workers or self.size)))
        return [slice(start, min(start + length, size)) for start in range(0, size, length)]

    def workers_memory(self) -> int:
        """Return the private memory of the other workers, in bytes; 0 if they are threads."""
        total = 0
        for worker in self._workers:
            with contextlib.suppress(OSError), Path(f"/proc/{worker.pid}/smaps_rollup").open(encoding="ascii") as file:
                total += sum(1024 * int(line.split()[1]) for line in file if line.startswith("Private_"))
        return total

    def _fork(self) -> None:
        import multiprocessing

        context = multiprocessing.get_context("fork")
        # A worker that is stopped at once must not run this process's handlers: its signals wait until it has its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            for _ in range(self.size - 1):
                ours, theirs = context.Pipe()
                self._pipes.append(ours)
                process = context.Process(target=self._serve, args=(theirs,), daemon=True)
                process.start()
                self._workers.append(process)
                theirs.close()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def _serve(self, pipe: Connection) -> None:
        """Run calls from the first worker until it closes its end of the pipe, or ends."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first worker, which may finish a step
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        for ours in self._pipes:
            ours.close()  # otherwise this process would keep the pipes of its siblings, and its own, open
        with contextlib.suppress(EOFError, OSError):
            while True:
                method, arguments = pipe.recv()
                try:
                    outcome = getattr(self.target, method)(*arguments)
                except Exception as error:
                    outcome = error
                pipe.send(outcome)
        os._exit(0)  # this copy of the program must not flush or clean up anything

    def shut_down(self) -> None:
        """Stop the other workers; later calls run in the caller alone."""
        for pipe in self._pipes:
            pipe.close()
        for worker in self._workers:
            worker.terminate()  # nothing is lost: no call waits for its result
            worker.join()
        if self._threads is not None:
            self._threads.shutdown()
        self._pipes, self._workers, self._threads, self.size = [], [], None, 1
