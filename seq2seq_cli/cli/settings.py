"""Settings from a TOML file, any long flag of ``seq2seq train``, checked for name and type; and back to TOML."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.text.corpus import shorten
from seq2seq_cli.text.inputs import read_bytes, title
from seq2seq_cli.training.run import TEXT_DEFAULTS

if TYPE_CHECKING:
    from seq2seq_cli.storage.checkpoint import Checkpoint

LARGEST_FILE = 1 << 20


def read_settings(path: Path, known: dict[str, type]) -> dict[str, Any]:
    """Return the settings of a TOML file, or of standard input (``-``), by flag name with underscores.

    Args:
        path: the file; keys are long flags without their dashes at the front, ``batch-size = 64``.
        known: flag name with underscores → type.

    Raises:
        UserError: for a file that is not TOML, an unknown key (with the nearest known one), or a value of a wrong type.
    """
    text = _decode(read_bytes(path, LARGEST_FILE), path)
    settings: dict[str, Any] = {}
    for key, value in parse_toml(text, title(path)).items():
        name = key.replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            shown = f"did you mean {near[0].replace('_', '-')!r}?" if near else "see 'seq2seq train --help'"
            raise usage_error(f"there is no setting {key!r}", where=title(path), fix=shown)
        kind = known[name]
        if kind is float and type(value) is int:
            value = float(value) if abs(value) < 1e300 else math.inf
        if type(value) is not kind:
            named, example = {
                int: ("a whole number", "3"),
                float: ("a number", "0.5"),
                bool: ("true or false", "true"),
                str: ("a text in quotes", '"text"'),
            }[kind]
            shown = shorten(str(value))
            raise usage_error(
                f"{key} must be {named}, not {shown}", where=title(path), fix=f"write for example {key} = {example}"
            )
        settings[name] = value
    return settings


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(
            "this line is not UTF-8", where=f"{title(path)}, line {line}", fix="save the file as UTF-8"
        ) from None


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Return the values of a TOML document."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"this is not TOML: {error}", where=where, fix='write key = value, text in "quotes"') from None


def settings_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the settings that train a model again, by flag name; those that were not limited or given are left out."""
    from seq2seq_cli.text.builtin import BUILTIN
    from seq2seq_cli.training.trainer import UNLIMITED_EPOCHS

    model, training = dataclasses.asdict(checkpoint.model.config), dataclasses.asdict(checkpoint.training)
    del model["source_vocabulary"], model["target_vocabulary"]  # follow from the corpus and the tokenizers' settings
    if training["epochs"] >= UNLIMITED_EPOCHS:
        del training["epochs"]
    corpus = None if checkpoint.corpus == BUILTIN else checkpoint.corpus
    text = {name: checkpoint.text.get(name, default) for name, default in TEXT_DEFAULTS.items()}
    everything = {
        "corpus": corpus,
        "valid": checkpoint.valid,
        **model,
        **text,
        **training,
        "threads": checkpoint.threads,
    }
    return {
        name.replace("_", "-"): value
        for name, value in everything.items()
        if isinstance(value, (bool, int, float, str))
    }


def to_toml(settings: dict[str, Any]) -> list[str]:
    """Return ``key = value`` lines that ``read_settings`` reads as the same settings."""
    # JSON's texts, numbers and truth values are TOML's as well, but for one control character.
    return [
        f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f") for key, value in settings.items()
    ]
