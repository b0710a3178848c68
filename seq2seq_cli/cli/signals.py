"""Ctrl-C and SIGTERM while training: the step in hand is finished and saved first."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from seq2seq_cli.cli.terminal import console


class StopSignal:
    """Set by SIGINT and SIGTERM while training, so that the step in hand is finished and saved first.

    ``code`` is the exit code once a signal has come, else None. A second SIGINT leaves at once.

    Args:
        in_place: whether what is said of a signal takes the place of the terminal's last line: lines above that one are
            going to be written over, which works only if the cursor stays where it is.
    """

    def __init__(self, in_place: bool) -> None:
        self.code: int | None = None
        self._in_place = in_place

    def receive(self, number: int, frame: Any) -> None:
        """Take note of a signal."""
        if self.code is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.code = console.EXIT_INTERRUPTED if number == signal.SIGINT else console.EXIT_TERMINATED
        if not console.quiet():
            with suppress(OSError):  # not print: the signal may have come in the middle of one
                os.write(2, self._notice().encode())

    def _notice(self) -> str:
        text = "stopping after this step, saving ... (Ctrl-C again leaves at once)"
        if not self._in_place:
            return f"\n{text}\n"
        width = os.get_terminal_size(2).columns - 1
        return f"\r{text[:width]:<{width}}"


@contextmanager
def catch_signals(in_place: bool) -> Iterator[StopSignal]:
    """Catch SIGINT and SIGTERM for the time of a ``with`` block; ``in_place`` is as for ``StopSignal``."""
    received = StopSignal(in_place)
    before = {number: signal.signal(number, received.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
