"""The interactive prompt: it translates sentences; lines that start with a colon are commands."""

from __future__ import annotations

import dataclasses
import difflib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from seq2seq_cli.cli.search_flags import load_reverse_model
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.history import History
from seq2seq_cli.cli.terminal.interrupts import CANCELLED, KEY_BINDINGS, catch_interrupts, interrupt_key_off
from seq2seq_cli.cli.terminal.translations import Style, write_translations
from seq2seq_cli.config import LONGEST_NUMBER, SearchConfig, settings_in, type_of
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.text.builtin import BUILTIN, SWAPPED

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Translator

HELP = 25
"""Width of the column of commands in the help text."""
NONE = "none"
"""Switches off a setting that names a file."""
NOT_AT_THE_PROMPT = ("batch_size", "max_tokens_per_batch", "max_source_length")
"""Settings of the search that matter only for many lines."""


NOT_SENTENCES = {
    "exit": "to leave, type :quit or press Ctrl-D",
    "quit": "to leave, type :quit or press Ctrl-D",
    "help": "for help, type :help",
}
"""Words that are probably meant as commands, and what to say then."""


class Command(NamedTuple):
    """A command of the prompt: its argument (may be empty), its description, and the function that runs it."""

    argument: str
    meaning: str
    run: Callable[[str], None]


class Prompt:
    """An interactive session with a translator.

    Args:
        translator: the loaded model.
        config: initial settings of the search; commands change them.
        style: initial settings of the output; commands change them.
        output: stream for translations; everything else goes to stderr.
        models: names of the model files.
    """

    def __init__(
        self,
        translator: Translator,
        config: SearchConfig,
        style: Style,
        output: IO[bytes],
        models: Sequence[str | Path] = (),
    ) -> None:
        self.translator = translator
        self.models = models
        self.config = config
        self.style = style
        self.output = output
        self.sentences = 0
        self.ended = False
        self.commands = {
            ":help": Command("", "show this help", self._help),
            **{
                f":{name.replace('_', '-')}": self._setting(name, *_described(field))
                for name, field in settings_in(SearchConfig).items()
                if name not in NOT_AT_THE_PROMPT
            },
            ":explain": self._setting("explain", "on|off", "show each token's alternatives and the n-best list"),
            ":scores": self._setting("scores", "on|off", "print the score before each translation"),
            ":quit": Command("", "quit, like Ctrl-D", self._quit),
        }

    def run(self) -> None:
        """Read and translate until Ctrl-D or ``:quit``; Ctrl-C cancels the current line or translation."""
        for name, corpus, origin in zip(self.models, self.translator.corpora, self.translator.origins):
            console.say(described_model(str(name), corpus, origin.pairs), indent=2)
        console.say("Type a sentence and press Enter.", indent=2)
        console.say(":help shows the commands; Ctrl-C cancels the line, Ctrl-D leaves.", indent=2)
        history = History()
        with line_editing(list(self.commands)) as ctrl_c_is_a_key, catch_interrupts() as interrupts:
            while not self.ended:
                try:
                    interrupts.arm()
                    entered = read_line(ctrl_c_is_a_key)
                    history.save()
                    for line in entered.split("\n"):  # pasted text can be several lines at once
                        self.handle(line)
                except EOFError:
                    console.say("")
                    return
                except KeyboardInterrupt:
                    console.say("")
                except UnicodeDecodeError:
                    console.warn("that line was not valid UTF-8")

    def handle(self, line: str) -> None:
        """Translate a sentence or run a command; ignore a blank line."""
        try:
            if line.rstrip() == ":" or (line[:1] == ":" and line[1:2].isalpha()):
                self._run_command(line)
            elif line.rstrip().lower() in NOT_SENTENCES:
                console.to_stderr(
                    f"{NOT_SENTENCES[line.rstrip().lower()]}; to translate the word, type a space before it"
                )
            elif line.strip():
                self.sentences += 1
                write_translations(
                    self.translator,
                    self.config,
                    [line],
                    self.output,
                    self.style,
                    self.sentences,
                    several=False,
                    number_lines=False,
                )
        except UserError as error:
            console.show_error(error)
        except MemoryError:  # continue with the next line
            console.warn("there is not enough memory for that line")

    def _run_command(self, line: str) -> None:
        name, _, argument = line.strip().partition(" ")
        if name == ":":
            raise usage_error("there is no command after the colon", where=name, fix=":help shows the commands")
        name = ":quit" if name.lower() == ":exit" else name.lower()
        matching = [command for command in self.commands if command.startswith(name)]
        if not matching:
            near = difflib.get_close_matches(name, self.commands, n=1)
            fix = f"did you mean {near[0]}? " if near else ""
            raise usage_error(f"there is no command {name}", where=line.strip(), fix=f"{fix}:help shows the commands")
        if len(matching) > 1 and name not in matching:
            raise usage_error(
                f"{name} is ambiguous: {', '.join(matching)}", where=line.strip(), fix="type more letters of it"
            )
        full_name = name if name in matching else matching[0]
        command = self.commands[full_name]
        argument = argument.strip()
        if argument and not command.argument:
            raise usage_error(f"{full_name} takes no argument", where=line.strip(), fix=f"write {full_name}")
        command.run(argument)

    def _help(self, _: str) -> None:
        for name, command in self.commands.items():
            console.say(f"  {f'{name} {command.argument}':<{HELP}} {command.meaning}", indent=HELP + 3)
        console.say(f"  current settings: {self._settings()}", indent=7)
        console.say("  The arrow keys move within the line, and recall earlier lines.", indent=4)
        console.say("  To translate a line that looks like a command, type a space before it.", indent=4)

    def _settings(self) -> str:
        return ", ".join(
            f"{name[1:]} {self._shown(name)}" for name, command in self.commands.items() if command.argument
        )

    def _setting(self, field: str, argument: str, meaning: str) -> Command:
        """Return the command that changes a setting of the search or of the output, or prints its value."""
        return Command(argument, meaning, partial(self._set, field))

    def _set(self, field: str, argument: str) -> None:
        name = f":{field.replace('_', '-')}"
        if argument:
            searched = settings_in(SearchConfig).get(field)
            kind = type_of(SearchConfig, searched) if searched else bool
            may_be_none = searched is not None and searched.default is None and argument == NONE
            changed: dict[str, Any] = {field: None if may_be_none else parse(name, argument, kind)}
            if hasattr(self.style, field):
                self.style = dataclasses.replace(self.style, **changed)
            else:
                try:
                    config = dataclasses.replace(self.config, **changed)
                    load_reverse_model(self.translator, config)
                    self.config = config
                except UserError as error:  # its message is about flags
                    raise usage_error(
                        error.what.replace("--", ":"), where=name, fix=error.fix.replace("--", ":")
                    ) from None
        console.say(f"{name[1:]} {self._shown(name)}")

    def _value(self, field: str) -> Any:
        return getattr(self.style if hasattr(self.style, field) else self.config, field)

    def _shown(self, name: str) -> str:
        """Return the current value of the setting that a command changes."""
        value = self._value(name[1:].replace("-", "_"))
        if value is None:
            return NONE
        return ("on" if value else "off") if isinstance(value, bool) else str(value)

    def _quit(self, _: str) -> None:
        self.ended = True


