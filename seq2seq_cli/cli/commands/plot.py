"""``seq2seq plot``: learning curves, BLEU by source length, and context vectors."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from seq2seq_cli.cli.commands.evaluate import read_and_warn
from seq2seq_cli.cli.flags import with_flags
from seq2seq_cli.cli.help import Command, Group
from seq2seq_cli.cli.search_flags import DEFAULT_MODEL, Threads, load_translator
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.figures import (
    MARK,
    LengthAxis,
    LengthLine,
    contexts_figure,
    drawing,
    history_figure,
    lengths_figure,
    save,
)
from seq2seq_cli.config import SearchConfig, settings_in
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.evaluation.context_vectors import context_vectors, principal_components
from seq2seq_cli.evaluation.evaluation import is_swapped, read_test_corpus
from seq2seq_cli.evaluation.scores import corpus_scores, length_buckets, scores_by_length
from seq2seq_cli.evaluation.tokenization import tokenizer_for
from seq2seq_cli.evaluation.training_history import training_curve, validation_curve
from seq2seq_cli.storage.checkpoint import load_model
from seq2seq_cli.text.builtin import BUILTIN, builtin_corpus
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.inputs import STDIO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("png", "svg", "pdf")
_NO_FLAGS = tuple(name for name in settings_in(SearchConfig) if name not in ("beam", "batch_size"))
"""The other settings of the search are not flags of ``plot lengths``."""
_MAX_SENTENCES = 60
_SENTENCES = tuple(
    tuple(
        form.format(*people) for form in ("{} helps {}.", "{} helped {}.", "{} will help {}.", "{} does not help {}.")
    )
    for people in (("My brother", "the doctor"), ("The doctor", "my brother"))
)
"""For a model of the built-in corpus: sentences that differ in agent, tense or negation, by word order or one word."""

plot_app = typer.Typer(
    cls=Group,
    help="Draw learning curves, BLEU by source length, and context vectors.",
    no_args_is_help=True,
    add_completion=False,
)
Picture = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The picture: .png, .svg or .pdf; - for a PNG on stdout.",
        rich_help_panel="Files",
    ),
]
Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Model file; several are drawn side by side.",
        show_default="model.npz",
        rich_help_panel="Files",
    ),
]


@plot_app.command("history", cls=Command)
def history_command(
    model: Models = None,
    output: Picture = "history.png",
    log_file: Annotated[
        str | None,
        typer.Option(
            "--log-file",
            metavar="FILE",
            help="Metrics log of the training, to draw the training loss, too.",
            rich_help_panel="Files",
        ),
    ] = None,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Draw learning curves: validation loss and BLEU over the training steps.

    Examples: seq2seq plot history · seq2seq plot history -m rnn.npz -m lstm.npz -o cells.svg
    """
    check_picture(output)
    paths = model or [DEFAULT_MODEL]
    if log_file is not None and len(paths) > 1:
        raise usage_error(
            "--log-file is the log of one model, but several models are named",
            where="--log-file",
            fix="name one --model",
        )
    with drawing():
        checkpoints = [load_model(path) for path in paths]
        curves = [validation_curve(str(path), checkpoint) for path, checkpoint in zip(paths, checkpoints)]
        training = None
        if log_file is not None:
            training = training_curve(console.read_input(log_file), log_file, checkpoints[0])
        write_picture(history_figure(curves, training), output)


@plot_app.command("lengths", cls=Command)
@with_flags(SearchConfig, leave_out=_NO_FLAGS)
def lengths_command(
    corpus: Annotated[
        str | None,
        typer.Argument(
            metavar="CORPUS",
            help="Test corpus, named as for 'train'.",
            show_default="the built-in test and test_long sets",
        ),
    ] = None,
    model: Models = None,
    output: Picture = "lengths.png",
    threads: Threads = None,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
    **search: Any,
) -> None:
    """Draw BLEU by source length, which shows the bottleneck.

    Several models are drawn side by side, not as an ensemble.

    Examples: seq2seq plot lengths · seq2seq plot lengths test.de,test.en -m rnn.npz -m lstm.npz
    """
    check_picture(output)
    config = SearchConfig(**search)
    with drawing():
        paths = model or [DEFAULT_MODEL]
        translators = [load_translator([path] if model else None, threads) for path in paths]
        sets = test_sets(corpus, [data for translator in translators for data in translator.corpora])
        stored = [name for translator in translators for name in translator.bleu_tokenizers]
        tokenize = tokenizer_for(None, stored, [text for test in sets for text in test.targets]).name
        lines = []
        for path, translator in zip(paths, translators):
            sentences = sum(map(len, sets))
            console.say(f"translating {sentences:,} sentences with {path}, beam {config.beam} …")
            whole, by_length = [], []
            for test in sets:
                outputs = translator.translate(test.sources, config)
                scores = corpus_scores(outputs, test.targets, ["bleu"], tokenize=tokenize)
                sides = list(test.sources), outputs, list(test.targets)
                whole.append(scores.values["bleu"])
                by_length.append(scores_by_length(*sides, length_buckets(test.sources), tokenize=tokenize))
            values = [np.array([bucket.bleu for bucket in buckets]) for buckets in by_length]
            lines.append(LengthLine(str(path), whole, values))
        axes = [
            LengthAxis(test.name, [bucket.label for bucket in buckets], [bucket.sentences for bucket in buckets])
            for test, buckets in zip(sets, by_length)
        ]
        signature = f"sacreBLEU {scores.signatures['bleu']}, beam {config.beam}"
        write_picture(lengths_figure(lines, axes, signature, by_length[0][0].unit), output)


