import importlib.util
import json
import os
import re

import pytest

from seq2seq_cli.cli.commands.plot import picture_kind, sentence_groups
from seq2seq_cli.errors import UserError
from tests.conftest import CHECKOUT, assert_explained

needs_matplotlib = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("matplotlib", "adjustText"))), reason="the extra 'plots' is not installed"
)
BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF"}
PICTURES = {
    "history": ("plot", "history"),
    "lengths": ("plot", "lengths", "pairs.tsv", "--beam", "1"),
    "contexts": ("plot", "contexts", "red cat", "old dog", "blue old bird"),
}


def words(svg: bytes) -> list[str]:
    """The texts of an SVG, which matplotlib draws as shapes and keeps as comments."""
    return [text.strip() for text in re.findall(r"<!-- (.*?) -->", svg.decode(), re.DOTALL)]


@needs_matplotlib
@pytest.mark.parametrize(("name", "ending"), list(zip(PICTURES, BEGINNINGS)))
def test_the_format_follows_the_ending(trained, cli, tmp_path, name, ending):
    picture = tmp_path / f"x.{ending}"
    result = cli(*PICTURES[name], "-o", picture, cwd=trained)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout == b""
    assert f"the picture is in {picture}" in result.stderr.decode()
    assert "arning" not in result.stderr.decode()
    assert picture.read_bytes().startswith(BEGINNINGS[ending])


@needs_matplotlib
def test_history_shows_every_validation_and_the_training_loss_of_a_log(trained, cli, tmp_path):
    result = cli("plot", "history", "--log-file", "log.jsonl", "-o", tmp_path / "h.svg", cwd=trained)
    assert result.returncode == 0, result.stderr.decode()
    found = words((tmp_path / "h.svg").read_bytes())
    for text in ("loss (nats per token)", "validation BLEU (greedy search)", "training loss", "validation loss"):
        assert text in found
    assert "Training of model.npz" in found
    other = tmp_path / "other.jsonl"
    other.write_text((trained / "log.jsonl").read_text().replace('"valid_loss": ', '"valid_loss": 1'))
    result = cli("plot", "history", "--log-file", other, "-o", tmp_path / "x.svg", cwd=trained)
    assert_explained(result, 1, "the log of another training", "other.jsonl")
    assert any("minutes" in text for text in found)


@needs_matplotlib
def test_lengths_of_several_models_name_them_the_counts_and_the_signature(trained, cli, tmp_path):
    (tmp_path / "_other.npz").write_bytes((trained / "model.npz").read_bytes())
    (tmp_path / "test.tsv").write_text("red cat\trouge chat\n" * 30 + "a b c d e f g\tx y\n")
    models = ("-m", trained / "model.npz", "-m", "_other.npz")
    result = cli("plot", "lengths", "test.tsv", *models, "-o", "l.svg")
    assert result.returncode == 0, result.stderr.decode()
    found = " ".join(words((tmp_path / "l.svg").read_bytes()))
    assert re.search(r"model\.npz, BLEU \d", found)
    assert re.search(r"\./_other\.npz, BLEU \d", found)
    for text in ("1–5", "n = 30", "6–10", "n = 1", "hollow: fewer than 20", "nrefs:1|case:mixed", "test.tsv"):
        assert text in found


@needs_matplotlib
def test_contexts_label_every_sentence_once_with_a_dollar_as_a_dollar(trained, cli, tmp_path):
    lines = "red cat\nold $dog$\n\nblue bird\nred cat\n"
    result = cli("plot", "contexts", "-i", "-", "-o", tmp_path / "c.svg", cwd=trained, stdin=lines.encode())
    assert result.returncode == 0, result.stderr.decode()
    found = words((tmp_path / "c.svg").read_bytes())
    assert [found.count(label) for label in ("red cat", "old $dog$", "blue bird")] == [1, 1, 1]
    assert "Context vectors of 3 sentences: model.npz" in found


@needs_matplotlib
def test_the_same_picture_has_the_same_bytes_and_a_dash_writes_png_to_stdout(trained, cli, tmp_path):
    arguments = PICTURES["contexts"]
    for name in ("a.svg", "b.svg"):
        assert cli(*arguments, "-o", tmp_path / name, cwd=trained).returncode == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    result = cli(*arguments, "-o", "-", "-q", cwd=trained)
    assert result.stdout.startswith(BEGINNINGS["png"])
    assert result.stderr == b""


@needs_matplotlib
def test_the_log_can_come_from_standard_input(trained, cli, tmp_path):
    log = (trained / "log.jsonl").read_bytes()
    cli("plot", "history", "--log-file", "-", "-o", tmp_path / "a.svg", cwd=trained, stdin=log)
    cli("plot", "history", "--log-file", "log.jsonl", "-o", tmp_path / "b.svg", cwd=trained)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@needs_matplotlib
