"""Start-up: whole-process seconds of ``--help``, beside ``import typer``, and of a first translation, beside PyTorch.

Every measurement starts a new process, with the files in the system's cache; the sides alternate. PyTorch's script
loads the same weights and translates the same sentence (``torch_translation``), and both outputs must be equal::

    python -m tests.benchmarks.startup [--quick] [--json FILE] [--model model.npz]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Spread, alternate, environment, has_torch, parser, process_seconds, ratios, report
from tests.benchmarks.models import add_model_flag, model_file

SENTENCE = "Where is the station?"


def main() -> None:
    flags = parser(__doc__)
    add_model_flag(flags)
    given = flags.parse_args()
    rounds = 5 if given.quick else 15
    with tempfile.TemporaryDirectory() as folder:
        path = str(model_file(given.model, Path(folder)))
        ours = [sys.executable, "-m", "seq2seq_cli"]
        pairs = {
            "--help, beside import typer": ([*ours, "--help"], [sys.executable, "-c", "import typer"]),
            "first translation, beside import numpy": (
                [*ours, "translate", "-m", path, SENTENCE],
                [sys.executable, "-c", "import numpy"],
            ),
        }
        if has_torch():
            theirs = [sys.executable, "-m", "tests.benchmarks.torch_translation", path, SENTENCE]
            pairs["first translation, beside PyTorch"] = ([*ours, "translate", "-m", path, SENTENCE], theirs)
            commands = pairs["first translation, beside PyTorch"]
            outputs = {subprocess.run(c, check=True, capture_output=True, env=environment()).stdout for c in commands}
            assert len(outputs) == 1, f"the translations differ: {outputs}"
        rows = []
        for name, (command, yardstick) in pairs.items():
            sides = {"ours": command, "other": yardstick}
            results = alternate({side: lambda _, c=c: process_seconds(c) for side, c in sides.items()}, rounds + 1)
            mine, other = results["ours"][1:], results["other"][1:]  # the first ones fill the system's cache
            rows.append(
                {
                    "what": name,
                    "ours s": Spread.of(mine),
                    "other s": Spread.of(other),
                    "ours / other": ratios(mine, other),
                }
            )
    report("start-up: whole processes", rows, given)


if __name__ == "__main__":
    main()
