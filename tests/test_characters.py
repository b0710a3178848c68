import pytest

from seq2seq_cli.text.characters import name_of, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u00a0", "U+00A0 NO-BREAK SPACE"),
        ("\u202f", "U+202F NARROW NO-BREAK SPACE"),
        ("\u00ad", "U+00AD SOFT HYPHEN"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\ufe0f", "U+FE0F VARIATION SELECTOR-16"),
        ("\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("\x07", "U+0007 control character"),
        ("\ue000", "U+E000 private use"),
        ("soft\u00adly", "soft<U+00AD SOFT HYPHEN>ly"),
        ("e\u0301", "e\u0301"),
        *((text, text) for text in ("été", "\U0001f600", "two words", "漢", "")),
    ],
)
def test_invisible_characters_are_named(text, shown):
    assert visible(text) == shown


def test_a_name_has_the_code_point_first():
    assert name_of("a") == "U+0061 LATIN SMALL LETTER A"
