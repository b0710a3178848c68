import json
import re

import numpy as np
import pytest

from seq2seq_cli import __version__
from seq2seq_cli.storage.checkpoint import load_model
from tests.conftest import SMALL, assert_explained, write_pairs


def test_inspect_shows_settings_parameters_and_history(trained, cli):
    text = cli("inspect", cwd=trained).stdout.decode()
    for part in ("pairs.tsv", "hidden-size = 32", "encoder.rnn.weight_ih_l0", "bpe", "perplexity"):
        assert part in text
    found = json.loads(cli("inspect", "model.npz", "--json", cwd=trained).stdout)
    assert found["model"]["hidden_size"] == 32
    assert found["parameters"]["decoder.rnn.weight_hh_l0"] == [128, 32]
    log = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    validations = [record for record in log if "valid_loss" in record]
    assert found["history"] == validations[: len(found["history"])]
    assert found["history"][-1]["improved"]


def test_inspect_says_what_the_file_is_how_large_its_parts_are_and_how_the_training_went(trained, cli):
    text = cli("inspect", cwd=trained).stdout.decode()
    size = (trained / "model.npz").stat().st_size
    assert text.startswith(f"model.npz: a seq2seq model, {size:,} bytes, trained on pairs.tsv\n")
    parameters = load_model(trained / "model.npz").model.parameters
    for name, array in parameters.items():
        shape = " × ".join(map(str, array.shape))
        assert re.search(rf"{re.escape(name)} +{shape} +{array.size:,} +{array.nbytes:,}\n", text), name
    assert re.search(rf"all +{len(parameters.flat):,} +{parameters.flat.nbytes:,}\n", text)
    (loss,) = re.findall(r"^  loss  ([▁▂▃▄▅▆▇█]+)  ", text, re.MULTILINE)
    (bleu,) = re.findall(r"^  BLEU  ([▁▂▃▄▅▆▇█]+)  ", text, re.MULTILINE)
    history = load_model(trained / "model.npz").history
    assert len(loss) == len(bleu) == len(history)
    assert (loss[0], loss[-1]) == ("█", "▁")  # the model that is kept is the one of the lowest loss
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_training_state_is_shown_as_what_it_is(trained, cli):
    text = cli("inspect", "model.state.npz", cwd=trained).stdout.decode()
    assert text.startswith("model.state.npz: a seq2seq training state, ")
    found = json.loads(cli("inspect", "model.state.npz", "--json", cwd=trained).stdout)
    assert found["format"] == "seq2seq training state"
    assert len(found["history"]) == 12


def test_a_file_is_told_by_what_is_in_it(trained, cli, tmp_path):
    for name, kind in (("model.npz", "seq2seq model"), ("model.state.npz", "seq2seq training state")):
        data = (trained / name).read_bytes()
        (tmp_path / "renamed").write_bytes(data)
        text = cli("inspect", "renamed").stdout.decode()
        assert text.startswith(f"renamed: a {kind}, {len(data):,} bytes, trained on pairs.tsv\n")
    found = json.loads(cli("inspect", "renamed", "--json").stdout)
    assert (found["file"], found["bytes"]) == ("renamed", len(data))
    assert_explained(cli("inspect", "-", stdin=data), 2, "a model cannot be read from standard input")


CASES = {
    "flags": (
        "--threads",
        "2",
        "--cell",
        "gru",
        "--word-dropout",
        "0.25",
        "--epochs",
        "2",
        "--label-smoothing",
        "0",
        "--seed",
        "7",
    ),
    "steps": ("--max-steps", "20", "--tokenizer", "word", "--lowercase", "--reverse-source", "--cool-down", "0.5"),
    "sides": (
        "--valid",
        "valid.tsv",
        "--context",
        "initial",
        "--no-bidirectional",
        "--epochs",
        "1",
        "--clip-norm",
        "5",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_toml_of_a_model_trains_the_same_weights_to_the_bit(case, cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    (tmp_path / "valid.tsv").write_text("red cat\trouge chat\n")
    result = cli("train", "p.tsv", "-o", "first.npz", *SMALL, *CASES[case])
    assert result.returncode == 0, result.stderr.decode()
    printed = cli("inspect", "first.npz", "--toml").stdout
    result = cli("train", "--config", "-", "-o", "second.npz", stdin=printed)
    assert result.returncode == 0, result.stderr.decode()
    first, second = (load_model(tmp_path / f"{name}.npz") for name in ("first", "second"))
    assert np.array_equal(first.model.parameters.flat, second.model.parameters.flat)
    assert first.recipe.threads == second.recipe.threads is not None
    assert first.source_tokenizer.to_json() == second.source_tokenizer.to_json()
    assert cli("inspect", "second.npz", "--toml").stdout == printed.replace(b"first.npz", b"second.npz")


def test_a_training_by_the_clock_warns_that_it_cannot_be_repeated_exactly(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--max-minutes", "0.001", *SMALL).returncode == 0
    assert "# max-minutes depends on the clock" in cli("inspect", "--toml").stdout.decode()


def test_a_model_file_that_does_not_say_what_it_was_validated_on_can_be_read(trained, tmp_path):
    with np.load(trained / "model.npz") as archive:
        members = {name: array for name, array in archive.items() if name != "checksums"}
    config = json.loads(str(members["config"]))
    assert config.pop("valid") == "pairs.tsv"
    members["config"] = np.array(json.dumps(config))
    np.savez(tmp_path / "older.npz", **members)
    assert load_model(tmp_path / "older.npz").recipe.corpora.valid is None


def test_a_history_that_somebody_changed_is_shown_and_does_no_harm(trained, cli, tmp_path):
    with np.load(trained / "model.npz") as archive:
        members = {name: array for name, array in archive.items() if name != "checksums"}
    records = [{}, {"epoch": "x", "valid_loss": [1], "valid_bleu": None}, {"step": 10**400, "valid_bleu": 10**400}]
    members["history"] = np.array(json.dumps(records))
    np.savez(tmp_path / "odd.npz", **members)
    result = cli("inspect", "odd.npz")
    assert result.returncode == 0, result.stderr.decode()


def test_errors_are_explained(cli, tmp_path):
    assert_explained(cli("inspect"), 1, "no such file", "model.npz")
    (tmp_path / "x.npz").write_bytes(b"x")
    assert_explained(cli("inspect", "x.npz"), 1, "not a model file")
    assert_explained(cli("inspect", "x.npz", "--json", "--toml"), 2, "--json or --toml")


def test_inspect_shows_date_version_pairs_and_the_best_bleu(trained, cli):
    checkpoint = load_model(trained / "model.npz")
    text = cli("inspect", cwd=trained).stdout.decode()
    date = checkpoint.origin.date.replace("T", " ").replace("Z", " UTC")
    assert f"written {date} by seq2seq-cli {__version__}; 252 training pairs\n" in text
    bleu = max(record["valid_bleu"] for record in checkpoint.history)
    assert f"best BLEU in validation: {bleu:.1f}, in epoch " in text
    found = json.loads(cli("inspect", "--json", cwd=trained).stdout)
    assert found["best_bleu"] == bleu
    assert found["origin"] == {"version": __version__, "date": checkpoint.origin.date, "pairs": 252}
