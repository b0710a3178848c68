"""What all commands share: streams, ``--quiet`` and ``--debug``, error messages, exit codes.

=====  ==================================================
code   meaning
=====  ==================================================
0      done
1      bad data, model or machine
2      wrong usage
129    hung up (SIGHUP)
130    interrupted (Ctrl-C, SIGINT)
143    terminated (SIGTERM)
=====  ==================================================
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.inference.communicator import launched_rank, launched_size
from seq2seq_cli.storage.files import atomic_file, check_writable
from seq2seq_cli.storage.model_files import back_up_replaced, backup_path
from seq2seq_cli.text.inputs import STDIO

if TYPE_CHECKING:
    from rich.console import Console

EXIT_USAGE, EXIT_INTERRUPTED, EXIT_SIGNAL = 2, 130, 128
"""The exit code after a signal is ``EXIT_SIGNAL`` plus the number of the signal."""

STYLES = {"note:": "dim", "warning:": "yellow"}
"""Beginning of a line on stderr → its style on a terminal."""


class Stop(BaseException):
    """Raised to end the program with this exit code once everything is printed and saved; not an error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Flags:
    quiet = launched_rank() > 0  # of the processes of a run, only the first one prints
    debug = False


def _set_quiet(value: bool) -> bool:
    _Flags.quiet = _Flags.quiet or value
    return value


def _set_debug(value: bool) -> bool:
    _Flags.debug = _Flags.debug or value
    return value


Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        callback=_set_quiet,
        is_eager=True,
        help="Print only errors to stderr.",
        show_default=False,
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", callback=_set_debug, is_eager=True, help="Show the traceback of an error.", show_default=False
    ),
]


