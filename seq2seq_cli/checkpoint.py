"""A whole model in one ``.npz`` file: weights, settings, both tokenizers and the history of its training.

====================  ================================================================================================
member                content
====================  ================================================================================================
``format``            JSON ``{"name": "seq2seq model", "version": 1}``
``config``            JSON ``{"model": …, "training": …, "text": …, "corpus": …}``: all settings; ``seen`` (which may
                      be missing): words of the training sources, and the longest one's tokens; ``averaged`` (which
                      may be missing): the files whose mean this is
``tokenizer.source``  JSON, as ``seq2seq tokenizer train`` writes it; ``tokenizer.target`` too
``history``           JSON list of the validations so far
``checksums``         JSON, the CRC-32 of every other member's content by name; a file made by hand may lack it
``encoder.…``         float32 arrays, under the names of ``nn.parameters.parameter_shapes``; where the embedding is
                      tied, ``decoder.fc_out.weight`` is there as well: the arrays load into ``torch.nn`` modules
====================  ================================================================================================

A training state, ``NAME.state.npz``, has the same members for the latest weights, and ``state`` (JSON) and
``optimizer.…`` arrays besides.

Nothing in a file is trusted: pickles are never loaded, and the members' names, number, types, shapes and sizes are
checked against the configuration before memory is allocated for them.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import ModelConfig, TrainingConfig, config_from_json
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.files import STDIO, explain_os_errors, keep_as, standard_input, title, write_atomically
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.optimizers import OPTIMIZERS
from seq2seq_cli.nn.parameters import Parameters, parameter_shapes
from seq2seq_cli.text.seen import Seen
from seq2seq_cli.text.storage import tokenizer_from_json
from seq2seq_cli.text.tokenizer import Tokenizer

MODEL_FORMAT = "seq2seq model"
STATE_FORMAT = "seq2seq training state"
VERSION = 1
LARGEST_SETTINGS = 1 << 20
"""Bytes of a small member, and of the archive's directory."""
LARGEST_HISTORY = 64 << 20
LARGEST_CONFIG = 64 << 20
"""It holds the words of the training sources, too: at most ``text.seen.MOST_WORDS`` pieces, 4 bytes a character."""
LARGEST_ENTRY = 1 << 13
"""Bytes of a tokenizer's JSON for each entry of its vocabulary: its text and a merge, all characters escaped."""
LARGEST_PARAMETERS = 2 << 30
"""Most parameters of a model that will be loaded: 8 GiB of float32."""
LARGEST_FILE = 12 * LARGEST_PARAMETERS + LARGEST_CONFIG + LARGEST_HISTORY + LARGEST_ENTRY * (1 << 20)
"""Bytes that are taken from standard input: weights, an optimizer's two moments, and texts."""
TIED_COPY = "decoder.fc_out.weight"


@dataclass
class Checkpoint:
    """A model with all that belongs to it.

    Args:
        model: network and weights.
        source_tokenizer, target_tokenizer: of the two languages.
        training: the settings it was trained with.
        history: one record per validation, with the keys of the metrics log.
        corpus: what it was trained on, as the user named it.
        text: how its tokenizers were made: the settings for them.
        seen: the words of the training sources and the length of the longest.
        valid: what it was validated on, as the user named it; None: a share held out, or the built-in corpus.
        threads: how many shared the work, on which the last bits of the weights depend; None: the file does not say.
        averaged: the files whose mean this is; none for a model as it was trained.
    """

    model: Seq2Seq
    source_tokenizer: Tokenizer
    target_tokenizer: Tokenizer
    training: TrainingConfig
    history: list[dict[str, Any]] = field(default_factory=list)
    corpus: str = ""
    text: dict[str, Any] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    valid: str | None = None
    threads: int | None = None
    averaged: tuple[str, ...] = ()

    def measured(self, key: str) -> list[float]:
        """Return one number of each validation, such as ``valid_bleu``; a file's odd records are passed over."""
        values = [record.get(key) for record in self.history]
        return [float(v) for v in values if isinstance(v, (int, float)) and math.isfinite(v)]


