"""The recipe: one object with every setting of a training run, converted from and to names and TOML."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, Self

from seq2seq_cli.config.sections import UNLIMITED_EPOCHS, CorpusConfig, ModelConfig, TokenizerConfig, TrainingConfig
from seq2seq_cli.config.setting import settings_in, type_of
from seq2seq_cli.errors import UserError, usage_error


@dataclass(frozen=True)
class Recipe:
    """Every setting of a training run: corpora, tokenizers, network, training loop and threads.

    ``given`` names the settings that the user chose; the others have defaults, which may be fitted to the corpus.
    ``threads`` is the number of workers, one per core if None; the last bits of the weights depend on it.

    Example:
        >>> recipe = Recipe.of(corpus="pairs.tsv", hidden_size=64)
        >>> recipe.model.hidden_size, recipe.training.batch_size
        (64, 32)
    """

    corpora: CorpusConfig = dataclasses.field(default_factory=CorpusConfig)
    tokenizers: TokenizerConfig = dataclasses.field(default_factory=TokenizerConfig)
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    threads: int | None = None
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, **settings: Any) -> Self:
        """Return a recipe from settings by name: the long flags of ``seq2seq train`` with underscores.

        Raises:
            UserError: for an unknown name, or a value of the wrong type or outside its limits.
        """
        check_settings(settings, where="Recipe", known=setting_types())
        return cls().replace(**settings)

    def replace(self, **settings: Any) -> Self:
        """Return the recipe with these settings changed and listed in ``given``."""
        if "tie_embeddings" not in self.given:
            settings.setdefault("tie_embeddings", None)  # decided again for the new sizes and context
        parts: dict[str, Any] = {}
        for part in ("corpora", "tokenizers", "model", "training"):
            section = getattr(self, part)
            fields = _names(type(section))
            changes = {fields[name]: value for name, value in settings.items() if name in fields}
            parts[part] = dataclasses.replace(section, **changes) if changes else section
        given = self.given | {name for name, value in settings.items() if value is not None}
        return dataclasses.replace(self, **parts, threads=settings.get("threads", self.threads), given=given)

    def settings(self) -> dict[str, Any]:
        """Return every setting by name, as ``of`` accepts them, without those that are None or set no limit."""
        values: dict[str, Any] = {}
        for section in (self.corpora, self.model, self.tokenizers, self.training):
            values |= {name: getattr(section, attribute) for name, attribute in _names(type(section)).items()}
        values["threads"] = self.threads
        if values["epochs"] >= UNLIMITED_EPOCHS:
            del values["epochs"]
        return {name: value for name, value in values.items() if value is not None}


def _names(section: type[Any]) -> dict[str, str]:
    """Return the attribute of every setting of a section, by the setting's name."""
    names = {name: field.name for name, field in settings_in(section).items()}
    return {"corpus": "corpus", **names} if section is CorpusConfig else names


def setting_types() -> dict[str, type]:
    """Return the type of every setting of a recipe, by the setting's name."""
    types: dict[str, type] = {"corpus": str, "threads": int}
    for section in (CorpusConfig, ModelConfig, TokenizerConfig, TrainingConfig):
        types |= {name: type_of(section, field) for name, field in settings_in(section).items()}
    return types


def check_settings(values: dict[str, Any], where: str, known: dict[str, type]) -> dict[str, Any]:
    """Check names and types of settings and return them, with underscores in the names.

    Raises:
        UserError: for an unknown name (it suggests the nearest known one), or a value of the wrong type.
    """
    settings: dict[str, Any] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            shown = f"did you mean {near[0].replace('_', '-')!r}?" if near else "see 'seq2seq train --help'"
            raise usage_error(f"there is no setting {key!r}", where=where, fix=shown)
        kind = known[name]
        if kind is float and type(value) is int:
            value = float(value) if abs(value) < 1e300 else math.inf
        if value is not None and type(value) is not kind:
            named, example = {
                int: ("a whole number", "3"),
                float: ("a number", "0.5"),
                bool: ("true or false", "true"),
                str: ("text in quotes", '"text"'),
            }[kind]
            shown = str(value)
            shown = repr(shown if len(shown) <= 60 else f"{shown[:59]}…")
            raise usage_error(f"{key} must be {named}, not {shown}", where=where, fix=f"write {key} = {example}")
        settings[name] = value
    return settings


def parse_toml(text: str, where: str, known: dict[str, type]) -> dict[str, Any]:
    """Return the settings of a TOML document, whose keys are long flags; the names returned have underscores.

    Raises:
        UserError: if it is not TOML, or as for ``check_settings``.
    """
    import tomllib

    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"this is not TOML: {error}", where=where, fix='write key = value, text in "quotes"') from None
    return check_settings(values, where, known)


def to_toml(settings: dict[str, Any]) -> list[str]:
    """Return ``key = value`` lines that ``parse_toml`` reads as the same settings."""
    # JSON's strings, numbers and booleans are TOML's as well, except for one control character.
    return [
        f"{name.replace('_', '-')} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
        for name, value in settings.items()
    ]