def stderr_console() -> Console:
    """Return a Rich console on stderr; it honors NO_COLOR and is silent with ``--quiet``."""
    from rich.console import Console

    return Console(stderr=True, quiet=_Flags.quiet, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(text: str, indent: int | None = None) -> None:
    """Write a line to stderr, unless ``--quiet``; with an indent, it is wrapped on a narrow terminal.

    On a terminal with colors, a note is dim and a warning is yellow.
    """
    if not _Flags.quiet:
        style = next((style for label, style in STYLES.items() if text.startswith(label)), "")
        to_stderr(text if indent is None else wrapped(text, indent, sys.stderr), style)


def wrapped(text: str, indent: int, stream: IO[str] | None) -> str:
    """Return a line for a stream; on a terminal that is too narrow, it is broken between words and indented."""
    if stream is None or not stream.isatty():
        return text
    from rich.console import Console

    width = max(2 * indent, Console(file=stream).width - 1)
    if len(text) <= width:
        return text
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def to_stderr(text: str, style: str = "") -> None:
    """Write to stderr; if it is closed or full, drop the text, because that must not end a training run.

    Args:
        text: one or several lines.
        style: of Rich, for a terminal with colors.
    """
    if sys.stderr is None:
        return
    with suppress(OSError):
        if style and sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
            from rich.console import Console

            terminal = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
            terminal.print(printable(text), style=style)
        else:
            print(printable(text), file=sys.stderr, flush=True)


def to_terminal(lines: Sequence[str]) -> None:
    """Write lines to the terminal itself, if the program has one but stderr is another file; not with ``--quiet``."""
    if not _Flags.quiet and not (sys.stderr is not None and sys.stderr.isatty()):
        with suppress(OSError), Path("/dev/tty").open("w", encoding="utf-8") as terminal:
            terminal.writelines(f"{line}\n" for line in lines)


def warn(text: str) -> None:
    """Write a warning to stderr, unless ``--quiet``."""
    say(f"warning: {text}", indent=2)


def show_error(error: UserError) -> None:
    """Write the lines of an error to stderr, even with ``--quiet``; on a terminal with colors, the first one is red.

    Of the processes of a run, only the first one does.
    """
    if launched_rank():
        return
    what, *rest = (wrapped(line, len("where: "), sys.stderr) for line in str(error).splitlines())
    to_stderr(what, "bold red")
    for line in rest:
        to_stderr(line)


def warn_of_skipped(name: str, lines: Sequence[int]) -> None:
    """Warn of the pairs of a corpus that were skipped because one side was empty."""
    if lines:
        pairs = "pair" if len(lines) == 1 else "pairs"
        warn(f"{name}: skipped {len(lines)} {pairs} with an empty side, the first on line {lines[0]}")


def stderr_is_live() -> bool:
    """Whether stderr is a terminal on which lines can be overwritten, and ``--quiet`` was not given.

    Not in the background, where the shell has the terminal, and not in a notebook.
    """
    if _Flags.quiet or sys.stderr is None or not sys.stderr.isatty() or not in_foreground() or in_notebook():
        return False
    return not stderr_console().is_dumb_terminal


def in_notebook() -> bool:
    """Whether a cell of a notebook runs this program: what looks like a terminal shows no cursor and takes no input."""
    return "JPY_PARENT_PID" in os.environ


def in_foreground() -> bool:
    """Whether this program has the terminal of stderr, and not the shell or another program."""
    try:
        return os.tcgetpgrp(2) == os.getpgrp()
    except (OSError, AttributeError):  # not the terminal that controls this program; Windows
        return True


def quiet() -> bool:
    """Whether ``--quiet`` was given."""
    return _Flags.quiet


def debugging() -> bool:
    """Whether ``--debug`` was given."""
    return _Flags.debug


def printable(text: str) -> str:
    """Return the text with control characters escaped, as in ``\\x1b``, so that it cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t\u00a0\u202f\u200d\u200c" else ascii(c)[1:-1] for c in text)


def results() -> IO[bytes]:
    """Return standard output for results, as bytes.

    Raises:
        UserError: if it is closed.
    """
    if sys.stdout is None:
        raise UserError("standard output is closed", where="stdout", fix="leave it open, or write to a file")
    return sys.stdout.buffer


def write_line(stream: IO[bytes], text: str) -> None:
    """Write one line of output as UTF-8 in any locale; on a terminal, control characters are escaped."""
    if stream.isatty():
        text = printable(text)
    with end_quietly_without_reader():
        stream.write(text.encode("utf-8", "replace") + b"\n")


@contextmanager
def end_quietly_without_reader() -> Iterator[None]:
    """End the program without an error if the reader of its output closes the pipe, as ``| head`` does."""
    try:
        yield
    except BrokenPipeError:
        discard_output()
        raise Stop(0) from None


def write_results(lines: Iterable[str]) -> None:
    """Write lines of output to standard output."""
    stream = results()
    for line in lines:
        write_line(stream, line)
    with end_quietly_without_reader():
        stream.flush()


@contextmanager
def output_to(path: str, mark: bytes = b"") -> Iterator[IO[bytes]]:
    """Open a file, which is written atomically, or standard output (``-``).

    An existing file with another content is backed up as ``NAME.previous``, unless it has the mark of files that this
    program can make again (see ``model_files.back_up_replaced``).
    """
    if path == STDIO:
        stream = results()
        with end_quietly_without_reader():
            yield stream
            stream.flush()
    else:
        with atomic_file(Path(path)) as file:
            yield file
            file.flush()
            backup = back_up_replaced(Path(path), Path(file.name), mark)
        if backup is not None:
            say_backed_up(path, backup)


def say_backed_up(path: str | Path, backup: Path) -> None:
    """Say where the file is that a new one has replaced."""
    say(f"note: the earlier file {path} is backed up as {backup}", indent=2)


def read_input(path: str) -> Iterator[str]:
    """Yield the lines of a text file, compressed or not, or of standard input (``-``)."""
    from seq2seq_cli.text.corpus import read_lines

    return read_lines(path)


def check_output(path: str) -> None:
    """Raise before any work the error that ``output_to`` would raise for this file after it."""
    if path != STDIO:
        check_writable(Path(path))
        if Path(path).is_file():
            check_writable(backup_path(Path(path)))


def check_inputs(*names: str | Path | None) -> None:
    """Raise if standard input (``-``) is named more than once, or at all under mpirun, where it may never arrive.

    Args:
        names: all inputs of a command; a corpus may be two files with a comma between them. None is ignored.
    """
    parts = [part for name in names if name is not None for part in str(name).split(",")]
    if STDIO in parts and launched_size() > 1:
        raise usage_error(
            "mpirun does not pass its standard input on to the program reliably",
            where="standard input",
            fix="name a file: seq2seq translate -i FILE",
        )
    if parts.count(STDIO) > 1:
        raise usage_error(
            "standard input can be read only once", where=STDIO, fix="name files instead of all but one -"
        )


def check_texts(texts: list[str]) -> list[str]:
    """Return the arguments decoded as UTF-8; in other locales, Python decodes them with surrogate escapes.

    Raises:
        UserError: if one is not valid UTF-8.
    """
    checked = []
    for text in texts:
        try:
            checked.append(os.fsencode(text).decode("utf-8"))
        except UnicodeError:
            raise UserError(
                f"an argument is not valid UTF-8: {text!r}",
                where="TEXT",
                fix="pass text as UTF-8",
                exit_code=EXIT_USAGE,
            ) from None
    return checked


def discard_output() -> None:
    """Discard unwritten output; otherwise Python would flush it again at exit and report an error."""
    with suppress(OSError, ValueError, AttributeError):  # no stdout, or one that is not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
