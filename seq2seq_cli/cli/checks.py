"""Checks of every command's arguments, before it runs: repeated options, and outputs that would destroy inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from seq2seq_cli.cli.search_flags import DEFAULT_MODEL
from seq2seq_cli.errors import usage_error
from seq2seq_cli.storage.paths import Named, check_outputs, corpus_files
from seq2seq_cli.text.builtin import BUILTIN_PREFIX, builtin_files

INPUT, OUTPUT, NEITHER = "input", "output", ""
OUTPUTS = ("output", "output_file")
"""Names of parameters that are files to write, in every command."""
FILES = ("FILE", "CORPUS")
"""Placeholders of parameters that are files to read, unless they are outputs."""
EXCEPTIONS = {
    "train log_file": OUTPUT,  # which plot history reads
    "train text": INPUT,  # the files of tokenizer train; translate translates TEXT itself
    "encode tokenizer": INPUT,  # train's is the kind of tokenizer
    "decode tokenizer": INPUT,
    "inspect model": INPUT,
    "export model": INPUT,
}
"""Roles of other parameters, by command."""


def role_of(command: Any, parameter: Any) -> str:
    """Return whether a parameter of a command names a file to read, a file to write, or no file."""
    exception = EXCEPTIONS.get(f"{command.name} {parameter.name}")
    if exception is not None:
        return exception
    if parameter.name in OUTPUTS:
        return OUTPUT
    return INPUT if parameter.metavar in FILES else NEITHER


def check_files(context: Any) -> None:
    """Raise if a command would write to a file that it reads, under whatever name (see ``storage.paths``).

    The built-in corpus, the default model, and the files behind standard input and output count as well.
    """
    inputs: list[Named] = [("standard input", 0), *(("the built-in corpus", path) for path in builtin_files())]
    outputs: list[Named] = [("standard output", 1)]
    for parameter in context.command.params:
        role, value = role_of(context.command, parameter), context.params.get(parameter.name)
        if role == INPUT and not value and parameter.name == "model":
            value = DEFAULT_MODEL
        name = max(parameter.opts, key=len) if parameter.param_type_name == "option" else parameter.name.upper()
        for path in _values(value) if role else ():
            if str(path).startswith(BUILTIN_PREFIX):
                continue  # a corpus is among the inputs already
            if role == INPUT:
                inputs += corpus_files(name, path)
            else:
                outputs.append((name, path))
    check_outputs(inputs, outputs)


def _values(value: str | Path | list[Any] | None) -> Iterator[str | Path]:
    if value is not None:
        yield from value if isinstance(value, list | tuple) else [value]


def check_repeated(context: Any, order: Iterable[Any], arguments: list[str]) -> None:
    """Raise if an option that takes one value is given twice, because all values but the last would be lost.

    A switch may be repeated, but not be contradicted: ``--lowercase --no-lowercase``.

    Args:
        context: of the command.
        order: the parameters in the order in which they were given.
        arguments: the words of the command line.
    """
    given: dict[str, int] = {}
    for parameter in order:
        given[parameter.name] = given.get(parameter.name, 0) + 1
        single = parameter.param_type_name == "option" and not parameter.multiple
        if given[parameter.name] == 1 or not single:
            continue
        name = max(parameter.opts, key=len)
        if not parameter.is_flag:
            raise usage_error(f"{name} is given more than once", where=context.command_path, fix="give it once")
        both = {*parameter.opts} & {*arguments}, {*parameter.secondary_opts} & {*arguments}
        if all(both):
            pair = f"{min(both[0])} and {min(both[1])}"
            raise usage_error(f"{pair} contradict each other", where=context.command_path, fix="give one of them")
