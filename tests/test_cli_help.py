"""What ``--help`` shows and what it costs."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys

import pytest
import typer

from seq2seq_cli import config
from seq2seq_cli.cli import app
from seq2seq_cli.cli.help import Deferred
from seq2seq_cli.config import SearchConfig
from tests.conftest import environment

STAND_INS = typer.main.get_command(app).commands


def commands(group, path=()):
    """Every command that can be run, with its name as it is typed."""
    for name, command in group.commands.items():
        command = command.load() if isinstance(command, Deferred) else command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))
PARAMETERS = [
    pytest.param(name, parameter, id=f"{name} {max(parameter.opts, key=len)}")
    for name, command in COMMANDS.items()
    for parameter in command.get_params(typer.Context(command))
]
EVERYWHERE = {"--help", "--quiet", "--debug"}
"""Flags of every command: they stand in the panel "Options", where Typer puts --help."""


@pytest.mark.parametrize("name", STAND_INS)
def test_a_command_that_is_not_imported_yet_says_the_first_line_of_its_own_help(name):
    stand_in = STAND_INS[name]
    command = stand_in.load()
    assert command.name == stand_in.name == name
    assert command.help.splitlines()[0] == stand_in.help
    assert command.get_short_help_str(1000) == stand_in.get_short_help_str(1000)


def test_help_imports_no_module_of_a_command():
    code = "import sys; sys.argv = ['seq2seq', '--help']\n"
    code += "try:\n import seq2seq_cli.cli as c; c.main()\nexcept SystemExit: pass\n"
    code += "sys.exit(sum(name.startswith('seq2seq_cli.cli.') for name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment())
    assert result.returncode == 5  # exits, signals, help, and the terminal's console
    assert b"translate" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [("tr", {"train", "translate"}), ("tokenizer e", {"encode"}), ("translate --no-rep", {"--no-repeat-ngram"})],
)
def test_the_shell_completes_commands_and_flags(words, expected):
    completing = {"_SEQ2SEQ_COMPLETE": "complete_bash", "COMP_WORDS": f"seq2seq {words}"}
    completing["COMP_CWORD"] = str(len(words.split()))
    code = "import sys; sys.argv = ['seq2seq']; from seq2seq_cli.cli import app; app(prog_name='seq2seq')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**environment(), **completing})
    assert set(result.stdout.decode().split()) == expected


def forms(value, flag: str) -> set[str]:
    """How help may write a default: of a flag that says yes or no, also as the flag itself."""
    if not isinstance(value, bool):
        return {str(value)}
    return {"yes", "True", flag.lstrip("-")} if value else {"no", "False", f"no-{flag.lstrip('-')}"}


def configured_defaults(parameter) -> set[str]:
    """The forms of the defaults that ``config.py`` has for a flag of this name, but for those of the search."""
    kinds = {kind for kind in vars(config).values() if dataclasses.is_dataclass(kind)} - {SearchConfig}
    values = {field.default for kind in kinds for field in dataclasses.fields(kind) if field.name == parameter.name}
    return set().union(
        *(forms(value, parameter.opts[0]) for value in values if isinstance(value, (bool, int, float, str)))
    )


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_flag_has_help_a_panel_and_its_default(name, parameter):
    assert (parameter.help or "").strip().endswith("."), "no sentence of help"
    if parameter.param_type_name == "option" and not EVERYWHERE & set(parameter.opts):
        assert parameter.rich_help_panel, "no panel"
    if isinstance(parameter.show_default, str):
        shown = parameter.show_default
    elif parameter.show_default and parameter.default is not None:
        shown = str(parameter.default)
    else:
        shown = parameter.help.partition("Default: ")[2].removesuffix(".")
    if parameter.default is None:  # the default is taken elsewhere: from a file, a recipe, or the settings
        expected = configured_defaults(parameter) if name == "train" else set()
    elif isinstance(parameter.default, bool) and not parameter.secondary_opts:
        expected = set()  # a flag that is off unless it is given
    else:
        expected = forms(parameter.default, parameter.opts[0])
    fitted, _, plain = shown.partition("; ")
    if plain.endswith("with --context initial"):
        shown = plain  # the default; 'train' fits the setting of any other network to the corpus
    elif fitted == "fitted to the corpus":
        expected = set()  # of every network
    if expected and not parameter.required:
        as_written = [rf"{re.escape(form)}([, ].*)?" for form in expected]
        assert any(re.fullmatch(form, shown) for form in as_written), f"the default is not shown: {expected}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_prints_every_flag_with_its_help_panel_and_default(name):
    command = COMMANDS[name]
    result = subprocess.run(
        [sys.executable, "-m", "seq2seq_cli", *name.split(), "--help"],
        capture_output=True,
        env={**environment(), "COLUMNS": "300"},
    )
    printed = " ".join(result.stdout.decode().replace("│", " ").split())
    for parameter in command.get_params(typer.Context(command)):
        for word in (*parameter.opts, *parameter.secondary_opts):
            assert word in printed or parameter.param_type_name == "argument", word
        assert " ".join(parameter.help.split()) in printed, parameter.name
        if parameter.rich_help_panel:
            assert f"─ {parameter.rich_help_panel} ─" in printed
        if isinstance(parameter.show_default, str):
            assert f"[default: ({parameter.show_default})]" in printed, parameter.name
        elif parameter.show_default and not isinstance(parameter.default, (bool, type(None))):
            assert f"[default: {parameter.default}]" in printed, parameter.name


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS", "TTY_COMPATIBLE"])
@pytest.mark.parametrize("words", [(), ("train",), ("tokenizer",), ("tokenizer", "encode")])
def test_help_in_a_pipe_is_plain_text_whatever_a_ci_sets(variable, words):
    command = [sys.executable, "-m", "seq2seq_cli", *words, "--help"]
    result = subprocess.run(command, capture_output=True, env=environment(**{variable: "1"}))
    assert b"Usage:" in result.stdout
    assert b"\x1b" not in result.stdout + result.stderr
