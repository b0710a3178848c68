"""Several processes under mpirun: training speed beside as many threads, and what a step sends.

The default recipe trains on the built-in corpus, in turn with ``--threads N`` in one process, and in N processes with
one thread each. Speed is the median of the target tokens per second of the steps, as the metrics log has them, without
the first quarter of the steps. It needs the extra ``mpi`` and an ``mpirun``.

::

    python -m tests.benchmarks.processes [--processes 2] [--steps 500] [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from seq2seq_cli.storage.checkpoint import load_model
from tests.benchmarks.measure import Spread, environment, parser, report, show

GIGABITS = (1, 10, 25)
MACHINES = (2, 4, 8, 16, 32, 64)
NUMBERS = 2 + 4
"""Numbers (float64) that an agreement sums; a step has four: loss, gradients, norm, and clock."""


def speed(folder: Path, processes: int, threads: int, steps: int) -> tuple[float, float]:
    """Train, and return the target tokens per second, and the seconds of a step."""
    log = folder / "log.jsonl"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "seq2seq_cli", "train", "-o", "model.npz", "--max-steps", str(steps)]
    command += ["--threads", str(threads), "--log-file", log.name, "--quiet"]
    if processes > 1:
        command = [str(_mpirun()), "--oversubscribe", "-n", str(processes), *command]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    subprocess.run(command, check=True, cwd=folder, env={**environment(), **root})
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    taken = [record for record in records if "valid_loss" not in record][steps // 4 :]
    rates = sorted(record["tokens_per_second"] for record in taken)
    seconds = (taken[-1]["seconds"] - taken[0]["seconds"]) / (taken[-1]["step"] - taken[0]["step"])
    return rates[len(rates) // 2], seconds


def _mpirun() -> str | None:
    return shutil.which("mpirun", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def on_paper(step_seconds: float, parameters: int) -> list[dict[str, Any]]:
    """Return the speedups to expect of more machines like this one, from the bytes that a ring all-reduce sends.

    With a fixed batch, machines share the work of a step; with a grown one, each does a whole step's work. In a ring,
    each machine sends and receives ``2 (n − 1) / n`` times the gradients. Delays and waiting are left out.
    """
    rows = []
    for machines in MACHINES:
        row: dict[str, Any] = {"machines": machines}
        sent = 2 * (machines - 1) / machines * 4 * parameters
        for gigabits in GIGABITS:
            transfer = sent * 8 / (gigabits * 1e9)
            row[f"fixed batch, {gigabits} Gbit/s"] = round(step_seconds / (step_seconds / machines + transfer), 1)
            row[f"grown batch, {gigabits} Gbit/s"] = round(machines * step_seconds / (step_seconds + transfer), 1)
        rows.append(row)
    return rows


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--processes", type=int, default=2)
    flags.add_argument("--steps", type=int, default=500)
    flags.add_argument("--rounds", type=int, default=3)
    given = flags.parse_args()
    steps, rounds = (60, 1) if given.quick else (given.steps, given.rounds)
    rates: dict[str, list[float]] = {"threads": [], "processes": []}
    step_seconds = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(rounds):
            rate, seconds = speed(folder, 1, given.processes, steps)
            rates["threads"].append(rate)
            step_seconds.append(seconds)
            rates["processes"].append(speed(folder, given.processes, 1, steps)[0])
        parameters = len(load_model(folder / "model.npz").model.parameters.flat)
    ratios = Spread.of([ours / theirs for ours, theirs in zip(rates["processes"], rates["threads"])])
    row = {
        f"{given.processes} threads, tokens/s": Spread.of(rates["threads"]),
        f"{given.processes} processes, tokens/s": Spread.of(rates["processes"]),
        "processes / threads": ratios,
        "gradients of a step, MB": round(4 * parameters / 1e6, 1),
        "numbers of a step, bytes": 4 * 8 * NUMBERS,
    }
    paper = on_paper(Spread.of(step_seconds).median, parameters)
    show("on paper: speedup of machines with as many cores as this one", paper)
    report("several processes under mpirun", [row], given, paper=paper)


if __name__ == "__main__":
    main()
