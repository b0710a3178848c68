"""Curves of a training: validations from a model file, the training loss from a metrics log."""

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
"""Points of the training loss: every one is the mean of a stretch of steps."""


class ValidationCurve(NamedTuple):
    """The validations of one model, one entry each.

    Args:
        name: of the model.
        steps, minutes: when the validation took place.
        loss: nats per token.
        bleu: of greedy search.
        kept: index of the validation whose model is in the file.
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
            "this model was saved before its first validation: there is nothing to draw yet",
            where=name,
            fix="continue its training with --resume",
        )
    steps, seconds, loss, bleu = (_array([record[key] for record in records]) for key in keys)
    return ValidationCurve(name, steps, seconds / 60, loss, bleu, kept=int(loss.argmin()))


def training_curve(lines: Iterable[str], name: str) -> tuple[Array, Array]:
    """Return steps and training loss from a metrics log.

    The loss is the logarithm of the perplexity, that is without label smoothing, averaged over stretches of the log.

    Args:
        lines: of the log; those that are not records of training steps are skipped.
        name: of the log, for the error.

    Raises:
        UserError: if there is no training step.
    """
    points = []
    for line in lines:
        try:
            record = json.loads(line)
            if is_number(record.get("perplexity")) and is_number(record.get("step")):
                points.append((record["step"], math.log(record["perplexity"])))
        except (ValueError, AttributeError, RecursionError):  # a truncated last line, or another kind of file
            continue
    if not points:
        raise UserError(
            "there is no training step in this file", where=name, fix="give what 'seq2seq train --log-file' wrote"
        )
    steps, losses = _array(points).T
    stretches = np.array_split(np.arange(len(steps)), min(len(steps), MAX_POINTS))
    return tuple(_array([values[stretch].mean() for stretch in stretches]) for values in (steps, losses))  # type: ignore[return-value]


def _array(values: list[Any]) -> Array:
    return np.array(values, np.float64)
