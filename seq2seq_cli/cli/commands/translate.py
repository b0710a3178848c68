"""``seq2seq translate``: translate arguments, a stream of lines, or what is typed at the prompt."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from seq2seq_cli.cli.flags import with_flags
from seq2seq_cli.cli.processes import shared
from seq2seq_cli.cli.search_flags import (
    DEFAULT_MODEL,
    SHOWN,
    Models,
    Threads,
    load_reverse_model,
    load_translator,
    search_config,
)
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.prompt import Prompt
from seq2seq_cli.cli.terminal.translations import Style, write_translations
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import usage_error
from seq2seq_cli.text.inputs import STDIO


@with_flags(SearchConfig)
@shared
def translate_command(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Sentences, one line of output each; - or none: standard input, or a prompt on a terminal.",
        ),
    ] = None,
    model: Models = None,
    input_file: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="Translate the lines of this file (- for stdin).",
            rich_help_panel="Files",
        ),
    ] = None,
    output_file: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the translations to this file (- for stdout).",
            rich_help_panel="Files",
        ),
    ] = None,
    threads: Threads = None,
    scores: Annotated[
        bool,
        typer.Option("--scores", help="Print the score and a tab before each translation.", rich_help_panel=SHOWN),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show each token's probability, its alternatives and the n-best list.",
            rich_help_panel=SHOWN,
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line of input.", rich_help_panel=SHOWN)
    ] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
    **search: Any,
) -> None:
    """Translate text with a trained model.

    With TEXT, one line is printed for each argument.
    With a pipe or --input, it is a filter: N lines in, N lines out, in order, blank lines included.
    On a terminal without TEXT, it is a prompt; :help there shows its commands.

    Examples:
    seq2seq translate
    seq2seq translate "Where is the station?" --explain
    seq2seq translate < letter.txt > letter.fr.txt
    seq2seq translate -m a.npz -m b.npz --n-best 3 --json < letter.txt
    seq2seq translate -m en-fr.npz --rerank fr-en.npz < letter.txt
    seq2seq translate --sample --temperature 0.7 --n-best 5 "Thank you."
    """
    config = search_config(**search)
    style = Style(scores, explain, as_json)
    if text and input_file is not None:
        raise usage_error("give TEXT or --input, not both", where="--input", fix="leave one of them out")
    texts = console.check_texts(text or [])
    if texts == [STDIO]:  # as for other programs; the hyphen itself is " -"
        texts, input_file = [], STDIO
    _check_for_file(texts)
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    if not texts and input_file is None and is_terminal and console.in_notebook():
        raise usage_error(
            "there is no prompt in a notebook, because a cell takes no input",
            where="TEXT",
            fix='give the text: !seq2seq translate "Thank you."; or a file: !seq2seq translate -i letter.txt',
        )
    if not texts and not is_terminal:
        console.check_inputs(input_file or STDIO)
    console.check_output(output_file or STDIO)
    translator = load_translator(model, threads)
    load_reverse_model(translator, config)
    with console.output_to(output_file or STDIO) as output:
        if not texts and input_file is None and is_terminal:
            Prompt(translator, config, style, output, model or [DEFAULT_MODEL]).run()
        else:
            lines = iter(texts) if texts else console.read_input(input_file or STDIO)
            write_translations(translator, config, lines, output, style, several=len(texts) != 1)


def _check_for_file(texts: list[str]) -> None:
    """Raise if a text is the name of a file: its content is probably meant."""
    for text in texts:
        if _is_file(text):
            raise usage_error(
                f"{text!r} is a file; did you mean its content?",
                where="TEXT",
                fix=f"translate its lines with -i {shlex.quote(text)}; to translate the name, add a space to it",
            )


def _is_file(text: str) -> bool:
    """Whether a text looks like the name of a file, and there is one; a word of a sentence may be one by chance."""
    try:
        return ("." in text or "/" in text) and Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL character
        return False
