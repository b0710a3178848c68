"""Training in several processes under mpirun, and what they exchange."""

import os
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.communicator import ALONE, PeerError, communicator_of, find_communicator, launched_rank
from seq2seq_cli.storage.checkpoint import load_model
from tests.mpi import ONE_THREAD, SECONDS, SETTINGS, mpirun

__all__ = ["mpirun"]  # a fixture

LONG = ("train", "pairs.tsv", *ONE_THREAD, "--max-steps", "1000000", "--patience", "1000000")
DIGESTS = """
import hashlib, sys
from mpi4py import MPI
from seq2seq_cli import Recipe, UserError, train
import seq2seq_cli.training.data_parallel as data_parallel

flags = dict(embedding_size=24, hidden_size=32, vocab_size=60, batch_size=16, members=2, dropout=0.3)
recipe = Recipe.of(corpus="pairs.tsv", max_steps=20, threads=1, **flags)
check = data_parallel.DataParallel.check_equal

def check_after_a_bit_has_changed(self):
    if self.communicator.rank == 1 and self.optimizer.steps:
        self.model.parameters.flat[7] = 1.0
    check(self)

step = data_parallel.DataParallel.step
digest = hashlib.blake2b()

def step_with_digest(self, *arguments):
    step(self, *arguments)
    for vector in (self.model.parameters.flat, *self.optimizer.moments().values()):
        digest.update(vector.data)

data_parallel.DataParallel.step = step_with_digest
if "planted" in sys.argv:
    data_parallel.DataParallel.check_equal = check_after_a_bit_has_changed
events = train(recipe, "model.npz", communicator=MPI.COMM_WORLD)
try:
    for _ in events:
        pass
    print(digest.hexdigest(), flush=True)
except UserError as error:
    print(error, flush=True)
"""


def weights(path):
    return load_model(path).model.parameters.flat


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_train_the_weights_of_as_many_threads(processes, mpirun, tmp_path):
    # Not Adam: it divides by the gradient's size, so where a gradient is almost zero, its rounding decides the step.
    flags = ("train", "pairs.tsv", "--max-steps", "6", "--optimizer", "sgd", "--learning-rate", "0.5")
    shared = mpirun(processes, *flags, *ONE_THREAD, "-o", "shared.npz")
    assert shared.returncode == 0, shared.stderr.decode()
    assert shared.stderr.count(b"done: 6 steps") == 1  # only the first process prints
    alone = mpirun(1, *flags, *SETTINGS, "-o", "alone.npz", "--threads", str(processes))
    assert alone.returncode == 0, alone.stderr.decode()
    np.testing.assert_allclose(weights(tmp_path / "shared.npz"), weights(tmp_path / "alone.npz"), rtol=0, atol=1e-6)


def test_any_number_of_processes_resumes(mpirun, tmp_path):
    for output, sizes in (("model.npz", (2, 3, 1)), ("alone.npz", (1, 1, 1))):
        for steps, processes in enumerate(sizes, start=1):
            limit = ("--max-steps", str(4 * steps), *("--resume",) * (steps > 1))
            result = mpirun(processes, "train", "pairs.tsv", *ONE_THREAD, "-o", output, *limit)
            assert result.returncode == 0, result.stderr.decode()
            assert result.stderr.count(f"done: {4 * steps} steps".encode()) == 1
    np.testing.assert_allclose(weights(tmp_path / "model.npz"), weights(tmp_path / "alone.npz"), rtol=0, atol=1e-5)


@pytest.mark.parametrize("processes", [2, 3])
def test_all_processes_end_with_the_same_weights_to_the_bit(processes, mpirun, tmp_path):
    (tmp_path / "digests.py").write_text(DIGESTS)
    result = mpirun.finish(mpirun.start(processes, "digests.py"))
    assert result.returncode == 0, result.stderr.decode()
    found = result.stdout.split()
    assert len(found) == processes
    assert len(set(found)) == 1


def test_a_process_whose_weights_differ_is_named(mpirun, tmp_path):
    (tmp_path / "digests.py").write_text(DIGESTS)
    result = mpirun.finish(mpirun.start(3, "digests.py", "planted"))
    assert result.stdout.count(b"the weights differ between the processes") == 3  # each of them ends with this error
    assert b"process 1 of 0 to 2" in result.stdout


