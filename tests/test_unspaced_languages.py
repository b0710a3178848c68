"""Chinese and Japanese from training to scores, on synthetic corpora: every figure means something for them."""

import json
import re

import pytest

from seq2seq_cli.config import Recipe
from seq2seq_cli.evaluation.tokenization import is_installed
from seq2seq_cli.storage.checkpoint import load_model
from seq2seq_cli.training.events import BleuTokenizerChosen, RecipeChosen, ValidationReport, Vocabularies
from seq2seq_cli.training.run import train
from tests.conftest import run_cli
from tests.unspaced import write_corpora

JAPANESE = "ja-mecab" if is_installed("ja-mecab") else "char"
FLAGS = ("--members", "1", "--epochs", "4", "--threads", "1", "--hidden-size", "64", "--embedding-size", "32")
FLAGS += ("--dropout", "0.1", "--weight-dropout", "0", "--augmentation", "0", "--learning-rate", "0.01")


@pytest.fixture(scope="module", params=["zh", "ja"])
def trained(request, tmp_path_factory):
    """A folder with a model from English into that language, what its training wrote, and sacreBLEU's tokenizer."""
    folder = tmp_path_factory.mktemp(request.param)
    write_corpora(folder, request.param)
    result = run_cli("train", "train.tsv", "--valid", "test.tsv", *FLAGS, cwd=folder)
    assert result.returncode == 0, result.stderr.decode()
    return folder, result.stderr.decode(), {"zh": "zh", "ja": JAPANESE}[request.param]


def test_the_training_says_how_it_scores_and_its_bleu_rises(trained):
    folder, text, tokenizer = trained
    assert f"scoring:    BLEU counts tokens of sacreBLEU's tokenizer {tokenizer}" in text
    assert f"--tokenize {tokenizer}" in text
    assert "0.0% of the source words and 0.0% of the target characters are not in the training corpus" in text
    assert "suspicious: nothing found" in text
    scores = [float(found) for found in re.findall(r"^epoch .* BLEU ([\d.]+)  ", text, re.MULTILINE)]
    assert scores[0] > 5
    assert scores[-1] > 60
    checkpoint = load_model(folder / "model.npz")
    assert checkpoint.recipe.training.tokenize == tokenizer
    assert max(checkpoint.measured("valid_bleu")) > 60


def test_scores_lengths_and_baselines_of_the_model_make_sense(trained, cli):
    folder, _, tokenizer = trained
    flags = ("--baselines", "--train-corpus", "train.tsv", "--by-length", "--json", "--threads", "1")
    result = cli("eval", "test.tsv", *flags, cwd=folder)
    found = json.loads(result.stdout)
    assert "note:" not in result.stderr.decode()
    assert f"|tok:{tokenizer}" in found["signatures"]["bleu"]
    assert found["bleu"] > 60
    copy, nearest, word_by_word = (baseline["bleu"] for baseline in found["baselines"])
    assert copy < 1 < word_by_word < nearest < 95
    assert all(bucket["bleu"] > 20 for bucket in found["by_length"] if bucket["sentences"] > 9)
    assert found["by_length"][0]["words"] == "1–5"  # of English


def test_translations_have_no_spaces(trained, cli):
    folder, *_ = trained
    sources = "".join(line.split("\t")[0] + "\n" for line in (folder / "test.tsv").read_text("utf-8").splitlines())
    outputs = cli("translate", "--threads", "1", cwd=folder, stdin=sources.encode()).stdout.decode().splitlines()
    assert len(outputs) == 64
    assert not any(" " in line for line in outputs)


def test_a_tokenizer_that_was_given_is_used_and_stored(tmp_path):
    write_corpora(tmp_path, "zh")
    settings = {"epochs": 1, "members": 1, "threads": 1, "hidden_size": 8, "embedding_size": 8, "augmentation": 0.0}
    recipe = Recipe.of(corpus=str(tmp_path / "train.tsv"), tokenize="char", **settings)
    events = list(train(recipe, tmp_path / "m.npz"))
    assert not [event for event in events if isinstance(event, BleuTokenizerChosen)]
    assert "tokenize" not in next(event for event in events if isinstance(event, RecipeChosen)).settings
    assert load_model(tmp_path / "m.npz").recipe.training.tokenize == "char"


def test_a_source_without_spaces_is_measured_in_characters_and_its_target_is_scored_as_ever(tmp_path):
    write_corpora(tmp_path, "zh", reverse=True)
    settings = {"max_steps": 2, "members": 1, "threads": 1, "hidden_size": 8, "embedding_size": 8, "augmentation": 0.0}
    events = list(train(Recipe.of(corpus=str(tmp_path / "train.tsv"), **settings), tmp_path / "m.npz"))
    vocabularies = next(event for event in events if isinstance(event, Vocabularies))
    assert (vocabularies.source.unit, vocabularies.target.unit) == ("characters", "words")
    assert vocabularies.source.oov < 0.1
    assert not [event for event in events if isinstance(event, BleuTokenizerChosen)]
    assert load_model(tmp_path / "m.npz").recipe.training.tokenize is None
    assert any(isinstance(event, ValidationReport) for event in events)
    result = run_cli("eval", "test.tsv", "-m", "m.npz", "--by-length", "--json", "--threads", "1", cwd=tmp_path)
    found = json.loads(result.stdout)
    assert "|tok:13a|" in found["signatures"]["bleu"]
    assert [bucket["characters"] for bucket in found["by_length"]] == ["1–10", "11–20"]
