"""Send a prepared training from the first process of a run to the others: only one machine needs the files."""

from __future__ import annotations

from typing import NamedTuple

from seq2seq_cli.inference.communicator import Communicator
from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState
from seq2seq_cli.storage.serialization import pack, unpack
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
    if communicator.first:
        assert prepared is not None
        if communicator.size > 1:
            communicator.broadcast((pack(prepared.checkpoint), *prepared[1:]))
        return prepared
    checkpoint, *others = communicator.broadcast(None)
    return PreparedTraining(unpack(checkpoint), *others)
