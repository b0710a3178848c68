"""The pictures of ``seq2seq plot``: from numbers to a matplotlib figure, and that to a file.

Colours are those of Okabe & Ito 2008, which people with any kind of colour vision can tell apart; every line and
group has a marker of its own besides.
"""

from __future__ import annotations

import logging
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.functional import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, FAINT = "#333333", "#999999"
STYLE = {
    # What the first lacks (Chinese, Japanese, Korean) the others have; one of them is on most systems.
    "font.family": ["DejaVu Sans", "Noto Sans CJK SC", "Microsoft YaHei", "Hiragino Sans", "Arial Unicode MS"],
    "font.size": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 12.0,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "seq2seq",
    "text.parse_math": False,  # a $ in a sentence is a $
}
DPI = 150
FEW_SENTENCES = 20
"""BLEU of fewer sentences is mostly chance."""


class Curve(NamedTuple):
    """The validations of one model: loss in nats per token and BLEU after each of them, and when that was."""

    name: str
    steps: Array
    minutes: Array
    loss: Array
    bleu: Array
    kept: int
    """Which validation's model is the one in the file."""


class LengthLine(NamedTuple):
    """BLEU of one model on the whole corpus, and on the sentences of each bucket of lengths."""

    name: str
    whole: float
    buckets: Array


