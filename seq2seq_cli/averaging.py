"""Several models into one whose weights are their mean: the cheap relative of an ensemble.

Late in a training the weights wander about the minimum; the mean of several places is nearer to it than each of them.
That only holds for models which share a good part of their training: the mean of two that began at different random
weights is worth nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from seq2seq_cli.checkpoint import Checkpoint
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.text.seen import Seen


def average(checkpoints: Sequence[Checkpoint], names: Sequence[str]) -> Checkpoint:
    """Return a model whose every parameter is the mean of the models' parameters of that name.

    ``θ̄ = (θ₁ + … + θ_n) / n``, summed in double precision.

    What is not a number is the first model's; the history is the longest one, so that of models kept from one training
    it is that training's.

    Args:
        checkpoints: at least one, with the same network and the same tokenizers.
        names: what to call them in errors, and in the file.

    Raises:
        UserError: if they do not go together; it says what differs.

    Source:
        Polyak & Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; for translation: Junczys-
        Dowmunt, Dwojak & Sennrich 2016, "The AMU-UEDIN Submission to the WMT16 News Translation Task", section 2.4.
    """
    first = checkpoints[0]
    for checkpoint, name in zip(checkpoints[1:], names[1:]):
        difference = _difference(first, checkpoint)
        if difference is not None:
            raise UserError(
                f"the mean of these models means nothing: {difference}",
                where=f"{names[0]} and {name}",
                fix="average models of one training, or of trainings that went on from it",
            )
    total = np.zeros(len(first.model.parameters.flat))
    for checkpoint in checkpoints:
        total += checkpoint.model.parameters.flat
    mean = Parameters(first.model.parameters.shapes, (total / len(checkpoints)).astype(np.float32))
    words = [checkpoint.seen.words for checkpoint in checkpoints]
    known = frozenset[str]().union(*words) if all(words) else frozenset[str]()
    return dataclasses.replace(
        first,
        model=Seq2Seq(first.model.config, mean),
        history=max((checkpoint.history for checkpoint in checkpoints), key=len),
        corpus=", ".join(dict.fromkeys(checkpoint.corpus for checkpoint in checkpoints)),
        seen=Seen(max(checkpoint.seen.longest for checkpoint in checkpoints), known),
        averaged=tuple(names),
    )


def _difference(one: Checkpoint, other: Checkpoint) -> str | None:
    """Return in words the first thing that keeps two models apart, if there is one."""
    for side in ("source", "target"):
        if getattr(one, f"{side}_tokenizer").to_json() != getattr(other, f"{side}_tokenizer").to_json():
            return f"their {side} vocabularies differ"
    ours, theirs = (dataclasses.asdict(each.model.config) for each in (one, other))
    for setting, value in ours.items():
        if value != theirs[setting]:
            return f"--{setting.replace('_', '-')} was {value} for one and {theirs[setting]} for the other"
    return None
