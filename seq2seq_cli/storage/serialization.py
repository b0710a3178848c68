"""Pack a model for another process: its layers are views of one vector of parameters, so that vector is sent alone."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.members import build_model
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.storage.checkpoint import Checkpoint


class PackedCheckpoint(NamedTuple):
    """A checkpoint in parts that can be pickled.

    Args:
        config: the shape of the network.
        shapes: those of the parameters.
        flat: all parameters in one vector.
        tables: of the priors.
        fields: everything else that a ``Checkpoint`` has.
    """

    config: ModelConfig
    shapes: dict[str, tuple[int, ...]]
    flat: Array
    tables: Any
    fields: dict[str, Any]


def pack(checkpoint: Checkpoint) -> PackedCheckpoint:
    """Return a checkpoint in parts that can be sent."""
    model = checkpoint.model
    fields = {each.name: getattr(checkpoint, each.name) for each in dataclasses.fields(checkpoint)}
    del fields["model"]
    return PackedCheckpoint(model.config, model.parameters.shapes, model.parameters.flat, model.tables, fields)


def unpack(packed: PackedCheckpoint) -> Checkpoint:
    """Return the checkpoint again; it shares the vector of parameters with the parts."""
    model = build_model(packed.config, Parameters(packed.shapes, packed.flat), packed.tables)
    return Checkpoint(model, **packed.fields)
