"""A pool of workers that run one method on different shards of the data, one worker on each core.

Workers are processes forked from this one, and their results are in shared memory. Threads would be simpler, and NumPy
releases the GIL while it computes; but between its calls only one thread at a time can run Python, and a recurrent
network makes very many small calls: on two cores, threads took 17 and 36 ms where processes take 13 and 29 ms (a
training step of a small and of the default network). Where fork is not safe (macOS, Windows, a program with threads of
its own such as a notebook), the workers are threads.

Either works best if the BLAS under NumPy uses one thread; the command line sets that (``__main__.py``). Threads inside
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

if TYPE_CHECKING:  # imported where they are needed: the command line checks --threads before any of them is
    from concurrent.futures import ThreadPoolExecutor
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    import numpy.typing as npt

CAN_FORK = sys.platform.startswith("linux")
"""Whether workers may be processes; on other systems libraries do not survive a fork, or there is no fork."""
MAX_THREADS = 256


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_threads(threads: int | None) -> int:
    """Return the number of workers: what ``--threads`` says, or one for each core.

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
    """Return a vector of zeros, as ``np.zeros(size, dtype)``, in memory that forked processes share."""
    import numpy as np

    memory = mmap.mmap(-1, max(1, size * np.dtype(dtype).itemsize))
    return np.frombuffer(memory, dtype, size)


class WorkerPool:
    """Workers that call methods of one object at the same time; the caller itself is the first worker.

    Args:
        target: the object. A process has it as it was when the pool was started: what changes later must be in
            ``shared_zeros`` or among the arguments. (The owner of a pool passes a ``weakref.proxy`` of itself, or the
            two would keep each other, with all their arrays, alive until the garbage collector finds the cycle.)
        size: number of workers, the caller included.
        processes: whether they are processes, where a fork is safe when the pool starts, or threads.
    """

    def __init__(self, target: Any, size: int, processes: bool = True) -> None:
        self.target, self.size = target, size
        self._processes = processes and CAN_FORK
        self._pipes: list[Connection] = []
        self._workers: list[BaseProcess] = []
        self._threads: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Start the workers, unless they are running; otherwise the first call does."""
        if self.size > 1 and not self._pipes and self._threads is None:
            # Another thread, of a notebook for example, may hold a lock that a forked copy would wait for forever.
            if self._processes and threading.active_count() == 1:
                self._fork()
            else:
                from concurrent.futures import ThreadPoolExecutor

                self._threads = ThreadPoolExecutor(self.size - 1)

    def call(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Have worker k call ``target.method(*arguments[k])``; return all results, in order.

        Whatever fails, no worker is busy when this returns or raises.

        Args:
            method: its name.
            arguments: a tuple for each worker, for as many as are needed.

        Raises:
            UserError: if a process has ended, for example because the machine ran out of memory.
            Exception: what a worker's call raised.
        """
        function = getattr(self.target, method)
        if len(arguments) < 2 or self.size == 1:
            return [function(*each) for each in arguments]
        mine, *others = arguments
        self.start()
        if self._threads is not None:
            from concurrent.futures import wait

            futures = [self._threads.submit(function, *theirs) for theirs in others]
            try:
                result = function(*mine)
            finally:
                wait(futures)
            return [result, *(future.result() for future in futures)]
        busy = self._pipes[: len(others)]
        try:
            for pipe, theirs in zip(busy, others):
                pipe.send((method, theirs))
            failure = None
            try:
                result = function(*mine)
            except Exception as error:
                failure = error
            results = [pipe.recv() for pipe in busy]
        except (EOFError, OSError):
            self.shut_down()
            raise UserError(
                "a worker process has ended unexpectedly",
                where="the operating system may have run out of memory",
                fix="use less memory (a smaller --batch-size), or --threads 1",
            ) from None
        except BaseException:  # Ctrl-C: results may still be in the pipes, which can then not be used any more
            self.shut_down()
            raise
        for outcome in (failure, *results):
            if isinstance(outcome, Exception):
                raise outcome
        return [result, *results]

    def shards(self, items: Sequence[Any]) -> list[Sequence[Any]]:
        """Split items into one shard for each worker, every ``size``-th item in one shard."""
        return [items[k :: self.size] for k in range(min(self.size, len(items)))]

    def slices(self, size: int) -> list[slice]:
        """Split the positions of a vector of that size into one contiguous slice for each worker."""
        length = max(1, math.ceil(size / self.size))
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
        for _ in range(self.size - 1):
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            process = context.Process(target=self._serve, args=(theirs,), daemon=True)
            process.start()
            self._workers.append(process)
            theirs.close()

    def _serve(self, pipe: Connection) -> None:
        """Run the calls of the first worker until it closes its end of the pipe, or has ended in any way."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first worker, which may want to finish a step
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for ours in self._pipes:
            ours.close()  # or this process would keep its siblings' pipes, and its own, open
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
            worker.terminate()  # nothing is lost: nobody waits for its result any more
            worker.join()
        if self._threads is not None:
            self._threads.shutdown()
        self._pipes, self._workers, self._threads, self.size = [], [], None, 1