@contextmanager
def drawing() -> Iterator[None]:
    """Set matplotlib up for our pictures for the time of a ``with`` block.

    Raises:
        UserError: if it is not installed.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it talks of caches and fonts
    try:
        import matplotlib
    except ImportError:
        raise UserError("pictures need matplotlib; install it with: pip install matplotlib") from None
    with matplotlib.rc_context(STYLE), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    if any("missing from" in str(warning.message) for warning in caught):
        console.warn("the font lacks some characters; they are drawn as boxes")


def save(figure: Figure, stream: IO[bytes], kind: str) -> None:
    """Write the picture as ``png``, ``svg`` or ``pdf``; the same numbers give the same bytes."""
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure.savefig(stream, format=kind, dpi=DPI, metadata=dates.get(kind))


def history_figure(curves: Sequence[Curve], training: tuple[Array, Array] | None = None) -> Figure:
    """Draw validation loss and BLEU over the steps of the training.

    Args:
        curves: one for each model.
        training: steps and training loss, if the metrics log is there.
    """
    figure = _sheet(8, 6.5)
    upper, lower = figure.subplots(2, 1, sharex=True)
    if training is not None:
        upper.plot(*training, color=FAINT, linewidth=1.2, label="training")
    for k, curve in enumerate(curves):
        look = {"color": _colour(k), "marker": _marker(k), "markersize": 6, "linewidth": 1.8, "clip_on": False}
        upper.plot(curve.steps, curve.loss, label=_label(curve.name) if len(curves) > 1 else "validation", **look)
        lower.plot(curve.steps, curve.bleu, **look)
        for axes, values in ((upper, curve.loss), (lower, curve.bleu)):
            axes.plot(
                curve.steps[curve.kept],
                values[curve.kept],
                marker="o",
                markersize=13,
                color="none",
                markeredgecolor=_colour(k),
                markeredgewidth=1.2,
                clip_on=False,
            )
    upper.set_ylabel("loss (nats per token)")
    lower.set_ylabel("validation BLEU (greedy search)")
    lower.set_xlabel("optimizer steps; a ring marks the model that was kept")
    lower.set_xlim(left=0)
    lower.xaxis.set_major_formatter("{x:,.0f}")
    if len(curves) > 1 or training is not None:
        upper.legend()
    if len(curves) == 1 and len(curves[0].steps) > 1:
        _minutes_above(upper, curves[0])
    for axes in (upper, lower):
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color=FAINT, alpha=0.3)
    return figure


def lengths_figure(
    lines: Sequence[LengthLine], labels: Sequence[str], sentences: Sequence[int], corpus: str, signature: str
) -> Figure:
    """Draw BLEU against the length of the source.

    Args:
        lines: one for each model.
        labels: of the buckets, for example ``6–10``.
        sentences: of each bucket.
        corpus: what was translated.
        signature: sacreBLEU's.
    """
    figure = _sheet(max(8.0, 1.0 * len(labels) + 1), 5)
    axes = figure.subplots()
    places = np.arange(len(labels))
    few = np.array(sentences) < FEW_SENTENCES
    for k, line in enumerate(lines):
        colour, marker = _colour(k), _marker(k)
        name = f"{_label(line.name)}, BLEU {line.whole:.1f}"
        axes.plot(places, line.buckets, color=colour, marker=marker, linewidth=1.8, label=name, clip_on=False)
        if few.any():  # no points at all would still take room
            axes.plot(places[few], line.buckets[few], marker, color="white", markeredgecolor=colour, clip_on=False)
    axes.set_xticks(places, [f"{label}\nn = {n:,}" for label, n in zip(labels, sentences)])
    note = f"; hollow: fewer than {FEW_SENTENCES} sentences" if few.any() else ""
    axes.set_xlabel(f"words of the source, number of sentences{note}\n{signature}")
    axes.set_ylabel("BLEU")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.06)
    axes.set_title(_wrapped(f"BLEU by length of the source: {corpus}", 80))
    axes.grid(axis="y", color=FAINT, alpha=0.3)
    axes.legend()
    return figure


def contexts_figure(points: Array, shares: Array, labels: Sequence[str], groups: Sequence[int], title: str) -> Figure:
    """Draw sentences as labelled points, on a sheet that is large enough for all labels.

    Args:
        points: (n, 2) coordinates.
        shares: (2,) each axis's share of the variance.
        labels: n sentences.
        groups: n numbers; those of one group share colour and marker.
        title: of the picture.
    """
    for size, farthest in (((9, 6.5), 10), ((11, 8), 10), ((14, 10), 15), ((18, 13), 30)):
        figure = _sheet(*size)
        axes = figure.subplots()
        for group in dict.fromkeys(groups):
            chosen = np.array(groups) == group
            axes.scatter(*points[chosen].T, s=45, color=_colour(group), marker=_marker(group), zorder=3)
        axes.margins(0.25, 0.15)
        axes.set_title(_wrapped(title, 80))
        axes.set_xlabel(f"first principal component, {100 * shares[0]:.0f} % of the variance")
        axes.set_ylabel(f"second principal component, {100 * shares[1]:.0f} %")
        axes.grid(color=FAINT, alpha=0.2)
        if _write_labels(figure, axes, points, labels, farthest):
            break
    return figure


def _write_labels(figure: Figure, axes: Axes, points: Array, labels: Sequence[str], farthest: float) -> bool:
    """Write each label near its point, with a thin line to it where it stands apart; return whether all found room."""
    figure.draw_without_rendering()  # the layout is settled now, and stays
    figure.set_layout_engine("none")
    texts = [axes.text(0, 0, _wrapped(label), fontsize=9.5, linespacing=1.1, va="bottom") for label in labels]
    boxes = [text.get_window_extent() for text in texts]
    frame = axes.get_window_extent()
    origin = np.array([frame.x0, frame.y0])
    pixels = axes.transData.transform(points) - origin
    sizes = np.array([(box.width, box.height) for box in boxes])
    scale = figure.dpi / 72
    corners, room = place_labels(pixels, sizes, (frame.width, frame.height), 7 * scale, farthest)
    to_data = axes.transData.inverted().transform
    for text, point, pixel, corner, size in zip(texts, points, pixels, corners, sizes):
        text.set_position(to_data(corner + origin))
        nearest = np.clip(pixel, corner, corner + size)
        if _lengths(nearest - pixel) > 11 * scale:
            end = to_data(nearest + origin)
            axes.plot(*zip(point, end), color=FAINT, linewidth=0.7, zorder=1, scalex=False, scaley=False)
    return room


def place_labels(
    points: Array, sizes: Array, area: tuple[float, float], gap: float, farthest: float = 10
) -> tuple[Array, bool]:
    """Find a place for every label, near its point, on no other label and on no point, with a free line between both.

    Each label in turn takes the nearest free place around its point; those that found none try again when the others
    have settled.

    Args:
        points: (n, 2) where the points are, in pixels.
        sizes: (n, 2) width and height of each label.
        area: width and height within which labels may stand.
        gap: between a label and a point, and half of it between two labels.
        farthest: distance of a label from its point, in gaps.

    Returns:
        (n, 2) lower left corners, and whether nothing overlaps.
    """
    corners = np.full((len(points), 2), np.inf)  # nowhere yet
    free = np.zeros(len(points), bool)
    for _ in range(5):
        for k in np.flatnonzero(~free):
            corners[k] = np.inf
            candidates = _around(points[k], sizes[k], gap, farthest)
            inside = ((candidates >= 0) & (candidates + sizes[k] <= area)).all(axis=1)
            nearest = np.clip(points[:, None], candidates, candidates + sizes[k])  # (n, candidates, 2)
            cost = (_lengths(nearest - points[:, None]) < 0.9 * gap).sum(axis=0) + 1000 * ~inside
            apart = (candidates[None] > (corners + sizes + gap / 2)[:, None]) | (
                (candidates + sizes[k] + gap / 2)[None] < corners[:, None]
            )
            cost += (~apart.any(axis=2)).sum(axis=0)
            others = np.delete(points, k, axis=0)
            for part in (0.25, 0.5, 0.75):  # of the line from the point to its label
                on_line = points[k] + part * (nearest[k] - points[k])
                cost += (_lengths(on_line[None] - others[:, None]) < 0.9 * gap).sum(axis=0)
            best = int(np.argmin(cost))  # the first, that is the nearest, of equals
            corners[k], free[k] = candidates[best], cost[best] == 0
        if free.all():
            break
    return corners, bool(free.all())


def _lengths(vectors: Array) -> Array:
    lengths: Array = np.hypot(vectors[..., 0], vectors[..., 1])
    return lengths


def _around(point: Array, size: Array, gap: float, farthest: float) -> Array:
    """Return corners for a label at more and more distance from a point: right, left, above, below and between."""
    places = []
    for distance in gap * np.geomspace(1, farthest, 7):
        for angle in np.deg2rad([0, 180, 90, 270, 30, 150, 330, 210, 60, 120, 240, 300]):
            direction = np.array([np.cos(angle), np.sin(angle)])
            # The label's box touches the circle of this radius around the point from outside, in this direction.
            places.append(point + direction * distance + (direction - 1) / 2 * size)
    return np.array(places)


def _sheet(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches, with no window anywhere."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _minutes_above(axes: Axes, curve: Curve) -> None:
    """Put the time that the training took along the upper edge."""
    steps, minutes = np.append(0.0, curve.steps), np.append(0.0, curve.minutes)
    if not ((np.diff(steps) > 0).all() and (np.diff(minutes) > 0).all()):
        return  # not an axis
    pace = minutes[-1] / steps[-1]
    upper = axes.secondary_xaxis("top", functions=(lambda x: x * pace, lambda x: x / pace))
    upper.set_xlabel("minutes, at the average pace")


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _marker(k: int) -> str:
    return MARKERS[k % len(MARKERS)]


def _label(name: str) -> str:
    """Return a model's name for a legend, which leaves out names that start with an underscore."""
    return f"./{name}" if name.startswith("_") else name


def _wrapped(text: str, width: int = 34) -> str:
    return textwrap.fill(text, width, max_lines=3, placeholder=" …")
