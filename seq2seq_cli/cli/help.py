"""Typer commands with shorter help and deferred imports.

``--help`` shows no type for arguments and for flags without a value. The module of a command is imported when the
command is called, so that ``seq2seq --help`` starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def _without_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None
        elif getattr(parameter, "is_flag", False) and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


class Command(TyperCommand):
    """One command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help flag included."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """Several commands under one name."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help flag included."""
        return _without_types(super().get_params(ctx))


class Deferred(Command):
    """A placeholder for a command, or a group, whose module is imported when it is called.

    Args:
        name: of the command.
        home: its module in ``cli/`` and what it is called there, a function or a ``typer.Typer``.
        line: its line in the list of commands, the first one of its own help.
        hidden: whether to leave it out of the list.
    """

    def __init__(self, name: str, home: str, line: str, *, hidden: bool = False) -> None:
        super().__init__(name=name, help=line, hidden=hidden)
        self.home = home

    def load(self) -> Any:
        """Return the command itself."""
        module, _, place = self.home.partition(":")
        found = getattr(import_module(f"seq2seq_cli.cli.commands.{module}"), place)
        if not isinstance(found, typer.Typer):
            function, found = found, typer.Typer(add_completion=False)
            found.command(self.name, cls=Command)(function)
        command = typer.main.get_command(found)
        command.name = self.name
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself, in which it then runs, shows its help or completes a word."""
        return self.load().make_context(info_name, args, parent, **extra)
