"""Learning curves: validations from a model file, and the training loss from a metrics log."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.storage.checkpoint import Checkpoint, is_number

MAX_POINTS = 200
"""Maximum points of the training loss; each is the mean over consecutive steps."""


class ValidationCurve(NamedTuple):
    """The validations of one model, with one value each.

    Args:
        name: name of the model.
        steps, minutes: position of the validation in the training.
        loss: validation loss, in nats per token.
        bleu: BLEU of greedy search.
        kept: index of the validation whose model was kept: the last improvement (by loss in older files).
    """

    name: str
    steps: Array
    minutes: Array
    loss: Array
    bleu: Array
    kept: int


def validation_curve(name: str, checkpoint: Checkpoint) -> ValidationCurve:
    """Return the validations in a model file's history.

    Raises:
        UserError: if there are none.
    """
    keys = ("step", "seconds", "valid_loss", "valid_bleu")
    records = [record for record in checkpoint.history if all(is_number(record.get(key)) for key in keys)]
    if not records:
        raise UserError(
            "this model was saved before its first validation, so there is nothing to draw yet",
            where=name,
            fix="continue its training with --resume",
        )
    steps, seconds, loss, bleu = (_array([record[key] for record in records]) for key in keys)
    improvements = [k for k, record in enumerate(records) if record.get("improved") is True]
    kept = improvements[-1] if improvements else int(loss.argmin())
    return ValidationCurve(name, steps, seconds / 60, loss, bleu, kept)


def training_curve(lines: Iterable[str], name: str, checkpoint: Checkpoint) -> tuple[Array, Array]:
    """Return steps and training loss from the metrics log of a model.

    The loss is the logarithm of the perplexity, so it has no label smoothing. It is averaged over consecutive steps.

    Args:
        lines: lines of the log; those that are not records of training steps are skipped.
        name: name of the log, for the error message.
        checkpoint: the model.

    Raises:
        UserError: if there is no training step, or if none of the log's validations is one of the model's.
    """
    points = []
    validations = set()
    for line in lines:
        try:
            record = json.loads(line)
            if is_number(record.get("valid_loss")) and is_number(record.get("step")):
                validations.add((record["step"], record["valid_loss"]))
            if is_number(record.get("perplexity")) and is_number(record.get("step")):
                points.append((record["step"], math.log(record["perplexity"])))
        except (ValueError, AttributeError, RecursionError):  # a truncated last line, or another format
            continue
    if not points:
        raise UserError(
            "there is no training step in this file",
            where=name,
            fix="give a file that 'seq2seq train --log-file' wrote",
        )
    of_model = {(record.get("step"), record.get("valid_loss")) for record in checkpoint.history}
    if validations and not validations & of_model:  # a log that ends before the first one may be that of the model
        raise UserError(
            "this is the log of another training: none of its validations is one of the model's",
            where=name,
            fix="give the log of this model, or leave --log-file out",
        )
    steps, losses = _array(points).T
    groups = np.array_split(np.arange(len(steps)), min(len(steps), MAX_POINTS))
    return tuple(_array([values[group].mean() for group in groups]) for values in (steps, losses))  # type: ignore[return-value]


def _array(values: list[Any]) -> Array:
    return np.array(values, np.float64)