@dataclass
class TrainingState:
    """What a resumed training needs besides the latest weights.

    Args:
        moments: the optimizer's vectors, by name.
        progress: everything else, as JSON values.
    """

    moments: dict[str, Array]
    progress: dict[str, Any]


def state_path(path: Path) -> Path:
    """Return where the training state of a model is: ``NAME.state.npz`` beside ``NAME.npz``."""
    return path.with_name(path.name.removesuffix(".npz") + ".state.npz")


def previous_path(path: Path) -> Path:
    """Return where a model (or a log) goes that a new training replaces.

    It is the first of ``NAME.previous.npz``, ``NAME.previous-2.npz`` … that is not there: what was put aside before
    stays, so two trainings started by mistake cost nothing.
    """
    stem = path.name.removesuffix(path.suffix)
    for number in itertools.count(1):
        other = path.with_name(f"{stem}.previous{f'-{number}' if number > 1 else ''}{path.suffix}")
        if not other.exists() and not state_path(other).exists():
            return other
    raise AssertionError  # counting does not end


def check_model_path(path: Path) -> None:
    """Raise unless a model may have this name: ``NAME.npz``, and not that of a training state."""
    if str(path) == STDIO:
        raise usage_error(
            "a model cannot go to standard output: it is only ever saved whole, with its training state beside it",
            where="--output",
            fix="name a file, and send that on: -o model.npz",
        )
    if path.suffix != ".npz" or path.name.endswith(".state.npz"):
        raise usage_error(
            f"the model's file must end in .npz, not {path.name!r}",
            where="--output",
            fix="for example: -o model.npz",
        )


def put_aside(path: Path) -> Path | None:
    """Keep the model that is in a file, and the training state beside it, under another name; return it.

    At every moment there is a whole model under the name, and never a state beside it of another training.
    """
    previous = previous_path(path)
    found = path.exists()
    keep_as(path, previous)
    keep_as(state_path(path), state_path(previous), move=True)
    return previous if found else None


def save_model(path: Path, checkpoint: Checkpoint) -> None:
    """Write a model file, whole or not at all (see ``files.write_atomically``)."""
    _write(path, _members(checkpoint, MODEL_FORMAT))


def save_state(path: Path, checkpoint: Checkpoint, state: TrainingState) -> None:
    """Write a training state, whole or not at all."""
    members = _members(checkpoint, STATE_FORMAT)
    members["state"] = _json_array(state.progress)
    members |= {f"optimizer.{name}": vector for name, vector in state.moments.items()}
    _write(path, members)


def load_model(path: Path) -> Checkpoint:
    """Read a model file, or one from standard input (``-``).

    Raises:
        UserError: if the file is not there, is not a model, is damaged, or is of a newer version.
    """
    with _Archive(path) as archive:
        return _read_checkpoint(archive, MODEL_FORMAT)


def load_state(path: Path) -> tuple[Checkpoint, TrainingState]:
    """Read a training state; errors as for ``load_model``."""
    with _Archive(path) as archive:
        return _read_state(archive)


def load_either(path: Path) -> tuple[Checkpoint, str, int]:
    """Read a model file or a training state, whatever its name; errors as for ``load_model``.

    Returns:
        What it holds, the name of its format, and its size in bytes.
    """
    with _Archive(path) as archive:
        if _format_name(archive) == STATE_FORMAT:
            return _read_state(archive)[0], STATE_FORMAT, archive.size
        return _read_checkpoint(archive, MODEL_FORMAT), MODEL_FORMAT, archive.size


