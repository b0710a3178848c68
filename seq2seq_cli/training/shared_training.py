"""Send a prepared training from the first process of a run to the others: only one machine needs the files."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from seq2seq_cli.inference.communicator import Communicator
from seq2seq_cli.nn.members import build_model
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.training.batches import EncodedCorpus


class PreparedTraining(NamedTuple):
    """What a ``Trainer`` needs.

    Args:
        checkpoint: the model to start with.
        train, valid: encoded pairs.
        valid_text: the validation pairs as text.
        state: the training state to resume, if any.
        synthetic: encoded synthetic pairs, if any.
    """

    checkpoint: Checkpoint
    train: EncodedCorpus
    valid: EncodedCorpus
    valid_text: Corpus
    state: TrainingState | None
    synthetic: EncodedCorpus | None


def share_training(communicator: Communicator, prepared: PreparedTraining | None) -> PreparedTraining:
    """Return the training that the first process has prepared; the others give None."""
    if communicator.size == 1 or communicator.first:
        assert prepared is not None
        if communicator.size > 1:
            communicator.broadcast(_packed(prepared))
        return prepared
    packed, config, flat, tables, fields = communicator.broadcast(None)
    model = build_model(config, Parameters(fields.pop("shapes"), flat), tables)
    shared: PreparedTraining = packed._replace(checkpoint=Checkpoint(model, **fields))
    return shared


def _packed(prepared: PreparedTraining) -> tuple[Any, ...]:
    """Return a training as values that can be sent: a model's layers are views of one vector, which is sent alone."""
    checkpoint, model = prepared.checkpoint, prepared.checkpoint.model
    fields = {each.name: getattr(checkpoint, each.name) for each in dataclasses.fields(checkpoint)}
    del fields["model"]
    fields["shapes"] = model.parameters.shapes
    return prepared._replace(checkpoint=None), model.config, model.parameters.flat, model.tables, fields  # type: ignore[arg-type]
