import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.evaluation.evaluation import read_test_corpus
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.storage.checkpoint import load_model
from tests.conftest import SMALL, WORDS, assert_explained, environment, write_pairs

ENDINGS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)] + ([(signal.SIGHUP, 129)] if os.name == "posix" else [])


def test_training_writes_model_state_and_log_and_says_what_next(trained, cli):
    write_pairs(trained / "again.tsv")
    result = cli("train", "again.tsv", "-o", "again.npz", "--max-steps", "3", *SMALL, cwd=trained)
    assert result.returncode == 0
    assert result.stdout == b""
    text = result.stderr.decode()
    assert "seq2seq translate -m again.npz" in text
    assert "seq2seq inspect again.npz" in text  # there is no test set yet
    assert "--test 0.05" in text
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


TINY = ("--max-steps", "1", "--hidden-size", "8", "--embedding-size", "8", "--vocab-size", "1000", "--members", "1")
TINY += ("--no-lexical-prior",)
"""A training of the built-in corpus that ends soon: the tables of the priors would take most of its time."""


def test_the_built_in_corpus_is_the_default(cli, tmp_path):
    result = cli("train", *TINY)
    assert result.returncode == 0, result.stderr.decode()
    assert "built-in" in result.stderr.decode()
    assert load_model(tmp_path / "model.npz").corpus == "built-in"
    assert "seq2seq eval\n" in result.stderr.decode()
    toml = cli("inspect", "--toml").stdout.decode()
    assert "# The corpus is the built-in one." in toml
    assert not re.search("^(corpus|valid|epochs|max-minutes) = ", toml, re.MULTILINE)