def test_lengths_are_searched_for_as_eval_would(trained, cli, tmp_path):
    found = set()
    for beam in ("1", "4"):
        flags = ("--beam", beam, "--batch-size", "8")
        result = cli("plot", "lengths", "pairs.tsv", *flags, "-o", tmp_path / "l.svg", cwd=trained)
        assert result.returncode == 0, result.stderr.decode()
        bleu = json.loads(cli("eval", "pairs.tsv", *flags, "--json", cwd=trained).stdout)["bleu"]
        assert f"model.npz, BLEU {bleu:.1f}" in words((tmp_path / "l.svg").read_bytes())
        found.add(bleu)
    assert found


@needs_matplotlib
def test_the_picture_of_lengths_has_no_other_flag_of_the_search(cli):
    result = cli("plot", "lengths", "pairs.tsv", "--normalization", "gnmt")
    assert_explained(result, 2, "--normalization")


@needs_matplotlib
@pytest.mark.parametrize("arguments", [("history",), ("lengths",), ("contexts", "hello", "red cat")])
def test_a_model_is_not_read_from_standard_input(cli, arguments):
    assert_explained(cli("plot", *arguments, "-m", "-"), 2, "a model cannot be read from standard input")


@needs_matplotlib
def test_characters_that_the_font_lacks_are_reported_in_one_line(trained, cli, tmp_path):
    result = cli("plot", "contexts", "red cat", "\U00012000", "-o", tmp_path / "c.png", cwd=trained)
    assert result.returncode == 0
    assert result.stderr.decode().count("\n") == 2
    assert "warning: the font lacks some characters" in result.stderr.decode()


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("missing", ["matplotlib", "adjustText"])
def test_without_the_extra_the_error_says_what_to_install(trained, cli, tmp_path, name, missing):
    (tmp_path / f"{missing}.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), str(CHECKOUT)])
    result = cli(*PICTURES[name], "-o", tmp_path / "x.png", cwd=trained, PYTHONPATH=path)
    assert_explained(result, 1, "figures need matplotlib and adjustText", "pip install matplotlib adjustText")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("name", PICTURES)
def test_any_other_ending_is_wrong_usage_that_lists_them(cli, name):
    assert_explained(cli(*PICTURES[name], "-o", "x.jpg"), 2, ".png, .svg, .pdf", "where: x.jpg")


@pytest.mark.parametrize("output", ["x", "png", ".png", "x.png.gz"])
def test_a_name_without_an_ending_is_no_pictures_name(output):
    with pytest.raises(UserError, match=r"\.png, \.svg, \.pdf"):
        picture_kind(output)


def test_a_format_may_be_in_capitals():
    assert picture_kind("My.Picture.PDF") == "pdf"
    assert picture_kind("-") == "png"


@needs_matplotlib
def test_what_cannot_be_drawn_is_explained(trained, cli, tmp_path):
    here = {"cwd": trained}
    assert_explained(cli("plot", "contexts", **here), 2, "no sentences to draw")
    assert_explained(cli("plot", "contexts", "a", "-i", "pairs.tsv", **here), 2, "not both")
    assert_explained(cli("plot", "lengths", **here), 2, "not trained on the built-in corpus")
    assert_explained(cli("plot", "lengths"), 1, "there is no model")
    assert_explained(cli("plot", "history", "--log-file", "pairs.tsv", **here), 1, "no training step", "pairs.tsv")
    assert_explained(cli("plot", "lengths", "nothing.tsv", "-o", "nowhere/x.png", **here), 1, "no such folder")
    two = ("-m", "model.npz", "-m", "model.npz")
    assert_explained(cli("plot", "history", *two, "--log-file", "log.jsonl", **here), 2, "--log-file")


@needs_matplotlib
def test_a_model_without_a_validation_has_no_history_to_draw(trained, cli, tmp_path):
    from seq2seq_cli.storage.checkpoint import load_model, save_model

    checkpoint = load_model(trained / "model.npz")
    checkpoint.history.clear()
    save_model(tmp_path / "young.npz", checkpoint)
    assert_explained(cli("plot", "history", "-m", "young.npz"), 1, "before its first validation", "young.npz")


def test_sentences_of_a_file_form_groups_and_the_built_in_model_has_its_own(tmp_path):
    (tmp_path / "s.txt").write_text("a\nb\n\n\nc\na\n")
    assert sentence_groups([], str(tmp_path / "s.txt"), "x") == [["a", "b"], ["c"]]
    assert sentence_groups(["a", " ", "b"], None, "x") == [["a", "b"]]
    ours = sentence_groups([], None, "built-in")
    assert [len(group) for group in ours] == [4, 4]
    assert ours[0][0] == "My brother helps the doctor."
    assert ours[1][0] == "The doctor helps my brother."
    with pytest.raises(UserError, match="1 different sentence to"):
        sentence_groups(["red cat", "red cat"], None, "x")
    with pytest.raises(UserError, match="61 different sentences"):
        sentence_groups([str(k) for k in range(61)], None, "x")
