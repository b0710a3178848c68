import numpy as np
import pytest

from seq2seq_cli.cli.terminal.figures import COLOURS, MARKERS, place_labels


def overlaps(corners, sizes):
    for k in range(len(corners)):
        for other in range(k):
            if (corners[k] < corners[other] + sizes[other]).all() and (corners[other] < corners[k] + sizes[k]).all():
                yield k, other


@pytest.mark.parametrize("seed", range(5))
def test_labels_lie_on_no_other_label_and_on_no_point_inside_the_area(seed):
    generator = np.random.default_rng(seed)
    points = generator.uniform([300, 100], [900, 700], (25, 2))
    sizes = np.stack([generator.uniform(60, 200, 25), np.full(25, 18.0)], axis=1)
    corners, room = place_labels(points, sizes, (1200, 800), gap=10)
    assert room
    assert not list(overlaps(corners, sizes))
    assert (corners >= 0).all()
    assert (corners + sizes <= (1200, 800)).all()
    for corner, size in zip(corners, sizes):
        assert not ((points > corner) & (points < corner + size)).all(axis=1).any()


def test_a_lone_label_stands_right_of_its_point():
    corners, room = place_labels(np.array([[50.0, 50.0]]), np.array([[30.0, 10.0]]), (200, 100), gap=5)
    assert room
    np.testing.assert_allclose(corners, [[55.0, 45.0]])


def test_want_of_room_is_reported():
    points = np.zeros((40, 2)) + 50
    assert not place_labels(points, np.full((40, 2), 40.0), (100, 100), gap=5)[1]


def test_lines_differ_in_more_than_colour():
    assert len(set(COLOURS)) == len(set(MARKERS)) == len(COLOURS)
