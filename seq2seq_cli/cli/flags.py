"""Make flags from settings: each field of a configuration becomes a flag with help, default and completion.

A command takes its settings as ``**settings``; the decorator ``with_flags`` replaces them by the flags::

    @with_flags(SearchConfig)
    def translate_command(text: ..., **settings: Any) -> None:
        config = SearchConfig(**settings)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Annotated, TypeVar, get_type_hints

import typer

from seq2seq_cli.config import Section, flag_of, settings_in, type_of

_Command = TypeVar("_Command", bound=Callable[..., None])


def choices_of(name: str) -> tuple[str, ...]:
    """Return the choices of a setting that are listed in a table outside of ``config``."""
    if name == "cell":
        from seq2seq_cli.nn.cells import CELLS

        return tuple(CELLS)
    if name == "optimizer":
        from seq2seq_cli.nn.optimizers import OPTIMIZERS

        return tuple(OPTIMIZERS)
    return ()


def with_flags(
    *sections: type[Section], leave_out: Collection[str] = (), optional: bool = False
) -> Callable[[_Command], _Command]:
    """Give a command a flag for every setting of the sections.

    Args:
        sections: configurations.
        leave_out: names of settings that are not flags of this command.
        optional: whether a flag that is not given is None instead of its default.
    """

    def decorate(command: _Command) -> _Command:
        """Replace ``**settings`` in the command's signature by the flags."""
        hints = get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[name])
            for name, parameter in inspect.signature(command).parameters.items()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        flags = [flag for section in sections for flag in _flags(section, leave_out, optional)]
        command.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]
        command.__annotations__ = {part.name: part.annotation for part in (*own, *flags)} | {"return": None}
        return command

    return decorate


def _flags(section: type[Section], leave_out: Collection[str], optional: bool) -> Iterator[inspect.Parameter]:
    for name, field in settings_in(section).items():
        if name in leave_out:
            continue
        kind, metadata = type_of(section, field), field.metadata
        choices = metadata["choices"] or choices_of(name)
        # A switch that is off by default can only be switched on, so it has no --no-…
        switch = kind is bool and (optional or field.default is not False)
        text = f"{metadata['text']}: {listed(choices)}." if choices else metadata["text"]
        default: object = field.default
        shown: str = metadata["shown"] or {"True": "yes", "False": "no"}.get(str(default), str(default))
        if metadata["fitted"]:
            shown = f"{metadata['fitted']}; {shown} with --context initial"
        option = typer.Option(
            f"{flag_of(name)}/--no-{name.replace('_', '-')}" if switch else flag_of(name),
            metavar="" if kind is bool else metadata["metavar"],
            help=text,
            show_default=shown,
            rich_help_panel=f"{section.panel}: yes or no" if switch else section.panel,  # wide flags apart
            autocompletion=completion(choices) if choices else None,
        )
        hint = Annotated[kind | None, option] if optional else Annotated[kind, option]
        value = None if optional else default
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=hint)


def listed(choices: tuple[str, ...]) -> str:
    """Return the choices as text: ``rnn, lstm or gru``."""
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def completion(choices: Collection[str], separator: str = "") -> Callable[[str], list[str]]:
    """Return the completion of a value at TAB.

    Args:
        choices: the allowed values.
        separator: between several of them, if that is allowed.
    """

    def complete(incomplete: str) -> list[str]:
        """Return the choices that start with the incomplete word."""
        before, found, word = incomplete.rpartition(separator) if separator else ("", "", incomplete)
        return [f"{before}{found}{choice}" for choice in choices if choice.startswith(word)]

    return complete


def complete_model(incomplete: str) -> list[str]:
    """Return the model files, and the folders, whose paths start with the incomplete word."""
    folder, _, name = incomplete.rpartition("/")
    start = f"{folder}/" if "/" in incomplete else ""
    try:
        entries = sorted(Path(start or ".").expanduser().iterdir())
    except (OSError, RuntimeError):
        return []
    entries = [entry for entry in entries if entry.name.startswith(name) and (name or entry.name[:1] != ".")]
    models = [entry for entry in entries if entry.suffix == ".npz" and not entry.name.endswith(".state.npz")]
    return [f"{start}{entry.name}" for entry in models] + [f"{start}{e.name}/" for e in entries if e.is_dir()]
