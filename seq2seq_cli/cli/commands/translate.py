"""``seq2seq translate``: arguments, a filter, or a prompt, which all give the same text for the same sentence."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from seq2seq_cli.cli.search_flags import (
    SHOWN,
    AllowUnknown,
    BatchSize,
    Beam,
    LengthPenalty,
    MaxLength,
    MaxSourceLength,
    MaxTokensPerBatch,
    Models,
    NoRepeatNgram,
    Normalization,
    Threads,
    load_translator,
    search_config,
)
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.prompt import Prompt
from seq2seq_cli.cli.terminal.translations import Style, answer
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import usage_error
from seq2seq_cli.text.inputs import STDIO

_DEFAULTS = SearchConfig()


def translate_command(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Sentences, one line of output each; none: standard input or a prompt."),
    ] = None,
    model: Models = None,
    input_file: Annotated[
        str | None, typer.Option("--input", "-i", metavar="FILE", help="Read lines from this file (- for stdin).")
    ] = None,
    output_file: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write lines to this file (- for stdout).")
    ] = None,
    beam: Beam = _DEFAULTS.beam,
    length_penalty: LengthPenalty = _DEFAULTS.length_penalty,
    normalization: Normalization = _DEFAULTS.normalization,
    no_repeat_ngram: NoRepeatNgram = _DEFAULTS.no_repeat_ngram,
    n_best: Annotated[
        int,
        typer.Option(
            "--n-best",
            metavar="N",
            help="Translations per sentence: lines of number, rank and text, with tabs.",
            rich_help_panel=SHOWN,
        ),
    ] = _DEFAULTS.n_best,
    max_length: MaxLength = str(_DEFAULTS.max_length),
    allow_unknown: AllowUnknown = _DEFAULTS.allow_unknown,
    batch_size: BatchSize = _DEFAULTS.batch_size,
    max_tokens_per_batch: MaxTokensPerBatch = _DEFAULTS.max_tokens_per_batch,
    max_source_length: MaxSourceLength = _DEFAULTS.max_source_length,
    threads: Threads = None,
    scores: Annotated[
        bool,
        typer.Option("--scores", help="Put each translation's score and a tab before it.", rich_help_panel=SHOWN),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show each token's probability, the runners-up and the beam's rivals.",
            rich_help_panel=SHOWN,
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line of input.", rich_help_panel=SHOWN)
    ] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Translate text with a trained model.

    With TEXT, one line is printed for each argument.
    With a pipe or --input it is a filter: N lines in, N lines out, in order, blank lines included.
    On a terminal without TEXT it is a prompt; :help there shows its commands.

    Examples:
    seq2seq translate
    seq2seq translate "Where is the station?" --explain
    seq2seq translate < letter.txt > letter.fr.txt
    seq2seq translate -m a.npz -m b.npz --n-best 3 --json < letter.txt
    """
    config = search_config(locals())
    style = Style(scores, explain, as_json)
    if text and input_file is not None:
        raise usage_error("give TEXT or --input, not both", where="--input", fix="leave one of them out")
    texts = console.check_texts(text or [])
    translator = load_translator(model, threads)
    with console.output_to(output_file or STDIO) as output:
        if not texts and input_file is None and sys.stdin is not None and sys.stdin.isatty():
            Prompt(translator, config, style, output).run()
        else:
            lines = iter(texts) if texts else console.read_input(input_file or STDIO)
            answer(translator, config, lines, output, style, several=len(texts) != 1)
