"""The prompt, in a terminal."""

import io
import re
import stat
import sys

import pytest

from seq2seq_cli.cli.terminal.history import History, history_file
from seq2seq_cli.cli.terminal.prompt import Prompt, described_model
from seq2seq_cli.cli.terminal.translations import Style
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.translator import Translator
from tests.conftest import environment

pexpect = pytest.importorskip("pexpect")


@pytest.fixture
def spawn(trained, tmp_path):
    """Open the prompt in a terminal, with a history of its own."""

    def start(*arguments, **changes):
        return pexpect.spawn(
            sys.executable,
            ["-m", "seq2seq_cli", "translate", *arguments],
            cwd=str(trained),
            env=environment(**{"TERM": "dumb", "XDG_STATE_HOME": str(tmp_path), **changes}),
            encoding="utf-8",
            timeout=120,
            echo=False,
        )

    return start


def ask(child, line):
    """Type a line, and return what is shown until the next prompt."""
    child.sendline(line)
    child.expect("\n> ")
    return child.before


def leave(child):
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_the_prompt_translates_like_the_filter_and_ends_at_ctrl_d(spawn, trained, cli):
    child = spawn()
    child.expect("> ")
    for sentence in ("red cat", "blue bird old"):
        expected = cli("translate", cwd=trained, stdin=f"{sentence}\n".encode()).stdout.decode().strip()
        assert expected in ask(child, sentence).splitlines()
    child.sendline("")
    child.expect("> ")
    child.sendintr()
    child.expect("> ")
    child.sendline("漢 dog")
    child.expect("out of vocabulary, read as <unk>: .*漢")
    child.expect("> ")
    leave(child)


def test_commands_change_what_is_shown_from_the_next_sentence_on(spawn):
    child = spawn()
    child.expect("> ")
    assert "n-best 3" in ask(child, ":n-best 3")
    shown = ask(child, "red cat")
    assert re.findall(r"^(\d)\s+\S", shown, re.M) == ["1", "2", "3"], shown
    ask(child, ":n-best 1")
    assert "scores on" in ask(child, ":scores on")
    assert re.search(r"-0\.\d{4}\s+rouge chat", ask(child, "red cat"))
    ask(child, ":scores off")
    assert "explain on" in ask(child, ":explain on")
    shown = ask(child, "red cat")
    assert "alternatives" in shown
    assert "n-best list" in shown
    assert "explain off" in ask(child, ":explain off")
    assert "beam 1" in ask(child, ":beam 1")
    assert ask(child, "red cat").splitlines()[-1] == "rouge chat"
    child.sendline(":quit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_the_search_can_be_changed_to_what_the_flags_would_have_made_it(spawn, trained, cli):
    flags = ("--length-penalty", "0.5", "--normalization", "gnmt", "--no-repeat-ngram", "1", "--scores")
    sentence = "dog dog dog"
    expected = cli("translate", sentence, *flags, cwd=trained).stdout.decode().strip()
    child = spawn("--scores")
    child.expect("> ")
    before = ask(child, sentence).splitlines()[-1]
    for line in (":length-penalty 0.5", ":normalization gnmt", ":no-repeat-ngram 1"):
        ask(child, line)
    score, text = ask(child, sentence).splitlines()[-1].split(maxsplit=1)
    assert [score, text] == expected.split("\t") != before.split(maxsplit=1)
    leave(child)


def test_help_names_every_command_and_the_current_settings(spawn):
    child = spawn("--beam", "3")
    child.expect("> ")
    ask(child, ":explain on")
    shown = ask(child, ":help")
    for command in (":help", ":beam N", ":n-best N", ":explain on|off", ":scores on|off", ":quit"):
        assert command in shown
    for command in (":length-penalty A", ":normalization plain|gnmt", ":no-repeat-ngram N", ":max-length LENGTH"):
        assert command in shown
    settings = "beam 3, length-penalty 1.0, normalization plain, reverse-weight 0.4, rerank none, rerank-weight 0.5"
    settings += ", no-repeat-ngram 0, n-best 1, sample off, temperature 1.0, seed 1, max-length 2x+10, copy-unknown on"
    assert f"current settings: {settings}, allow-unknown off, split-sentences off, explain on, scores off" in " ".join(
        shown.split()
    )
    assert max(map(len, shown.splitlines())) <= 80
    leave(child)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (":beem 5", ["there is no command :beem", "did you mean :beam?"]),
        (":translate x", ["there is no command :translate", ":help"]),
        (":beam", ["beam 5"]),
        (":beam five", [":beam must be a whole number, not 'five'"]),
        (":beam 0", [":beam must be from 1 to 1000, not 0"]),
        (":n-best 9", [":n-best 9 is more than :beam 5", "use :beam 9"]),
        (":explain maybe", [":explain must be on or off, not 'maybe'"]),
        (":quit now", [":quit takes no argument"]),
        (":n 2", [":n is ambiguous: :normalization, :no-repeat-ngram, :n-best"]),
        (":N 2", [":n is ambiguous"]),
        (":e", ["explain off"]),
        (":m", ["max-length 2x+10"]),
        (":n-b 2", ["n-best 2"]),
        (":", ["there is no command after the colon", ":help"]),
        (":  ", ["there is no command after the colon"]),
        (":no-r 2", ["no-repeat-ngram 2"]),
        (":length-penalty 0.5", ["length-penalty 0.5"]),
        (
            ":length-penalty long",
            [":length-penalty must be a number, not 'long'", "write for example :length-penalty 0.6"],
        ),
        (":length-penalty 11", [":length-penalty must be from 0 to 10, not 11.0"]),
        (":normalization gnmt", ["normalization gnmt"]),
        (":max-length 30", ["max-length 30"]),
        (":max-length 2y", [":max-length must be a number of tokens", "for example 60, 2x or 1.5x+10"]),
        (":allow-unknown on", ["allow-unknown on"]),
        (":allow-unknown 1", [":allow-unknown must be on or off, not '1'"]),
        (":batch-size 3", ["there is no command :batch-size"]),
        (":normalization none", [":normalization must be one of plain, gnmt, not 'none'"]),
        (":no-repeat-ngram -1", [":no-repeat-ngram must be from 0 to 1000, not -1"]),
        (":sample on", ["sample on"]),
        (":temperature 0", [":temperature must be from 0.01 to 100, not 0.0"]),
        (":seed 7", ["seed 7"]),
        (":seed 12345678901", ["seed 12345678901"]),
        (":seed 99999999999999999999", [":seed must be from 0 to"]),
    ],
)
def test_a_wrong_command_is_explained_and_a_short_one_understood(line, parts, capsys):
    prompt = Prompt(None, SearchConfig(), Style(), io.BytesIO())
    prompt.handle(line)
    shown = capsys.readouterr().err
    for part in parts:
        assert part in shown
    assert not prompt.ended
    assert ("error: " in shown) == (prompt.config == SearchConfig() and line not in (":beam", ":e", ":m"))


