"""Convert exceptions to exit codes: every failure is explained, without a traceback."""

from __future__ import annotations

import io
import signal
import sys
import traceback
import warnings
from contextlib import suppress
from typing import Any

import typer

from seq2seq_cli import __version__
from seq2seq_cli.cli.signals import Interruption, came_of_interruption, ending_signals, ignore_interruptions
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.errors import DataNote, DataWarning, UserError
from seq2seq_cli.inference.communicator import PeerError, launched_rank

# Depending on its version, Typer bundles Click or uses the installed one: take the classes that it uses.
ClickUsageError: type[Exception] = typer.BadParameter.__bases__[0]
ClickException: type[Exception] = ClickUsageError.__bases__[0]
_python_shows = warnings.showwarning


def run(app: typer.Typer) -> int:
    """Run the command line and return its exit code; every failure is explained, without a traceback."""
    warnings.simplefilter("ignore", RuntimeWarning)  # overflow is detected and reported where it matters
    warnings.simplefilter("always", DataWarning)
    warnings.showwarning = _show_warning
    with suppress(ValueError):  # threads cannot set signal handlers
        Interruption.catch()
        for number in ending_signals():
            if number != signal.SIGINT:
                signal.signal(number, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        result = app(standalone_mode=False)
        if result == console.EXIT_INTERRUPTED:  # Typer returns this after a KeyboardInterrupt; older versions raise
            return interrupted()
        if sys.stdout is not None:
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except UserError as error:
        return interrupted() if came_of_interruption(error) else _fail(error)
    except console.Stop as stop:
        return 0 if launched_rank() else stop.code  # the first process of a run gives the exit code
    except typer.Exit as stop:
        return stop.exit_code
    except ClickException as error:
        return _fail(_from_click(error))
    except (KeyboardInterrupt, typer.Abort):
        return interrupted()
    except Exception as error:
        return interrupted() if came_of_interruption(error) else _explain(error)


def _explain(error: Exception) -> int:
    """Explain an exception that is no ``UserError``, and return the exit code."""
    if isinstance(error, MemoryError):
        return _fail(
            UserError(
                "there is not enough memory",
                where="this machine",
                fix="use a smaller --max-tokens-per-batch, --batch-size, --hidden-size or --vocab-size",
            )
        )
    if isinstance(error, OSError):
        console.discard_output()
        where = "an input or output of this command" if error.filename is None else str(error.filename)
        fix = "check free space and permissions, and that standard input and output are open"
        return _fail(UserError(f"the operating system reported: {error.strerror or error}", where=where, fix=fix))
    return _fail(
        UserError(
            f"a bug in this program: {type(error).__name__}: {error}",
            where=f"seq2seq {__version__}",
            fix="run the command again with --debug, and report what it prints",
        )
    )


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
    """Write a warning about data in our form, and any other as Python does, for example that of a library."""
    if issubclass(category, DataNote):
        console.say(f"note: {message}", indent=2)
    elif issubclass(category, DataWarning):
        console.warn(str(message))
    else:
        _python_shows(message, category, *where, **options)


def interrupted() -> int:
    """Say that the program was interrupted, and return the exit code; a further Ctrl-C has no effect."""
    with suppress(ValueError):  # threads cannot set signal handlers
        ignore_interruptions()
    if sys.stderr is not None and sys.stderr.isatty():
        console.to_stderr("")  # the line with ^C
    console.say("interrupted")
    return console.EXIT_INTERRUPTED


def _terminate(number: int, frame: Any) -> None:
    """End the program after a signal, with its exit code; temporary files are removed before the exit."""
    raise console.Stop(console.EXIT_SIGNAL + number)


def _fail(error: UserError) -> int:
    if console.debugging():
        traceback.print_exc()
    console.show_error(error)
    if isinstance(error, PeerError) and launched_rank():
        return 0  # the first process of the run has shown it, and gives the exit code
    return error.exit_code


def _from_click(error: Any) -> UserError:
    """Convert a usage error of Click to a ``UserError``."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "seq2seq"
    fix = f"see '{command} --help'"
    if hasattr(error, "option_name") and context and _takes_texts(context.command):
        fix = f'for text that starts with a dash, write -- before it: {command} -- "-5 degrees"; else {fix}'
    return UserError(
        error.format_message().rstrip(".") or "nothing to do",
        where=command,
        fix=fix,
        exit_code=console.EXIT_USAGE,
    )


def _takes_texts(command: Any) -> bool:
    """Whether a command has an argument TEXT, which may be any text."""
    return any(part.param_type_name == "argument" and part.metavar == "TEXT" for part in command.params)
