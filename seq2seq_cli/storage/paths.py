"""Refuse, before any work, an output that would destroy an input, under whatever name."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from seq2seq_cli.errors import usage_error
from seq2seq_cli.storage.locks import lock_path
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.text.corpus import files_of
from seq2seq_cli.text.inputs import STDIO

Named = tuple[str, str | Path | int]
"""How messages name a file (a flag, for example), and its path or its open descriptor."""


def check_outputs(inputs: Iterable[Named], outputs: Iterable[Named]) -> None:
    """Raise if an output is also an input, or if two outputs are the same file.

    Two names are the same file if they lead to it by whatever links, or would once it is written.

    Args:
        inputs: what the command reads.
        outputs: what it writes.

    Raises:
        UserError: wrong usage, which names both.
    """
    readable = [(name, path) for name, path in inputs if _is_file(path, missing=False)]
    writable = [(name, path) for name, path in outputs if _is_file(path, missing=True)]
    for name, path in writable:
        for other, input_path in readable:
            if _same(path, input_path):
                raise usage_error(
                    f"{name} would overwrite {other}, which this command reads",
                    where=str(path if isinstance(input_path, int) else input_path),
                    fix="write to another file",
                )
    for (name, path), (other, other_path) in combinations(writable, 2):
        if _same(path, other_path) and not (isinstance(path, int) or isinstance(other_path, int)):
            raise usage_error(
                f"{name} and {other} are the same file", where=str(path), fix="write to two different files"
            )


def corpus_files(name: str, corpus: str | Path) -> Iterator[Named]:
    """Yield the one or two files of a corpus."""
    for file in files_of(str(corpus)):
        yield name, file


def model_files(name: str, path: str | Path) -> Iterator[Named]:
    """Yield the files that a training writes: the model, its training state, and their lock."""
    yield name, path
    yield f"the training state of {name}", state_path(Path(path))
    yield f"the lock of {name}", lock_path(Path(path))


def _status(path: str | Path | int) -> os.stat_result:
    return os.fstat(path) if isinstance(path, int) else Path(path).stat()


def _is_file(path: str | Path | int, missing: bool) -> bool:
    """Whether it is a file, which can be lost; ``missing``: or is nothing yet."""
    if str(path) == STDIO:
        return False
    try:
        return stat.S_ISREG(_status(path).st_mode)
    except FileNotFoundError:
        return missing
    except (OSError, ValueError):  # is explained where the file is opened
        return False


def _same(a: str | Path | int, b: str | Path | int) -> bool:
    try:
        return os.path.samestat(_status(a), _status(b))
    except OSError:  # one of them does not exist yet
        if isinstance(a, int) or isinstance(b, int):
            return False
        return os.path.normcase(os.path.realpath(a)) == os.path.normcase(os.path.realpath(b))
