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

Nothing in a file is trusted: the members' names, types, shapes and sizes are checked against the configuration before
memory is allocated for them (see ``archive``).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import ModelConfig, TrainingConfig, config_from_json
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.optimizers import OPTIMIZERS
from seq2seq_cli.nn.parameters import Parameters, parameter_shapes
from seq2seq_cli.storage.archive import LARGEST_TEXT, Archive, json_member, write_archive
from seq2seq_cli.storage.files import back_up
from seq2seq_cli.text.inputs import STDIO
from seq2seq_cli.text.tokenizer import Tokenizer
from seq2seq_cli.text.tokenizer_file import tokenizer_from_json
from seq2seq_cli.text.training_vocabulary import Seen

MODEL_FORMAT = "seq2seq model"
STATE_FORMAT = "seq2seq training state"
VERSION = 1
LARGEST_HISTORY = 64 << 20
LARGEST_CONFIG = 64 << 20
"""It holds the words of the training sources, too: at most ``text.seen.MOST_WORDS`` pieces, 4 bytes a character."""
LARGEST_ENTRY = 1 << 13
"""Bytes of a tokenizer's JSON for each entry of its vocabulary: its text and a merge, all characters escaped."""
LARGEST_PARAMETERS = 2 << 30
"""Most parameters of a model that will be loaded: 8 GiB of float32."""
TIED_COPY = "decoder.fc_out.weight"


@dataclass
class Checkpoint:
    """A model with its tokenizers, settings and history.

    Args:
        model: network and weights.
        source_tokenizer, target_tokenizer: of the two languages.
        training: the settings it was trained with.
        history: one record per validation, with the keys of the metrics log.
        corpus: what it was trained on, as the user named it.
        text: how its tokenizers were made: the settings for them.
        seen: the words of the training sources and the length of the longest.
        valid: what it was validated on, as the user named it; None: held-out pairs, or the built-in corpus.
        threads: number of threads, on which the last bits of the weights depend; None: not in the file.
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
        """Return one number of each validation, such as ``valid_bleu``; records without it are skipped."""
        return [float(record[key]) for record in self.history if is_number(record.get(key))]


@dataclass
class TrainingState:
    """What a resumed training needs besides the latest weights.

    Args:
        moments: the optimizer's vectors, by name.
        progress: everything else, as JSON values.
    """

    moments: dict[str, Array]
    progress: dict[str, Any]


def is_number(value: Any) -> bool:
    """Whether a value from a file is a number, and one that a float can hold."""
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # JSON's whole numbers have no limit
        return False


def state_path(path: Path) -> Path:
    """Return where the training state of a model is: ``NAME.state.npz`` beside ``NAME.npz``."""
    return path.with_name(path.name.removesuffix(".npz") + ".state.npz")


def backup_path(path: Path) -> Path:
    """Return the name for the backup of a model (or a log) that a new training replaces.

    It is the first of ``NAME.previous.npz``, ``NAME.previous-2.npz`` … that does not exist: earlier backups stay, so
    two trainings started by mistake cost nothing.
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


def back_up_model(path: Path) -> Path | None:
    """Back up a model file and the training state beside it; return the backup, or None if there is no model.

    At every moment ``path`` holds a whole model, and never beside the state of another training.
    """
    backup = backup_path(path)
    found = path.exists()
    back_up(path, backup)
    back_up(state_path(path), state_path(backup), move=True)
    return backup if found else None


def save_model(path: Path, checkpoint: Checkpoint) -> None:
    """Write a model file, whole or not at all (see ``files.atomic_file``)."""
    write_archive(path, _members(checkpoint, MODEL_FORMAT))


def save_state(path: Path, checkpoint: Checkpoint, state: TrainingState) -> None:
    """Write a training state, whole or not at all."""
    members = _members(checkpoint, STATE_FORMAT)
    members["state"] = json_member(state.progress)
    members |= {f"optimizer.{name}": vector for name, vector in state.moments.items()}
    write_archive(path, members)


def load_model(path: Path) -> Checkpoint:
    """Read a model file.

    Raises:
        UserError: if the file is not there, is not a model, is damaged, or is of a newer version.
    """
    with Archive(path) as archive:
        return _read_checkpoint(archive, MODEL_FORMAT)


def load_state(path: Path) -> tuple[Checkpoint, TrainingState]:
    """Read a training state; errors as for ``load_model``."""
    with Archive(path) as archive:
        return _read_state(archive)


def load_either(path: Path) -> tuple[Checkpoint, str, int]:
    """Read a model file or a training state, whatever its name; errors as for ``load_model``.

    Returns:
        What it holds, the name of its format, and its size in bytes.
    """
    with Archive(path) as archive:
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
        "format": json_member({"name": format_name, "version": VERSION}),
        "config": json_member(settings),
        "tokenizer.source": json_member(checkpoint.source_tokenizer.to_json()),
        "tokenizer.target": json_member(checkpoint.target_tokenizer.to_json()),
        "history": json_member(checkpoint.history),
        **model.parameters,
    }
    if model.config.tie_embeddings:
        members[TIED_COPY] = model.parameters[model.output_name]
    return members


def _read_state(archive: Archive) -> tuple[Checkpoint, TrainingState]:
    moments = {f"optimizer.{name}" for kind in OPTIMIZERS.values() for name in kind(0).moments()} & archive.names
    checkpoint = _read_checkpoint(archive, STATE_FORMAT, {"state", *moments})
    progress = archive.json("state")
    if not isinstance(progress, dict):
        raise archive.damaged("'state' is not a JSON object")
    size = len(checkpoint.model.parameters.flat)
    vectors = {name.removeprefix("optimizer."): archive.array(name, (size,)) for name in sorted(moments)}
    return checkpoint, TrainingState(vectors, progress)


def _read_checkpoint(archive: Archive, format_name: str, others: Collection[str] = ()) -> Checkpoint:
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


def _read_tokenizer(archive: Archive, side: str, entries: int) -> Tokenizer:
    member = f"tokenizer.{side}"
    value = archive.json(member, LARGEST_TEXT + LARGEST_ENTRY * entries)
    tokenizer = tokenizer_from_json(value, f"{archive.path}, {member}")
    if len(tokenizer) != entries:
        raise archive.damaged(f"its {side} tokenizer and its configuration disagree about the vocabulary's size")
    return tokenizer


def _format_name(archive: Archive) -> Any:
    if "format" not in archive.names:
        raise archive.damaged("it has no 'format'")
    found = archive.json("format")
    return found.get("name") if isinstance(found, dict) else found


def _check_format(archive: Archive, format_name: str) -> None:
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