def _members(checkpoint: Checkpoint, format_name: str) -> dict[str, npt.NDArray[Any]]:
    model = checkpoint.model
    settings = {
        "model": dataclasses.asdict(model.config),
        "training": dataclasses.asdict(checkpoint.training),
        "corpus": checkpoint.corpus,
        "text": checkpoint.text,
        "seen": checkpoint.seen.to_json(),
        "valid": checkpoint.valid,
        "threads": checkpoint.threads,
        "averaged": list(checkpoint.averaged),
    }
    members: dict[str, npt.NDArray[Any]] = {
        "format": _json_array({"name": format_name, "version": VERSION}),
        "config": _json_array(settings),
        "tokenizer.source": _json_array(checkpoint.source_tokenizer.to_json()),
        "tokenizer.target": _json_array(checkpoint.target_tokenizer.to_json()),
        "history": _json_array(checkpoint.history),
        **model.parameters,
    }
    if model.config.tie_embeddings:
        members[TIED_COPY] = model.parameters[model.output_name]
    return members


def _json_array(value: Any) -> npt.NDArray[np.str_]:
    return np.array(json.dumps(value, ensure_ascii=False))


def _write(path: Path, members: dict[str, npt.NDArray[Any]]) -> None:
    checksums = {name: zlib.crc32(array.tobytes()) for name, array in members.items()}
    everything = {**members, "checksums": _json_array(checksums)}
    write_atomically(path, lambda file: np.savez(file, **everything))  # type: ignore[arg-type]


def _read_state(archive: _Archive) -> tuple[Checkpoint, TrainingState]:
    moments = {f"optimizer.{name}" for kind in OPTIMIZERS.values() for name in kind(0).moments()} & archive.names
    checkpoint = _read_checkpoint(archive, STATE_FORMAT, {"state", *moments})
    progress = archive.json("state")
    if not isinstance(progress, dict):
        raise archive.damaged("'state' is not a JSON object")
    size = len(checkpoint.model.parameters.flat)
    vectors = {name.removeprefix("optimizer."): archive.array(name, (size,)) for name in sorted(moments)}
    return checkpoint, TrainingState(vectors, progress)


def _read_checkpoint(archive: _Archive, format_name: str, others: Collection[str] = ()) -> Checkpoint:
    """Return the checkpoint; besides its members, ``others`` must be there, and none else."""
    _check_format(archive, format_name)
    config = archive.json("config", LARGEST_CONFIG)
    try:
        model_config = config_from_json(ModelConfig, config["model"])
        training = config_from_json(TrainingConfig, config["training"])
        corpus, text = str(config["corpus"]), dict(config["text"])
        seen = Seen.from_json(config["seen"]) if "seen" in config else Seen()
        valid = None if config.get("valid") is None else str(config["valid"])  # older files do not say
        threads = config.get("threads") if isinstance(config.get("threads"), int) else None
        averaged = tuple(str(name) for name in config.get("averaged", ()))
    except (TypeError, KeyError, ValueError, UserError) as error:
        raise archive.damaged(f"its configuration is not valid: {getattr(error, 'what', error)}") from None
    shapes = parameter_shapes(model_config)
    arrays = dict(shapes)
    if model_config.tie_embeddings:
        arrays[TIED_COPY] = shapes["decoder.embedding.weight"]
    archive.check_names({"format", "config", "tokenizer.source", "tokenizer.target", "history", *arrays, *others})
    if sum(math.prod(shape) for shape in shapes.values()) > LARGEST_PARAMETERS:
        raise archive.damaged(f"its configuration asks for more than {LARGEST_PARAMETERS} parameters")
    for name, shape in arrays.items():
        archive.check_size(name, 4 * math.prod(shape))
    source = _read_tokenizer(archive, "source", model_config.source_vocabulary)
    target = _read_tokenizer(archive, "target", model_config.target_vocabulary)
    history = archive.json("history", LARGEST_HISTORY)
    if not isinstance(history, list) or not all(isinstance(record, dict) for record in history):
        raise archive.damaged("'history' is not a list of records")
    parameters = Parameters(shapes)
    for name, shape in shapes.items():
        parameters[name][...] = archive.array(name, shape)
    if model_config.tie_embeddings:
        copy = archive.array(TIED_COPY, arrays[TIED_COPY])
        if not np.array_equal(copy, parameters["decoder.embedding.weight"]):
            raise archive.damaged(f"'{TIED_COPY}' is not the tied embedding's copy")
    model = Seq2Seq(model_config, parameters)
    return Checkpoint(model, source, target, training, history, corpus, text, seen, valid, threads, averaged)


