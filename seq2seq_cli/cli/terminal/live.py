"""A live picture of a training run; while the program is stopped or in the background, the shell has the terminal."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.meter import Meter

if TYPE_CHECKING:
    from rich.live import Live

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_PICTURES = 0.2
RIGHT_MARGIN = 3
"""Free columns for the ``^C`` that a terminal writes after the picture, so that it does not break the line."""
SHOW_CURSOR = b"\x1b[?25h"


class PlainDisplay:
    """Print a line every few seconds."""

    def __init__(self) -> None:
        self.shown = time.monotonic()

    def step(self, meter: Meter) -> None:
        """Print the progress, unless it was printed a few seconds ago."""
        if time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES:
            self.shown = time.monotonic()
            console.say(meter.line())

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Print a line."""
        console.say(text)


class LiveDisplay:
    """Draw a few lines, each time over the last ones; in the background, print plain lines.

    Args:
        blocks: whether the terminal has block characters.
    """

    def __init__(self, blocks: bool) -> None:
        self.blocks = blocks
        self.plain = PlainDisplay()
        self.shown = -SECONDS_BETWEEN_PICTURES
        self.live: Live | None = None
        self._drawing = self._stop_later = False

    def open(self) -> Live:
        """Return the picture on the terminal; it is started if there is none."""
        if self.live is None:
            from rich.live import Live

            self.live = Live("", console=console.stderr_console(), auto_refresh=False, transient=True)
            self.live.start(refresh=True)
        return self.live

    def close(self) -> None:
        """Remove the picture; in the background it stays, because the shell has written below it."""
        live, self.live = self.live, None
        if live is not None:
            foreground = console.in_foreground()
            live.console.quiet = not foreground
            live.stop()
            if not foreground:
                with suppress(OSError):
                    os.write(2, SHOW_CURSOR)

    def step(self, meter: Meter) -> None:
        """Draw the progress, unless it was drawn a moment ago."""
        if not console.in_foreground():
            self.close()
            self.plain.step(meter)
            return
        if time.monotonic() - self.shown < SECONDS_BETWEEN_PICTURES:
            return
        from rich.text import Text

        self.shown = time.monotonic()
        with self._uninterrupted():
            live = self.open()
            lines = meter.picture(live.console.width - RIGHT_MARGIN, self.blocks)
            picture = Text("\n", no_wrap=True).join(
                Text(line, style) for line, style in zip(lines, ("cyan", "bold", "dim"))
            )
            live.update(picture, refresh=True)

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Print a line above the picture."""
        if not console.in_foreground():
            self.close()
            self.plain.line(text)
            return
        with self._uninterrupted():
            live = self.open()
            whole = console.wrapped(console.printable(text), indent, live.console.file)
            live.console.print(whole, style=style, soft_wrap=False)
        # Draw again at the next step: numbers such as the best BLEU may have changed.
        self.shown = -SECONDS_BETWEEN_PICTURES

    def suspend(self, number: int, frame: Any) -> None:
        """Handle Ctrl-Z: give the terminal back to the shell, and stop until the program is continued."""
        if self._drawing:
            self._stop_later = True
            return
        self.close()
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # the program stops here
        signal.signal(signal.SIGTSTP, before)
        self.shown = -SECONDS_BETWEEN_PICTURES

    @contextmanager
    def _uninterrupted(self) -> Iterator[None]:
        """Put off a Ctrl-Z to the end of a ``with`` block."""
        self._drawing = True
        try:
            yield
        finally:
            self._drawing = False
            if self._stop_later:
                self._stop_later = False
                self.suspend(0, None)


@contextmanager
def live_display(blocks: bool) -> Iterator[LiveDisplay]:
    """Show a live picture in a ``with`` block; ``blocks`` is as for ``LiveDisplay``."""
    shown = LiveDisplay(blocks)
    shown.open()
    # Windows has no Ctrl-Z, and where it is ignored there is no shell to continue the program.
    catch = hasattr(signal, "SIGTSTP") and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL
    if catch:
        signal.signal(signal.SIGTSTP, shown.suspend)
    try:
        yield shown
    finally:
        if catch:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        shown.close()
