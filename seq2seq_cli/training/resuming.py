"""Resume a training: read its state, and compare the given recipe with the one that it started with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from seq2seq_cli.config import Recipe, flag_of
from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState, load_state
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.text.tokenizer_file import load_tokenizer

MAY_CHANGE_ON_RESUME = ("epochs", "learning_rate", "max_minutes", "max_steps", "patience")


def load_training(recipe: Recipe, output: Path) -> tuple[Checkpoint, TrainingState]:
    """Return the training to resume.

    If its model file is missing, the best model so far is lost, and the next validation counts as an improvement.

    Raises:
        UserError: if there is none, or if the recipe asks for what it did not start with.
    """
    path = state_path(output)
    if not path.exists():
        raise UserError("there is no training to resume", where=str(path), fix="train without --resume")
    checkpoint, state = load_state(path)
    for side, found in (("source", checkpoint.source_tokenizer), ("target", checkpoint.target_tokenizer)):
        file = getattr(recipe.corpora, f"{side}_tokenizer")
        if file is not None and load_tokenizer(Path(file)).to_json() != found.to_json():
            raise UserError(
                f"this {side} tokenizer is not the one that this training started with",
                where=str(file),
                fix=f"leave --{side}-tokenizer out, or train without --resume",
            )
    for name, stored, given in _differences(checkpoint.recipe, recipe):
        flag = flag_of(name)
        may_change = ", ".join(flag_of(each) for each in MAY_CHANGE_ON_RESUME)
        raise UserError(
            f"{flag} {given} is not what this training started with: {stored}",
            where=str(path),
            fix=f"leave {flag} out ({may_change} may change), or train without --resume",
        )
    if not output.exists():  # the best model is lost; the next validation is the best there is
        state.progress["best_loss"] = None
    return checkpoint, state


def _differences(stored: Recipe, recipe: Recipe) -> Iterator[tuple[str, object, object]]:
    """Yield the settings that were given, must not change, and differ; what files hold is compared elsewhere."""
    files = ("corpus", "valid", "source_tokenizer", "target_tokenizer", "threads")
    before, now = stored.settings(), recipe.settings()
    for name in sorted(recipe.given):
        if name not in (*MAY_CHANGE_ON_RESUME, *files) and before.get(name) != now.get(name):
            yield name, before.get(name), now.get(name)


def continued(stored: Recipe, recipe: Recipe) -> Recipe:
    """Return the stored recipe with what may change taken from the given one."""
    changes = {name: value for name, value in recipe.settings().items() if name in recipe.given}
    continued: Recipe = dataclasses.replace(stored.replace(**changes), model=stored.model)
    return continued
