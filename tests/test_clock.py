import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from seq2seq_cli.training import clock
from seq2seq_cli.training.clock import INTERVAL, LONGEST_GAP, TrainingClock


def test_time_counts_while_the_program_runs():
    watch = TrainingClock()
    with watch.running():
        start = watch.now()
        time.sleep(0.2)
        assert watch.now() - start == pytest.approx(0.2, abs=0.15)


def test_a_gap_between_two_readings_counts_as_one_interval_and_a_shorter_one_in_full(monkeypatch):
    times = iter([0.0, 1.0, 1.0 + LONGEST_GAP, 5000.0, 5000.25])
    monkeypatch.setattr(clock.time, "perf_counter", lambda: next(times))
    watch = TrainingClock()
    watch._watched = True
    assert watch.now() == 1.0
    assert watch.now() == 1.0 + LONGEST_GAP
    assert watch.now() == 1.0 + LONGEST_GAP + INTERVAL
    assert watch.now() == 1.0 + LONGEST_GAP + INTERVAL + 0.25


def test_without_a_watching_thread_a_long_step_counts_in_full(monkeypatch):
    times = iter([0.0, 100.0])
    monkeypatch.setattr(clock.time, "perf_counter", lambda: next(times))
    assert TrainingClock().now() == 100.0


def test_a_long_step_that_computes_counts_in_full(monkeypatch):
    monkeypatch.setattr(clock, "LONGEST_GAP", 0.4)
    monkeypatch.setattr(clock, "INTERVAL", 0.05)
    watch = TrainingClock()
    with watch.running():
        start = watch.now()
        time.sleep(1.0)  # without the lock of Python, as NumPy's products
        assert watch.now() - start == pytest.approx(1.0, abs=0.3)


def test_no_thread_stays_behind():
    before = threading.active_count()
    with TrainingClock().running():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_the_time_in_which_the_program_is_stopped_does_not_count():
    program = """
        import time
        from seq2seq_cli.training import clock

        clock.LONGEST_GAP = 1.0
        watch = clock.TrainingClock()
        with watch.running():
            start = watch.now()
            print("started", flush=True)
            end = time.monotonic() + 4
            while time.monotonic() < end:
                time.sleep(0.1)
            print(watch.now() - start)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "started\n"
        time.sleep(0.5)  # on a loaded machine, the clock needs a moment to start
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        process.send_signal(signal.SIGCONT)
        seconds = float(process.stdout.read())
    assert seconds < 2
