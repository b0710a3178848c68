import json
import os
import subprocess
import sys

import pytest

from seq2seq_cli.storage.checkpoint import load_model, save_model
from tests.conftest import assert_explained, environment

pexpect = pytest.importorskip("pexpect")


def test_arguments_filter_and_files_give_the_same_text(trained, cli):
    sentences = ["red cat", "blue bird old", "dog dog", "old bird"]
    expected = cli("translate", *sentences, cwd=trained).stdout
    assert expected.decode().splitlines() == ["rouge chat", "bleu oiseau vieux", "chien chien", "vieux oiseau"]
    piped = cli("translate", cwd=trained, stdin=("\n".join(sentences) + "\n").encode())
    assert piped.stdout == expected
    (trained / "in.txt").write_text("\n".join(sentences))
    assert cli("translate", "-i", "in.txt", "-o", "out.txt", cwd=trained).stdout == b""
    assert (trained / "out.txt").read_bytes() == expected
    assert cli(
        "translate", "-i", "-", "-o", "-", "--batch-size", "1", cwd=trained, stdin=piped.args and b"red cat\n"
    ).stdout == (b"rouge chat\n")
    for beam in ("1", "5"):
        one_by_one = [cli("translate", s, "--beam", beam, cwd=trained).stdout for s in sentences[:2]]
        assert b"".join(one_by_one) == cli("translate", *sentences[:2], "--beam", beam, cwd=trained).stdout


def test_as_many_lines_out_as_in_blank_ones_included(trained, cli):
    lines = ["red cat", "", "   ", "blue\u2028dog", "a\x0cb", "red\rcat", "\u0085", "\x00", "cat", ""]
    result = cli("translate", cwd=trained, stdin="\n".join(lines).encode())
    assert result.returncode == 0
    assert result.stdout.count(b"\n") == 10  # a lone CR ends a line; the last one is empty and has no end: ten lines
    assert result.stdout.split(b"\n")[1] == b""
    assert cli("translate", cwd=trained, stdin=b"").stdout == b""
    assert cli("translate", cwd=trained, stdin=b"\n\n").stdout == b"\n\n"
    assert cli("translate", cwd=trained, stdin=b"\xef\xbb\xbfred cat\r\n").stdout == b"rouge chat\n"