def test_an_error_of_the_first_process_ends_all_with_one_message(mpirun, tmp_path):
    result = mpirun(3, "train", "missing.tsv", *SETTINGS)
    assert result.returncode == 1
    assert result.stderr.count(b"error: no such file") == 1
    assert not (tmp_path / "model.npz").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_of_the_first_process_ends_all_with_one_message(mpirun):
    result = mpirun(3, "train", "pairs.tsv", *ONE_THREAD, "--log-file", "/dev/full", "--max-steps", "50")
    assert result.returncode == 1
    assert result.stderr.count(b"No space left on device") == 1


def running(mpirun, folder, processes):
    """Start a long training, and return it once its state is saved."""
    process = mpirun.start(processes, "-m", "seq2seq_cli", *LONG)
    limit = time.monotonic() + 60
    while not (folder / "model.state.npz").exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()[1].decode()
    return process


def ranks(launcher):
    """Return the process ids of the ranks that an mpirun has started, first rank first."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1]) if folder.name.isdecimal() else 0
            if parent == launcher and b"seq2seq_cli" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_all_and_the_last_save_resumes(victim, mpirun, tmp_path):
    process = running(mpirun, tmp_path, 2)
    os.kill(ranks(process.pid)[victim], signal.SIGKILL)
    result = mpirun.finish(process)
    assert result.returncode not in (0, None)
    resumed = mpirun(2, "train", "pairs.tsv", *ONE_THREAD, "--resume", "--max-minutes", "0.02")
    assert resumed.returncode == 0, resumed.stderr.decode()
    assert b"continuing at step" in resumed.stderr


def step_of_resumed(mpirun):
    """Resume a training in one process, and return the step at which it continues."""
    result = mpirun(1, "train", "pairs.tsv", *ONE_THREAD, "--resume", "--max-minutes", "0.02")
    assert result.returncode == 0, result.stderr.decode()
    return int(re.search(r"continuing at step ([\d,]+)", result.stderr.decode())[1].replace(",", ""))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("victim", [0, 1])
def test_a_signal_to_one_process_ends_all_with_one_message_and_one_saved_state(victim, mpirun, tmp_path):
    process = running(mpirun, tmp_path, 3)
    os.kill(ranks(process.pid)[victim], signal.SIGTERM)
    result = mpirun.finish(process)
    assert result.returncode not in (0, None)
    (step,) = re.findall(r"stopped at step (\d+)", result.stderr.decode())
    assert step_of_resumed(mpirun) == int(step)


@pytest.mark.skipif(not Path("/dev/tty").exists(), reason="there is no terminal")
def test_ctrl_c_in_the_terminal_of_mpirun_ends_all_with_one_message_and_one_saved_state(mpirun, tmp_path):
    pexpect = pytest.importorskip("pexpect")
    command, *arguments = mpirun.command(2, "-m", "seq2seq_cli", *LONG)
    child = pexpect.spawn(command, arguments, cwd=tmp_path, env=mpirun.environment, timeout=SECONDS, encoding="utf-8")
    child.expect("epoch 1 .*saved")
    child.sendintr()
    child.expect(r"stopped at step (\d+); everything is saved")
    step = int(child.match[1])
    child.expect(pexpect.EOF)
    assert "stopped at step" not in child.before
    child.close()
    assert child.exitstatus != 0
    assert step_of_resumed(mpirun) == step


def test_a_process_that_does_not_answer_in_a_step_counts_as_lost(monkeypatch):
    pytest.importorskip("mpi4py")
    request = SimpleNamespace(Test=lambda: False)
    mpi = SimpleNamespace(Get_rank=lambda: 0, Get_size=lambda: 2, Iallreduce=lambda *_: request)
    mpi.Dup = lambda: mpi
    monkeypatch.setattr("seq2seq_cli.inference.communicator.LONGEST_WAIT", 50)
    with pytest.raises(PeerError, match="was lost"):
        communicator_of(mpi).sum(1.0)


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
