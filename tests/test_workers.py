import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.workers import CAN_FORK, WorkerPool, check_threads, shared_zeros, usable_cores

KINDS = [pytest.param(True, marks=pytest.mark.skipif(not CAN_FORK, reason="no fork here")), False]


class Target:
    """What the workers call here."""

    def __init__(self):
        self.shared = shared_zeros(10, np.float32)
        self.private = np.zeros(10, np.float32)

    def square(self, k, pause=0.0):
        time.sleep(pause)
        return k * k

    def write(self, k):
        self.shared[k] = self.private[k] = k

    def fail(self, bad, k):
        if bad == k:
            raise ValueError(f"worker {k}")
        time.sleep(0.05)
        self.shared[k] = 1

    def where(self):
        time.sleep(0.05)  # or a fast thread could run two calls
        return os.getpid(), threading.get_ident()

    def end(self, k):
        if k:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(params=KINDS, ids=["processes", "threads"])
def make_pool(request):
    pools = []

    def make(size):
        pools.append(WorkerPool(Target(), size, processes=request.param))
        return pools[-1]

    yield make
    for pool in pools:
        pool.shut_down()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_results_come_in_the_order_of_the_workers(size, make_pool):
    pool = make_pool(size)
    for _ in range(2):
        assert pool.call("square", [(k, 0.005 * (size - k)) for k in range(size)]) == [k * k for k in range(size)]
    assert pool.call("square", [(7,)]) == [49]
    assert pool.call("square", []) == []


def test_the_caller_is_the_first_worker_and_all_are_different(make_pool):
    found = make_pool(3).call("where", [()] * 3)
    assert found[0] == (os.getpid(), threading.get_ident())
    assert len(set(found)) == 3


def test_workers_share_what_is_in_shared_memory(make_pool):
    pool = make_pool(3)
    pool.call("write", [(k,) for k in range(3)])
    assert pool.target.shared.tolist()[:3] == [0, 1, 2]
    assert pool.target.private[0] == 0


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_is_raised_when_no_worker_is_busy_and_the_pool_stays_usable(bad, make_pool):
    pool = make_pool(2)
    with pytest.raises(ValueError, match=f"worker {bad}"):
        pool.call("fail", [(bad, 0), (bad, 1)])
    assert pool.target.shared[1 - bad] == 1
    assert pool.call("square", [(2,), (3,)]) == [4, 9]


def test_a_pool_that_was_shut_down_runs_everything_in_the_caller(make_pool):
    pool = make_pool(3)
    pool.start()
    pool.shut_down()
    assert pool.call("where", [()] * 2) == [(os.getpid(), threading.get_ident())] * 2


@pytest.mark.skipif(not CAN_FORK, reason="no fork here")
def test_a_process_that_is_killed_is_explained():
    pool = WorkerPool(Target(), 2)
    with pytest.raises(UserError, match="ended unexpectedly"):
        pool.call("end", [(0,), (1,)])


@pytest.mark.skipif(not CAN_FORK, reason="no fork here")
def test_no_worker_stays_behind_when_the_first_one_is_killed():
    program = """
        import os, signal
        from seq2seq_cli.inference.workers import WorkerPool

        class Target:
            def number(self):
                return os.getpid()

        pool = WorkerPool(Target(), 4)
        print(*pool.call("number", [()] * 4), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert run.returncode == -signal.SIGKILL
    numbers = [int(number) for number in run.stdout.split()]
    assert len(set(numbers)) == 4
    deadline = time.monotonic() + 30
    while any(is_running(number) for number in numbers):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(not CAN_FORK, reason="no fork here")
def test_a_worker_that_is_stopped_at_once_does_not_run_the_handlers_of_the_first_one():
    program = """
        import os, signal, time
        from seq2seq_cli.inference.workers import WorkerPool

        def handler(*_):
            raise RuntimeError

        signal.signal(signal.SIGTERM, handler)
        os.register_at_fork(after_in_child=lambda: time.sleep(0.5))  # the worker is still starting
        pool = WorkerPool(object(), 2)
        pool.start()
        pool.shut_down()
        print("done")
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")


def is_running(number):
    """Whether there is such a process, other than one that only waits for its parent to notice its end."""
    try:
        with open(f"/proc/{number}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Hoarder:
    def hold(self, size):
        self.held = b"x" * size


@pytest.mark.parametrize("processes", [False, True])
def test_the_memory_of_the_other_workers_is_known_if_they_are_processes(processes):
    pool = WorkerPool(Hoarder(), 2, processes)
    try:
        pool.call("hold", [(1,), (1,)])
        before = pool.workers_memory()
        pool.call("hold", [(1,), (50_000_000,)])
        more = pool.workers_memory() - before
    finally:
        pool.shut_down()
    assert more == (pytest.approx(50e6, rel=0.1) if processes and CAN_FORK else 0)


def test_shards_and_slices_are_complete():
    pool = WorkerPool(None, 3)
    assert pool.shards([1, 2, 3, 4]) == [[1, 4], [2], [3]]
    assert pool.shards([1]) == [[1]]
    assert pool.slices(7) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert pool.slices(2) == [slice(0, 1), slice(1, 2)]


def test_without_a_number_there_is_one_worker_for_each_core():
    assert check_threads(None) == usable_cores() >= 1
    assert check_threads(3) == 3


@pytest.mark.parametrize("threads", [0, -1, 257])
def test_an_impossible_number_of_threads_is_explained(threads):
    with pytest.raises(UserError, match="--threads must be from 1 to 256"):
        check_threads(threads)