def test_output_is_utf_8_whatever_the_locale(trained, cli):
    result = cli("translate", "red été", cwd=trained, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.returncode == 0
    result.stdout.decode("utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_an_explanation_survives_any_code_page(encoding, trained, cli):
    result = cli("translate", "red 漢 zebra", "--explain", cwd=trained, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert result.returncode == 0
    assert "▁red" in result.stdout.decode("utf-8")
    assert "out of vocabulary, read as <unk>" in result.stderr.decode(encoding)
    assert "Traceback" not in result.stderr.decode(encoding)


def test_what_is_out_of_vocabulary_is_reported_on_stderr_only(trained, cli):
    result = cli("translate", cwd=trained, stdin="red cat\n漢字 dog\n".encode())
    assert result.stdout.count(b"\n") == 2
    assert "漢 (line 2)" in result.stderr.decode()
    assert b"<unk>" not in result.stdout
    assert cli("translate", "漢", "--quiet", cwd=trained).stderr == b""


def test_scores_and_n_best_are_columns(trained, cli):
    line = cli("translate", "red cat", "--scores", cwd=trained).stdout.decode().rstrip("\n").split("\t")
    assert float(line[0]) < 0
    assert line[1] == "rouge chat"
    rows = cli("translate", "red cat", "old dog", "--n-best", "3", "--scores", cwd=trained).stdout.decode().splitlines()
    columns = [row.split("\t") for row in rows]
    assert [(number, rank) for number, rank, *_ in columns] == [(a, b) for a in "12" for b in "123"]
    assert columns[0][3] == "rouge chat"
    assert float(columns[0][2]) >= float(columns[1][2])


def test_json_is_one_object_per_line_of_input(trained, cli):
    lines = ["red cat", "", "old zebra \u6f22"]
    result = cli("translate", "--json", "--n-best", "2", cwd=trained, stdin="\n".join(lines).encode())
    found = [json.loads(line) for line in result.stdout.decode().splitlines()]
    assert [(entry["line"], entry["source"]) for entry in found] == list(enumerate(lines, start=1))
    assert found[0]["source_tokens"] == [" red", " cat", "</s>"]
    assert found[0]["translations"][0]["text"] == "rouge chat"
    assert len(found[0]["translations"]) == 2
    assert set(found[0]["translations"][0]) == {"text", "score", "log_probability", "tokens"}
    assert found[0]["unknown"] == found[0]["new_words"] == []
    assert found[1]["translations"][0]["text"] == ""
    assert found[2]["unknown"] == ["z", "漢"]
    assert found[2]["new_words"] == ["zebra"]
    assert "steps" not in found[0]


def test_json_with_explain_holds_the_choices_and_the_n_best_list(trained, cli):
    found = json.loads(cli("translate", "red cat", "--json", "--explain", "--beam", "4", cwd=trained).stdout)
    assert [step["token"] for step in found["steps"]] == [*found["translations"][0]["tokens"], "</s>"]
    assert all(len(step["alternatives"]) == 3 for step in found["steps"])
    assert len(found["translations"]) == 1
    assert len(found["n_best"]) == 4
    assert found["n_best"][0] == found["translations"][0]
    scores = [each["score"] for each in found["n_best"]]
    assert scores == sorted(scores, reverse=True)


def test_a_longest_translation_may_be_relative_to_the_source(trained, cli):
    def words(length):
        found = cli("translate", "red cat", "old blue bird red", "--max-length", length, cwd=trained)
        return [len(line.split()) for line in found.stdout.decode().splitlines()]

    assert words("1") == [1, 1]
    assert words("0.5x") == [1, 2]
    assert_explained(cli("translate", "red", "--max-length", "2y", cwd=trained), 2, "--max-length", "'2y'", "1.5x+10")


def test_unknown_is_never_written_unless_that_is_allowed(trained, cli, tmp_path):
    checkpoint = load_model(trained / "model.npz")
    for member in checkpoint.model.members:
        member.parameters["decoder.fc_out.bias"][0] = 50  # <unk> is by far the most probable token
    save_model(tmp_path / "model.npz", checkpoint)
    assert b"<unk>" not in cli("translate", "red cat", "old dog", "--n-best", "5").stdout
    assert cli("translate", "red cat", "--allow-unknown", "--max-length", "2").stdout == b"<unk><unk>\n"


def test_an_explanation_does_not_change_the_translation(trained, cli):
    sentences = ["red cat", "blue bird old", "zebra of red dogs"]
    plain = cli("translate", *sentences, cwd=trained).stdout.decode().splitlines()
    explained = cli("translate", *sentences, "--explain", cwd=trained).stdout.decode().splitlines()
    shown = [line.split(maxsplit=1)[1] for line in explained if line.startswith("translation ")]
    assert shown == plain


def test_an_explanation_shows_source_tokens_choices_and_the_n_best_list(trained, cli):
    result = cli("translate", "red zebra", "--explain", cwd=trained)
    text = result.stdout.decode()
    for part in (
        "tokens ",
        "▁red",
        "out of vocabulary  z\n",
        "not in training    zebra\n",
        "alternatives",
        "n-best list",
    ):
        assert part in text, text
    assert "note: not in the training vocabulary: zebra" in result.stderr.decode()
    assert cli("translate", "--explain", cwd=trained, stdin=b"\n\n").stdout == b"\n\n"


@pytest.mark.parametrize("columns", [40, 80])
def test_an_explanation_fits_the_terminal(columns, trained):
    child = pexpect.spawn(
        sys.executable,
        ["-m", "seq2seq_cli", "translate", "--explain", "red cat old dog", "-q"],
        cwd=str(trained),
        env=environment(TERM="dumb"),
        encoding="utf-8",
        timeout=300,
        dimensions=(50, columns),
    )
    lines = child.read().splitlines()
    child.close()
    assert child.exitstatus == 0
    assert any("n-best list" in line for line in lines)
    assert max(map(len, lines)) <= columns


def test_sentences_longer_than_any_in_training_are_noted_with_their_line(trained, cli):
    lines = ["red cat", "red cat old dog blue bird"]
    text = cli("translate", cwd=trained, stdin="\n".join(lines).encode()).stderr.decode()
    assert "1 sentence is longer than any in training, the first on line 2 with 6 tokens" in text
    assert "the longest in training had 3" in text
    assert cli("translate", lines[0], cwd=trained).stderr == b""


def test_samples_are_the_same_for_the_same_seed_and_n_best_says_how_many(trained, cli):
    arguments = ("translate", "red cat", "old dog", "--sample", "--temperature", "3", "--n-best", "9", "--scores")
    first, again, other = (cli(*arguments, *seed, cwd=trained) for seed in ((), ("--seed", "1"), ("--seed", "2")))
    rows = [line.split("\t") for line in first.stdout.decode().splitlines()]
    assert [row[:2] for row in rows] == [[number, str(rank)] for number in "12" for rank in range(1, 10)]
    assert first.stdout == again.stdout != other.stdout
    one = cli("translate", "old dog", "--sample", "--temperature", "3", cwd=trained).stdout.decode()
    assert one == rows[9][3] + "\n"


def test_a_model_of_the_reverse_direction_reranks_and_one_of_another_is_doubted(trained, cli, tmp_path):
    line = cli("translate", "red cat", "--rerank", "model.npz", cwd=trained)
    assert line.stdout == b"rouge chat\n"
    assert b"reverse direction?" not in line.stderr  # the vocabulary is too small to tell
    missing = cli("translate", "red cat", "--rerank", "none.npz", cwd=trained)
    assert_explained(missing, 1, "no such file", "none.npz")


def test_an_ensemble_translates(trained, cli):
    result = cli("translate", "red cat", "-m", "model.npz", "-m", "model.npz", cwd=trained)
    assert result.stdout == b"rouge chat\n"


ERRORS = [
    (("hello", "-m", "-"), 2, "a model cannot be read from standard input", {}),
    (("hello",), 1, "there is no model", {}),
    (("hello", "-m", "nothing.npz"), 1, "no such file", {}),
    (("hello", "-m", "text.npz"), 1, "not a model file", {}),
    (("hello", "-m", "."), 1, "folder", {}),
    (("hello", "--beam", "0"), 2, "--beam", {}),
    (("hello", "--n-best", "9"), 2, "--n-best", {}),
    (("hello", "--length-penalty", "-1"), 2, "--length-penalty", {}),
    (("hello", "-i", "x"), 2, "not both", {}),
    (("hello", "--sample", "--beam", "3"), 2, "has no beam", {}),
    (("hello", "--sample", "--rerank", "text.npz"), 2, "use one of them", {}),
    (("hello", "--temperature", "0.5"), 2, "--temperature has no effect without --sample", {}),
    (("hello", "--seed", "2"), 2, "--seed has no effect without --sample", {}),
    (("hello", "--rerank-weight", "2"), 2, "--rerank-weight has no effect without --rerank", {}),
    (("hello", "--rerank", "text.npz", "--beam", "1"), 2, "--beam 1 keeps only one", {}),
    (("hello", "--sample", "--temperature", "0"), 2, "--temperature must be from 0.01", {}),
    (("hello", "--wings"), 2, "--wings", {}),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors_are_explained(case, cli, tmp_path):
    arguments, code, message, options = ERRORS[case]
    (tmp_path / "text.npz").write_text("this is not a model")
    assert_explained(cli("translate", *arguments, **options), code, message)


def test_bad_input_is_explained_with_its_line(trained, cli):
    result = cli("translate", cwd=trained, stdin=b"red cat\nblue \xff dog\n")
    assert result.returncode == 1
    assert "standard input, line 2" in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()
    assert_explained(cli("translate", "-i", "nothing.txt", cwd=trained), 1, "no such file", "nothing.txt")
    assert_explained(cli("translate", "x", "-o", "no/where", cwd=trained), 1, "no such folder", "no/where")


def test_an_output_file_is_written_whole_or_not_at_all(trained, cli, tmp_path):
    (tmp_path / "in.txt").write_text("red cat\nold dog\n")
    (tmp_path / "bad.txt").write_bytes(b"red cat\n\xff\n")
    (tmp_path / "out.txt").write_text("precious")
    model = ("-m", trained / "model.npz")
    assert_explained(cli("translate", *model, "-i", "nothing.txt", "-o", "out.txt"), 1, "no such file", "nothing.txt")
    assert_explained(cli("translate", *model, "-i", "bad.txt", "-o", "out.txt"), 1, "not UTF-8", "bad.txt, line 2")
    assert (tmp_path / "out.txt").read_text() == "precious"
    assert_explained(cli("translate", *model, "-i", "in.txt", "-o", "in.txt"), 2, "would overwrite --input", "in.txt")
    assert cli("translate", *model, "-i", "in.txt", "-o", "out.txt").returncode == 0
    assert (tmp_path / "in.txt").read_text() == "red cat\nold dog\n"
    assert (tmp_path / "out.txt").read_text() == "rouge chat\nvieux chien\n"
    assert (tmp_path / "out.previous.txt").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.txt", "in.txt", "out.previous.txt", "out.txt"]
    assert cli("translate", *model, "red cat", "-o", "/dev/null").returncode == 0


def test_nothing_but_results_reaches_stdout_when_stderr_is_closed(trained):
    command = f"{sys.executable} -m seq2seq_cli translate '漢 cat' 2>&-"
    result = subprocess.run(["bash", "-c", command], cwd=trained, env=environment(), capture_output=True)
    assert result.returncode == 0
    assert result.stdout.count(b"\n") == 1
    assert b"out of vocabulary" not in result.stdout


@pytest.mark.parametrize(("redirect", "code"), [(">/dev/full", 1), (">&-", 1), ("<&-", 1)])
def test_streams_that_are_full_or_closed_are_explained(redirect, code, trained):
    command = f"{sys.executable} -m seq2seq_cli translate {'' if '<' in redirect else 'cat'} {redirect}"
    result = subprocess.run(["bash", "-c", command], cwd=trained, env=environment(), capture_output=True)
    text = result.stderr.decode()
    assert result.returncode == code, text
    assert text.count("error: ") == 1, text
    assert "where: " in text
    assert "Traceback" not in text
    assert "Exception" not in text


def test_a_reader_that_leaves_early_is_no_error(trained):
    command = f"yes 'red cat' | head -n 3000 | {sys.executable} -m seq2seq_cli translate --batch-size 1 | head -n 1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=trained, env=environment(), capture_output=True
    )
    assert result.stdout == b"rouge chat\n"
    assert b"Traceback" not in result.stderr
    assert b"rror" not in result.stderr
    codes = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[2]}}"], cwd=trained, env=environment(), capture_output=True
    )
    assert codes.stdout.split(b"\n")[1] == b"0"


