"""A whole model in one ``.npz`` file: weights, settings, both tokenizers and the history of its training.

====================  ================================================================================================
member                content
====================  ================================================================================================
``format``            JSON ``{"name": "seq2seq model", "version": 1}``
``config``            JSON ``{"model": …, "training": …, "text": …, "corpus": …}``: all settings; ``seen`` (which may
                      be missing): words of the training sources, and the longest one's tokens
``tokenizer.source``  JSON, as ``seq2seq tokenizer train`` writes it; ``tokenizer.target`` too
``history``           JSON list of the validations so far
``encoder.…``         float32 arrays, under the names of ``nn.parameters.parameter_shapes``; where the embedding is
                      tied, ``decoder.fc_out.weight`` is there as well: the arrays load into ``torch.nn`` modules
====================  ================================================================================================

A training state, ``NAME.state.npz``, has the same members for the latest weights, and ``state`` (JSON) and
``optimizer.…`` arrays besides.

Nothing in a file is trusted: pickles are never loaded, and every member's type, shape and size is checked against the
configuration before memory is allocated for it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import ModelConfig, TrainingConfig, config_from_json
from seq2seq_cli.errors import UserError
from seq2seq_cli.files import explain_os_errors, write_atomically
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.parameters import Parameters, Shapes, parameter_shapes
from seq2seq_cli.text.seen import Seen
from seq2seq_cli.text.storage import tokenizer_from_json
from seq2seq_cli.text.tokenizer import Tokenizer

MODEL_FORMAT = "seq2seq model"
STATE_FORMAT = "seq2seq training state"
VERSION = 1
LARGEST_TEXT = 64 << 20
LARGEST_PARAMETERS = 2 << 30
"""Most parameters of a model that will be loaded: 8 GiB of float32."""
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
    """Return where a model goes that a new training replaces: ``NAME.previous.npz`` beside ``NAME.npz``."""
    return path.with_name(path.name.removesuffix(".npz") + ".previous.npz")


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
    """Read a model file.

    Raises:
        UserError: if the file is not there, is not a model, is damaged, or is of a newer version.
    """
    with _Archive(path) as archive:
        checkpoint, rest = _read_checkpoint(archive, MODEL_FORMAT)
        _refuse_extra(archive, rest)
        return checkpoint


def load_state(path: Path) -> tuple[Checkpoint, TrainingState]:
    """Read a training state; errors as for ``load_model``."""
    with _Archive(path) as archive:
        checkpoint, rest = _read_checkpoint(archive, STATE_FORMAT)
        progress = archive.json("state")
        if not isinstance(progress, dict):
            raise archive.damaged("'state' is not a JSON object")
        size = len(checkpoint.model.parameters.flat)
        names = sorted(name for name in rest if name.startswith("optimizer."))
        moments = {name.removeprefix("optimizer."): archive.array(name, (size,)) for name in names}
        _refuse_extra(archive, rest - {"state", *names})
        return checkpoint, TrainingState(moments, progress)


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


def _write(path: Path, members: Mapping[str, npt.NDArray[Any]]) -> None:
    write_atomically(path, lambda file: np.savez(file, **members))  # type: ignore[arg-type]


def _refuse_extra(archive: _Archive, names: set[str]) -> None:
    if names:
        raise archive.damaged(f"it has members that do not belong to it: {', '.join(sorted(names)[:3])}")


def _read_checkpoint(archive: _Archive, format_name: str) -> tuple[Checkpoint, set[str]]:
    """Return the checkpoint and the names of the members that it did not use."""
    _check_format(archive, format_name)
    config = archive.json("config")
    try:
        model_config = config_from_json(ModelConfig, config["model"])
        training = config_from_json(TrainingConfig, config["training"])
        corpus, text = str(config["corpus"]), dict(config["text"])
        seen = Seen.from_json(config["seen"]) if "seen" in config else Seen()
        valid = None if config.get("valid") is None else str(config["valid"])  # older files do not say
        threads = config.get("threads") if isinstance(config.get("threads"), int) else None
    except (TypeError, KeyError, ValueError, UserError) as error:
        raise archive.damaged(f"its configuration is not valid: {getattr(error, 'what', error)}") from None
    source = tokenizer_from_json(archive.json("tokenizer.source"), f"{archive.path}, tokenizer.source")
    target = tokenizer_from_json(archive.json("tokenizer.target"), f"{archive.path}, tokenizer.target")
    if (len(source), len(target)) != (model_config.source_vocabulary, model_config.target_vocabulary):
        raise archive.damaged("its tokenizers and its configuration disagree about the vocabularies' sizes")
    history = archive.json("history")
    if not isinstance(history, list) or not all(isinstance(record, dict) for record in history):
        raise archive.damaged("'history' is not a list of records")
    shapes = parameter_shapes(model_config)
    parameters = _read_parameters(archive, shapes)
    used = {"format", "config", "tokenizer.source", "tokenizer.target", "history", *shapes}
    if model_config.tie_embeddings:
        used.add(TIED_COPY)
        copy = archive.array(TIED_COPY, shapes["decoder.embedding.weight"])
        if not np.array_equal(copy, parameters["decoder.embedding.weight"]):
            raise archive.damaged(f"'{TIED_COPY}' is not the tied embedding's copy")
    model = Seq2Seq(model_config, parameters)
    checkpoint = Checkpoint(model, source, target, training, history, corpus, text, seen, valid, threads)
    return checkpoint, archive.names - used


def _check_format(archive: _Archive, format_name: str) -> None:
    if "format" not in archive.names:
        raise archive.damaged("it has no 'format'")
    found = archive.json("format")
    if not isinstance(found, dict) or found.get("name") != format_name:
        name = found.get("name") if isinstance(found, dict) else found
        raise UserError(
            f"this is not a {format_name}, but {name!r}",
            where=archive.path,
            fix="give a file that 'seq2seq train' wrote",
        )
    if found.get("version") != VERSION:
        raise UserError(
            f"this file has format version {found.get('version')!r}, this program knows version {VERSION}",
            where=archive.path,
            fix="install a newer version of seq2seq-cli",
        )


def _read_parameters(archive: _Archive, shapes: Shapes) -> Parameters:
    size = sum(math.prod(shape) for shape in shapes.values())
    if size > LARGEST_PARAMETERS:
        raise archive.damaged(f"its configuration asks for {size} parameters")
    for name, shape in shapes.items():
        archive.check_size(name, 4 * math.prod(shape))
    parameters = Parameters(shapes)
    for name, shape in shapes.items():
        parameters[name][...] = archive.array(name, shape)
    return parameters


class _Archive:
    """A ``.npz`` file whose members are checked one by one."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        with explain_os_errors(path, "read"):
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # it may never end, and never even open
                raise self.damaged("it is a device or a pipe, not a file")
            self._file = path.open("rb")
        try:
            self._zip = zipfile.ZipFile(self._file)
            members = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
            self._file.close()
            raise self.damaged(f"it is not an .npz file ({error})") from None
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        self.names = set(self._members)
        compressed = [member.filename for member in members if member.compress_type != zipfile.ZIP_STORED]
        if compressed:  # a few bytes could ask for any amount of memory
            self._file.close()
            raise self.damaged(f"'{compressed[0]}' is compressed")
        if len(self.names) != len(members):
            self._file.close()
            raise self.damaged("two of its members have the same name")

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

    def check_size(self, name: str, content: int) -> None:
        """Raise unless the member is there and declares to be as large as its content and a header."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        declared = self._members[name].file_size
        if not content <= declared <= content + (1 << 16):
            raise self.damaged(f"'{name}' declares {declared} bytes where about {content} were expected")

    def json(self, name: str) -> Any:
        """Return the value of a member that holds JSON."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        if self._members[name].file_size > LARGEST_TEXT:
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
                return data, dtype
        except UserError:
            raise
        except Exception as error:  # zipfile and numpy raise many kinds for a damaged file
            raise self.damaged(f"'{name}' cannot be read ({error or type(error).__name__})") from None


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype of an array in numpy's format; no data is read."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"array format {version}")
