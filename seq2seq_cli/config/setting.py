"""A setting: a field of a frozen dataclass with a default, limits and help."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, TypeVar, get_args, get_type_hints

from seq2seq_cli.errors import choice_error, usage_error

_Config = TypeVar("_Config")


def setting(
    default: Any,
    text: str,
    metavar: str = "N",
    *,
    low: float | None = None,
    high: float = math.inf,
    below: bool = False,
    choices: tuple[str, ...] = (),
    name: str = "",
    shown: str = "",
    fitted: str = "",
    version_2: bool = False,
) -> Any:
    """Return a dataclass field that is a setting.

    Args:
        default: its default value.
        text: one sentence of help.
        metavar: the placeholder for its value in ``--help``.
        low, high: limits of a number; None: not a number.
        below: whether ``high`` itself is excluded.
        choices: the allowed values of a text; empty if any is allowed.
        name: of the flag, with underscores, if it differs from the field's.
        shown: the default in words, if its value does not say enough.
        fitted: what ``train`` takes instead of the default, in words, unless the network is the plain one of the
            tutorials (``--context initial``).
        version_2: whether files of version 1 lack it (see ``Section.to_json``).
    """
    limits = None if low is None else (low, high, below)
    metadata = {
        "text": text,
        "metavar": metavar,
        "limits": limits,
        "choices": choices,
        "name": name,
        "shown": shown,
        "fitted": fitted,
        "version_2": version_2,
    }
    return dataclasses.field(default=default, metadata=metadata)


def check_range(flag: str, value: float, low: float, high: float = math.inf, below: bool = False) -> None:
    """Raise unless low <= value <= high (or < high); after a colon, ``flag`` may name a part of its value."""
    inside = low <= value < high if below else low <= value <= high
    if not inside:  # also true for NaN
        if math.isinf(high):
            limits = f"{low} or more"
        else:
            limits = f"from {low} to {'below ' if below else ''}{high}"
        raise usage_error(
            f"{flag} must be {limits}, not {str(value)[:30]}",
            where=flag.partition(":")[0],
            fix=f"give a value {limits}",
        )


def check_choice(flag: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise unless the value is one of the choices."""
    if value not in choices:
        raise choice_error(flag, value, choices)


def flag_of(name: str) -> str:
    """Return the flag of a setting: ``--batch-size`` for ``batch_size``."""
    return f"--{name.replace('_', '-')}"


class Section:
    """A frozen dataclass of settings that checks itself when it is created."""

    panel: ClassVar[str] = ""
    """The heading of its flags in ``--help``."""

    def __post_init__(self) -> None:
        for name, field in settings_in(type(self)).items():
            value = getattr(self, field.name)
            if value is not None and field.metadata["limits"]:
                check_range(flag_of(name), value, *field.metadata["limits"])
            if value is not None and field.metadata["choices"]:
                check_choice(flag_of(name), value, field.metadata["choices"])

    def to_json(self) -> dict[str, Any]:
        """Return the values as they are stored in files; ``config_from_json`` reads them.

        A setting of version 2 is left out at its default: files and fingerprints of trainings that do not use it stay
        the same. So the default of such a setting can never change.
        """
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        optional = {field.name: field.default for field in self._fields_of_version_2()}
        return {name: value for name, value in values.items() if name not in optional or value != optional[name]}

    def uses_version_2(self) -> bool:
        """Whether a program that reads only files of version 1 cannot read these settings."""
        return any(getattr(self, field.name) != field.default for field in self._fields_of_version_2())

    def _fields_of_version_2(self) -> list[dataclasses.Field[Any]]:
        return [field for field in dataclasses.fields(self) if field.metadata.get("version_2")]  # type: ignore[arg-type]


def settings_in(section: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """Return the fields of a section that are settings, by the name of their flag, with underscores."""
    return {field.metadata["name"] or field.name: field for field in dataclasses.fields(section) if field.metadata}


def type_of(section: type[Any], field: dataclasses.Field[Any]) -> type:
    """Return the type of a setting's value, without None."""
    hint = get_type_hints(section)[field.name]
    kinds: list[type] = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    return kinds[-1]  # of int | str, as in SearchConfig.max_length: text, which can be a number, too


class UnknownSettingError(ValueError):
    """A file has settings that this version of the program does not know."""


def config_from_json(kind: type[_Config], values: Any) -> _Config:
    """Return a configuration from the JSON value of ``Section.to_json``, with the type of every value checked.

    A missing setting has its default, so that files from before it existed stay readable.

    Raises:
        UnknownSettingError: for unknown fields, which a later version of this program may know.
        ValueError: for a value of the wrong type.
        UserError: for a value outside its limits.
    """
    hints = get_type_hints(kind)
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if not isinstance(values, dict):
        raise ValueError(f"it does not have the fields of a {kind.__name__}")
    if not values.keys() <= names:
        raise UnknownSettingError(f"{min(values.keys() - names)!r} is not among the fields of a {kind.__name__}")
    for name, value in values.items():
        allowed = get_args(hints[name]) or (hints[name],)
        if type(value) not in allowed and not (type(value) is int and float in allowed):
            raise ValueError(f"{name} cannot be {value!r}")
    return kind(**values)