def spawn(trained, *arguments, **options):
    return pexpect.spawn(
        sys.executable,
        ["-m", "seq2seq_cli", "translate", *arguments],
        cwd=str(trained),
        env=environment(TERM="dumb"),
        encoding="utf-8",
        timeout=300,
        echo=False,
        **options,
    )


STRANGE = [
    b"red\x00cat",
    b"\x1b[2J\x1b]0;title\x07red",
    "red\u2028cat\u2029dog".encode(),
    "red\u0085cat".encode(),
    b"red\x0ccat\x0bdog",
    "red\u200bcat\ufeff".encode(),
    "\u202ered\u2066cat".encode(),
    ("e" + "\u0301\u0316" * 50_000).encode(),
    "👩‍👩‍👧‍👦 🏳️‍🌈 red".encode(),
    b" " * 100_000,
    "\u00a0\u3000\u2009".encode(),
    b"red" * 100_000,
    b"red " * 100_000,
    "\U0010ffff\ue000".encode(),
    b"[bold]red[/bold] [link=x]cat :smile:",
    b"<s> </s> <unk>",
]


def test_as_many_lines_out_as_in_whatever_the_lines_hold(trained, cli):
    result = cli("translate", "--beam", "1", cwd=trained, stdin=b"\n".join(STRANGE) + b"\n")
    message = result.stderr.decode()
    assert result.returncode == 0, message
    assert result.stdout.count(b"\n") == len(STRANGE)
    result.stdout.decode("utf-8")  # no half of a surrogate pair
    assert "Traceback" not in message
    assert "2 lines are longer than 1,000 tokens, the first is line 12" in message


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_line_is_translated_whatever_its_end(end, trained, cli):
    result = cli("translate", cwd=trained, stdin=b"\xef\xbb\xbfred cat" + end + end + b"old dog" + end)
    assert result.stdout == b"rouge chat\n\nvieux chien\n"