@pytest.mark.parametrize(
    ("word", "command"), [("exit", ":quit"), ("quit", ":quit"), ("Quit ", ":quit"), ("help", ":help")]
)
def test_a_word_that_is_meant_as_a_command_is_asked_about_and_not_translated(word, command, capsys):
    prompt = Prompt(None, SearchConfig(), Style(), io.BytesIO())
    prompt.handle(word)
    shown = capsys.readouterr().err
    assert f"type {command}" in shown
    assert "to translate the word, type a space before it" in shown
    assert not prompt.ended
    prompt.handle(":exit")
    assert prompt.ended


def test_such_a_word_after_a_space_is_translated_and_the_lists_have_no_line_number(spawn):
    child = spawn("--n-best", "2")
    child.expect("> ")
    shown = ask(child, " quit")
    assert "type :quit" not in shown
    assert re.search(r"^1\s", shown, re.M)
    shown = ask(child, "red cat").splitlines()
    assert [line.split()[0] for line in shown[-2:]] == ["1", "2"]
    assert shown[-2].split()[1:] == ["rouge", "chat"]
    leave(child)


def test_the_prompt_says_which_model_it_has_and_what_it_was_trained_on(spawn):
    child = spawn()
    child.expect("> ")
    assert "model.npz: trained on pairs.tsv, 252 sentence pairs" in child.before
    leave(child)
    described = described_model("m.npz", "built-in", 41_718)
    assert described == "m.npz: trained on the built-in corpus, 41,718 sentence pairs"
    assert described_model("m.npz", "a.tsv", 0) == "m.npz: trained on a.tsv"


def test_a_terminal_that_is_closed_loses_no_history(spawn, tmp_path):
    pytest.importorskip("readline")
    child = spawn()
    child.expect("> ")
    ask(child, "old dog")
    ask(child, "red cat")
    child.kill(9)
    child.close()
    assert (tmp_path / "seq2seq" / "history").read_text().splitlines()[-2:] == ["old dog", "red cat"]