def described_model(name: str, corpus: str, pairs: int) -> str:
    """Return which model it is, and what it was trained on."""
    title = f"the {BUILTIN} corpus{corpus.removeprefix(BUILTIN)}" if corpus in (BUILTIN, BUILTIN + SWAPPED) else corpus
    return f"{name}: trained on {title}" + (f", {pairs:,} sentence pairs" if pairs else "")


def _described(field: dataclasses.Field[Any]) -> tuple[str, str]:
    """Return the placeholder and the description of a setting."""
    metadata = field.metadata
    argument = "|".join(metadata["choices"]) or metadata["metavar"] or "on|off"
    if field.default is None:
        argument = f"{argument}|{NONE}"
    return argument, metadata["text"].rstrip(".")


def parse(name: str, argument: str, kind: type) -> Any:
    """Convert the argument of a command to a value of this type.

    Raises:
        UserError: if it is not such a value.
    """
    if kind is bool:
        if argument.lower() not in ("on", "off"):
            raise usage_error(
                f"{name} must be on or off, not {argument!r}", where=name, fix=f"write for example {name} on"
            )
        return argument.lower() == "on"
    if kind is str:
        return argument
    try:
        if len(argument) <= LONGEST_NUMBER and argument.isascii():
            return kind(argument)
    except ValueError:
        pass
    what, example = ("a whole number", "3") if kind is int else ("a number", "0.6")
    raise usage_error(f"{name} must be {what}, not {argument!r}", where=name, fix=f"write for example {name} {example}")


def read_line(ctrl_c_is_a_key: bool) -> str:
    """Return the next line, or an empty one if Ctrl-C cancels it; the prompt is on the terminal, even if stdout is not.

    Args:
        ctrl_c_is_a_key: whether readline reads Ctrl-C as a key, by ``KEY_BINDINGS``.

    Raises:
        EOFError: at the end of the input (Ctrl-D).
        KeyboardInterrupt: at Ctrl-C, if it is not a key.
    """
    if sys.stdout is not None and sys.stdout.isatty():
        with interrupt_key_off() if ctrl_c_is_a_key else nullcontext():
            line = input("> ")
        if ctrl_c_is_a_key and CANCELLED in line:
            import readline

            readline.remove_history_item(readline.get_current_history_length() - 1)
            return ""
    else:
        console.stderr_console().print("> ", end="")
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        line = line.rstrip("\n")
    # Where the locale is not UTF-8, Python decodes with surrogate escapes.
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def line_editing(commands: list[str]) -> Iterator[bool]:
    """Enable line editing and completion of commands, if the system has readline.

    Yields whether Ctrl-C is a key, as it is with GNU readline.
    """
    try:
        import readline
    except ImportError:  # Windows, whose console has its own line editing
        yield False
        return

    def complete(text: str, number: int) -> str | None:
        """Return the ``number``-th command that begins with ``text``."""
        matching = [f"{command} " for command in commands if text and command.startswith(text)]
        return matching[number] if number < len(matching) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    gnu = "libedit" not in (readline.__doc__ or "")
    for binding in (*KEY_BINDINGS, "tab: complete") if gnu else ("bind ^I rl_complete",):
        readline.parse_and_bind(binding)
    yield gnu
