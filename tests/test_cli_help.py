"""What ``--help`` shows and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from seq2seq_cli.cli import app
from tests.conftest import environment

STAND_INS = typer.main.get_command(app).commands


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
    assert result.returncode == 3  # console, exits and help
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
