"""Fixtures: the command line as a user has it, and a small trained model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from seq2seq_cli.cli.terminal import console

settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")

# A shell starts background jobs ("pytest &") with Ctrl-C ignored, and their child processes inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CHECKOUT = Path(__file__).parent.parent
Result = subprocess.CompletedProcess

WORDS = {"red": "rouge", "blue": "bleu", "old": "vieux", "cat": "chat", "dog": "chien", "bird": "oiseau"}
PAIRS = [(a, b, c) for a in WORDS for b in WORDS for c in ("", *WORDS)]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**kept, "PYTHONPATH": str(CHECKOUT), **changes}


def run_cli(*arguments: str | Path, stdin: bytes = b"", cwd: Path, **changes: str) -> Result:
    """Run ``python -m seq2seq_cli`` with these arguments; streams are bytes."""
    return subprocess.run(
        [sys.executable, "-m", "seq2seq_cli", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(**changes),
        timeout=600,
    )


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., Result]:
    """The command line in an empty folder, ``tmp_path``."""
    return lambda *arguments, **options: run_cli(*arguments, **{"cwd": tmp_path, **options})


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that may not be written to, for an administrator too: a read-only file system where there is one."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    (folder / "f").write_bytes(b"old")
    if os.geteuid():
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    bind = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True)
    if bind.returncode:
        pytest.skip("an administrator may write everywhere, and here may not mount")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def write_pairs(path: Path) -> Path:
    """A toy corpus: word for word, two or three words a sentence."""
    lines = [
        "\t".join(" ".join(table.get(word, word) for word in triple if word) for table in ({}, WORDS))
        for triple in PAIRS
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


NETWORK = ("--embedding-size", "24", "--hidden-size", "32", "--vocab-size", "60", "--batch-size", "16")
NETWORK += ("--members", "1")
"""Flags of a network that trains in a moment."""
SMALL = (*NETWORK, "--dropout", "0", "--augmentation", "0")


@pytest.fixture(autouse=True)
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo ``--quiet`` of a command that an earlier test ran in this process."""
    monkeypatch.setattr(console._Flags, "quiet", False)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Put back the handler of Ctrl-C: a command that ends in this process ignores it, and children inherit that."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``pairs.tsv`` and a ``model.npz`` trained on it."""
    folder = tmp_path_factory.mktemp("trained")
    write_pairs(folder / "pairs.tsv")
    arguments = ("--valid", "pairs.tsv", "--epochs", "12", "--learning-rate", "0.01", "--log-file", "log.jsonl")
    arguments += ("--weight-dropout", "0", "--word-dropout", "0", "--context-dropout", "0")
    result = run_cli("train", "pairs.tsv", *arguments, *SMALL, cwd=folder)
    assert result.returncode == 0, result.stderr.decode()
    return folder


def assert_explained(result: Result, code: int, *parts: str) -> None:
    """The run ended with that code and one error of our form that holds these parts; stdout is empty, no traceback."""
    text = result.stderr.decode()
    assert result.returncode == code, text
    assert result.stdout == b""
    assert "Traceback" not in text
    assert text.count("error: ") == 1, text
    for part in parts:
        assert part in text, text