def test_quiet_prints_nothing(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    result = cli("train", "p.tsv", "--max-steps", "2", "--quiet", *SMALL)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_a_corpus_on_standard_input(cli, tmp_path):
    result = cli("train", "-", "--max-steps", "2", *SMALL, stdin=write_pairs(tmp_path / "p.tsv").read_bytes())
    assert result.returncode == 0, result.stderr.decode()


def test_validation_pairs_settings_and_tokenizers_can_come_from_standard_input(cli, tmp_path):
    pairs = write_pairs(tmp_path / "p.tsv").read_bytes()
    flags = ("--max-steps", "2", "--threads", "1", *SMALL)
    assert cli("train", "p.tsv", "--valid", "p.tsv", *flags, "-o", "a.npz").returncode == 0
    assert cli("train", "p.tsv", "--valid", "-", *flags, "-o", "b.npz", stdin=pairs).returncode == 0
    settings = cli("inspect", "a.npz", "--toml").stdout
    assert cli("train", "--config", "-", "-o", "c.npz", stdin=settings).returncode == 0
    first, *others = (load_model(tmp_path / f"{name}.npz") for name in "abc")
    for other in others:
        assert np.array_equal(other.model.parameters.flat, first.model.parameters.flat)
    result = cli("tokenizer", "train", "p.tsv", "-o", "-", "--kind", "char")
    assert cli("train", "p.tsv", "--source-tokenizer", "-", *flags, stdin=result.stdout).returncode == 0
    assert load_model(tmp_path / "model.npz").source_tokenizer.kind == "char"
    assert_explained(cli("train", "--config", "-", stdin=b"hiden-size = 3"), 2, "hidden-size", "where: standard input")


def test_the_log_goes_to_standard_output_and_training_survives_its_reader(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    flags = ("--epochs", "1", "--threads", "1", *SMALL)
    assert cli("train", "p.tsv", "--log-file", "log.jsonl", *flags).returncode == 0
    result = cli("train", "p.tsv", "--log-file", "-", *flags)
    assert result.returncode == 0
    shown, kept = (
        [json.loads(line) for line in log.splitlines()]
        for log in (result.stdout, (tmp_path / "log.jsonl").read_bytes())
    )
    assert len(shown) > 15
    assert [record.get("loss") for record in shown] == [record.get("loss") for record in kept]
    assert not (tmp_path / "-").exists()
    words = " ".join(["train", "p.tsv", "-o", "b.npz", "--log-file", "-", *flags])
    command = f"{sys.executable} -m seq2seq_cli {words} | head -n 1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment(), capture_output=True)
    first, code = result.stdout.decode().splitlines()
    assert json.loads(first)["step"] == 1
    assert code == "0"
    text = result.stderr.decode()
    assert text.count("the reader of the log has closed the pipe; the training continues without the log") == 1
    assert "Traceback" not in text and "Exception" not in text
    assert (tmp_path / "b.npz").exists()


def test_skipped_pairs_are_reported_with_a_count(cli, tmp_path):
    path = write_pairs(tmp_path / "p.tsv")
    path.write_text("a\t\n\tb\n" + path.read_text())
    result = cli("train", "p.tsv", "--max-steps", "1", *SMALL)
    assert "2 pairs with an empty side, the first at p.tsv:1 (they are left out)" in result.stderr.decode()


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
    assert (loaded.recipe.training.clip_norm, loaded.model.config.bidirectional) == (2.0, False)


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
    (("-o", "-"), "its training state is saved beside it"),
    (("--valid", "-", "--config", "-"), "be read only once"),
    (("--valid", "-,-"), "be read only once"),
    (("--source-tokenizer", "-", "--target-tokenizer", "-"), "be read only once"),
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


def test_tokens_outside_a_given_vocabulary_are_reported_with_a_count(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    small = ("--embedding-size", "24", "--hidden-size", "32", "--vocab-size", "8", "--members", "1")
    result = cli("train", "p.tsv", "--max-steps", "1", "--tokenizer", "word", *small)
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


def test_no_color_codes_off_a_terminal(cli, tmp_path):
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


@pytest.mark.parametrize(("number", "code"), ENDINGS)
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupted_training_saves_and_resumes_to_the_uninterrupted_result(number, code, cli, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
        write_pairs(folder / "p.tsv")
    flags = ("--epochs", "12", "--log-file", "log.jsonl", "--word-dropout", "0.2")
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


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_second_training_of_the_same_output_stops_before_it_touches_anything(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    first = start(tmp_path, "--max-steps", "1000000", "--patience", "1000000", "--log-file", "log.jsonl")
    try:
        wait_for_steps(tmp_path, first, 1)
        for flags in (("-o", "model.npz"), ("--resume",), ("-o", "other.npz", "--log-file", "log.jsonl")):
            result = cli("train", "p.tsv", *flags)
            assert_explained(result, 1, f"another process ({first.pid}) is writing this file", "wait until")
        assert not (tmp_path / "other.npz").exists()
        os.kill(first.pid, signal.SIGSTOP)  # nothing but the second run could change a file now
        before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        assert_explained(cli("train", "p.tsv"), 1, "another process")
        assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    finally:
        first.kill()
        first.communicate()
    (tmp_path / ".model.npz.0123abcd.tmp").touch()  # as it could have left one
    result = cli("train", "p.tsv", "--max-steps", "1", "--log-file", "log.jsonl", *SMALL)
    assert result.returncode == 0, result.stderr.decode()
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith((".lock", ".tmp"))]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_second_interruption_leaves_at_once_and_what_was_saved_stays(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    code = "import time, seq2seq_cli.training.persistence as p\n"
    code += "def slow(*_):\n open('saving', 'w').close()\n time.sleep(600)\n"
    code += "p.save_state = slow\nfrom seq2seq_cli.cli import main\nmain()\n"
    flags = ["train", "p.tsv", *SMALL, "--log-file", "log.jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *flags], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE
    )
    wait_for_steps(tmp_path, process, 1)
    process.send_signal(signal.SIGINT)
    while not (tmp_path / "saving").exists():
        time.sleep(0.01)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    message = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, "Traceback" in message) == (130, False), message
    assert "Ctrl-C again quits at once" in message
    assert time.monotonic() - begin < 30
    assert load_model(tmp_path / "model.npz")
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith((".lock", ".tmp"))]


def test_pairs_that_are_too_long_are_skipped_and_reported_with_a_count(cli, tmp_path):
    path = write_pairs(tmp_path / "p.tsv")
    path.write_text("red " * 100_000 + "\tX\n" + "old\t" + "vieux " * 100_000 + "\n" + path.read_text())
    result = cli("train", "p.tsv", "--max-steps", "2", "--tokenizer", "word", *SMALL)
    text = result.stderr.decode()
    assert result.returncode == 0, text
    assert "skipped 2 pairs longer than --max-source-length 1000 or --max-tokens-per-batch 32768 allows" in text
    assert_explained(
        cli("train", "p.tsv", "--max-source-length", "1", "--valid", "p.tsv", "--tokenizer", "char"),
        1,
        "every pair is longer than --max-source-length 1",
        "p.tsv",
    )


def test_batches_with_too_many_tokens_are_split_and_reported(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    flags = ("--max-tokens-per-batch", "40", "--max-steps", "1", "--log-file", "log.jsonl")
    result = cli("train", "p.tsv", *flags, *SMALL)
    assert "--max-tokens-per-batch 40 makes some batches smaller than --batch-size 16" in result.stderr.decode()


def test_resume_refuses_what_changed_and_names_what_may(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    (tmp_path / "t.txt").write_text("red blue old cat dog bird\n")
    for name, size in (("s.json", "40"), ("other.json", "30")):
        assert cli("tokenizer", "train", "t.txt", "-o", name, "--vocab-size", size).returncode == 0
        (tmp_path / "t.txt").write_text("red blue old\n")
    assert cli("train", "p.tsv", "--source-tokenizer", "s.json", "--max-steps", "1", *SMALL).returncode == 0
    before = (tmp_path / "model.state.npz").read_bytes()
    for flags, *messages in (
        (("--batch-size", "4"), "--batch-size 4", "16", "--epochs, --learning-rate, --max-minutes"),
        (("--seed", "4"), "--seed 4"),
        (("--max-source-length", "4"), "--max-source-length 4", "1000"),
        (("--source-tokenizer", "other.json"), "source tokenizer is not the one", "other.json"),
        (("--target-tokenizer", "other.json"), "target tokenizer is not the one", "other.json"),
        (("--valid", "p.tsv"), "training corpus is not the one"),
    ):
        assert_explained(cli("train", "p.tsv", "--resume", *flags), 1, *messages)
    assert (tmp_path / "model.state.npz").read_bytes() == before
    (tmp_path / "s.json").rename(tmp_path / "moved.json")
    flags = ("--source-tokenizer", "moved.json", "--max-steps", "2", "--learning-rate", "0.001")
    assert cli("train", "p.tsv", "--resume", *flags).returncode == 0


@pytest.mark.parametrize(
    "flags", [(), ("--cell", "rnn", "--context", "initial"), ("--optimizer", "sgd", "--layers", "2")]
)
def test_the_smallest_of_everything_works(flags, cli, tmp_path):
    """One pair of one token, vocabularies of the three special tokens, sizes of 1, batches of 1."""
    (tmp_path / "p.tsv").write_text("a\tA\n")
    (tmp_path / "three.json").write_text(
        '{"format": "seq2seq tokenizer", "version": 1, "kind": "word", "lowercase": false,'
        ' "vocabulary": ["<unk>", "<s>", "</s>"]}'
    )
    small = ("--hidden-size", "1", "--embedding-size", "1", "--batch-size", "1", "--max-steps", "2", *flags)
    for more in ((), ("--source-tokenizer", "three.json", "--target-tokenizer", "three.json")):
        result = cli("train", "p.tsv", *small, *more)
        assert result.returncode == 0, result.stderr.decode()
        assert cli("translate", "a", "", "b c").stdout.count(b"\n") == 3
        assert cli("eval", "p.tsv").returncode == 0


def test_a_diverged_training_reports_the_step_and_saves_nothing(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--epochs", "1", *SMALL).returncode == 0
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.npz")}
    wild = ("--learning-rate", "1000", "--optimizer", "sgd", "--clip-norm", "0", "--label-smoothing", "0.9")
    result = cli("train", "p.tsv", *wild, "--embedding-size", "8", "--hidden-size", "8", "--dropout", "0.9")
    if result.returncode == 0:
        pytest.skip("it did not run away on this machine")
    assert_explained(result, 1, "no longer a finite number at step", "--learning-rate")
    assert all(np.isfinite(load_model(path).model.parameters.flat).all() for path in tmp_path.glob("m*[!e].npz"))
    assert before["model.npz"] in [path.read_bytes() for path in tmp_path.glob("*.npz")]


@pytest.mark.skipif(os.name != "posix", reason="resource limits")
def test_a_disk_that_fills_up_while_training_is_explained_and_the_old_model_stays(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--epochs", "1", *SMALL).returncode == 0
    before = (tmp_path / "model.npz").read_bytes()
    code = "import resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
    code += "from seq2seq_cli.cli import main\nmain()\n"
    result = subprocess.run(
        [sys.executable, "-c", code, "train", "p.tsv", "--epochs", "1", *SMALL],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
    )
    assert_explained(result, 1, "cannot write this file: File too large", "model.npz", "fix:")
    assert (tmp_path / "model.npz").read_bytes() == before
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_log_cannot_be_the_model(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    for name in ("model.npz", "./model.state.npz"):
        assert_explained(
            cli("train", "p.tsv", "--log-file", name), 2, "the metrics log cannot be the model", "--log-file"
        )


def test_without_epochs_the_time_limit_is_used_up_and_the_learning_rate_falls_with_it(cli, tmp_path):
    (tmp_path / "few.tsv").write_text("a b\tx y\nc d\tz w\n")
    arguments = ("--max-minutes", "0.05", "--cool-down", "0.5", "--learning-rate", "0.01", "--patience", "100000")
    assert cli("train", "few.tsv", "--valid", "few.tsv", *arguments, "--log-file", "log", *SMALL).returncode == 0
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    steps = [record for record in log if "loss" in record]
    assert log[-1]["seconds"] >= 3
    assert steps[0]["learning_rate"] == 0.01
    for before, record in pairwise(log):  # over the last half of the minutes, to zero; validations may halve it besides
        assert record["learning_rate"] <= 0.01 * min(1, max(0, 2 * (1 - before["seconds"] / 3))) + 1e-9


def test_a_model_is_fine_tuned_and_resumed_with_the_same_command(trained, cli, tmp_path):
    (tmp_path / "new.tsv").write_text("".join(f"{a} {b}\t{b} {a}\n" for a in "abcde" for b in "fghij"))
    command = ("train", "new.tsv", "--start-from", trained / "model.npz", "--valid", trained / "pairs.tsv")
    command += ("-o", "tuned.npz", "--threads", "1")
    first = cli(*command, "--max-steps", "1")
    said = first.stderr.decode()
    assert first.returncode == 0, said
    assert f"start:      {trained / 'model.npz'}, trained on pairs.tsv" in said
    assert "epoch 0  step 0" in said
    assert "before the first step, saved" in said
    assert "--learning-rate 0.003" in said  # 0.3 times that of the model's own training
    again = cli(*command, "--max-steps", "2", "--resume")
    assert again.returncode == 0, again.stderr.decode()
    assert "step 0" not in again.stderr.decode()
    same = cli("train", "new.tsv", "--start-from", "tuned.npz", "-o", "tuned.npz")
    assert_explained(same, 2, "--output would overwrite --start-from")
    assert_explained(cli(*command, "--hidden-size", "16"), 2, "--hidden-size 16 is not that of the model to start from")


def test_the_other_direction_is_trained_and_evaluated_without_further_flags(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    result = cli("train", "p.tsv", "--swap", "--max-steps", "2", "--test", "0.1", *SMALL)
    assert result.returncode == 0, result.stderr.decode()
    assert "p.tsv, swapped" in result.stderr.decode()
    model = load_model(tmp_path / "model.npz")
    assert model.recipe.corpora.swap
    assert "rouge" in "".join(model.source_tokenizer.vocabulary)
    assert "rouge" not in "".join(model.target_tokenizer.vocabulary)
    assert (tmp_path / "model.test.tsv").read_text().split("\t")[0].split()[0] in WORDS  # as in the corpus
    for flags, first in (((), "rouge"), (("--no-swap",), "red")):
        found = json.loads(cli("eval", "p.tsv", "--examples", "300", "--json", *flags).stdout)
        sources = " ".join(example["source"] for part in found["examples"].values() for example in part)
        assert first in sources.split()
    scored = cli("score", "p.tsv", "--total")
    assert "the two sides change places" in scored.stderr.decode()
    assert scored.stdout == cli("score", "p.tsv", "--total", "--swap").stdout
    plain = cli("score", "p.tsv", "--total", "--no-swap")
    assert float(scored.stdout.split()[3]) != float(plain.stdout.split()[3])
    assert "change places" not in plain.stderr.decode()
    columns = [line.split("\t") for line in (tmp_path / "p.tsv").read_text().splitlines()]
    (tmp_path / "q.tsv").write_text("".join(f"{target}\t{source}\n" for source, target in columns))
    assert cli("score", "q.tsv", "--total", "--no-swap").stdout == scored.stdout
    assert "swap = true" in cli("inspect", "--toml").stdout.decode()
    assert_explained(cli("train", "p.tsv", "--resume", "--no-swap"), 1, "--swap")


def test_the_built_in_corpus_is_swapped_too(cli, tmp_path):
    result = cli("train", "--swap", *TINY)
    assert "the built-in French–English corpus" in result.stderr.decode()
    translator = Translator.load(tmp_path / "model.npz")
    assert translator.corpora == ["built-in, swapped"]
    swapped, plain = (read_test_corpus(None, corpora) for corpora in (translator.corpora, ["built-in"]))
    assert list(swapped.sources) == list(plain.targets)
    assert list(swapped.targets) == list(plain.sources)
    with pytest.raises(UserError, match="different directions"):
        read_test_corpus(None, ["built-in", "built-in, swapped"])


def test_a_test_set_is_held_out_and_the_closing_words_name_a_command_that_works(cli, tmp_path):
    path = write_pairs(tmp_path / "p.tsv")
    before = path.read_text().splitlines()
    flags = ("--test", "0.1", "--max-steps", "2", "-o", "my model.npz", *SMALL)
    result = cli("train", "p.tsv", *flags)
    text = result.stderr.decode()
    assert result.returncode == 0, text
    test = (tmp_path / "my model.test.tsv").read_text().splitlines()
    assert "25 pairs held out for a test: my model.test.tsv" in text
    assert len(test) == 25
    assert set(test) < set(before)
    origin = load_model(tmp_path / "my model.npz").origin
    assert origin.pairs < len(before) - 25  # and others for validation
    command = re.findall("seq2seq (eval .*)", text)[-1]  # before it, a note names another one
    assert command == "eval 'my model.test.tsv' -m 'my model.npz'"
    assert cli(*shlex.split(command)).returncode == 0
    assert cli("train", "p.tsv", "--resume", "--max-steps", "4", "-o", "my model.npz").returncode == 0
    assert cli("train", "p.tsv", "--seed", "2", *flags).returncode == 0
    assert (tmp_path / "my model.test.previous.tsv").read_text().splitlines() == test
    write_pairs(tmp_path / "a.test.tsv")
    result = cli("train", "p.tsv", "--test", "0.1", "-o", "a.npz", "--valid", "a.test.tsv")
    assert_explained(result, 2, "--test would overwrite --valid")
    assert_explained(cli("train", "--test", "0.1"), 2, "the built-in corpus has test sets")


def test_a_dry_run_writes_no_test_set(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--test", "0.1", "--dry-run", *SMALL).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["p.tsv"]


def test_built_in_corpora_and_recipes_have_names(cli, tmp_path):
    result = cli("train", "builtin:valid", "--config", "builtin:digits", "--valid", "builtin:test", "--max-steps", "1")
    assert result.returncode == 0, result.stderr.decode()
    assert load_model(tmp_path / "model.npz").model.config.hidden_size == 64
    assert_explained(cli("train", "--config", "builtin:wings"), 2, "builtin:builtin, builtin:digits, builtin:multi30k")
    assert_explained(cli("train", "builtin:wings"), 2, "builtin:test_long")
