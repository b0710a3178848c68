import importlib.util

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pexpect") is None, reason="pexpect is not installed")


def shown(output: str, columns: int = 20) -> list[str]:
    from tests.benchmarks.pictures import Screen

    screen = Screen(columns)
    screen.feed(output)
    return ["".join(character for character, _ in row) for row in screen.rows]


@pytest.mark.parametrize(
    ("output", "rows"),
    [
        ("one\r\ntwo", ["one", "two"]),
        ("old text\rnew\x1b[K", ["new"]),
        ("a\r\nb\r\nc\x1b[1A\x1b[2K\x1b[1A\x1b[2K\rx", ["x", "", "c"]),
        ("a\r\nb\r\nc\x1b[2A\r\x1b[Jz", ["z"]),
        ("123456", ["1234", "56"]),
        ("ab\b\x1b[1Cd\x1b[?25h\x1b]0;title\x07", ["abd"]),
        ("1\t2", ["1       2"]),
        ("\x1b[1;31mred\x1b[0m ?", ["red ?"]),
    ],
)
def test_the_pictures_screen_does_what_a_terminal_does(output, rows):
    assert shown(output, 4 if output == "123456" else 20) == rows


def test_the_pictures_in_the_readme_are_of_this_program():
    from tests.benchmarks.pictures import PICTURES

    for name, command in (("train", "train"), ("prompt", "translate")):
        text = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert f"seq2seq&#160;{command}" in text
        assert len(text) < 200_000
