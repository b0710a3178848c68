import functools
import importlib.util

import numpy as np
import pytest

from seq2seq_cli.cli.terminal.figures import (
    COLORS,
    DPI,
    LABEL_GAP,
    MARKERS,
    LengthAxis,
    LengthLine,
    contexts_figure,
    drawing,
    label_points,
    lengths_figure,
)

needs_matplotlib = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("matplotlib", "adjustText"))), reason="the extra 'plots' is not installed"
)
WORDS = ("the", "old", "red", "cat", "sees", "a", "small", "blue", "bird", "near", "my", "house", "and", "eats", "it")


def sentences(count, generator):
    return [" ".join(generator.choice(WORDS, generator.integers(3, 9))) for _ in range(count)]


@functools.cache
def picture(count, seed):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(count, 2))
    labels = sentences(count, generator)
    with drawing():
        figure = contexts_figure(points, np.array([0.6, 0.3]), labels, [k % 3 for k in range(count)], "contexts")
    axes = figure.axes[0]
    return axes, axes.transData.transform(points), [text.get_window_extent() for text in axes.texts]


@needs_matplotlib
@pytest.mark.parametrize(("count", "seed"), [(2, 0), (8, 0), (8, 1), (8, 2), (30, 0)])
def test_labels_lie_on_no_other_label_and_on_no_point_inside_the_axes(count, seed):
    axes, points, boxes = picture(count, seed)
    frame = axes.get_window_extent().padded(1)
    assert len(boxes) == count
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:k])
        assert not any(box.contains(*point) for point in points)
        assert frame.contains(box.x0, box.y0)
        assert frame.contains(box.x1, box.y1)


@needs_matplotlib
@pytest.mark.parametrize(("count", "seed"), [(8, 0), (8, 1), (8, 2), (30, 0)])
def test_displaced_labels_have_a_leader_line_that_crosses_no_other_label(count, seed):
    axes, points, boxes = picture(count, seed)
    leaders = [patch.get_transform().transform_path(patch.get_path()) for patch in axes.patches]
    for k, (point, box) in enumerate(zip(points, boxes)):
        distance = np.hypot(*(np.clip(point, box.min, box.max) - point))
        mine = [leader for leader in leaders if np.abs(leader.vertices - point).max(axis=1).min() < 10]
        assert mine or distance < 1.25 * LABEL_GAP * DPI / 72
        for leader in mine:
            assert not any(leader.intersects_bbox(other, filled=False) for j, other in enumerate(boxes) if j != k)


@needs_matplotlib
def test_a_lone_label_stands_beside_its_point_without_a_leader_line():
    from matplotlib.figure import Figure

    axes = Figure(dpi=DPI).subplots()
    assert label_points(axes, np.array([[0.2, 0.5]]), ["a red cat"])
    (box,) = [text.get_window_extent() for text in axes.texts]
    x, y = axes.transData.transform((0.2, 0.5))
    assert box.x0 - x == pytest.approx(box.y0 - y, abs=3) == pytest.approx(0.7 * LABEL_GAP * DPI / 72, abs=3)
    assert not axes.patches


@needs_matplotlib
def test_each_test_set_has_its_own_score_and_a_line_where_it_begins():
    axis = LengthAxis("test", ["1–5", "6–10"], [30, 40]), LengthAxis("test_long", ["6–10", "11–15"], [50, 60])
    line = LengthLine("m.npz", [50.0, 20.0], [np.array([60.0, 40.0]), np.array([30.0, 10.0])])
    with drawing():
        (axes,) = lengths_figure([line], axis, "nrefs:1").axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "m.npz, BLEU 50.0 on test, BLEU 20.0 on test_long"
    ]
    first, second, border = axes.lines
    assert first.get_xdata().tolist() == [0, 1]
    assert second.get_xdata().tolist() == [2, 3]
    assert list(border.get_xdata()) == [1.5, 1.5]


@needs_matplotlib
def test_a_lack_of_space_is_reported():
    from matplotlib.figure import Figure

    axes = Figure(figsize=(3, 2), dpi=DPI).subplots()
    generator = np.random.default_rng(0)
    assert not label_points(axes, generator.uniform(0, 1, (12, 2)), sentences(12, generator))


def test_lines_differ_in_more_than_color():
    assert len(set(COLORS)) == len(set(MARKERS)) == len(COLORS)
