"""``seq2seq translate``: arguments, a filter, or a prompt, which all give the same text for the same sentence."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from seq2seq_cli.cli import console
from seq2seq_cli.cli.answers import Style, answer
from seq2seq_cli.cli.prompt import Prompt
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.files import STDIO
from seq2seq_cli.workers import check_threads

if TYPE_CHECKING:
    from seq2seq_cli.translation import Translator

DEFAULT_MODEL = Path("model.npz")
_DEFAULTS = SearchConfig()

SEARCH, SHOWN = "The search", "What is shown"

Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Model file (- for stdin); several form an ensemble.",
        show_default="model.npz",
    ),
]
Beam = Annotated[
    int,
    typer.Option(
        "--beam", metavar="N", help="Hypotheses kept per sentence; 1 is greedy search.", rich_help_panel=SEARCH
    ),
]
LengthPenalty = Annotated[
    float,
    typer.Option(
        "--length-penalty",
        metavar="A",
        help="Compare hypotheses by log-probability / length^A; 0 favours short ones.",
        rich_help_panel=SEARCH,
    ),
]
Normalization = Annotated[
    str,
    typer.Option(
        "--normalization",
        metavar="FORM",
        help="plain: by length^A; gnmt: by ((5 + length) / 6)^A.",
        rich_help_panel=SEARCH,
    ),
]
NoRepeatNgram = Annotated[
    int,
    typer.Option(
        "--no-repeat-ngram",
        metavar="N",
        help="Never write the same N tokens in a row twice; 0 allows it.",
        rich_help_panel=SEARCH,
    ),
]
MaxLength = Annotated[
    str,
    typer.Option(
        "--max-length",
        metavar="LENGTH",
        help="Most target tokens: a number, or by the source's tokens, as 2x or 1.5x+10 (then at most 500).",
        rich_help_panel=SEARCH,
    ),
]
AllowUnknown = Annotated[
    bool,
    typer.Option(
        "--allow-unknown", help="A translation may hold <unk>, where it is most probable.", rich_help_panel=SEARCH
    ),
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size",
        metavar="N",
        help="Sentences translated at a time; 1 answers each line as it comes.",
        rich_help_panel=SEARCH,
    ),
]
MaxTokensPerBatch = Annotated[
    int,
    typer.Option(
        "--max-tokens-per-batch",
        metavar="N",
        help="Most source tokens translated at a time; it bounds the memory.",
        rich_help_panel=SEARCH,
    ),
]
MaxSourceLength = Annotated[
    int,
    typer.Option(
        "--max-source-length",
        metavar="N",
        help="Most source tokens; of a longer line the first so many are read.",
        rich_help_panel=SEARCH,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="Batches translated at a time.",
        show_default="one for each core",
        rich_help_panel=SEARCH,
    ),
]


def search_config(flags: dict[str, Any]) -> SearchConfig:
    """Return the search that a command's flags ask for; what it has no flag for has its default.

    Args:
        flags: the command's arguments by name, as ``locals()`` gives them; those for other things are passed over.
    """
    names = {field.name for field in dataclasses.fields(SearchConfig)}
    return SearchConfig(**{name: value for name, value in flags.items() if name in names})


def load_translator(models: list[Path] | None, threads: int | None) -> Translator:
    """Return the translator of the named model files, or of ``model.npz``."""
    from seq2seq_cli.translation import Translator

    threads = check_threads(threads)
    if models is None and not DEFAULT_MODEL.exists():
        raise UserError(
            f"there is no model: {DEFAULT_MODEL} does not exist in this folder",
            where="--model",
            fix="train one with 'seq2seq train', or name one with --model",
        )
    return Translator.load(*(models or [DEFAULT_MODEL]), threads=threads, processes=True)


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
    if not texts and input_file is None and Path(STDIO) in (model or []):
        raise usage_error(
            "standard input can only be read once, and the lines to translate come from there",
            where="--model",
            fix="give TEXT or --input FILE, or name the model's file",
        )
    console.check_inputs(*model or [], input_file)
    translator = load_translator(model, threads)

    def work(output: IO[bytes]) -> None:
        """Translate everything to an open stream."""
        if not texts and input_file is None and sys.stdin is not None and sys.stdin.isatty():
            Prompt(translator, config, style, output).run()
        else:
            lines = iter(texts) if texts else read_input(input_file or STDIO)
            answer(translator, config, lines, output, style, several=len(texts) != 1)

    console.write_to(output_file or STDIO, work)


def read_input(path: str) -> Iterator[str]:
    """Yield the lines to translate."""
    from seq2seq_cli.text.corpus import read_lines

    return read_lines(path)
