"""Damage a model file and a training state in every way, and load what is left: the same content, or a clean error.

Truncations, flipped bits and bytes, zeroed, swapped and repeated ranges anywhere; bytes of the archive's directory;
members swapped, removed, repeated, renamed, added; headers of arrays altered; members that are compressed or declare
sizes that they do not have; JSON nested or repeated without end. Each load may take 2 seconds, and all of them together
500 MB beyond what the undamaged files need. Run from the top of the checkout::

    python -m tests.benchmarks.corrupt --count 2200 --seed 1
"""

from __future__ import annotations

import argparse
import io
import json
import struct
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq_cli.config import ModelConfig, Recipe, TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import (
    Checkpoint,
    TrainingState,
    load_model,
    load_state,
    save_model,
    save_state,
)
from seq2seq_cli.text.tokenizer_file import train_tokenizer

MAX_SECONDS = 2.0
MAX_MEMORY = 500 << 20
Members = dict[str, bytes]


def small_model() -> Checkpoint:
    """Both vocabularies of the same size, so that the tokenizers could be confused."""
    lines = ["the cat sees the dog", "a bird in the tree"]
    source, target = (
        train_tokenizer(TokenizerConfig("char", 20), each) for each in (lines, [x.upper() for x in lines])
    )
    config = ModelConfig(len(source), len(target), embedding_size=4, hidden_size=4, layers=2)
    model = create_model(config, np.random.default_rng(0))
    return Checkpoint(model, source, target, Recipe.of(corpus="pairs.tsv"), [{"step": 3, "valid_loss": 1.5}])


def content(path: Path) -> list[Any]:
    """Load a file; return all of it in a form that can be compared."""
    if path.name.endswith(".state.npz"):
        checkpoint, state = load_state(path)
        more: list[Any] = [state.progress, {name: vector.tobytes() for name, vector in state.moments.items()}]
    else:
        checkpoint, more = load_model(path), []
    tokenizers = [checkpoint.source_tokenizer.to_json(), checkpoint.target_tokenizer.to_json()]
    settings = [checkpoint.model.config, checkpoint.recipe, checkpoint.history, checkpoint.corpus]
    return [checkpoint.model.parameters.flat.tobytes(), *tokenizers, *settings, *more]


def read_members(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {member.filename: file.read(member) for member in file.infolist()}


def write_members(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        warnings.simplefilter("ignore")  # a name that is there twice
        for name, value in members:
            file.writestr(name, value)
    return buffer.getvalue()


def array_file(value: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(value))
    return buffer.getvalue()


def truncated(good: bytes, dice: np.random.Generator) -> bytes:
    return good[: dice.integers(len(good))]


def bits_flipped(good: bytes, dice: np.random.Generator) -> bytes:
    data = bytearray(good)
    for position in dice.integers(0, len(data), dice.integers(1, 4)):
        data[position] ^= 1 << int(dice.integers(8))
    return bytes(data)


def bytes_changed(good: bytes, dice: np.random.Generator) -> bytes:
    data = bytearray(good)
    for position in dice.integers(0, len(data), dice.integers(1, 9)):
        data[position] = int(dice.integers(256))
    return bytes(data)


def directory_changed(good: bytes, dice: np.random.Generator) -> bytes:
    """Change bytes after the last member: names, sizes, offsets, counts."""
    data, start = bytearray(good), good.index(b"PK\1\2")
    for position in dice.integers(start, len(data), dice.integers(1, 5)):
        data[position] = int(dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.integers(256)]))
    return bytes(data)


def ranges_moved(good: bytes, dice: np.random.Generator) -> bytes:
    """Zero, repeat, drop or exchange ranges."""
    size = int(dice.integers(1, 600))
    a, b = sorted(int(k) for k in dice.integers(0, len(good) - 2 * size, 2))
    b = max(b, a + size)
    one, two = good[a : a + size], good[b : b + size]
    return [
        good[:a] + bytes(size) + good[a + size :],
        good[:a] + one + good[a:],
        good[:a] + good[a + size :],
        good[:a] + two + good[a + size : b] + one + good[b + size :],
    ][dice.integers(4)]


def members_exchanged(good: bytes, dice: np.random.Generator) -> bytes:
    """Exchange the contents of two members, or rename, drop, repeat or add one; the archive itself stays valid."""
    members = list(read_members(good).items())
    a, b = (int(k) for k in dice.choice(len(members), 2, replace=False))
    way = dice.integers(6)
    if way < 2:
        same = [k for k in range(len(members)) if k != a and len(members[k][1]) == len(members[a][1])]
        b = int(dice.choice(same)) if same and way else b
        members[a], members[b] = (members[a][0], members[b][1]), (members[b][0], members[a][1])
    elif way == 2:
        del members[a]
    elif way == 3:
        members.append(members[a])
    else:
        name = str(dice.choice(["/etc/passwd", "../../x.npy", "C:\\x.npy", "checksums", "config", "a" * 300 + ".npy"]))
        members = (
            [*members, (name, members[b][1])] if way == 4 else [*members[:a], (name, members[a][1]), *members[a + 1 :]]
        )
    return write_members(members)


