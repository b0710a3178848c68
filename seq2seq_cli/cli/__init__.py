"""The command line: flags to calls, results to the screen. The only floor that knows Typer, Rich and exit codes."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from seq2seq_cli import __version__
from seq2seq_cli.cli import console
from seq2seq_cli.cli.average import average_command
from seq2seq_cli.cli.evaluate import evaluate_command
from seq2seq_cli.cli.gradcheck import gradcheck_command
from seq2seq_cli.cli.help import Command, Group
from seq2seq_cli.cli.inspect import inspect_command
from seq2seq_cli.cli.plot import plot_app
from seq2seq_cli.cli.tokenizer import tokenizer_app
from seq2seq_cli.cli.train import train_command
from seq2seq_cli.cli.translate import translate_command

app = typer.Typer(
    name="seq2seq",
    cls=Group,
    help="Translate with a recurrent encoder–decoder without attention, trained on your own machine.",
    epilog="Start with: seq2seq train, then seq2seq translate and seq2seq eval.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("train", cls=Command)(train_command)
app.command("translate", cls=Command)(translate_command)
app.command("eval", cls=Command)(evaluate_command)
app.command("evaluate", hidden=True, cls=Command)(evaluate_command)
app.command("average", cls=Command)(average_command)
app.command("inspect", cls=Command)(inspect_command)
app.command("gradcheck", cls=Command)(gradcheck_command)
app.add_typer(plot_app, name="plot")
app.add_typer(tokenizer_app, name="tokenizer")


def _show_version(value: bool) -> None:
    if value:
        print(f"seq2seq {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.", show_default=False),
    ] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Translate with a recurrent encoder–decoder without attention, trained on your own machine."""


def main() -> None:
    """Run the command line and exit; Ctrl-C pressed again and again on the way out is no traceback either."""
    try:
        code = console.run(app)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        code = console.EXIT_INTERRUPTED
    sys.exit(code)
