import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from seq2seq_cli.checkpoint import load_model
from tests.conftest import SMALL, assert_explained, environment, write_pairs


def test_training_writes_model_state_and_log_and_says_what_next(trained, cli):
    write_pairs(trained / "again.tsv")
    result = cli("train", "again.tsv", "-o", "again.npz", "--max-steps", "3", *SMALL, cwd=trained)
    assert result.returncode == 0
    assert result.stdout == b""
    text = result.stderr.decode()
    assert "seq2seq translate -m again.npz" in text
    assert "seq2seq eval TEST_CORPUS -m again.npz" in text
    for part in ("source:", "reference:", "translation:"):
        assert text.count(part) == 3
    assert (trained / "again.npz").exists()
    assert (trained / "again.state.npz").exists()


def test_the_log_has_a_record_per_report_with_the_promised_keys(trained):
    records = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    steps = [record for record in records if "loss" in record]
    validations = [record for record in records if "valid_loss" in record]
    assert {
        "step",
        "epoch",
        "seconds",
        "loss",
        "perplexity",
        "tokens_per_second",
        "learning_rate",
        "gradient_norm",
    } <= (steps[0].keys())
    assert {"step", "epoch", "seconds", "valid_loss", "valid_perplexity", "valid_bleu"} <= validations[0].keys()
    assert [record["step"] for record in steps] == list(range(1, len(steps) + 1))
    assert len(validations) == 12


def test_the_built_in_corpus_is_the_default(cli, tmp_path):
    result = cli("train", "--max-steps", "1", "--hidden-size", "8", "--embedding-size", "8", "--vocab-size", "200")
    assert result.returncode == 0, result.stderr.decode()
    assert "built-in" in result.stderr.decode()
    assert load_model(tmp_path / "model.npz").corpus == "built-in"
    assert "seq2seq eval\n" in result.stderr.decode()
    toml = cli("inspect", "--toml").stdout.decode()
    assert "# The corpus is the built-in one." in toml
    assert not re.search("^(corpus|valid|epochs|max-minutes) = ", toml, re.MULTILINE)


