"""Several cores at work on one task: a team whose members do the same thing to different parts of it.

Members are processes, forked from this one, with what they compute in memory that all of them share. Threads would be
simpler, and NumPy does let other threads run while it computes; but between its calls only one thread at a time can run
Python, and a recurrent network makes very many small calls: on two cores, threads took 17 and 36 ms where processes
take 13 and 29 ms (a training step of a small and of the default network). Where there is no safe fork
(macOS, Windows), or the caller has threads of its own and asks for it, the members are threads all the same.

Either works best where the BLAS under NumPy uses one thread itself; the command line sees to that (``__main__.py``).
Threads inside each matrix product are about as fast as that on an idle machine, and three to six times slower as soon
as anything else runs on it, for then every product waits for the slower half of itself.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq_cli.errors import UserError, usage_error

if TYPE_CHECKING:  # the rest is imported where it is needed: the command line checks --threads before it needs any
    from concurrent.futures import ThreadPoolExecutor
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    import numpy.typing as npt

CAN_FORK = sys.platform.startswith("linux")
"""Whether members may be processes; other systems' libraries do not survive a fork, or there is none."""
MOST_THREADS = 256


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_threads(threads: int | None) -> int:
    """Return how many members a team shall have: what ``--threads`` says, or one for each core.

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


def shared_zeros(size: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return a vector of zeros, as ``np.zeros(size, dtype)``, that forked processes share."""
    import numpy as np

    memory = mmap.mmap(-1, max(1, size * np.dtype(dtype).itemsize))
    return np.frombuffer(memory, dtype, size)


class Team:
    """Members that call methods of one object at the same time; the caller itself is the first of them.

    Args:
        target: the object. A process knows it as it was when the team was made: what changes later has to be in
            ``shared_zeros`` or among the arguments. (Who owns a team hands it a ``weakref.proxy`` of itself: otherwise
            each keeps the other, with all its arrays, until Python looks for such circles.)
        size: how many members.
        processes: whether they are processes (if the system allows it) or threads.
    """

    def __init__(self, target: Any, size: int, processes: bool = True) -> None:
        self.target, self.size = target, size
        self._processes = processes and CAN_FORK
        self._pipes: list[Connection] = []
        self._members: list[BaseProcess] = []
        self._pool: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Let the members come, if they have not yet; otherwise they come when they are first needed."""
        if self.size > 1 and not self._pipes and self._pool is None:
            if self._processes:
                self._fork()
            else:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(self.size - 1)

    def call(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Let member k call ``target.method(*arguments[k])``; return all results, in order.

        Whatever fails, nobody works any more when this returns or raises.

        Args:
            method: its name.
            arguments: a tuple for each member, for as many as are needed.

        Raises:
            UserError: if a process has ended, for example because the machine ran out of memory.
            Exception: what a member's call raised.
        """
        function = getattr(self.target, method)
        if len(arguments) < 2 or self.size == 1:
            return [function(*each) for each in arguments]
        mine, *others = arguments
        self.start()
        if self._pool is not None:
            from concurrent.futures import wait

            futures = [self._pool.submit(function, *theirs) for theirs in others]
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
            answers = [pipe.recv() for pipe in busy]
        except (EOFError, OSError):
            self.close()
            raise UserError(
                "a process that shared this work has ended unexpectedly",
                where="the operating system may have run out of memory",
                fix="use less memory (a smaller --batch-size), or --threads 1",
            ) from None
        except BaseException:  # Ctrl-C: answers may still be on their way, so nobody can be asked anything more
            self.close()
            raise
        for answer in (failure, *answers):
            if isinstance(answer, Exception):
                raise answer
        return [result, *answers]

    def deal(self, items: Sequence[Any]) -> list[Sequence[Any]]:
        """Return the items dealt out to the members like cards: for each member, those that it gets."""
        return [items[k :: self.size] for k in range(min(self.size, len(items)))]

    def slices(self, size: int) -> list[slice]:
        """Cut the positions of a vector of that size into one run for each member."""
        share = max(1, math.ceil(size / self.size))
        return [slice(start, min(start + share, size)) for start in range(0, size, share)]

    def others_memory(self) -> int:
        """Return the bytes that the other members hold for themselves alone; 0 if they are threads."""
        total = 0
        for member in self._members:
            with contextlib.suppress(OSError), Path(f"/proc/{member.pid}/smaps_rollup").open(encoding="ascii") as file:
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
            self._members.append(process)
            theirs.close()

    def _serve(self, pipe: Connection) -> None:
        """Do what is asked for until the first member closes its end of the pipe, or has ended in any way."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first member, which may want to finish a step
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for ours in self._pipes:
            ours.close()  # or this process would keep its brothers' pipes, and its own, open
        with contextlib.suppress(EOFError, OSError):
            while True:
                method, arguments = pipe.recv()
                try:
                    answer = getattr(self.target, method)(*arguments)
                except Exception as error:
                    answer = error
                pipe.send(answer)
        os._exit(0)  # nothing that this copy of the program holds may be written or tidied up

    def close(self) -> None:
        """Send the members home; the caller is left alone."""
        for pipe in self._pipes:
            pipe.close()
        for member in self._members:
            member.terminate()  # nothing is lost: whatever it was doing, nobody waits for the answer
            member.join()
        if self._pool is not None:
            self._pool.shutdown()
        self._pipes, self._members, self._pool, self.size = [], [], None, 1
