"""Ctrl-C, SIGTERM and SIGHUP during training: the current step is finished and saved first."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.inference.communicator import ALONE, Communicator


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end the program: SIGINT, SIGTERM, and SIGHUP unless it is ignored, as by nohup."""
    signals = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) != signal.SIG_IGN:
        signals.append(hang_up)
    return tuple(signals)


class Interruption:
    """Raises ``KeyboardInterrupt`` at SIGINT, and remembers it: interrupted code may swallow the exception."""

    raised = False

    @classmethod
    def receive(cls, number: int, frame: Any) -> None:
        """Handle SIGINT."""
        cls.raised = True
        raise KeyboardInterrupt

    @classmethod
    def catch(cls) -> None:
        """Handle SIGINT from now on; also where it was ignored, as in a job that a script runs in the background."""
        cls.raised = False
        signal.signal(signal.SIGINT, cls.receive)

    @classmethod
    def raise_again(cls) -> None:
        """Raise the interruption that was swallowed, if there is one; to be called between pieces of long work."""
        if cls.raised:
            raise KeyboardInterrupt


class StopSignal:
    """Set by SIGINT, SIGTERM and SIGHUP during training, so that the current step is finished and saved first.

    ``code`` is the exit code once a signal has arrived, else None. A second SIGINT interrupts at once and is the last
    one: ``quits`` is true from then on, and nothing interrupts what still has to be cleaned up and printed.

    Args:
        in_place: whether the notice replaces the last line of the terminal. A live display overwrites the lines above,
            so the cursor must stay where it is.
        communicator: the processes of this run, for which this process no longer waits long once a signal has arrived.
    """

    def __init__(self, in_place: bool, communicator: Communicator = ALONE) -> None:
        self.code: int | None = None
        self.quits = False
        self._communicator = communicator
        self._in_place = in_place

    def receive(self, number: int, frame: Any) -> None:
        """Handle a signal."""
        if self.code is not None and number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self.quits = True
            raise KeyboardInterrupt
        self.code = console.EXIT_SIGNAL + number
        self._communicator.expect_end()
        if not console.quiet():
            with suppress(OSError):  # not print, which the signal may have interrupted
                os.write(2, self._notice().encode())

    def _notice(self) -> str:
        text = "stopping after this step, saving ... (Ctrl-C again quits at once)"
        if not self._in_place or not console.in_foreground():
            return f"\n{text}\n"
        width = os.get_terminal_size(2).columns - 1
        return f"\r{text[:width]:<{width}}"


@contextmanager
def catch_signals(in_place: bool, communicator: Communicator = ALONE) -> Iterator[StopSignal]:
    """Catch the signals that end the program in a ``with`` block; arguments as for ``StopSignal``."""
    received = StopSignal(in_place, communicator)
    before = {number: signal.signal(number, received.receive) for number in ending_signals()}
    try:
        yield received
    finally:
        for number, handler in before.items():
            if not (received.quits and number == signal.SIGINT):
                signal.signal(number, handler)


SECONDS_BEFORE_SENDING_AGAIN = 0.01


def hide_interruptions() -> None:
    """Let no traceback of a Ctrl-C reach the terminal, and let no Ctrl-C be lost, wherever it arrives.

    Python drops an exception that a finalizer raises, and an interruption may arrive in one. The signal is then sent
    again a moment later, by a timer, since Python would drop it again if it were raised at once.
    """
    show, show_ignored = sys.excepthook, sys.unraisablehook

    def excepthook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        """Show an exception that nothing has caught, unless it is an interruption."""
        if not issubclass(kind, KeyboardInterrupt | console.Stop):
            show(kind, error, trace)

    def unraisablehook(ignored: Any) -> None:
        """Show an exception that could not be raised, unless it is an interruption, which is raised again."""
        try:
            if issubclass(ignored.exc_type, KeyboardInterrupt):
                _send_again(signal.SIGINT)
            elif issubclass(ignored.exc_type, console.Stop):
                _send_again(signal.Signals(ignored.exc_value.code - console.EXIT_SIGNAL))
            elif signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # else the program was interrupted, and is ending
                show_ignored(ignored)
        except KeyboardInterrupt:  # a second one, in here
            _send_again(signal.SIGINT)

    sys.excepthook, sys.unraisablehook = excepthook, unraisablehook


def _send_again(number: signal.Signals) -> None:
    """Send this process a signal a moment later, for the handler that it has then; not one that is ignored."""
    if not hasattr(signal, "setitimer") or sys.is_finalizing() or signal.getsignal(number) == signal.SIG_IGN:
        return  # Windows has no such timer
    with suppress(ValueError):  # threads cannot set signal handlers
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(number))
        signal.setitimer(signal.ITIMER_REAL, SECONDS_BEFORE_SENDING_AGAIN)


def ignore_interruptions() -> None:
    """Let no further Ctrl-C have an effect, nor one that would be sent again: the program is about to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0.0)  # its handler is gone when Python has ended, and it would kill


def came_of_interruption(error: BaseException | None) -> bool:
    """Whether an exception was raised while a KeyboardInterrupt was handled, as by an archive that is half written."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def leave(code: int) -> NoReturn:
    """End the program at once after a signal; nothing is left to be cleaned up.

    Python's own way out could wait forever for a thread that was interrupted while it started, and could die of a
    SIGINT in place of returning the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)
