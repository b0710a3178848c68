import io

import pytest

from seq2seq_cli.cli.terminal.charts import bar, can_draw, sparkline


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ([], 10, ""),
        ([2.0], 10, "▁"),
        ([2.0, 2.0], 10, "▁▁"),
        ([1, 2, 3, 4, 5, 6, 7, 8], 10, "▁▂▃▄▅▆▇█"),
        ([3.0, 2.0, 1.5, 1.0], 40, "█▅▃▁"),
        ([8, 6, 4, 2, 1, 1], 3, "█▃▁"),
    ],
)
def test_a_sparkline_goes_from_the_lowest_to_the_highest(values, width, drawn):
    assert sparkline(values, width) == drawn


def test_many_values_become_one_character_a_part_and_none_is_lost():
    line = sparkline([0.0] * 999 + [1000.0], 7)
    assert line == "▁▁▁▁▁▁█"


def test_a_bar_has_its_share_of_the_width_and_is_never_empty_for_something():
    assert bar(1.0, 10) == "█" * 10
    assert bar(0.5, 10) == "█████"
    assert bar(0.5, 10, blocks=False) == "#####"
    assert bar(0.001, 10) == "█"
    assert bar(0.0, 10) == ""


@pytest.mark.parametrize(("encoding", "able"), [("utf-8", True), ("cp1252", False), ("cp437", False), ("ascii", False)])
def test_code_pages_without_blocks_get_plain_characters(encoding, able):
    assert can_draw(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) == able
    sparkline([1.0, 2.0], 5, blocks=able).encode(encoding)
    assert not can_draw(None)