def test_quiet_says_nothing(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    result = cli("train", "p.tsv", "--max-steps", "2", "--quiet", *SMALL)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_a_corpus_on_standard_input(cli, tmp_path):
    result = cli("train", "-", "--max-steps", "2", *SMALL, stdin=write_pairs(tmp_path / "p.tsv").read_bytes())
    assert result.returncode == 0, result.stderr.decode()


def test_skipped_pairs_are_counted_aloud(cli, tmp_path):
    path = write_pairs(tmp_path / "p.tsv")
    path.write_text("a\t\n\tb\n" + path.read_text())
    result = cli("train", "p.tsv", "--max-steps", "1", *SMALL)
    assert "2 pairs with an empty side, the first p.tsv:1 (they are left out)" in result.stderr.decode()


def test_ready_made_tokenizers_are_used_and_stored(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    for side, column in (("s", 0), ("t", 1)):
        lines = [line.split("\t")[column] for line in (tmp_path / "p.tsv").read_text().splitlines()]
        (tmp_path / f"{side}.txt").write_text("\n".join(lines))
        assert cli("tokenizer", "train", f"{side}.txt", "-o", f"{side}.json", "--kind", "word").returncode == 0
    flags = ("--source-tokenizer", "s.json", "--target-tokenizer", "t.json")
    assert cli("train", "p.tsv", "--max-steps", "1", *flags, *SMALL).returncode == 0
    model = load_model(tmp_path / "model.npz")
    assert model.source_tokenizer.kind == model.target_tokenizer.kind == "word"
    (tmp_path / "s.json").unlink()
    assert cli("translate", "red cat").returncode == 0


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("context", ["initial", "every-step"])
def test_every_cell_and_context_trains_and_translates(cell, context, cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    flags = ("--cell", cell, "--context", context, "--layers", "2", "--no-bidirectional", "--reverse-source")
    result = cli("train", "p.tsv", "--max-steps", "2", *flags, "--optimizer", "sgd", *SMALL)
    assert result.returncode == 0, result.stderr.decode()
    assert cli("translate", "red cat").returncode == 0


def test_config_file_sets_flags_and_flags_win(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    (tmp_path / "c.toml").write_text('cell = "rnn"\nhidden-size = 12\nclip-norm = 2\nbidirectional = false\n')
    flags = ("--config", "c.toml", "--cell", "lstm", "--max-steps", "1", "--vocab-size", "60")
    result = cli("train", "p.tsv", *flags)
    assert result.returncode == 0, result.stderr.decode()
    loaded = load_model(tmp_path / "model.npz")
    assert (loaded.model.config.cell, loaded.model.config.hidden_size) == ("lstm", 12)
    assert (loaded.training.clip_norm, loaded.model.config.bidirectional) == (2.0, False)


WRONG_USAGE = [
    (("--hidden-size", "0"), "--hidden-size"),
    (("--hidden-size", "many"), "--hidden-size"),
    (("--cell", "elman"), "rnn, lstm, gru"),
    (("--dropout", "1"), "--dropout"),
    (("--learning-rate", "-1"), "--learning-rate"),
    (("--vocab-size", "2"), "--vocab-size"),
    (("--context", "attention"), "--context"),
    (("--optimizer", "adamw"), "--optimizer"),
    (("--wings", "2"), "--wings"),
    (("-o", "model.txt"), ".npz"),
    (("-o", "a.state.npz"), ".npz"),
    (("--tie-embeddings", "--context", "initial"), "equal sizes"),
]


@pytest.mark.parametrize("case", range(len(WRONG_USAGE)))
def test_wrong_usage_is_one_error_with_exit_code_2_and_nothing_is_written(case, cli, tmp_path):
    flags, message = WRONG_USAGE[case]
    write_pairs(tmp_path / "p.tsv")
    assert_explained(cli("train", "p.tsv", *flags), 2, message, "fix:")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.tsv"]


def test_wrong_data_is_one_error_with_exit_code_1_and_nothing_saved_is_touched(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    (tmp_path / "model.npz").write_bytes(b"precious")
    (tmp_path / "short.txt").write_text("one\n")
    (tmp_path / "long.txt").write_text("one\ntwo\n")
    (tmp_path / "no-tab.tsv").write_text("a\tb\nno tab\n")
    (tmp_path / "latin.tsv").write_bytes(b"caf\xe9\tcoffee\n")
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "no.toml").write_text("cell == 3\n")
    cases = [
        (("nothing.tsv",), "no such file", "nothing.tsv"),
        (("short.txt,long.txt",), "different lengths: 1 and 2 lines", "short.txt, long.txt"),
        (("no-tab.tsv",), "no tab", "no-tab.tsv, line 2"),
        (("latin.tsv",), "not UTF-8", "latin.tsv, line 1"),
        (("p.tsv", "--valid", "nothing.tsv"), "no such file", "nothing.tsv"),
        (("p.tsv", "--source-tokenizer", "p.tsv"), "not JSON", "p.tsv"),
        (("p.tsv", "--config", "no.toml"), "not TOML", "no.toml"),
        (("p.tsv", "-o", "nowhere/model.npz"), "no such folder", "nowhere/model.npz"),
        (("p.tsv", "--log-file", "nowhere/log"), "no such folder", "nowhere/log"),
        (("p.tsv", "-o", "folder.npz"), "folder", "folder.npz"),
        (("p.tsv", "--resume", "-o", "other.npz"), "no training to resume", "other.state.npz"),
    ]
    for arguments, *messages in cases:
        assert_explained(cli("train", *arguments), 1, *messages, "fix:")
    assert (tmp_path / "model.npz").read_bytes() == b"precious"


def test_an_unknown_setting_in_a_file_is_wrong_usage(cli, tmp_path):
    (tmp_path / "bad.toml").write_text("hiden-size = 3\n")
    assert_explained(cli("train", "--config", "bad.toml"), 2, "hiden-size", "did you mean 'hidden-size'?")


def test_the_plain_model_of_the_readme_trains_without_further_flags(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    result = cli("train", "p.tsv", "--no-bidirectional", "--context", "initial", "--max-steps", "1")
    assert result.returncode == 0, result.stderr.decode()
    assert not load_model(tmp_path / "model.npz").model.config.tie_embeddings


def test_a_limit_of_steps_is_not_cut_short_by_the_default_epochs(cli, tmp_path):
    (tmp_path / "p.tsv").write_text("a b\tA B\nc d\tC D\n")
    result = cli("train", "p.tsv", "--max-steps", "70", "--patience", "1000", *SMALL)
    assert result.returncode == 0, result.stderr.decode()
    assert "held out" not in result.stderr.decode()
    assert load_model(tmp_path / "model.npz")
    assert json.loads(cli("inspect", "--json").stdout)["history"][-1]["step"] <= 70
    assert "step 70" in result.stderr.decode()


def test_tokens_outside_a_given_vocabulary_are_counted_aloud(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    result = cli("train", "p.tsv", "--max-steps", "1", "--tokenizer", "word", *SMALL, "--vocab-size", "8")
    assert "source tokens" in result.stderr.decode()
    assert "not in the vocabulary" in result.stderr.decode()


def test_a_closed_or_full_stderr_does_not_end_a_training(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    for redirect in ("2>&-", "2>/dev/full"):
        command = f"{sys.executable} -m seq2seq_cli train p.tsv --max-steps 2 {' '.join(SMALL)} {redirect}"
        result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment(), capture_output=True)
        assert (result.returncode, result.stdout) == (0, b""), redirect
        (tmp_path / "model.npz").unlink()


def test_debug_adds_the_traceback(cli):
    result = cli("train", "nothing.tsv", "--debug")
    assert result.returncode == 1
    assert b"Traceback" in result.stderr
    assert b"error: no such file" in result.stderr


def test_no_colour_codes_off_a_terminal(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert b"\x1b" not in cli("train", "p.tsv", "--max-steps", "2", *SMALL).stderr


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "seq2seq_cli", "train", "p.tsv", *SMALL, *arguments],
        cwd=folder,
        stderr=subprocess.PIPE,
        env=environment(),
    )


def wait_for_steps(folder, process, least):
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        log = folder / "log.jsonl"
        if log.exists() and log.read_text().count('"loss"') >= least:
            return
        time.sleep(0.01)
    raise AssertionError(process.communicate()[1].decode())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupted_training_saves_and_resumes_to_the_uninterrupted_result(number, code, cli, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
        write_pairs(folder / "p.tsv")
    flags = ("--epochs", "12", "--log-file", "log.jsonl", "--dropout", "0.2")
    assert start(whole, *flags).wait(600) == 0
    process = start(parts, *flags)
    wait_for_steps(parts, process, 7)
    process.send_signal(number)
    message = process.communicate(timeout=600)[1].decode()
    if process.returncode == 0:
        pytest.skip("the training was over before the signal came")
    assert process.returncode == code, message
    assert "--resume" in message
    assert load_model(parts / "model.npz")
    assert start(parts, *flags, "--resume").wait(600) == 0
    expected, found = (load_model(folder / "model.npz").model.parameters.flat for folder in (whole, parts))
    assert np.array_equal(expected, found)
    steps = [json.loads(line)["step"] for line in (parts / "log.jsonl").read_text().splitlines() if '"loss"' in line]
    assert steps == list(range(1, len(steps) + 1))


def test_resume_refuses_another_network_and_takes_more_epochs(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--epochs", "1", *SMALL).returncode == 0
    assert_explained(cli("train", "p.tsv", "--resume", "--hidden-size", "40"), 1, "--hidden-size 40", "32")
    result = cli("train", "p.tsv", "--resume", "--epochs", "2")
    assert result.returncode == 0, result.stderr.decode()
    assert len(load_model(tmp_path / "model.npz").history) == 2
    assert_explained(cli("train", "p.tsv", "--resume", "--vocab-size", "61"), 1, "--vocab-size 61", "60")
    other = tmp_path / "other.tsv"
    other.write_text("a\tb\nc\td\n")
    assert_explained(cli("train", "other.tsv", "--resume"), 1, "corpus is not the one")
