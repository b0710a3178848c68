import io
import subprocess
import sys

import pytest

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.errors import UserError
from tests.conftest import environment


def test_control_characters_cannot_control_a_terminal():
    assert console.printable("a\x1b[31mb\x07\u202ec") == "a\\x1b[31mb\\x07\\u202ec"
    assert console.printable("été\u00a0?") == "été\u00a0?"


def test_files_get_the_text_as_it_is():
    stream = io.BytesIO()
    console.write_line(stream, "a\x1b[31m [bold]")
    assert stream.getvalue() == b"a\x1b[31m [bold]\n"


@pytest.mark.parametrize("command", [(), ("train",), ("translate",), ("eval",), ("inspect",), ("tokenizer",)])
def test_every_command_has_help(command):
    result = subprocess.run(
        [sys.executable, "-m", "seq2seq_cli", *command, "--help"], capture_output=True, env=environment(), timeout=600
    )
    assert result.returncode == 0
    assert b"Usage" in result.stdout
    assert b"<bool>" not in result.stdout


@pytest.mark.parametrize("command", [("train",), ("translate",), ("eval",), ("inspect",), ("tokenizer", "encode")])
@pytest.mark.parametrize("columns", ["40", "120"])
def test_help_names_no_python_types_and_fits(command, columns):
    result = subprocess.run(
        [sys.executable, "-m", "seq2seq_cli", *command, "--help"],
        capture_output=True,
        env=environment(COLUMNS=columns, NO_COLOR="1"),
    )
    text = result.stdout.decode()
    assert "<bool>" not in text
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= int(columns)


def test_completion_is_offered_for_the_common_shells():
    for shell in ("bash", "zsh", "fish"):
        result = subprocess.run(
            [sys.executable, "-m", "seq2seq_cli", "--show-completion", shell],
            capture_output=True,
            env=environment(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"),
        )
        assert result.returncode == 0, result.stderr
        assert b"COMPLETE" in result.stdout


def test_an_error_shown_in_passing_does_not_end_the_program(capsys):
    console.show_error(UserError("w", where="here", fix="f"))
    assert capsys.readouterr().err == "error: w\nwhere: here\nfix:   f\n"


def test_help_does_not_import_numpy():
    code = "import sys; sys.argv = ['seq2seq', '--help']\n"
    code += "try:\n import seq2seq_cli.cli as c; c.main()\nexcept SystemExit: pass\n"
    code += "sys.exit(any(name in sys.modules for name in ('numpy', 'sacrebleu')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment()).returncode == 0


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_are_wrapped_between_words_on_a_narrow_terminal_only(monkeypatch):
    monkeypatch.setenv("COLUMNS", "31")
    text = "label:  some words, /a/path/that/is/long/and/whole and-more words"
    expected = "label:  some words,\n  /a/path/that/is/long/and/whole\n  and-more words"
    assert console.wrapped(text, 2, Terminal()) == expected
    assert console.wrapped("short", 2, Terminal()) == "short"
    assert console.wrapped(text, 2, io.StringIO()) == text
    assert console.wrapped(text, 2, None) == text
