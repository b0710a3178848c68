"""``seq2seq plot``: pictures of a training, of the bottleneck, and of what the encoder makes of sentences."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2seq_cli.cli.flags import with_flags
from seq2seq_cli.cli.help import Command, Group
from seq2seq_cli.cli.search_flags import DEFAULT_MODEL, Threads, load_translator
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.config import SearchConfig, settings_in
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.text.inputs import STDIO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from seq2seq_cli.cli.terminal.figures import Curve
    from seq2seq_cli.nn.functional import Array
    from seq2seq_cli.storage.checkpoint import Checkpoint

KINDS = ("png", "svg", "pdf")
NO_FLAGS = tuple(name for name in settings_in(SearchConfig) if name != "beam")
"""A picture of the bottleneck needs no search flag but ``--beam``."""
_MOST_SENTENCES = 60
_BUCKET, _LONGEST_BUCKET = 5, 50
_SENTENCES = tuple(
    tuple(
        form.format(*people) for form in ("{} helps {}.", "{} helped {}.", "{} will help {}.", "{} does not help {}.")
    )
    for people in (("My brother", "the doctor"), ("The doctor", "my brother"))
)
"""For a model of the built-in corpus: who does it, when, and whether, each told apart by word order or by one word."""

plot_app = typer.Typer(
    cls=Group,
    help="Draw a model's training, its bottleneck, and its view of sentences.",
    no_args_is_help=True,
    add_completion=False,
)
Picture = Annotated[
    str,
    typer.Option("--output", "-o", metavar="FILE", help="The picture: .png, .svg or .pdf; - for a PNG on stdout."),
]
Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE",
        help="Model file; several are drawn side by side.",
        show_default="model.npz",
    ),
]


@plot_app.command("history", cls=Command)
def history_command(
    model: Models = None,
    output: Picture = "history.png",
    log_file: Annotated[
        str | None,
        typer.Option("--log-file", metavar="FILE", help="Metrics log of the training: draws its loss too."),
    ] = None,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Draw validation loss and BLEU over the time of a training.

    Examples: seq2seq plot history · seq2seq plot history -m rnn.npz -m lstm.npz -o cells.svg
    """
    from seq2seq_cli.storage.checkpoint import load_model

    kind = picture_kind(output)
    paths = model or [DEFAULT_MODEL]
    if log_file is not None and len(paths) > 1:
        raise usage_error("a metrics log belongs to one model", where="--log-file", fix="name one --model")

    def draw() -> Figure:
        """Read the models' histories and draw them."""
        from seq2seq_cli.cli.terminal.figures import history_figure

        curves = [validation_curve(str(path), load_model(path)) for path in paths]
        return history_figure(curves, None if log_file is None else training_curve(log_file))

    write_picture(draw, output, kind)


@plot_app.command("lengths", cls=Command)
@with_flags(SearchConfig, leave_out=NO_FLAGS)
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
    """Draw BLEU against the length of the source: the picture of the bottleneck.

    Several models are drawn side by side, not as an ensemble.

    Examples: seq2seq plot lengths · seq2seq plot lengths test.de,test.en -m rnn.npz -m lstm.npz
    """
    config = SearchConfig(**search)
    from seq2seq_cli.evaluation.scores import corpus_scores, scores_by_length

    kind = picture_kind(output)
    console.check_inputs(corpus)

    def draw() -> Figure:
        """Translate the corpus with every model and draw the scores."""
        from seq2seq_cli.cli.terminal.figures import LengthLine, lengths_figure

        translators = [
            (str(path), load_translator([path] if model else None, threads)) for path in model or [DEFAULT_MODEL]
        ]
        name, sources, targets = test_set(corpus, [data for _, each in translators for data in each.corpora])
        lines = []
        for path, translator in translators:
            console.say(f"translating {len(sources):,} sentences with {path}, beam {config.beam} …")
            outputs = translator.translate(sources, config)
            scores = corpus_scores(outputs, targets, ["bleu"])
            buckets = scores_by_length(sources, outputs, targets, length_buckets(sources))
            lines.append(LengthLine(path, scores.values["bleu"], _array([bucket.bleu for bucket in buckets])))
        labels = [bucket.label for bucket in buckets]
        signature = f"sacreBLEU {scores.signatures['bleu']}, beam {config.beam}"
        return lengths_figure(lines, labels, [bucket.sentences for bucket in buckets], name, signature)

    write_picture(draw, output, kind)


