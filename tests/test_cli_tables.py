import io

import pytest

from seq2seq_cli.cli.terminal.tables import UNLIMITED, table, width_of


def test_columns_line_up_numbers_to_the_right():
    assert table(["name", ">score"], [["a", "1.5"], ["longer", "10.25"]], 80) == [
        "name    score",
        "a         1.5",
        "longer  10.25",
    ]


def test_without_names_there_is_no_header():
    assert table(["", ">"], [["a", "1"], ["b", "20"]], 80) == ["a   1", "b  20"]


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_does_not_fit_is_folded_and_nothing_is_lost(width):
    text = "a sentence of several words, and averyveryverylongwordwithoutanyspaceatall 漢字漢字漢字"
    lines = table(["what", ""], [["x", text]], width)
    assert max(len(line) + sum(c in "漢字" for c in line) for line in lines) <= width
    assert "".join("".join(lines[1:]).split()) == "x" + "".join(text.split())


def test_a_header_breaks_between_words_only():
    lines = table([">probability", "other alternatives"], [["1.0", "several words " * 5]], 30)
    assert [line.split() for line in lines[:2]] == [["other"], ["probability", "alternatives"]]


def test_off_a_terminal_nothing_is_folded():
    assert width_of(io.BytesIO()) == UNLIMITED
    assert len(table(["a", "b"], [["x", "word " * 500]], UNLIMITED)) == 2


def test_cells_are_text_and_not_markup_and_cannot_control_the_terminal():
    assert table(["a"], [["[bold]x[/bold] \x1b[31m"]], 80)[1] == "[bold]x[/bold] \\x1b[31m"
