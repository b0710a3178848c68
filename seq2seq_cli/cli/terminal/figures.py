"""The figures of ``seq2seq plot``: make a matplotlib figure from numbers, and write it to a file.

Colors are those of Okabe & Ito 2008, which people with any kind of color vision can distinguish; every line and group
also has its own marker.
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
from seq2seq_cli.evaluation.training_history import ValidationCurve
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.text.units import WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, FAINT = "#333333", "#999999"
STYLE = {
    # The first font lacks Chinese, Japanese and Korean; most systems have one of the others.
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
MARK = b"drawn by seq2seq plot"
"""In the metadata of every picture: such a picture can be drawn again, and is replaced without a backup."""
SHEETS = ((9, 6.5), (12, 9), (16, 12), (20, 15), (26, 19))
"""Width and height in inches; a figure with many sentences needs a large sheet."""
LABEL_GAP = 7
"""Between a point and its label, in points (1/72 inch)."""
FEW_SENTENCES = 20
"""BLEU of fewer sentences is mostly chance."""


class LengthAxis(NamedTuple):
    """The length buckets of one test set: their labels, for example ``6–10``, and their numbers of sentences."""

    name: str
    labels: Sequence[str]
    sentences: Sequence[int]


class LengthLine(NamedTuple):
    """BLEU of one model on each test set, whole and in each length bucket."""

    name: str
    whole: Sequence[float]
    buckets: Sequence[Array]


@contextmanager
def drawing() -> Iterator[None]:
    """Set up matplotlib for the figures drawn in a ``with`` block.

    Raises:
        UserError: if it is not installed.
    """
    for name in ("matplotlib", "adjustText"):  # they would report caches, fonts, and labels that are too long
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        import adjustText  # noqa: F401 (it is in the same extra)
        import matplotlib
    except ImportError:
        raise UserError(
            "figures need matplotlib and adjustText, and at least one of them is not installed",
            where="seq2seq plot",
            fix="install them with: pip install matplotlib adjustText",
        ) from None
    with matplotlib.rc_context(STYLE), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    if any("missing from" in str(warning.message) for warning in caught):
        console.warn("the font lacks some characters; they are drawn as boxes")


def save(figure: Figure, stream: IO[bytes], kind: str) -> None:
    """Write a figure as ``png``, ``svg`` or ``pdf``, with ``MARK``; the same numbers give the same bytes."""
    mark = MARK.decode()
    metadata = {
        "png": {"Software": mark},
        "svg": {"Creator": mark, "Date": None},
        "pdf": {"Creator": mark, "CreationDate": None},
    }
    figure.savefig(stream, format=kind, dpi=DPI, metadata=metadata[kind])


def history_figure(curves: Sequence[ValidationCurve], training: tuple[Array, Array] | None = None) -> Figure:
    """Draw learning curves: validation loss and BLEU over the training steps.

    Args:
        curves: one curve for each model.
        training: steps and training loss, from a metrics log.
    """
    figure = _sheet(8, 6.5)
    upper, lower = figure.subplots(2, 1, sharex=True)
    if training is not None:
        upper.plot(*training, color=FAINT, linewidth=1.2, label="training loss")
    for k, curve in enumerate(curves):
        look = {"color": _color(k), "marker": _marker(k), "markersize": 6, "linewidth": 1.8, "clip_on": False}
        upper.plot(curve.steps, curve.loss, label=_label(curve.name) if len(curves) > 1 else "validation loss", **look)
        lower.plot(curve.steps, curve.bleu, **look)
        for axes, values in ((upper, curve.loss), (lower, curve.bleu)):
            axes.plot(
                curve.steps[curve.kept],
                values[curve.kept],
                marker="o",
                markersize=13,
                color="none",
                markeredgecolor=_color(k),
                markeredgewidth=1.2,
                clip_on=False,
            )
    upper.set_title(_wrapped(f"Training of {', '.join(curve.name for curve in curves)}", 80))
    upper.set_ylabel(f"{'validation ' if training is None else ''}loss (nats per token)")
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
    lines: Sequence[LengthLine], sets: Sequence[LengthAxis], signature: str, unit: str = WORDS
) -> Figure:
    """Draw BLEU by source length, one test set beside the other; a dashed line marks where another one begins.

    Args:
        lines: one line for each model.
        sets: the test sets.
        signature: signature of sacreBLEU.
        unit: what the lengths count, words or characters.
    """
    labels = [f"{label}\nn = {n:,}" for axis in sets for label, n in zip(axis.labels, axis.sentences)]
    starts = np.cumsum([0, *(len(axis.labels) for axis in sets)])
    figure = _sheet(max(8.0, 1.0 * len(labels) + 1), 5)
    axes = figure.subplots()
    hollow = False
    for k, line in enumerate(lines):
        color, marker = _color(k), _marker(k)
        scores = (f"BLEU {score:.1f}{f' on {axis.name}' * (len(sets) > 1)}" for score, axis in zip(line.whole, sets))
        name: str | None = f"{_label(line.name)}, {', '.join(scores)}"
        for start, axis, values in zip(starts, sets, line.buckets):
            positions = start + np.arange(len(values))
            axes.plot(positions, values, color=color, marker=marker, linewidth=1.8, label=name, clip_on=False)
            name = None
            few = np.array(axis.sentences) < FEW_SENTENCES
            if few.any():  # even a plot without points would take space
                axes.plot(positions[few], values[few], marker, color="white", markeredgecolor=color, clip_on=False)
                hollow = True
    for start in starts[1:-1]:
        axes.axvline(start - 0.5, color=FAINT, linestyle="--", linewidth=1.0)
    axes.set_xticks(np.arange(len(labels)), labels)
    note = f"; hollow: fewer than {FEW_SENTENCES} sentences" if hollow else ""
    axes.set_xlabel(f"{unit} in the source, number of sentences{note}\n{signature}")
    axes.set_ylabel("BLEU")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.06)
    axes.set_title(_wrapped(f"BLEU by length of the source: {' | '.join(axis.name for axis in sets)}", 80))
    axes.grid(axis="y", color=FAINT, alpha=0.3)
    axes.legend()
    return figure


def contexts_figure(points: Array, shares: Array, labels: Sequence[str], groups: Sequence[int], title: str) -> Figure:
    """Draw sentences as labeled points, on the smallest sheet on which all labels are legible.

    Args:
        points: (n, 2) coordinates.
        shares: (2,) share of the variance of each axis.
        labels: n sentences.
        groups: n group numbers; the sentences of one group share color and marker.
        title: title of the figure.
    """
    for size in SHEETS:
        figure = _sheet(*size)
        axes = figure.subplots()
        for group in dict.fromkeys(groups):
            chosen = np.array(groups) == group
            axes.scatter(*points[chosen].T, s=45, color=_color(group), marker=_marker(group), zorder=3)
        axes.margins(0.25, 0.15)
        axes.set_title(_wrapped(title, 80))
        axes.set_xlabel(f"first principal component, {100 * shares[0]:.0f} % of the variance")
        axes.set_ylabel(f"second principal component, {100 * shares[1]:.0f} %")
        axes.grid(color=FAINT, alpha=0.2)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # keep the layout from now on
        if label_points(axes, points, [_wrapped(label, 26) for label in labels]):
            break
    else:
        console.warn("some labels or leader lines cross; draw fewer sentences")
    return figure


def label_points(axes: Axes, points: Array, labels: Sequence[str]) -> bool:
    """Write each label beside its point, or where adjustText finds space, with a leader line to the point.

    Returns:
        Whether all labels are legible: no label covers a point or another label, and no leader line crosses a label.
    """
    from adjustText import adjust_text
    from matplotlib.path import Path
    from matplotlib.transforms import Bbox

    # Every label starts on the side of its point that is away from the nearest other point.
    gap = LABEL_GAP * DPI / 72
    pixels = axes.transData.transform(points)
    distances = np.linalg.norm(pixels[:, None] - pixels, axis=2)
    np.fill_diagonal(distances, np.inf)
    away = np.where(pixels >= pixels[distances.argmin(axis=1)], 1, -1)
    to_data = axes.transData.inverted().transform
    texts = [
        axes.text(
            *to_data(pixel + 0.7 * gap * side),
            label,
            ha="left" if side[0] > 0 else "right",
            va="bottom" if side[1] > 0 else "top",
            fontsize=9.5,
            linespacing=1.1,
            multialignment="left",
        )
        for pixel, side, label in zip(pixels, away, labels)
    ]
    adjust_text(
        texts,
        objects=[Bbox(to_data([pixel - 0.6 * gap, pixel + 0.6 * gap])) for pixel in pixels],
        target_x=points[:, 0],
        target_y=points[:, 1],
        avoid_self=False,
        prevent_crossings=False,  # it swaps labels after the last check for overlaps
        expand=(1.03, 1.15),
        force_text=(0.5, 0.5),
        force_static=(0.5, 0.5),
        force_explode=(0, 0),
        force_pull=(0, 0),
        max_move=(20, 20),
        iter_lim=150,  # not a time limit: the same numbers give the same picture
        min_arrow_len=1.1 * gap,
        arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.7, "zorder": 1},
        ax=axes,
    )
    boxes = [text.get_window_extent() for text in texts]
    markers = [Bbox([pixel - gap / 2, pixel + gap / 2]) for pixel in pixels]
    for pixel, box in zip(pixels, boxes):
        others = [other for other in boxes if other is not box]
        leader = Path([pixel, (box.min + box.max) / 2])
        if box.count_overlaps([*markers, *others]) or any(leader.intersects_bbox(o, filled=False) for o in others):
            return False
    return True


def _sheet(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _minutes_above(axes: Axes, curve: ValidationCurve) -> None:
    """Add an axis with the training time at the top, as measured at the validations."""
    steps, minutes = np.append(0.0, curve.steps), np.append(0.0, curve.minutes)
    if not ((np.diff(steps) > 0).all() and (np.diff(minutes) > 0).all()):
        return  # not monotonic, so not an axis
    # Beyond the validations, at the average pace.
    steps = np.concatenate([[-steps[-1]], steps, [2 * steps[-1]]])
    minutes = np.concatenate([[-minutes[-1]], minutes, [2 * minutes[-1]]])
    upper = axes.secondary_xaxis(
        "top", functions=(lambda x: np.interp(x, steps, minutes), lambda x: np.interp(x, minutes, steps))
    )
    upper.set_xlabel("minutes, validations included")


def _color(k: int) -> str:
    return COLORS[k % len(COLORS)]


def _marker(k: int) -> str:
    return MARKERS[k % len(MARKERS)]


def _label(name: str) -> str:
    """Return the label of a model; matplotlib leaves labels that start with an underscore out of legends."""
    return f"./{name}" if name.startswith("_") else name


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, max_lines=3, placeholder=" …")
