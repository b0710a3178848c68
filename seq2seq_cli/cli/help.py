"""Typer commands with shorter help and deferred imports.

``--help`` shows no type for arguments and for flags without a value. The module of a command is imported when the
command is called, so that ``seq2seq --help`` is fast.
"""

from __future__ import annotations

import sys
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


def _plain_off_a_terminal() -> None:
    """Make help plain text in a pipe: Typer colors it in GitHub's CI, and Rich wherever FORCE_COLOR is set."""
    if sys.stdout is None or not sys.stdout.isatty():
        from typer import rich_utils

        rich_utils.FORCE_TERMINAL = False


class Command(TyperCommand):
    """A command whose help shows no types, and whose arguments are checked (see ``checks``)."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; in a pipe, as plain text."""
        _plain_off_a_terminal()
        super().format_help(ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help flag included."""
        return _without_types(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; an option that takes one value may not be given twice."""
        from seq2seq_cli.cli.checks import check_repeated

        arguments = list(args)
        rest: list[str] = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            check_repeated(ctx, self.make_parser(ctx).parse_args(list(arguments))[2], arguments)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command, if no output of it would destroy one of its inputs."""
        from seq2seq_cli.cli.checks import check_files

        check_files(ctx)
        return super().invoke(ctx)


class Group(TyperGroup):
    """A group of commands whose help shows no types."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; in a pipe, as plain text."""
        _plain_off_a_terminal()
        super().format_help(ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, the help flag included."""
        return _without_types(super().get_params(ctx))


class Deferred(Command):
    """A placeholder for a command, or a group, whose module is imported when it is called.

    Args:
        name: name of the command.
        target: ``module:attribute``, a function or a ``typer.Typer`` in ``cli/commands/``.
        line: its line in the list of commands, the same as the first line of its own help.
        hidden: whether to leave it out of the list.
    """

    def __init__(self, name: str, target: str, line: str, *, hidden: bool = False) -> None:
        super().__init__(name=name, help=line, hidden=hidden)
        self.target = target

    def load(self) -> Any:
        """Return the command itself."""
        module, _, attribute = self.target.partition(":")
        loaded = getattr(import_module(f"seq2seq_cli.cli.commands.{module}"), attribute)
        if not isinstance(loaded, typer.Typer):
            function, loaded = loaded, typer.Typer(add_completion=False)
            loaded.command(self.name, cls=Command)(function)
        command = typer.main.get_command(loaded)
        command.name = self.name
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself, for running it, for its help and for completion."""
        return self.load().make_context(info_name, args, parent, **extra)