@plot_app.command("contexts", cls=Command)
def contexts_command(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Sentences.", show_default="eight, for a model of the built-in corpus"),
    ] = None,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FILE", help="Model file.", rich_help_panel="Files")
    ] = DEFAULT_MODEL,
    input_file: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="One sentence per line (- for stdin); a blank line starts a new color.",
            rich_help_panel="Files",
        ),
    ] = None,
    output: Picture = "contexts.png",
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Draw the context vectors of sentences, projected to their first two principal components.

    Example: seq2seq plot contexts "Paul thanks Julie." "Julie thanks Paul." "Paul will thank Julie."
    """
    check_picture(output)
    if text and input_file is not None:
        raise usage_error("give TEXT or --input, not both", where="--input", fix="leave one of them out")
    texts = console.check_texts(text or [])
    with drawing():
        checkpoint = load_model(model)
        groups = sentence_groups(texts, input_file, checkpoint.trained_on)
        labels = [sentence for group in groups for sentence in group]
        numbers = [k for k, group in enumerate(groups) for _ in group]
        points, shares = principal_components(context_vectors(checkpoint, labels))
        title = f"Context vectors of {len(labels)} sentences: {model}"
        write_picture(contexts_figure(points, shares, labels, numbers, title), output)


def check_picture(output: str) -> None:
    """Raise if the picture cannot be written, before any work."""
    picture_kind(output)
    if output == STDIO and console.results().isatty():
        raise usage_error(
            "a terminal cannot show a picture",
            where="--output",
            fix="name a file, or pipe the output to another program",
        )
    console.check_output(output)


def picture_kind(output: str) -> str:
    """Return the format of a picture from its file name extension; on standard output it is PNG.

    Raises:
        UserError: for an unknown extension.
    """
    kind = "png" if output == STDIO else Path(output).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        listed = ", ".join(f".{known}" for known in KINDS)
        raise usage_error(
            f"the name of a picture must end in one of {listed}, not {Path(output).suffix or 'nothing'!r}",
            where=output,
            fix=f"write for example -o {Path(output).stem or 'picture'}.png",
        )
    return kind


def write_picture(figure: Figure, output: str) -> None:
    """Write a picture to a file, or to standard output."""
    with console.output_to(output, MARK) as stream:
        save(figure, stream, picture_kind(output))
    if output != STDIO:
        console.say(f"the picture is in {output}")


def test_sets(corpus: str | None, trained_on: list[str]) -> list[Corpus]:
    """Return the test corpus; the built-in test set is followed by the long one."""
    test = read_test_corpus(corpus, trained_on)
    if corpus is not None:
        return [test]
    long = read_and_warn(builtin_corpus("test_long"))
    long = long.swapped() if is_swapped(trained_on) else long
    return [dataclasses.replace(test, name="test"), dataclasses.replace(long, name="test_long")]


def sentence_groups(texts: list[str], input_file: str | None, corpus: str) -> list[list[str]]:
    """Return the distinct sentences to draw, in groups that share a color.

    Raises:
        UserError: if there are too few sentences, or more than one picture can show.
    """
    if texts:
        lines = [text for text in texts if text.strip()]
    elif input_file is not None:
        lines = list(console.read_input(input_file))
    elif corpus == BUILTIN:
        lines = [sentence for group in _SENTENCES for sentence in (*group, "")]
    else:
        raise usage_error(
            "there are no sentences to draw, and this model was not trained on the built-in corpus",
            where="TEXT",
            fix='give some: seq2seq plot contexts "first sentence" "second sentence"',
        )
    groups: list[list[str]] = [[]]
    distinct: set[str] = set()
    for line in lines:
        if not line.strip():
            groups.append([])
        elif line not in distinct:
            groups[-1].append(line)
            distinct.add(line)
    if not 2 <= len(distinct) <= _MAX_SENTENCES:
        raise UserError(
            f"{len(distinct)} different sentence{'s' * (len(distinct) != 1)} to draw",
            where=input_file or "TEXT",
            fix=f"give from 2 to {_MAX_SENTENCES} different sentences",
        )
    return [group for group in groups if group]