def test_two_prompts_add_to_the_same_history(spawn, tmp_path):
    pytest.importorskip("readline")
    first, second = spawn(), spawn()
    for child, line in ((first, "old dog"), (second, "red cat")):
        child.expect("> ")
        ask(child, line)
    leave(first)
    leave(second)
    assert sorted((tmp_path / "seq2seq" / "history").read_text().splitlines()) == ["old dog", "red cat"]


def test_without_a_history_file_nothing_is_saved(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    History().save()


def test_a_reverse_model_is_loaded_at_the_prompt_and_put_away(trained, capsys):
    prompt = Prompt(Translator.load(trained / "model.npz"), SearchConfig(), Style(), io.BytesIO())
    prompt.handle(f":rerank {trained / 'model.npz'}")
    assert prompt.config.rerank == str(trained / "model.npz")
    prompt.handle("red cat")
    assert prompt.output.getvalue().decode() == "rouge chat\n"
    prompt.handle(":rerank none.npz")
    assert "no such file" in capsys.readouterr().err
    assert prompt.config.rerank == str(trained / "model.npz")  # as before
    prompt.handle(":sample on")
    assert ":rerank ranks those of a search" in capsys.readouterr().err
    prompt.handle(":rerank none")
    assert "rerank none" in capsys.readouterr().err
    assert prompt.config == SearchConfig()


def test_ctrl_c_cancels_the_line_in_hand(spawn):
    child = spawn()
    child.expect("> ")
    child.send("blue bird which will never be")
    child.sendintr()
    child.expect("> ")
    assert ask(child, "red cat").splitlines()[-1] == "rouge chat"
    leave(child)


def test_the_history_comes_back_in_the_next_session_and_is_private(spawn, tmp_path):
    pytest.importorskip("readline")
    child = spawn()
    child.expect("> ")
    ask(child, "old dog")
    leave(child)
    path = tmp_path / "seq2seq" / "history"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "old dog" in path.read_text()
    child = spawn()
    child.expect("> ")
    child.send("\x10")  # Ctrl-P, as the arrow up
    assert ask(child, "").splitlines()[-1] == "vieux chien"
    leave(child)


def test_a_line_can_be_edited_and_a_command_completed(spawn):
    pytest.importorskip("readline")
    child = spawn()
    child.expect("> ")
    assert ask(child, "cat\x01red ").splitlines()[-1] == "rouge chat"  # Ctrl-A: to the start of the line
    assert "scores on" in ask(child, ":sc\ton")
    leave(child)


def test_without_a_place_for_it_the_history_is_no_reason_to_fail(spawn, tmp_path):
    (tmp_path / "file").write_text("")
    child = spawn(XDG_STATE_HOME=str(tmp_path / "file"))
    child.expect("> ")
    assert ask(child, "red cat").splitlines()[-1] == "rouge chat"
    leave(child)


def test_the_history_is_where_xdg_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_file() == tmp_path / "seq2seq" / "history"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file() == tmp_path / ".local" / "state" / "seq2seq" / "history"


def test_a_sentence_longer_than_those_trained_on_gets_a_note(spawn):
    child = spawn()
    child.expect("> ")
    shown = ask(child, "red cat old dog blue bird")
    assert "note: this sentence has 6 tokens; the longest in training had 3" in shown
    assert "note" not in ask(child, "red cat old")
    leave(child)


def test_a_word_out_of_the_training_vocabulary_is_reported(spawn):
    child = spawn()
    child.expect("> ")
    assert "note: not in the training vocabulary: catdog" in ask(child, "red catdog")
    leave(child)


def test_a_colon_behind_a_space_and_a_smile_are_text(spawn):
    child = spawn("--json")
    child.expect("> ")
    assert '"source": " :help"' in ask(child, " :help")
    assert '"source": ":) red"' in ask(child, ":) red")
    leave(child)


def test_typed_text_cannot_control_the_terminal(spawn):
    child = spawn("--explain")
    child.expect("> ")
    shown = ask(child, "red \x16\x1b[31mcat [bold]dog[/bold]")  # Ctrl-V takes the escape as it is
    answer = shown[shown.index("source") :]
    assert "\x1b" not in answer
    assert "\\x1b" in answer
    assert "[bold]" in answer
    leave(child)


def test_the_prompt_stands_on_the_terminal_when_translations_go_to_a_file(spawn, tmp_path):
    child = spawn("-o", str(tmp_path / "out.txt"))
    child.expect("> ")
    child.sendline("red cat")
    child.expect("> ")
    leave(child)
    assert (tmp_path / "out.txt").read_text() == "rouge chat\n"
