"""The prompt: a sentence in, its translation out, the model loaded once; lines that begin with a colon are commands."""

from __future__ import annotations

import dataclasses
import difflib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from seq2seq_cli.cli import console
from seq2seq_cli.cli.answers import Style, answer
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError, usage_error

if TYPE_CHECKING:
    from seq2seq_cli.translation import Translator

MOST_REMEMBERED = 1000
"""Lines of history kept from one session to the next."""


class Command(NamedTuple):
    """A command of the prompt: its argument, if it has one, what it does, and how it is carried out."""

    argument: str
    meaning: str
    obey: Callable[[str], None]


class Prompt:
    """A conversation with a translator.

    Args:
        translator: the loaded model.
        config: how to search at first; commands may change it.
        style: what to show at first.
        output: where translations go; all else goes to stderr.
    """

    def __init__(self, translator: Translator, config: SearchConfig, style: Style, output: IO[bytes]) -> None:
        self.translator = translator
        self.config = config
        self.style = style
        self.output = output
        self.sentences = 0
        self.ended = False
        self.commands = {
            ":help": Command("", "show this", self._help),
            ":beam": Command("N", "hypotheses kept per sentence; 1 is greedy search", self._set_beam),
            ":n-best": Command("N", "translations shown per sentence", self._set_n_best),
            ":explain": Command("on|off", "show the decoder's choices and the beam's rivals", self._set_explain),
            ":scores": Command("on|off", "put each translation's score before it", self._set_scores),
            ":quit": Command("", "leave, as Ctrl-D does", self._quit),
        }

    def run(self) -> None:
        """Read and answer until Ctrl-D or ``:quit``; Ctrl-C gives up the line, or the translation, in hand."""
        console.say("Type a sentence and press Enter.")
        console.say(":help shows the commands; Ctrl-C cancels the line, Ctrl-D leaves.")
        with line_editing(list(self.commands)):
            while not self.ended:
                try:
                    for line in read_line().split("\n"):  # pasted text can be several lines at once
                        self.answer(line)
                except EOFError:
                    console.say("")
                    return
                except KeyboardInterrupt:
                    console.say("")
                except UnicodeDecodeError:
                    console.warn("that line was not valid UTF-8")

    def answer(self, line: str) -> None:
        """Translate a sentence, or obey a command; a blank line is nothing."""
        try:
            if line[:1] == ":" and line[1:2].isalpha():
                self._obey(line)
            elif line.strip():
                self.sentences += 1
                sentences, number = iter([line]), self.sentences
                answer(self.translator, self.config, sentences, self.output, self.style, number, several=False)
        except UserError as error:
            console.show_error(error)
        except MemoryError:  # a line that cannot be translated is not the end
            console.warn("there is not enough memory for that line")

    def _obey(self, line: str) -> None:
        name, _, argument = line.strip().partition(" ")
        matching = [command for command in self.commands if command.startswith(name.lower())]
        if len(matching) != 1:
            near = difflib.get_close_matches(name, self.commands, n=1)
            fix = f"did you mean {near[0]}? " if near else ""
            raise UserError(f"there is no command {name}", fix=f"{fix}:help shows the commands")
        command = self.commands[matching[0]]
        argument = argument.strip()
        if argument and not command.argument:
            raise usage_error(f"{matching[0]} takes nothing behind it", where=line.strip(), fix=f"write {matching[0]}")
        command.obey(argument)

    def _help(self, _: str) -> None:
        for name, command in self.commands.items():
            console.say(f"  {f'{name} {command.argument}':<17} {command.meaning}")
        console.say(f"  now: {self._settings()}")
        console.say("  Arrow keys edit the line and bring back earlier ones.")
        console.say("  To translate a line that looks like a command, put a space before it.")

    def _settings(self) -> str:
        return (
            f"beam {self.config.beam}, n-best {self.config.n_best}, "
            f"explain {_on_off(self.style.explain)}, scores {_on_off(self.style.scores)}"
        )

    def _set_beam(self, argument: str) -> None:
        self._set_number("beam", argument)

    def _set_n_best(self, argument: str) -> None:
        self._set_number("n_best", argument)

    def _set_number(self, field: str, argument: str) -> None:
        """Change a number of the search; without an argument, show it."""
        name = field.replace("_", "-")
        if argument:
            if not (argument.isascii() and argument.isdigit() and len(argument) < 10):
                raise usage_error(
                    f":{name} must be a whole number, not {argument!r}", where=f":{name}", fix=f"for example :{name} 3"
                )
            try:
                change: dict[str, Any] = {field: int(argument)}
                self.config = dataclasses.replace(self.config, **change)
            except UserError as error:  # which speaks of flags
                raise usage_error(
                    error.what.replace("--", ":"), where=f":{name}", fix=error.fix.replace("--", ":")
                ) from None
        console.say(f"{name} {getattr(self.config, field)}")

    def _set_explain(self, argument: str) -> None:
        self._set_switch("explain", argument)

    def _set_scores(self, argument: str) -> None:
        self._set_switch("scores", argument)

    def _set_switch(self, field: str, argument: str) -> None:
        """Change what is shown; without an argument, say whether it is."""
        if argument:
            if argument.lower() not in ("on", "off"):
                raise usage_error(
                    f":{field} is on or off, not {argument!r}", where=f":{field}", fix=f"for example :{field} on"
                )
            self.style = dataclasses.replace(self.style, **{field: argument.lower() == "on"})
        console.say(f"{field} {_on_off(getattr(self.style, field))}")

    def _quit(self, _: str) -> None:
        self.ended = True


def _on_off(value: bool) -> str:
    return "on" if value else "off"


def read_line() -> str:
    """Return the next line, with the prompt on the terminal, also where stdout goes to a file.

    Raises:
        EOFError: at the end, Ctrl-D.
    """
    if sys.stdout is not None and sys.stdout.isatty():
        line = input("> ")
    else:
        console.stderr_console().print("> ", end="")
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        line = line.rstrip("\n")
    # Where the locale is not UTF-8, Python may hand over bytes in disguise.
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def history_file() -> Path:
    """Return where the history is kept: ``seq2seq/history`` in ``$XDG_STATE_HOME``, or in ``~/.local/state``."""
    folder = os.environ.get("XDG_STATE_HOME", "")
    state = Path(folder) if Path(folder).is_absolute() else Path("~/.local/state").expanduser()
    return state / "seq2seq" / "history"


@contextmanager
def line_editing(commands: list[str]) -> Iterator[None]:
    """Give the prompt line editing, history and completion of commands, where the system has readline.

    The history is a convenience: where its file cannot be read or written, it lasts as long as the session.
    """
    try:
        import readline
    except ImportError:  # Windows, whose console has its own
        yield
        return

    def complete(text: str, number: int) -> str | None:
        """Return the command of that number among those that begin so."""
        matching = [f"{command} " for command in commands if text and command.startswith(text)]
        return matching[number] if number < len(matching) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    readline.set_history_length(MOST_REMEMBERED)
    path = None
    with suppress(OSError, RuntimeError, ValueError):  # no home, no permission, not a history
        path = history_file()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))  # what one translates is nobody else's business
        readline.read_history_file(path)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            if path is not None:
                readline.write_history_file(path)
