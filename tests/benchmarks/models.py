"""A model file for the benchmarks that translate: one that is given, or one trained for a few hundred steps."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.measure import environment

STEPS = 400


def add_model_flag(flags: argparse.ArgumentParser) -> None:
    flags.add_argument(
        "--model", type=Path, default=None, help=f"without one, the default recipe is trained for {STEPS} steps first"
    )


def model_file(given: Path | None, folder: Path) -> Path:
    """The given model, or a new one in the folder whose sentences already end."""
    if given is not None:
        return given.resolve()
    path = folder / "model.npz"
    command = [sys.executable, "-m", "seq2seq_cli", "-q", "train", "--max-steps", str(STEPS), "-o", str(path)]
    subprocess.run(command, check=True, env=environment())
    return path
