import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq_cli.cli.terminal.preflight import clock, duration, histogram_lines, megabytes, milliseconds, section_lines
from seq2seq_cli.inference.workers import CAN_FORK
from seq2seq_cli.storage.checkpoint import load_model
from seq2seq_cli.storage.locks import acquire_lock
from seq2seq_cli.text.builtin import BUILTIN
from seq2seq_cli.text.statistics import Bucket
from seq2seq_cli.training.events import StartedFrom
from tests.conftest import NETWORK, SMALL, assert_explained, environment, write_pairs

ODD = """\
red cat\trouge chat
red\t
old dog\told dog
bird\toiseau oiseau oiseau oiseau oiseau oiseau oiseau oiseau oiseau
old dog\told dog
"""
LABELS = ["corpus", "tokens", "lengths", "vocabulary", "OOV", "suspicious", "synthetic", "model"]
LABELS += ["recipe", "note", "memory", "time"]


def test_the_model_that_a_training_starts_from_is_named_with_its_corpus():
    assert section_lines(StartedFrom(Path("m.npz"), "old.tsv"), blocks=True) == [
        "start:      m.npz, trained on old.tsv: its weights, tokenizers, network and settings"
    ]
    assert "the built-in corpus" in section_lines(StartedFrom(Path("m.npz"), BUILTIN), blocks=True)[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_dry_run_reports_on_stdout_and_writes_no_file(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    (tmp_path / "odd.tsv").write_text(ODD)
    flags = ("--valid", "odd.tsv", "--epochs", "3", "--log-file", "log.jsonl", "--tokenizer", "word")
    result = cli("train", "p.tsv", "--dry-run", *flags, *NETWORK)
    assert result.returncode == 0, result.stderr.decode()
    text = result.stdout.decode()
    labels = [line.partition(":")[0] for line in text.splitlines() if not line.startswith(" ")]
    assert list(dict.fromkeys(labels)) == LABELS
    for part in (
        "p.tsv: 252 training pairs, 4 for validation",
        "suspicious: 1 pair with an empty side, the first at odd.tsv:2",
        "suspicious: 2 pairs with identical sides, the first at odd.tsv:3",
        "suspicious: 1 pair with one side over 4 times as long as the other, the first at odd.tsv:4",
        "suspicious: 1 pair that repeats an earlier pair, the first at odd.tsv:5",
        "suspicious: 1 pair of the validation corpus that is also a training pair, the first at odd.tsv:1",
        "suspicious: 2 pairs of the validation corpus whose source is also in training, with another translation, "
        "the first at odd.tsv:3",
    ):
        assert part in text
    assert re.search(r"memory: +about \d+ MB", text) or sys.platform == "win32"
    assert re.search(r"time: +about \d\.\d s per epoch of 16 steps \(.* ms each, measured on 10\)", text)
    assert re.search(r"[\d,]+ parameters", text)
    assert "not in the vocabulary" in result.stderr.decode()
    assert names(tmp_path) == ["odd.tsv", "p.tsv"]


def test_a_training_shows_the_same_on_stderr(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    result = cli("train", "p.tsv", "--max-steps", "1", *NETWORK)
    labels = [line.partition(":")[0] for line in result.stderr.decode().splitlines()]
    assert set(LABELS) <= set(labels)
    assert "suspicious: nothing found" in result.stderr.decode()


def test_held_out_pairs_are_checked_too(cli, tmp_path):
    (tmp_path / "odd.tsv").write_text("".join(f"same {k}\tsame {k}\n" for k in range(40)) + ODD)
    text = cli("train", "odd.tsv", "--dry-run", *SMALL).stdout.decode()
    assert "42 training pairs, 2 for validation" in text
    assert "suspicious: 42 pairs with identical sides, the first at odd.tsv:1 (" in text
    assert "suspicious: 1 pair with an empty side, the first at odd.tsv:42 (" in text
    assert "suspicious: 1 pair with one side over 4 times as long as the other, the first at odd.tsv:44 (" in text
    assert "suspicious: 1 pair that repeats an earlier pair, the first at odd.tsv:45 (" in text


def test_a_dry_run_neither_needs_nor_hurts_a_model_of_that_name_and_quiet_keeps_its_result(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    (tmp_path / "model.npz").write_bytes(b"precious")
    result = cli("train", "p.tsv", "--dry-run", "--quiet", *SMALL)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"parameters" in result.stdout
    assert (tmp_path / "model.npz").read_bytes() == b"precious"
    assert names(tmp_path) == ["model.npz", "p.tsv"]


def test_a_dry_run_finds_wrong_usage_and_wrong_data(cli, tmp_path):
    assert cli("train", "nothing.tsv", "--dry-run").returncode == 1
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--dry-run", "--hidden-size", "0").returncode == 2
    assert cli("train", "p.tsv", "--dry-run", "--resume").returncode == 1


def test_a_dry_run_of_a_resumed_training_shows_what_is_left_of_it(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    assert cli("train", "p.tsv", "--epochs", "1", *SMALL).returncode == 0
    before = (tmp_path / "model.state.npz").read_bytes()
    result = cli("train", "p.tsv", "--resume", "--epochs", "2", "--dry-run")
    assert b"in total" in result.stdout
    done = cli("train", "p.tsv", "--resume", "--dry-run")
    assert (done.returncode, b"time:" in done.stdout) == (0, False)  # its limit is reached: no step is left to be timed
    assert (tmp_path / "model.state.npz").read_bytes() == before


def test_final_weights_are_the_same_to_the_bit_with_and_without_the_timed_steps(cli, tmp_path, monkeypatch):
    write_pairs(tmp_path / "p.tsv")
    flags = ("--max-steps", "20", "--dropout", "0.3", *NETWORK)
    assert cli("train", "p.tsv", "-o", "with.npz", *flags).returncode == 0
    without = (
        "import sys, seq2seq_cli.training.preparation as preparation\n"
        "from seq2seq_cli.training.events import CostEstimate\n"
        "preparation.estimate_cost = lambda trainer: CostEstimate(12_345_000_000, 0, 0, 1, 1.0, 1.0, 1, None)\n"
        f"sys.argv = ['seq2seq', 'train', 'p.tsv', '-o', 'without.npz', *{flags!r}]\n"
        "from seq2seq_cli.cli import main; main()"
    )
    run = subprocess.run([sys.executable, "-c", without], cwd=tmp_path, env=environment(), capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    assert b"about 12,345 MB" in run.stderr  # no step was timed
    for kind in ("", ".state"):
        a, b = (np.load(tmp_path / f"{name}{kind}.npz") for name in ("with", "without"))
        arrays = [name for name in a.files if a[name].dtype == np.float32]
        assert len(arrays) > 10
        for name in arrays:
            assert np.array_equal(a[name], b[name]), name


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel counts a program's memory on Linux")
def test_the_estimated_memory_is_that_of_the_training(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    code = (
        "import sys; sys.argv = ['seq2seq', 'train', 'p.tsv', '--max-steps', '3', '--hidden-size', '200',"
        "'--threads', '1']\n"
        "from seq2seq_cli.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "from seq2seq_cli.training.estimate import peak_memory; print(peak_memory())"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True)
    estimated = int(re.search(rb"memory: +about (\d+) MB", result.stderr)[1]) * 1e6
    assert estimated == pytest.approx(int(result.stdout), rel=0.25)


@pytest.mark.skipif(not CAN_FORK, reason="without processes there is nobody beside this one")
def test_the_estimate_includes_the_memory_of_all_workers(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    estimated = []
    for threads in ("1", "2"):
        words = ["train", "p.tsv", "--dry-run", "--hidden-size", "400", "--batch-size", "64", "--threads", threads]
        run = subprocess.run(
            [sys.executable, "-m", "seq2seq_cli", *words], cwd=tmp_path, env=environment(), capture_output=True
        )
        estimated.append(int(re.search(rb"memory: +about (\d+) MB", run.stdout)[1]))
    assert estimated[1] > estimated[0] + 10  # gradients of its own, and what Python itself needs


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")])
def test_clock(seconds, shown):
    assert clock(seconds) == shown


@pytest.mark.parametrize(("size", "shown"), [(30_816, "31 kB"), (1_234_567, "1.2 MB"), (1_234_567_890, "1,235 MB")])
def test_bytes_have_readable_units(size, shown):
    assert megabytes(size) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.00254, "2.5 ms"), (0.0305, "30.5 ms"), (1.24, "1,240 ms")])
def test_durations_of_steps_have_readable_units(seconds, shown):
    assert milliseconds(seconds) == shown


def test_times_below_ten_seconds_have_tenths_and_longer_ones_minutes():
    assert [duration(seconds) for seconds in (0.14, 9.9, 10, 207)] == ["0.1 s", "9.9 s", "0:10", "3:27"]


def test_the_histogram_has_both_sides_and_fits_80_columns():
    buckets = [Bucket(1, 5, 1_000_000, 10), Bucket(6, None, 500_000, 0)]
    title, first, last = histogram_lines(buckets, blocks=False)
    assert first.split() == ["1–5", "1,000,000", "#" * 18, "10", "#"]
    assert last.split() == ["6+", "500,000", "#" * 9, "0"]
    assert all(len(line) <= 80 for line in (title, first, last))


@pytest.mark.parametrize(("columns", "full"), [(120, 18), (80, 18), (60, 8), (50, 3)])
def test_the_bars_of_the_histogram_are_as_long_as_the_terminal_allows(columns, full):
    lines = histogram_lines([Bucket(1, 5, 1_000_000, 1_000_000)], blocks=False, columns=columns)
    assert lines[1].split() == ["1–5", "1,000,000", "#" * full, "1,000,000", "#" * full]
    assert all(len(line) <= columns for line in lines)


def test_a_tokenizer_of_another_language_is_reported_with_a_fix(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    (tmp_path / "greek.txt").write_text("α β γ δ\n")
    assert cli("tokenizer", "train", "greek.txt", "-o", "greek.json", "--kind", "char").returncode == 0
    result = cli("train", "p.tsv", "--max-steps", "1", "--source-tokenizer", "greek.json", *SMALL)
    assert "not in the vocabulary: <unk>; use --tokenizer bpe" in result.stderr.decode()
    assert load_model(tmp_path / "model.npz")


def test_a_dry_run_may_run_beside_a_training_of_the_same_output(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    with acquire_lock(tmp_path / "model.npz"):
        before = sorted(path.name for path in tmp_path.iterdir())
        assert_explained(cli("train", "p.tsv", *SMALL), 1, "another process")
        assert cli("train", "p.tsv", "--dry-run", *SMALL).returncode == 0
        assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_corpus_of_numbers_is_a_loud_warning_with_a_fix(cli, tmp_path):
    (tmp_path / "p.tsv").write_text("".join(f"{k}\tsentence {k}\n" for k in range(60)))
    result = cli("train", "p.tsv", "--dry-run", *SMALL)
    assert result.returncode == 0
    found, fix = "60 pairs with a number in place of text", "(the sides must be text: check the columns)"
    assert f"suspicious: {found}, the first at p.tsv:1 {fix}" in result.stdout.decode()
    assert f"warning: this corpus teaches hardly any translation: {found} {fix}" in result.stderr.decode()
