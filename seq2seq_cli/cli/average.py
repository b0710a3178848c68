"""``seq2seq average``: several models of one training into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seq2seq_cli.cli import console
from seq2seq_cli.errors import usage_error


def average_command(
    models: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL...", help="Two or more model files, of one network.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The averaged model.", show_default=False)
    ],
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Average the weights of several models into one, which is as fast as each of them.

    It pays for models of one training, such as the best one and the ones that it replaced.
    Models that were trained apart are better together as an ensemble: translate -m A -m B.

    Examples:
      seq2seq average early.npz middle.npz late.npz -o mean.npz
      seq2seq eval -m mean.npz
    """
    from seq2seq_cli.averaging import average
    from seq2seq_cli.checkpoint import check_model_path, load_model, put_aside, save_model
    from seq2seq_cli.files import check_writable, exclusive, remove_leftovers

    if len(models) < 2:
        raise usage_error("one model is its own average", where="MODEL", fix="name two models or more")
    console.check_inputs(*models)
    check_model_path(output)
    check_writable(output)
    with exclusive(output):
        remove_leftovers(output)
        mean = average([load_model(path) for path in models], [str(path) for path in models])
        previous = put_aside(output)
        save_model(output, mean)
    if previous is not None:
        console.say(f"note: the model that was in {output} is kept as {previous}")
    console.say(f"{output} is the mean of {len(models)} models: score it before you trust it, with 'seq2seq eval'")