def test_a_line_that_is_too_long_is_truncated_to_the_maximum(trained, cli):
    flags = ("--max-source-length", "2", "--max-tokens-per-batch", "8")
    result = cli("translate", *flags, cwd=trained, stdin=b"red cat blue dog\nred cat\n\n")
    first, second, third = result.stdout.splitlines()
    assert (first, second, third) == (b"rouge chat", b"rouge chat", b"")
    assert "1 line is longer than 2 tokens, the first is line 1" in result.stderr.decode()
    assert b"longer" in cli("eval", "pairs.tsv", *flags, cwd=trained).stderr


def test_on_a_terminal_a_sentence_can_neither_control_it_nor_be_taken_for_markup(tmp_path, cli):
    """A model that generates escape sequences: they are harmless on a terminal, and unchanged in a file."""
    evil = "\x1b[31m\u202e\x07[bold]:smile:"
    (tmp_path / "p.tsv").write_text("".join(f"{word}\t{evil}\n" for word in "abcdef"))
    flags = ("--valid", "p.tsv", "--tokenizer", "char", "--learning-rate", "0.02", "--epochs", "40", "--dropout", "0")
    small = ("--hidden-size", "24", "--embedding-size", "24", "--batch-size", "3", "--members", "1")
    small += ("--weight-dropout", "0", "--word-dropout", "0", "--context-dropout", "0", "--augmentation", "0")
    small += ("--no-bigram-prior", "--text-normalization", "none")  # which would drop U+202E
    child = pexpect.spawn(
        sys.executable,
        ["-m", "seq2seq_cli", "train", "p.tsv", *flags, *small],
        cwd=str(tmp_path),
        env=environment(TERM="xterm", COLUMNS="200"),
        encoding="utf-8",
        timeout=300,
        dimensions=(24, 200),
    )
    child.expect(pexpect.EOF)
    shown = child.before
    assert "\\x1b[31m\\u202e\\x07[bold]:smile:" in shown
    for harm in ("\x1b[31m", "\u202e", "\x07", "😄"):
        assert harm not in shown
    assert cli("translate", "a", "--max-length", "60").stdout.decode() == evil + "\n"
    child = spawn(tmp_path, "--max-length", "60")
    child.expect("> ")
    child.sendline("a")
    child.expect("> ")
    assert "\\x1b[31m\\u202e\\x07[bold]:smile:" in child.before
    assert "\x1b[31m" not in child.before
    child.sendeof()
    child.expect(pexpect.EOF)