@plot_app.command("contexts", cls=Command)
def contexts_command(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Sentences.", show_default="eight of the built-in corpus's kind"),
    ] = None,
    model: Annotated[Path, typer.Option("--model", "-m", metavar="FILE", help="Model file.")] = DEFAULT_MODEL,
    input_file: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="A sentence per line (- for stdin); a blank line starts a new colour.",
        ),
    ] = None,
    output: Picture = "contexts.png",
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Draw the context vectors of sentences, in the two directions in which they differ most.

    Example: seq2seq plot contexts "Paul thanks Julie." "Julie thanks Paul." "Paul will thank Julie."
    """
    from seq2seq_cli.storage.checkpoint import load_model

    kind = picture_kind(output)
    if text and input_file is not None:
        raise usage_error("give TEXT or --input, not both", where="--input", fix="leave one of them out")
    texts = console.check_texts(text or [])

    def draw() -> Figure:
        """Encode the sentences and draw where their contexts lie."""
        from seq2seq_cli.cli.terminal.figures import contexts_figure
        from seq2seq_cli.evaluation.context_vectors import context_vectors, principal_components

        checkpoint = load_model(model)
        groups = sentence_groups(texts, input_file, checkpoint.corpus)
        labels = [sentence for group in groups for sentence in group]
        numbers = [k for k, group in enumerate(groups) for _ in group]
        points, shares = principal_components(context_vectors(checkpoint, labels))
        return contexts_figure(points, shares, labels, numbers, f"Context vectors of {len(labels)} sentences: {model}")

    write_picture(draw, output, kind)


def picture_kind(output: str) -> str:
    """Return a picture's format from its file's ending; on standard output it is a PNG.

    Raises:
        UserError: for any other ending.
    """
    kind = "png" if output == STDIO else Path(output).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        listed = ", ".join(f".{known}" for known in KINDS)
        raise usage_error(
            f"a picture's file ends in one of {listed}, not {Path(output).suffix or 'nothing'!r}",
            where=output,
            fix=f"write for example -o {Path(output).stem or 'picture'}.png",
        )
    return kind


def write_picture(draw: Callable[[], Figure], output: str, kind: str) -> None:
    """Draw and write a picture; that drawing is possible at all is found out before any work."""
    from seq2seq_cli.cli.terminal.figures import drawing, save

    console.check_output(output)
    with drawing():
        figure = draw()
        if output == STDIO and console.results().isatty():
            raise usage_error("a terminal cannot show a picture", where="--output", fix="name a file, or pipe it on")
        with console.output_to(output) as stream:
            save(figure, stream, kind)
        if output != STDIO:
            console.say(f"the picture is in {output}")


def validation_curve(name: str, checkpoint: Checkpoint) -> Curve:
    """Return the validations that a model file remembers.

    Raises:
        UserError: if there are none.
    """
    from seq2seq_cli.cli.terminal.figures import Curve
    from seq2seq_cli.storage.checkpoint import is_number

    keys = ("step", "seconds", "valid_loss", "valid_bleu")
    records = [record for record in checkpoint.history if all(is_number(record.get(key)) for key in keys)]
    if not records:
        raise UserError(
            "this model was saved before its first validation: there is nothing to draw yet",
            where=name,
            fix="continue its training with --resume",
        )
    steps, seconds, loss, bleu = (_array([record[key] for record in records]) for key in keys)
    return Curve(name, steps, seconds / 60, loss, bleu, kept=int(loss.argmin()))


def training_curve(path: str) -> tuple[Array, Array]:
    """Return steps and training loss from a metrics log: means over stretches of it, without label smoothing.

    Raises:
        UserError: if it holds none.
    """
    import numpy as np

    from seq2seq_cli.storage.checkpoint import is_number

    points = []
    for line in console.read_input(path):
        try:
            record = json.loads(line)
            if is_number(record.get("perplexity")) and is_number(record.get("step")):
                points.append((record["step"], math.log(record["perplexity"])))
        except (ValueError, AttributeError, RecursionError):  # a last line that was cut off, or another file altogether
            continue
    if not points:
        raise UserError(
            "there is no training step in this file", where=path, fix="give what 'seq2seq train --log-file' wrote"
        )
    steps, losses = np.array(points, np.float64).T
    stretches = np.array_split(np.arange(len(steps)), min(len(steps), 200))
    return tuple(np.array([values[stretch].mean() for stretch in stretches]) for values in (steps, losses))  # type: ignore[return-value]


def length_buckets(sources: list[str]) -> list[tuple[int, int]]:
    """Return lengths by fives, as far as there are sentences, and one bucket for all beyond fifty."""
    most = min(max(len(source.split()) for source in sources), _LONGEST_BUCKET)
    buckets = [(low, low + _BUCKET - 1) for low in range(1, most + 1, _BUCKET)]
    return [*buckets, (_LONGEST_BUCKET + 1, sys.maxsize)]


def test_set(corpus: str | None, trained_on: list[str]) -> tuple[str, list[str], list[str]]:
    """Return name, sources and targets of the test corpus; of the built-in one, the long sentences too."""
    from seq2seq_cli.cli.commands.evaluate import read_and_warn
    from seq2seq_cli.evaluation.evaluation import read_test_corpus
    from seq2seq_cli.text.builtin import builtin_corpus

    test = read_test_corpus(corpus, trained_on)
    if corpus is not None:
        return test.name, list(test.sources), list(test.targets)
    long = read_and_warn(builtin_corpus("test_long"))
    return "built-in test and test_long", [*test.sources, *long.sources], [*test.targets, *long.targets]


def sentence_groups(texts: list[str], input_file: str | None, corpus: str) -> list[list[str]]:
    """Return the sentences to draw, each once, in the groups that share a colour.

    Raises:
        UserError: if there are none, or more than can be read in one picture.
    """
    from seq2seq_cli.text.builtin import BUILTIN

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
            fix='name some: seq2seq plot contexts "first sentence" "second sentence"',
        )
    groups: list[list[str]] = [[]]
    seen: set[str] = set()
    for line in lines:
        if not line.strip():
            groups.append([])
        elif line not in seen:
            groups[-1].append(line)
            seen.add(line)
    if not 2 <= len(seen) <= _MOST_SENTENCES:
        raise UserError(
            f"{len(seen)} different sentence{'s' * (len(seen) != 1)} to draw",
            where=input_file or "TEXT",
            fix=f"give from 2 to {_MOST_SENTENCES}",
        )
    return [group for group in groups if group]


def _array(values: list[Any]) -> Array:
    import numpy as np

    return np.array(values, np.float64)
