"""Commands that several processes share under mpirun: the first one runs the command, the others help to translate."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from seq2seq_cli.inference.communicator import find_communicator

Command = TypeVar("Command", bound=Callable[..., None])


def shared(command: Command) -> Command:
    """Return a command whose translators (see ``search_flags.load_translator``) all processes of a run share."""

    @functools.wraps(command)
    def run(*arguments: object, **options: object) -> None:
        communicator = find_communicator()
        if communicator.size == 1:
            command(*arguments, **options)
            return
        from seq2seq_cli.inference.leading import end_followers, follow

        with communicator.together():
            if communicator.first:
                command(*arguments, **options)
                end_followers(communicator)
            else:
                follow(communicator)

    return run  # type: ignore[return-value]
