"""Save and resume a training run: the model, the training state, and fingerprints of what must not change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.archive import Archive
from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState, save_model, save_state
from seq2seq_cli.storage.model_files import back_up_model, state_path
from seq2seq_cli.training.batches import EncodedCorpus

if TYPE_CHECKING:
    from seq2seq_cli.training.trainer import Trainer

HASHED_NUMBERS = 1 << 16
"""Token ids that are hashed at a time."""


@dataclass
class TrainingFiles:
    """The files of a training run.

    Args:
        output: path of the model; the training state is beside it.
        fingerprints: hashes of everything that must be the same when the training is resumed.
        replaces_another: whether an existing model is of another training run, and has to be backed up first.
    """

    output: Path
    fingerprints: dict[str, str]
    replaces_another: bool

    def save(self, trainer: Trainer, improved: bool) -> None:
        """Write the model if it is the best so far or the first, then the training state."""
        checkpoint, schedule = trainer.checkpoint, trainer.schedule
        if improved or not checkpoint.history or not self.output.exists():
            if self.replaces_another:
                back_up_model(self.output)
            self.replaces_another = False
            save_model(self.output, checkpoint)
        progress = {
            "step": trainer.step,
            "epoch": trainer.epoch,
            "batch": trainer.batch,
            "augmented": trainer.augmented,
            "seconds": trainer.seconds,
            "validated_step": trainer.validated_step,
            "rate_scale": schedule.scale,
            "best_loss": schedule.best if math.isfinite(schedule.best) else None,
            "failures": schedule.failures,
            "fingerprints": self.fingerprints,
        }
        save_state(state_path(self.output), checkpoint, TrainingState(trainer.optimizer.moments(), progress))


class SavedStep:
    """Tells which step of a running training is saved.

    Args:
        output: path of the model.
        resumed: whether the training state that exists now belongs to this training.
    """

    def __init__(self, output: Path, resumed: bool) -> None:
        self.path = state_path(output)
        self._other = None if resumed else self._version()

    def step(self) -> int | None:
        """Return the step in the training state, or None if this training has not saved one."""
        if self._version() in (None, self._other):
            return None
        with contextlib.suppress(UserError, KeyError, TypeError, ValueError), Archive(self.path) as archive:
            return int(archive.json("state")["step"])
        return None

    def _version(self) -> tuple[int, int] | None:
        """Return what changes with each save; None if there is no file."""
        with contextlib.suppress(OSError):
            found = self.path.stat()
            return found.st_ino, found.st_mtime_ns
        return None


def restore(trainer: Trainer, state: TrainingState) -> None:
    """Set a trainer to a saved training state.

    Raises:
        UserError: if the state is damaged, or is of another corpus, network, optimizer or pair of tokenizers.
    """
    progress, where = state.progress, str(state_path(trainer.files.output))
    moments = trainer.optimizer.moments()
    try:
        saved = dict(progress["fingerprints"])
        counts = {name: int(progress[name]) for name in ("step", "epoch", "batch", "validated_step", "failures")}
        if not all(0 <= count <= sys.maxsize for count in counts.values()):
            raise ValueError("a count is out of range")
        trainer.optimizer.steps, trainer.epoch, trainer.batch = counts["step"], counts["epoch"], counts["batch"]
        trainer.augmented = bool(progress.get("augmented")) and trainer.synthetic_per_epoch > 0
        trainer.validated_step, trainer.schedule.failures = counts["validated_step"], counts["failures"]
        trainer.seconds = float(progress["seconds"])
        trainer.schedule.scale = float(progress["rate_scale"])
        trainer.schedule.best = math.inf if progress["best_loss"] is None else float(progress["best_loss"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else error
        raise UserError(f"the training state is damaged: {what}", where=where, fix="train without --resume") from None
    for name, value in trainer.files.fingerprints.items():
        if saved.get(name) != value:
            raise UserError(
                f"the {name} is not the one that this training started with",
                where=where,
                fix=f"give the same {name} as before, or train without --resume",
            )
    if state.moments.keys() != moments.keys():
        raise UserError("the training state is of another optimizer", where=where, fix="train without --resume")
    for name, vector in moments.items():
        vector[...] = state.moments[name]


def fingerprints(checkpoint: Checkpoint, train: EncodedCorpus, valid: EncodedCorpus) -> dict[str, str]:
    """Return hashes of everything that must be the same when a training is resumed, by description."""
    tokenizers = (checkpoint.source_tokenizer, checkpoint.target_tokenizer)
    return {
        "network": _hashed([_json_bytes(checkpoint.model.config.to_json())]),
        "pair of tokenizers": _hashed(_json_bytes(tokenizer.to_json()) for tokenizer in tokenizers),
        "training corpus": _hashed(_ids_of(train)),
        "validation corpus": _hashed(_ids_of(valid)),
    }


def _hashed(parts: Iterable[Any]) -> str:
    """Return one hash of several parts, each bytes or an array."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _json_bytes(value: Any) -> bytes:
    """Return a JSON value as bytes, the same for the same value."""
    return json.dumps(value, sort_keys=True).encode()


def _ids_of(corpus: EncodedCorpus) -> Iterator[npt.NDArray[np.integer]]:
    """Yield the ids of a corpus, some at a time, converted to the same types for every corpus."""
    for side in (corpus.source, corpus.target):
        for numbers, kind in ((side.ids, np.int32), (side.starts, np.int64)):
            for start in range(0, len(numbers), HASHED_NUMBERS):
                yield numbers[start : start + HASHED_NUMBERS].astype(kind)