def _read_tokenizer(archive: _Archive, side: str, entries: int) -> Tokenizer:
    member = f"tokenizer.{side}"
    value = archive.json(member, LARGEST_SETTINGS + LARGEST_ENTRY * entries)
    tokenizer = tokenizer_from_json(value, f"{archive.path}, {member}")
    if len(tokenizer) != entries:
        raise archive.damaged(f"its {side} tokenizer and its configuration disagree about the vocabulary's size")
    return tokenizer


def _format_name(archive: _Archive) -> Any:
    if "format" not in archive.names:
        raise archive.damaged("it has no 'format'")
    found = archive.json("format")
    return found.get("name") if isinstance(found, dict) else found


def _check_format(archive: _Archive, format_name: str) -> None:
    name = _format_name(archive)
    if name != format_name:
        raise UserError(
            f"this is not a {format_name}, but {name!r}",
            where=archive.path,
            fix="give a file that 'seq2seq train' wrote",
        )
    found = archive.json("format")
    if found.get("version") != VERSION:
        raise UserError(
            f"this file has format version {found.get('version')!r}, this program knows version {VERSION}",
            where=archive.path,
            fix="install a newer version of seq2seq-cli",
        )


class _Archive:
    """A ``.npz`` file whose members are checked one by one."""

    def __init__(self, path: Path) -> None:
        self.path = title(path)
        with explain_os_errors(self.path, "read"):
            self._file = self._from_standard_input() if str(path) == STDIO else self._from_file(path)
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    def _from_file(self, path: Path) -> IO[bytes]:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # it may never end, and never even open
            raise self.damaged("it is a device or a pipe, not a file; '-' reads standard input")
        return path.open("rb")

    def _from_standard_input(self) -> IO[bytes]:
        """Return a nameless copy on disk: one has to go back and forth in an archive, and it may be large."""
        import tempfile

        stream = standard_input()
        if stream.isatty():
            raise self.damaged("it is a terminal")
        beginning = stream.read(4)
        if beginning != b"PK\3\4":  # found out now: this, too, may never end
            raise self.damaged("it does not begin like an .npz file")
        copy: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed as any other file would be)
        try:
            copy.write(beginning)
            while block := stream.read(1 << 20):
                copy.write(block)
                if copy.tell() > LARGEST_FILE:
                    raise self.damaged(f"it is larger than {LARGEST_FILE >> 30} GiB")
        except BaseException:
            copy.close()
            raise
        return copy

    def _open(self) -> None:
        """Read the directory: everything that can be refused without reading a member is refused here."""
        try:
            self.size, entries = _check_directory(self._file)
            self._zip = zipfile.ZipFile(self._file)
            members = self._zip.infolist()
            if len(members) != entries:  # zipfile does not mind
                raise ValueError(f"it has {len(members)} members in place of {entries}")
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError, EOFError) as error:
            raise self.damaged(f"it is not an .npz file ({error})") from None
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        self.names = set(self._members) - {"checksums"}
        if len(self._members) != len(members):
            raise self.damaged("two of its members have the same name")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
                raise self.damaged(f"'{member.filename}' is compressed")  # a few bytes could ask for any memory
            if member.header_offset + member.file_size > self.size:
                raise self.damaged(f"'{member.filename}' declares {member.file_size} bytes, more than the file has")
        self._checksums: dict[str, Any] = {}
        checksums = self.json("checksums") if "checksums" in self._members else {}
        if not isinstance(checksums, dict):
            raise self.damaged("'checksums' is not a JSON object")
        if checksums and checksums.keys() != self.names:
            raise self.damaged(f"'{min(checksums.keys() ^ self.names)}' was not saved with it, or is missing")
        self._checksums = checksums

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def damaged(self, what: str) -> UserError:
        """Return the error for a file that is not what it should be."""
        return UserError(
            f"this is not a model file, or it is damaged: {what}",
            where=self.path,
            fix="give a file that 'seq2seq train' wrote, or train again",
        )

    def check_names(self, expected: set[str]) -> None:
        """Raise unless exactly these members are there."""
        if self.names - expected:
            names = ", ".join(map(repr, sorted(self.names - expected)[:3]))
            raise self.damaged(f"it has members that do not belong to it: {names}")
        if expected - self.names:
            raise self.damaged(f"it has no member '{min(expected - self.names)}'")

    def check_size(self, name: str, content: int) -> None:
        """Raise unless the member is there and declares to be as large as its content and a header."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        declared = self._members[name].file_size
        if not content <= declared <= content + (1 << 16):
            raise self.damaged(f"'{name}' declares {declared} bytes where about {content} were expected")

    def json(self, name: str, most: int = LARGEST_SETTINGS) -> Any:
        """Return the value of a member that holds JSON, of at most so many bytes."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        if self._members[name].file_size > most:
            raise self.damaged(f"'{name}' declares {self._members[name].file_size} bytes")
        data, dtype = self._read(name, ())
        if dtype.kind != "U":
            raise self.damaged(f"'{name}' is not text")
        try:
            return json.loads(str(np.frombuffer(data, dtype)[0]))
        except (ValueError, RecursionError, IndexError) as error:
            raise self.damaged(f"'{name}' is not JSON ({error})") from None

    def array(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return a float32 member of exactly this shape, every value finite."""
        self.check_size(name, 4 * math.prod(shape))
        data, dtype = self._read(name, shape)
        if dtype != np.float32:
            raise self.damaged(f"'{name}' is {dtype}, not float32")
        values: Array = np.frombuffer(data, dtype).reshape(shape)
        if not np.isfinite(values).all():
            raise self.damaged(f"'{name}' holds values that are not finite numbers")
        return values

    def _read(self, name: str, shape: tuple[int, ...]) -> tuple[bytes, np.dtype[Any]]:
        """Return a member's bytes and dtype; never more bytes than it declares, nor more than the shape says."""
        try:
            with self._zip.open(self._members[name]) as file:
                found, fortran, dtype = _read_header(file)
                if found != shape or fortran or dtype.hasobject:
                    raise self.damaged(f"'{name}' has shape {found} and type {dtype}, not shape {shape}")
                expected = dtype.itemsize * math.prod(shape)
                if expected > self._members[name].file_size:
                    raise self.damaged(f"'{name}' is shorter than its header says")
                data = file.read(expected)
                if len(data) != expected or file.read(1):
                    raise self.damaged(f"'{name}' is not as long as its header says")
                if self._checksums.get(name, zlib.crc32(data)) != zlib.crc32(data):
                    raise self.damaged(f"'{name}' is not what was saved under that name")
                return data, dtype
        except (UserError, MemoryError):
            raise
        except Exception as error:  # zipfile and numpy raise many kinds for a damaged file
            raise self.damaged(f"'{name}' cannot be read ({error or type(error).__name__})") from None


def _check_directory(file: IO[bytes]) -> tuple[int, int]:
    """Return the file's size and the number of members; refuse a directory that would fill the memory when read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 42))
    tail = file.read()
    signature, _, _, _, entries, length, _, comment = struct.unpack("<4s4H2LH", tail[-22:])
    if signature != b"PK\5\6" or comment:
        raise ValueError("it does not end like one")
    large = tail[:4] == b"PK\6\7"  # what files above 2 GiB need; a smaller one could hide another length in it
    if length > LARGEST_SETTINGS or (large and size < 1 << 31):
        raise ValueError("its directory is too large")
    return size, entries


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype of an array in numpy's format; no data is read."""
    version = np.lib.format.read_magic(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy warns of headers that only other programs write
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"array format {version}")
