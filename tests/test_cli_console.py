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


def test_an_error_is_wrapped_between_words_on_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stderr", Terminal())
    console.show_error(UserError("a sentence that is longer than this terminal", where="here", fix="wait " * 9))
    assert sys.stderr.getvalue() == (
        "error: a sentence that is longer than\n       this terminal\n"
        "where: here\n"
        "fix:   wait wait wait wait wait wait\n       wait wait wait\n"
    )


def test_a_file_that_an_output_replaces_is_backed_up_with_a_note(cli, tmp_path):
    (tmp_path / "t.txt").write_text("some text\n")
    (tmp_path / "tok.json").write_text("my notes\n")
    result = cli("tokenizer", "train", "t.txt", "-o", "tok.json")
    assert result.returncode == 0
    assert "note: the earlier file tok.json is backed up as tok.previous.json" in result.stderr.decode()
    assert (tmp_path / "tok.previous.json").read_text() == "my notes\n"
    again = cli("tokenizer", "train", "t.txt", "-o", "tok.json")  # the same content: nothing is lost
    assert b"note" not in again.stderr
    assert not (tmp_path / "tok.previous-2.json").exists()


def test_an_output_whose_backup_could_not_be_written_is_refused_at_once(tmp_path):
    name = "n" * 250  # "n….previous" is too long for a name
    (tmp_path / name).write_text("my notes\n")
    with pytest.raises(UserError, match="name too long"):
        console.check_output(str(tmp_path / name))
    console.check_output(str(tmp_path / "new"))


def test_a_warning_about_data_is_shown_in_our_form_and_not_with_quiet(cli, tmp_path):
    import gzip

    (tmp_path / "t.gz").write_bytes(gzip.compress(b"some text\n") + b"rubbish")
    warning = "warning: t.gz: 7 bytes behind the end of the gzip data are ignored; check that the file is complete\n"
    assert warning in cli("tokenizer", "train", "t.gz", "-o", "tok.json").stderr.decode()
    assert cli("tokenizer", "train", "t.gz", "-o", "tok.json", "-q").stderr == b""


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_on_a_terminal_an_error_is_red_and_a_note_is_dim_unless_colors_are_not_wanted(
    variables, colored, trained, tmp_path
):
    pexpect = pytest.importorskip("pexpect")

    def screen_of(*arguments):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "seq2seq_cli", *map(str, arguments)],
            cwd=str(tmp_path),
            env=environment(**{"TERM": "xterm-256color", **variables}),
            encoding="utf-8",
            timeout=60,
        )
        return child.read()

    error = screen_of("inspect", "missing.npz")
    note = screen_of("translate", "-m", trained / "model.npz", "zebra")
    assert ("\x1b[1;31merror: " in error) == colored
    assert ("\x1b[2mnote: " in note) == colored
    assert ("\x1b[" in error + note) == colored
    assert "\x1b[" not in note.splitlines()[0]  # the translation
