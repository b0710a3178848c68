import sys

import pytest
import typer

from seq2seq_cli.cli import exits
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.errors import UserError
from tests.conftest import assert_explained


def run(function):
    app = typer.Typer()
    app.command()(function)
    argv, sys.argv = sys.argv, ["seq2seq"]
    try:
        return exits.run(app)
    finally:
        sys.argv = argv


def raiser(error):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UserError("w", where="here", fix="f"), 1, "error: w\nwhere: here\nfix:   f\n"),
        (UserError("w", exit_code=2), 2, "error: w\n"),
        (console.Stop(143), 143, ""),
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 1, "not enough memory"),
        (OSError(5, "Input/output error", "file"), 1, "Input/output error"),
        (RuntimeError("surprise"), 1, "a bug in this program: RuntimeError: surprise"),
    ],
)
def test_every_failure_has_its_exit_code_and_no_traceback(error, code, message, capsys):
    assert run(raiser(error)) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("text", ["-5 degrees", "- Bonjour", "--wow", "-- no"])
@pytest.mark.parametrize("words", [("translate",), ("plot", "contexts")])
def test_text_that_starts_with_a_dash_gets_the_two_dashes_that_it_needs(words, text, cli):
    fix = f'seq2seq_cli {" ".join(words)} -- "-5 degrees"'
    assert_explained(cli(*words, text), 2, "No such option", "write -- before it", fix)


def test_a_command_without_text_does_not_speak_of_dashes(cli):
    result = cli("train", "--wings")
    assert "No such option: --wings" in result.stderr.decode()
    assert "starts with a dash" not in result.stderr.decode()
