import dataclasses
import json
import subprocess
import sys

import numpy as np

from seq2seq_cli.checkpoint import load_model, save_model
from seq2seq_cli.files import exclusive
from seq2seq_cli.nn.model import Seq2Seq
from tests.conftest import SMALL, assert_explained, environment, write_pairs


def test_an_average_is_a_model_that_translates_and_says_what_it_is(trained, cli, tmp_path):
    first, second = (load_model(trained / "model.npz") for _ in range(2))
    second.model.parameters.flat[...] += np.float32(0.25)
    save_model(tmp_path / "a.npz", first)
    save_model(tmp_path / "b.npz", second)
    result = cli("average", "a.npz", "b.npz", "-o", "mean.npz")
    assert result.returncode == 0
    assert result.stdout == b""
    assert b"mean of 2 models" in result.stderr
    expected = first.model.parameters.flat + np.float32(0.125)
    np.testing.assert_allclose(load_model(tmp_path / "mean.npz").model.parameters.flat, expected, atol=1e-6)
    assert cli("translate", "red cat", "-m", "mean.npz").stdout
    assert "the mean of a.npz, b.npz\n" in cli("inspect", "mean.npz").stdout.decode()
    found = json.loads(cli("inspect", "mean.npz", "--json").stdout)
    assert found["averaged"] == ["a.npz", "b.npz"]
    assert found["history"] == first.history
    assert b"not the mean" in cli("inspect", "mean.npz", "--toml").stdout


def test_the_mean_of_the_models_of_one_training_scores_like_them(cli, tmp_path):
    write_pairs(tmp_path / "pairs.tsv")
    names = []
    for epochs in ("6", "8"):
        names.append(f"{epochs}.npz")
        arguments = ("--valid", "pairs.tsv", "--epochs", epochs, "--learning-rate", "0.01", "--cool-down", "0")
        assert cli("train", "pairs.tsv", "-o", names[-1], *arguments, *SMALL).returncode == 0
    assert cli("average", *names, "-o", "mean.npz", "--quiet").stderr == b""
    assert json.loads(cli("eval", "pairs.tsv", "-m", "mean.npz", "--json").stdout)["chrf"] > 70


def test_what_was_in_the_output_is_kept(trained, cli, tmp_path):
    model = (trained / "model.npz").read_bytes()
    for name in ("a.npz", "mean.npz"):
        (tmp_path / name).write_bytes(model)
    (tmp_path / "mean.state.npz").write_bytes(b"a state of another training")
    result = cli("average", "a.npz", "a.npz", "-o", "mean.npz")
    assert b"kept as mean.previous.npz" in result.stderr
    assert (tmp_path / "mean.previous.npz").read_bytes() == model
    assert (tmp_path / "mean.previous.state.npz").read_bytes() == b"a state of another training"
    assert not (tmp_path / "mean.state.npz").exists()
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_a_file_that_another_process_writes_is_left_alone(trained, cli, tmp_path):
    with exclusive(tmp_path / "mean.npz"):
        model = trained / "model.npz"
        assert_explained(cli("average", model, model, "-o", "mean.npz"), 1, "is writing this file", "mean.npz")
    assert not (tmp_path / "mean.npz").exists()


def test_wrong_usage_and_wrong_models_are_explained(trained, cli, tmp_path):
    model = trained / "model.npz"
    assert_explained(cli("average", model, "-o", "mean.npz"), 2, "its own average")
    assert_explained(cli("average", model, model, "-o", "mean.txt"), 2, ".npz", "--output")
    assert_explained(cli("average", model, model, "-o", "-"), 2, "cannot go to standard output")
    assert_explained(cli("average", "-", "-", "-o", "mean.npz"), 2, "only be read once")
    assert_explained(cli("average", model, model, "-o", "no/mean.npz"), 1, "no such folder")
    assert_explained(cli("average", model, "missing.npz", "-o", "mean.npz"), 1, "missing.npz")
    assert_explained(cli("average", model, model), 2, "--output")
    other = load_model(model)
    config = dataclasses.replace(other.model.config, cell="gru")
    save_model(tmp_path / "gru.npz", dataclasses.replace(other, model=Seq2Seq.create(config, np.random.default_rng(0))))
    (tmp_path / "mean.npz").write_bytes(b"what was there")
    found = cli("average", model, "gru.npz", "-o", "mean.npz")
    assert_explained(found, 1, "--cell was lstm for one and gru for the other", "gru.npz")
    assert (tmp_path / "mean.npz").read_bytes() == b"what was there"


def test_an_interrupted_average_leaves_the_old_file_whole(trained, tmp_path):
    old = (trained / "model.npz").read_bytes()
    (tmp_path / "mean.npz").write_bytes(old)
    code = (
        "import numpy, os, signal, sys\n"
        "numpy.savez = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"  # in the middle of writing
        "from seq2seq_cli.cli import app\n"
        "app(sys.argv[1:])"
    )
    model = str(trained / "model.npz")
    command = [sys.executable, "-c", code, "average", model, model, "-o", "mean.npz"]
    assert subprocess.run(command, cwd=tmp_path, env=environment(), timeout=60, check=False).returncode == -9
    assert (tmp_path / "mean.npz").read_bytes() == old
