"""The command line: it turns flags into calls and prints results. Only this package uses Typer, Rich and exit codes."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from seq2seq_cli import __version__
from seq2seq_cli.cli import exits
from seq2seq_cli.cli.help import Deferred, Group
from seq2seq_cli.cli.signals import hide_interruptions, ignore_interruptions, leave
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.errors import usage_error
from seq2seq_cli.inference.communicator import launched_size

_EVALUATE = "evaluate:evaluate_command", "Score a model on a test corpus, with sacreBLEU's signatures."
SHARED = ("train", "translate", "eval")
"""Commands whose work several processes share under mpirun."""
COMMANDS = (
    ("train", "train:train_command", "Train a model and keep the best one."),
    ("translate", "translate:translate_command", "Translate text with a trained model."),
    ("eval", *_EVALUATE),
    ("evaluate", *_EVALUATE),
    ("score", "score:score_command", "Score given translations: their log-probability and perplexity."),
    (
        "inspect",
        "inspect:inspect_command",
        "Show the settings, tokenizers, parameters and training history in a model file.",
    ),
    ("export", "export:export_command", "Write a model for PyTorch or ONNX, with a script that runs it."),
    (
        "gradcheck",
        "gradcheck:gradcheck_command",
        "Check the hand-derived gradients of a small random model against finite differences.",
    ),
    ("plot", "plot:plot_app", "Draw learning curves, BLEU by source length, and context vectors."),
    ("tokenizer", "tokenizer:tokenizer_app", "Train a tokenizer, and turn text into tokens and back."),
)
"""Name, target (module:attribute), and line in the list of commands."""


class Root(Group):
    """The command ``seq2seq``: the module of a subcommand is imported when the subcommand is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, target, line in COMMANDS:
            self.add_command(Deferred(name, target, line, hidden=name == "evaluate"))


app = typer.Typer(
    name="seq2seq",
    cls=Root,
    help="Translate with a recurrent encoder–decoder without attention, trained on your own machine.",
    epilog="Start with: seq2seq train, then seq2seq translate and seq2seq eval.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        console.write_results([f"seq2seq {__version__}"])
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.", show_default=False),
    ] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Translate with a recurrent encoder–decoder without attention, trained on your own machine."""
    if launched_size() > 1 and context.invoked_subcommand not in SHARED:
        raise usage_error(
            f"mpirun has started {launched_size()} processes, but only {', '.join(SHARED)} share their work among them",
            where=f"seq2seq {context.invoked_subcommand}",
            fix="run this command without mpirun",
        )


def main() -> None:
    """Run the command line and exit; even repeated Ctrl-C during the exit prints no traceback."""
    hide_interruptions()
    try:
        code = exits.run(app)
        ignore_interruptions()
    except KeyboardInterrupt:  # a second one, while the first one was being handled
        code = exits.interrupted()
    if code > console.EXIT_SIGNAL:
        leave(code)
    sys.exit(code)
