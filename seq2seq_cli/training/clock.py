"""The clock of a training run: time in which the program was stopped, or the machine asleep, does not count.

A thread reads the clock twice a second. If a reading comes much later than planned, the program did not run in between
(Ctrl-Z, a paused container, a sleeping machine), and the gap is counted as one interval. No signal tells this reliably:
a stopped program gets none, and a sleeping machine sends none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

INTERVAL = 0.5
"""Seconds between two readings."""
LONGEST_GAP = 3.0
"""Seconds; on a loaded machine, a reading may come this late although the program runs."""


class TrainingClock:
    """Seconds during which the program ran.

    Outside of ``running``, nothing reads the clock in between, so all time counts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched = False
        self._seconds = 0.0
        self._last = time.perf_counter()

    def now(self) -> float:
        """Return the seconds so far; only differences have a meaning."""
        with self._lock:
            time_now = time.perf_counter()
            gap = time_now - self._last
            self._seconds += INTERVAL if self._watched and gap > LONGEST_GAP else gap
            self._last = time_now
            return self._seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch for gaps in a ``with`` block. It starts a thread, so processes must have been forked before."""
        end = threading.Event()
        thread = threading.Thread(target=self._watch, args=(end,), daemon=True)
        self.now()
        self._watched = True
        thread.start()
        try:
            yield
        finally:
            self.now()
            self._watched = False
            end.set()
            thread.join()

    def _watch(self, end: threading.Event) -> None:
        while not end.wait(INTERVAL):
            self.now()
