"""``seq2seq translate``: arguments, a filter, or a prompt, which all give the same text for the same sentence."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from seq2seq_cli.cli import console
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.files import write_atomically
from seq2seq_cli.workers import check_threads

if TYPE_CHECKING:
    from seq2seq_cli.translation import Translation, Translator

DEFAULT_MODEL = Path("model.npz")
STDIO = "-"
_DEFAULTS = SearchConfig()

Models = Annotated[
    list[Path] | None,
    typer.Option("--model", "-m", help="Model file; several form an ensemble.", show_default="model.npz"),
]
Beam = Annotated[int, typer.Option("--beam", help="Hypotheses kept per sentence; 1 is greedy search.")]
LengthPenalty = Annotated[
    float,
    typer.Option("--length-penalty", help="Compare hypotheses by log-probability / length^A; 0 favours short ones."),
]
MaxLength = Annotated[
    int | None,
    typer.Option(
        "--max-length", help="Most target tokens.", show_default="twice the source's and ten more, at most 500"
    ),
]
BatchSize = Annotated[
    int, typer.Option("--batch-size", help="Sentences translated at a time; 1 answers each line as it comes.")
]
Threads = Annotated[
    int | None, typer.Option("--threads", help="Batches translated at a time.", show_default="one for each core")
]

MaxTokensPerBatch = Annotated[
    int, typer.Option("--max-tokens-per-batch", help="Most source tokens translated at a time; it bounds the memory.")
]
MaxSourceLength = Annotated[
    int, typer.Option("--max-source-length", help="Most source tokens; of a longer line the first so many are read.")
]


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
        list[str] | None, typer.Argument(help="Sentences, one line of output each; none: standard input or a prompt.")
    ] = None,
    model: Models = None,
    input_file: Annotated[
        str | None, typer.Option("--input", "-i", help="Read lines from this file (- for stdin).")
    ] = None,
    output_file: Annotated[
        str | None, typer.Option("--output", "-o", help="Write lines to this file (- for stdout).")
    ] = None,
    beam: Beam = _DEFAULTS.beam,
    length_penalty: LengthPenalty = _DEFAULTS.length_penalty,
    n_best: Annotated[
        int, typer.Option("--n-best", help="Translations per sentence: lines of number, rank and text, with tabs.")
    ] = _DEFAULTS.n_best,
    max_length: MaxLength = None,
    batch_size: BatchSize = _DEFAULTS.batch_size,
    max_tokens_per_batch: MaxTokensPerBatch = _DEFAULTS.max_tokens_per_batch,
    max_source_length: MaxSourceLength = _DEFAULTS.max_source_length,
    scores: Annotated[bool, typer.Option("--scores", help="Put each translation's score and a tab before it.")] = False,
    threads: Threads = None,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Translate text with a trained model.

    With TEXT, one line is printed for each argument.
    With a pipe or --input it is a filter: N lines in, N lines out, in order, blank lines included.
    On a terminal without TEXT it is a prompt.

    Examples: seq2seq translate "Where is the station?" · cat letter.txt | seq2seq translate > letter.fr.txt
    """
    config = SearchConfig(beam, length_penalty, n_best, max_length, batch_size, max_tokens_per_batch, max_source_length)
    if text and input_file is not None:
        raise usage_error("give TEXT or --input, not both", where="--input", fix="leave one of them out")
    texts = console.check_texts(text or [])
    translator = load_translator(model, threads)

    def work(output: IO[bytes]) -> None:
        """Translate everything to an open stream."""
        if not texts and input_file is None and sys.stdin is not None and sys.stdin.isatty():
            prompt(translator, config, output, scores)
        else:
            lines = iter(texts) if texts else read_input(input_file or STDIO)
            translate_lines(translator, config, lines, output, scores, several=not texts)

    if output_file is None or output_file == STDIO:
        work(console.results())
        with console.end_quietly_without_reader():
            console.results().flush()
    else:
        write_atomically(Path(output_file), work)


def read_input(path: str) -> Iterator[str]:
    """Yield the lines to translate."""
    from seq2seq_cli.text.corpus import read_lines

    return read_lines(path)


def translate_lines(
    translator: Translator,
    config: SearchConfig,
    lines: Iterator[str],
    output: IO[bytes],
    scores: bool,
    several: bool = False,
) -> None:
    """Translate a stream of lines to a stream of lines, and report on stderr what the model never saw or read."""
    unknown: dict[str, int] = {}
    cut: list[int] = []

    def watched() -> Iterator[str]:
        """Pass the lines on and take note of what was never seen."""
        for number, line in enumerate(lines, start=1):
            if translator.too_long(line, config):
                cut.append(number)
            for part in translator.unknown(line):
                unknown.setdefault(part, number)
            yield line

    for number, found in enumerate(translator.translate_n_best(watched(), config), start=1):
        for rank, translation in enumerate(found, start=1):
            prefix = f"{number}\t{rank}\t" if config.n_best > 1 else ""
            console.write_line(output, prefix + format_translation(translation, scores))
        if config.batch_size == 1:
            with console.end_quietly_without_reader():
                output.flush()
    report_unknown(unknown, several)
    report_cut(cut, config)


def format_translation(translation: Translation, scores: bool) -> str:
    """Return the translation's text, with its score in front if asked for."""
    return f"{translation.score:.4f}\t{translation.text}" if scores else translation.text


def report_unknown(unknown: dict[str, int], several: bool) -> None:
    """Warn of parts of the source that were never seen in training, with the first line of each."""
    if not unknown:
        return
    shown = [f"{part} (line {line})" if several else part for part, line in list(unknown.items())[:5]]
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    console.warn(f"never seen in training, read as <unk>: {', '.join(shown)}{more}")


def report_cut(lines: list[int], config: SearchConfig) -> None:
    """Warn of lines whose end was not read."""
    if lines:
        counted = "1 line is" if len(lines) == 1 else f"{len(lines):,} lines are"
        console.warn(
            f"{counted} longer than {config.max_source_length:,} tokens, the first is line {lines[0]}: the rest of it "
            "was not translated (--max-source-length)"
        )


def prompt(translator: Translator, config: SearchConfig, output: IO[bytes], scores: bool) -> None:
    """Read sentences from a terminal and answer each at once; the model stays loaded."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives input() history and line editing where the system has it)
    console.say("Type a sentence and press Enter. Ctrl-C cancels the line, Ctrl-D leaves.")
    while True:
        try:
            line = input("> ") if sys.stdout is not None and sys.stdout.isatty() else _input_beside_a_file()
        except EOFError:
            console.say("")
            return
        except KeyboardInterrupt:
            console.say("")
            continue
        except UnicodeDecodeError:
            console.warn("that line was not valid UTF-8")
            continue
        if not line.strip():
            continue
        line = line.encode("utf-8", "replace").decode()
        try:
            translate_lines(translator, config, iter([line]), output, scores)
            output.flush()
        except KeyboardInterrupt:
            console.say("")
        except (UserError, MemoryError) as error:  # a line that cannot be translated is not the end
            console.warn(getattr(error, "what", "there is not enough memory for that line"))


def _input_beside_a_file() -> str:
    """Read a line with the prompt on stderr, since stdout goes to a file."""
    console.stderr_console().print("> ", end="")
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
