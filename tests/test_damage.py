"""Small versions of the measurements of ``tests/benchmarks``: killed trainings and damaged files."""

import json
import os
import subprocess
import sys

import pytest

from tests.benchmarks import corrupt
from tests.conftest import CHECKOUT, environment


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_training_killed_at_any_moment_continues_to_the_same_bits(tmp_path):
    command = [sys.executable, "-m", "tests.benchmarks.kill", "--kills", "6", "--seed", "3"]
    result = subprocess.run(
        command, cwd=CHECKOUT, env=environment(TMPDIR=str(tmp_path)), capture_output=True, timeout=600
    )
    assert result.returncode == 0, result.stdout.decode() + result.stderr.decode()
    counts = json.loads(result.stdout.splitlines()[-1])
    assert sum(counts.get(kind, 0) for kind in ("any moment", "while writing", "before a call")) == 6
    assert counts["resumed"]


def test_a_damaged_file_loads_the_same_or_is_refused(tmp_path):
    counts = corrupt.run(96, 5, tmp_path)
    assert sum(counts.values()) == 96
    for damage in corrupt.DAMAGES:
        assert counts[f"{damage.__name__} refused"]
