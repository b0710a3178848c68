"""Kill a small training again and again, resume it each time, and compare the end with an uninterrupted training.

Each kill is a ``SIGKILL`` that the process can neither see nor delay. A third of them come at a random instant of the
run, a third as soon as a temporary file is there (in the middle of writing it), and a third right before a randomly
chosen one of the file system calls that saving and logging consist of (open, fsync, rename, link, remove). After every
kill the model and the state must load or not be there yet; at the end, weights, moments and history must be those of
the uninterrupted run to the bit, the log must have every record once, and no other file may be left. Times are left out
of the comparison. Run from the top of the checkout (POSIX only)::

    python -m tests.benchmarks.kill --kills 200 --seed 1
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import seq2seq_cli.cli.commands.train
import seq2seq_cli.cli.terminal.progress
import seq2seq_cli.training.run  # noqa: F401  (a forked process then starts at once)
from seq2seq_cli.cli import main as command_line
from seq2seq_cli.storage.checkpoint import load_model, load_state
from seq2seq_cli.training import trainer
from tests.conftest import write_pairs

FLAGS = ["p.tsv", "-o", "m.npz", "--log-file", "m.jsonl", "--epochs", "3", "--batch-size", "16", "--vocab-size", "60"]
FLAGS += ["--hidden-size", "8", "--embedding-size", "8", "--dropout", "0.2"]
KINDS = ("any moment", "while writing", "before a call")
MAX_KILLS_OF_ONE_TRAINING = 8
UNTIMED = {"seconds", "tokens_per_second"}
CALLS = {"open", "os.rename", "os.remove", "os.link", "fsync"}


def start(folder: Path, flags: list[str], before_call: Callable[[], None] | None = None) -> int:
    """Fork a process that trains in the folder; return its number."""
    child = os.fork()
    if child:
        return child
    try:
        os.chdir(folder)
        for stream in (1, 2):
            os.dup2(os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        trainer.SECONDS_BETWEEN_SAVES = 0.02  # saves in the middle of an epoch too
        if before_call is not None:
            watch_calls(before_call)
        sys.argv = ["seq2seq", "train", *FLAGS, *flags]
        command_line()
    except SystemExit as stop:
        os._exit(int(stop.code or 0))
    finally:
        os._exit(99)


def watch_calls(before_call: Callable[[], None]) -> None:
    """Call before every call that changes files."""
    fsync = os.fsync

    def watched(handle: int) -> None:
        before_call()
        fsync(handle)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CALLS and (event != "open" or (isinstance(arguments[2], int) and arguments[2] & os.O_CREAT)):
            before_call()

    os.fsync = watched
    sys.addaudithook(hook)


def die_at(number: int) -> Callable[[], None]:
    """Return a function that kills its process when it is called for the number-th time."""
    left = [number]

    def count() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def wait(child: int) -> int:
    """Return the exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def until_temporary(folder: Path, child: int, number: int) -> None:
    """Wait until this many temporary files have existed, or the process has ended."""
    observed: set[str] = set()
    while len(observed) < number and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        observed |= {path.name for path in folder.iterdir() if path.name.endswith(".tmp")}


def result(folder: Path) -> dict[str, Any]:
    """Return all that must be equal."""
    model, (latest, state) = load_model(folder / "m.npz"), load_state(folder / "m.state.npz")
    records = [json.loads(line) for line in (folder / "m.jsonl").read_text().splitlines()]
    return {
        "model": model.model.parameters.flat.tobytes(),
        "latest weights": latest.model.parameters.flat.tobytes(),
        "moments": {name: vector.tobytes() for name, vector in state.moments.items()},
        "history": [{k: v for k, v in record.items() if k not in UNTIMED} for record in latest.history],
        "log": [{k: v for k, v in record.items() if k not in UNTIMED} for record in records],
        "position": {k: v for k, v in state.progress.items() if k not in UNTIMED},
    }


def check_loadable(folder: Path) -> None:
    """Load everything that is there."""
    for path in folder.glob("*.npz"):
        (load_state if path.name.endswith(".state.npz") else load_model)(path)


def run(kills: int, seed: int, say: Callable[[str], None]) -> Counter[str]:
    """Kill this many trainings; return how many of each kind.

    Raises:
        AssertionError: at the first difference.
    """
    chooser = random.Random(seed)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as base:
        whole: dict[str, Any] = {}
        calls, duration = 0, 0.0
        for optimizer in ("adam", "sgd"):
            folder = Path(base, f"whole-{optimizer}")
            folder.mkdir()
            write_pairs(folder / "p.tsv")
            begin = time.monotonic()
            counter = folder / "calls"
            write = os.open(counter, os.O_WRONLY | os.O_CREAT)
            code = wait(start(folder, ["--optimizer", optimizer], lambda handle=write: os.write(handle, b".") and None))
            os.close(write)
            assert code == 0, (folder / "output.txt").read_text()
            duration, calls = time.monotonic() - begin, counter.stat().st_size
            whole[optimizer] = result(folder)
        say(f"an uninterrupted training takes {duration:.2f} s and {calls} file system calls")
        while sum(counts[kind] for kind in KINDS) < kills:
            counts["trainings"] += 1
            optimizer = ("adam", "sgd")[counts["trainings"] % 2]
            folder = Path(base, str(counts["trainings"]))
            folder.mkdir()
            write_pairs(folder / "p.tsv")
            in_this = 0
            while True:
                flags = ["--optimizer", optimizer]
                if (folder / "m.state.npz").exists():
                    flags.append("--resume")
                    counts["resumed"] += 1
                kind = KINDS[chooser.randrange(3)]
                if in_this == MAX_KILLS_OF_ONE_TRAINING or sum(counts[k] for k in KINDS) == kills:
                    child = start(folder, flags)  # this one may live
                elif kind == "before a call":
                    child = start(folder, flags, die_at(chooser.randint(1, calls)))
                else:
                    child = start(folder, flags)
                    if kind == "any moment":
                        time.sleep(chooser.uniform(0, duration))
                    else:
                        until_temporary(folder, child, chooser.randint(1, 6))
                        time.sleep(chooser.uniform(0, 0.002))
                    os.kill(child, signal.SIGKILL)
                code = wait(child)
                check_loadable(folder)
                if code == 0:
                    break
                assert code == -signal.SIGKILL, (code, (folder / "output.txt").read_text())
                counts[kind] += 1
                in_this += 1
            found = result(folder)
            for name, value in whole[optimizer].items():
                assert found[name] == value, f"{name} of training {counts['trainings']} ({folder})"
            left = {path.name for path in folder.iterdir()} - {"p.tsv", "output.txt", "m.npz", "m.state.npz", "m.jsonl"}
            assert all(".previous" in name and not name.startswith(".") for name in left), left
            say(
                f"training {counts['trainings']}: {in_this} kills, the same to the bit; {sum(counts[k] for k in KINDS)}"
            )
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts = run(arguments.kills, arguments.seed, print)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
