import threading
import time

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.workers import ALONE, Workers, check_threads, usable_cores


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("items", [0, 1, 2, 7])
def test_results_come_in_the_order_of_the_items(threads, items):
    def slower_first(k):
        time.sleep(0.001 * (items - k))
        return k * k

    assert Workers(threads).map(slower_first, range(items)) == [k * k for k in range(items)]


def test_the_callers_thread_is_one_of_them_and_the_others_work_at_the_same_time():
    barrier = threading.Barrier(3, timeout=30)

    def meet(_):
        barrier.wait()  # would time out if one of the three had to wait for another to finish
        return threading.get_ident()

    assert threading.get_ident() in Workers(3).map(meet, range(3))
    assert ALONE.map(lambda _: threading.get_ident(), range(3)) == [threading.get_ident()] * 3


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_is_raised_when_nothing_runs_any_more(bad):
    done = []

    def work(k):
        if k == bad:
            raise ValueError(f"item {k}")
        time.sleep(0.05)
        done.append(k)

    with pytest.raises(ValueError, match=f"item {bad}"):
        Workers(2).map(work, range(2))
    assert done == [1 - bad]


def test_without_a_number_there_is_one_thread_for_each_core():
    assert check_threads(None) == usable_cores() >= 1
    assert check_threads(3) == 3


@pytest.mark.parametrize("threads", [0, -1, 257])
def test_an_impossible_number_of_threads_is_explained(threads):
    with pytest.raises(UserError, match="--threads must be from 1 to 256"):
        check_threads(threads)
