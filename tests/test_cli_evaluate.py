import json

import pytest

from seq2seq_cli.evaluation import corpus_scores
from tests.conftest import assert_explained


def test_scores_have_signatures_data_and_settings(trained, cli):
    result = cli("eval", "pairs.tsv", cwd=trained)
    text = result.stdout.decode()
    assert result.returncode == 0
    assert "BLEU" in text
    assert "chrF2" in text
    assert text.count("|version:") == 2
    assert "pairs.tsv" in text
    assert "model.npz" in text
    assert "beam 5" in text


def test_json_is_one_object_at_full_precision_that_matches_the_translations(trained, cli):
    result = cli("eval", "pairs.tsv", "--json", "--by-length", "--metrics", "bleu,chrf,ter", cwd=trained)
    found = json.loads(result.stdout)
    pairs = [line.split("\t") for line in (trained / "pairs.tsv").read_text().splitlines()]
    sources = "\n".join(source for source, _ in pairs) + "\n"
    outputs = cli("translate", cwd=trained, stdin=sources.encode()).stdout.decode().splitlines()
    expected = corpus_scores(outputs, [target for _, target in pairs], ["bleu", "chrf", "ter"])
    assert {name: found[name] for name in ("bleu", "chrf", "ter")} == expected.values
    assert found["signatures"] == expected.signatures
    assert found["sentences"] == len(pairs)
    assert found["by_length"][0]["sentences"] == len(pairs)
    assert found["chrf"] > 90


def test_evaluate_is_the_same_command(trained, cli):
    assert (
        cli("evaluate", "pairs.tsv", "--json", cwd=trained).stdout
        == cli("eval", "pairs.tsv", "--json", cwd=trained).stdout
    )


def test_an_ensemble_is_scored(trained, cli):
    single = json.loads(cli("eval", "pairs.tsv", "--json", cwd=trained).stdout)
    double = json.loads(cli("eval", "pairs.tsv", "--json", "-m", "model.npz", "-m", "model.npz", cwd=trained).stdout)
    assert double["bleu"] == single["bleu"]


def test_files_are_scored_without_a_model(cli, tmp_path):
    (tmp_path / "h").write_text("a cat sat here\nb\n")
    (tmp_path / "r").write_text("a cat sat there\nb\n")
    found = json.loads(cli("eval", "--hypotheses", "h", "--references", "r", "--json").stdout)
    assert found["chrf"] == corpus_scores(["a cat sat here", "b"], ["a cat sat there", "b"]).values["chrf"]
    (tmp_path / "p.tsv").write_text("x\ta cat sat there\ny\tb\n")
    also = json.loads(cli("eval", "p.tsv", "--hypotheses", "h", "--json").stdout)
    assert also["chrf"] == found["chrf"]


def test_confidence_prints_an_interval(trained, cli):
    assert "±" in cli("eval", "pairs.tsv", "--confidence", "--beam", "1", cwd=trained).stdout.decode()


ERRORS = [
    (("nothing.tsv",), 1, "no such file"),
    (("--metrics", "meteor"), 2, "--metrics"),
    (("--references", "x"), 2, "--hypotheses"),
    (("--hypotheses", "pairs.tsv"), 2, "needs references"),
    (("--hypotheses", "nothing", "--references", "pairs.tsv"), 1, "no such file"),
    (("--hypotheses", "pairs.tsv", "--references", "log.jsonl"), 1, "hypotheses and"),
    (("--beam", "0"), 2, "--beam"),
    ((), 2, "not trained on the built-in corpus"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors_are_explained(case, trained, cli):
    arguments, code, message = ERRORS[case]
    assert_explained(cli("eval", *arguments, cwd=trained), code, message)


def test_without_a_model_it_says_how_to_get_one(cli):
    assert_explained(cli("eval"), 1, "there is no model", "seq2seq train")