def test_the_prompt_survives_any_line(trained):
    child = spawn(trained)
    child.expect("> ")
    for line in ("red " * 1000, "\u2028\u0085\u200b", "[bold]", "e" + "\u0301" * 500, "\U0010ffff"):
        child.sendline(line)
        child.expect("> ")
    os.write(child.child_fd, b"caf\xe9\n")
    child.expect("> ")
    child.sendline("red cat")
    child.expect("rouge chat")
    child.expect("> ")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_single_hyphen_is_standard_input(trained, cli):
    expected = cli("translate", cwd=trained, stdin=b"red cat\nold dog\n").stdout
    assert cli("translate", "-", cwd=trained, stdin=b"red cat\nold dog\n").stdout == expected
    assert expected.count(b"\n") == 2
    assert cli("translate", "red cat", "-", cwd=trained).stdout.count(b"\n") == 2


def test_the_name_of_a_file_is_asked_about_and_not_translated(trained, cli):
    (trained / "my letter.txt").write_text("red cat\n")
    result = cli("translate", "my letter.txt", cwd=trained)
    assert_explained(result, 2, "'my letter.txt' is a file; did you mean its content?", "-i 'my letter.txt'")
    assert cli("translate", "my letter.txt ", cwd=trained).returncode == 0
    (trained / "red").write_text("")
    assert cli("translate", "red", cwd=trained).returncode == 0, "a word may be a file by chance"
    assert cli("translate", "x" * 5000 + ".", cwd=trained).returncode == 0


def test_in_a_notebook_there_is_no_prompt_that_waits_for_ever(trained):
    command = ["-m", "seq2seq_cli", "translate"]
    text, code = pexpect.run(
        " ".join([sys.executable, *command]),
        cwd=str(trained),
        env=environment(JPY_PARENT_PID="1"),
        timeout=60,
        withexitstatus=True,
        encoding="utf-8",
    )
    assert code == 2
    assert "there is no prompt in a notebook" in text
    assert '!seq2seq translate "' in text


def test_an_explanation_of_samples_shows_them_all(trained, cli):
    arguments = ("translate", "red cat", "--sample", "--n-best", "9", "--json", "--temperature", "3")
    plain, explained = (json.loads(cli(*arguments, *more, cwd=trained).stdout) for more in ((), ("--explain",)))
    assert len(explained["translations"]) == 9
    assert explained["translations"] == plain["translations"] == explained["n_best"]


def test_samples_of_a_line_are_those_of_its_sentences_in_the_order_in_which_they_are_drawn(trained, cli):
    arguments = ("translate", "--sample", "--temperature", "5", "--split-sentences", "--json")

    def samples(line, n):
        found = cli(*arguments, "--n-best", str(n), cwd=trained, stdin=f"{line}\n".encode())
        return [each["text"] for each in json.loads(found.stdout)["translations"]]

    first, second, both = (samples(line, 7) for line in ("Red cat.", "Old dog.", "Red cat. Old dog."))
    assert len(set(both)) > 1
    assert both == [" ".join(filter(None, pair)) for pair in zip(first, second)]
    assert samples("Red cat. Old dog.", 1) == both[:1]