HEADERS = [
    (b"'<f4'", b"'<f8'"),
    (b"'<f4'", b"'>f4'"),
    (b"'<f4'", b"'|O' "),
    (b"'<f4'", b"'<i4'"),
    (b"'<U", b"'>U"),
    (b"'<U", b"'<S"),
    (b"False", b"True "),
    (b"(", b"(9999999999,"),
    (b"(", b"(-1,"),
    (b"(", b"((((((((((((((((((((((((((((("),
    (b"shape", b"shapE"),
    (b"4,", b"4L,"),
    (b"NUMPY\x01", b"NUMPY\x02"),
    (b"NUMPY\x01", b"NUMPY\x03"),
    (b"NUMPY\x01", b"NUMPY\xff"),
    (b"{'descr'", b"__import__('os').system('exit 1') or {'descr'"),
]


def header_altered(good: bytes, dice: np.random.Generator) -> bytes:
    """Alter an array's header: type, order, shape, version, length; the archive itself stays valid."""
    members = list(read_members(good).items())
    k = int(dice.integers(len(members)))
    name, value = members[k]
    if dice.integers(4):
        old, new = HEADERS[dice.integers(len(HEADERS))]
        value = value.replace(old, new, 1)
    else:
        value = value[:8] + struct.pack("<H", int(dice.integers(1 << 16))) + value[10:]
    members[k] = (name, value)
    return write_members(members)


def bomb(good: bytes, dice: np.random.Generator) -> bytes:
    """A file that declares far more data than it should."""
    members = read_members(good)
    names = list(members)
    name = str(dice.choice(names))
    text = str(dice.choice(["config.npy", "history.npy", "tokenizer.source.npy", "format.npy", "checksums.npy"]))
    way = dice.integers(6)
    if way == 0:
        return write_members([*members.items()], zipfile.ZIP_DEFLATED)
    if way == 1:
        return write_members([*{**members, name: bytes(200 << 20)}.items()], zipfile.ZIP_DEFLATED)
    if way == 2:
        return write_members([*{**members, text: array_file("[" * int(dice.integers(1000, 1_000_000)))}.items()])
    if way == 3:
        return write_members([*{**members, text: array_file("[" + "[],{}," * 1_000_000 + "0]")}.items()])
    if way == 4:
        return write_members([*members.items(), *((f"x{k}", b"") for k in range(20_000))])
    config = json.loads(str(np.load(io.BytesIO(members["config.npy"]))))
    key = str(dice.choice(["hidden_size", "embedding_size", "layers", "source_vocabulary", "target_vocabulary"]))
    config["model"][key] = int(dice.choice([64, 5000, 1 << 16, 1 << 20, 10**12, -1]))
    return write_members([*{**members, "config.npy": array_file(json.dumps(config))}.items()])


DAMAGES: list[Callable[[bytes, np.random.Generator], bytes]] = [
    truncated,
    bits_flipped,
    bytes_changed,
    directory_changed,
    ranges_moved,
    members_exchanged,
    header_altered,
    bomb,
]


def run(count: int, seed: int, folder: Path) -> Counter[str]:
    """Load this many damaged files; return how many were refused and how many were harmless, by kind of damage.

    Raises:
        AssertionError: if one loaded as something else, or took too long; any other exception is a fault too.
    """
    checkpoint = small_model()
    vectors = {name: np.full_like(checkpoint.model.parameters.flat, k) for k, name in enumerate("mv")}
    model, state = folder / "m.npz", folder / "m.state.npz"
    save_model(model, checkpoint)
    save_state(state, checkpoint, TrainingState(vectors, {"step": 3}))
    good = {path: (path.read_bytes(), content(path)) for path in (model, state)}
    counts: Counter[str] = Counter()
    for trial in range(count):
        dice = np.random.default_rng([seed, trial])
        path = (model, state)[trial % 2]
        damage = DAMAGES[trial // 2 % len(DAMAGES)]
        data, expected = good[path]
        path.write_bytes(damage(data, dice))
        begin = time.perf_counter()
        try:
            found = content(path)
            outcome = "harmless"
            assert found == expected, f"trial {trial} ({damage.__name__}): loaded as something else"
        except UserError as error:
            outcome = "refused"
            if not (error.what and error.where and error.fix):
                raise AssertionError(f"an error without a place or a way out: {error}") from error
        seconds = time.perf_counter() - begin
        assert seconds < MAX_SECONDS, f"trial {trial} ({damage.__name__}): {seconds:.1f} s"
        counts[f"{damage.__name__} {outcome}"] += 1
    return counts


def main() -> None:
    import resource

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(1, 0, Path(folder))  # everything is imported and has its usual size
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts = run(arguments.count, arguments.seed, Path(folder))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before << 10
    print(json.dumps(counts, indent=1))
    print(f"{sum(counts.values())} damaged files; memory grew by at most {grown >> 20} MB (making them included)")
    assert grown < MAX_MEMORY


if __name__ == "__main__":
    main()
