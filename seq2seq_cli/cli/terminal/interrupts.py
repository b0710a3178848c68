"""Ctrl-C at the prompt: it cancels the line or the translation in hand, at whatever instant it arrives."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CANCELLED = "\x03"
"""What a line contains that was ended by Ctrl-C."""
KEY_BINDINGS = (
    r"set keymap vi-command",
    r'"\C-c": "A\C-v\C-c\C-m"',
    r"set keymap vi-insert",
    r'"\C-c": "\C-v\C-c\C-m"',
    r"set keymap emacs",
    r'"\C-c": "\C-e\C-v\C-c\C-m"',
)
"""Commands of GNU readline that make Ctrl-C a key: it adds ``CANCELLED`` to the line and ends it."""


class Interrupts:
    """Raises ``KeyboardInterrupt`` at SIGINT, once after each ``arm``.

    A second Ctrl-C that arrives while the first one is handled is ignored, so that it cannot escape the handler.
    """

    def __init__(self) -> None:
        self._armed = False

    def arm(self) -> None:
        """Let the next SIGINT raise; to be called inside the ``try`` that catches it."""
        self._armed = True

    def receive(self, number: int, frame: Any) -> None:
        """Handle SIGINT."""
        if self._armed:
            self._armed = False
            raise KeyboardInterrupt


@contextmanager
def catch_interrupts() -> Iterator[Interrupts]:
    """Handle SIGINT by ``Interrupts`` in a ``with`` block."""
    interrupts = Interrupts()
    before = signal.signal(signal.SIGINT, interrupts.receive)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupt_key_off() -> Iterator[None]:
    """Let the terminal pass Ctrl-C on as a key in a ``with`` block, in place of sending SIGINT.

    While readline waits for a key, Python runs the handler of a signal only if the signal interrupts that waiting. One
    that arrives an instant earlier would be handled after the next key; a key is never late.
    """
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    changed = [*before[:6], list(before[6])]
    changed[6][termios.VINTR] = bytes([os.fpathconf(terminal, "PC_VDISABLE")])
    try:
        termios.tcsetattr(terminal, termios.TCSANOW, changed)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
