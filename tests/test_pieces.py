import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_cli.text.pieces import LONGEST_PIECE, join_pieces, normalize, split_word


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("Hello,", [" Hello", ","]),
        ("don't", [" don", "'t"]),
        ("aren't?", [" aren", "'t", "?"]),
        ("I'm", [" I", "'m"]),
        ("l'ami", [" l'", "ami"]),
        ("L’école", [" L’", "école"]),
        ("jusqu'à", [" jusqu'", "à"]),
        ("qu'est-ce", [" qu'", "est", "-", "ce"]),
        ("'quoted'", [" '", "quoted", "'"]),
        ("dogs'", [" dogs", "'"]),
        ("1990s", [" 1990", "s"]),
        ("3.50€", [" 3", ".", "50", "€"]),
        ("ça\u00a0?", [" ça", "\u00a0?"]),
        ("«\u00a0oui\u00a0»", [" «", "\u00a0oui", "\u00a0»"]),
        ("हिन्दी", [" हिन्दी"]),
        ("a\u00a0", [" a", "\u00a0"]),
        ("_", [" _"]),
        ("...", [" .", ".", "."]),
    ],
)
def test_a_word_is_split_where_a_reader_would(word, pieces):
    assert split_word(word) == pieces


@given(st.text(min_size=1))
def test_pieces_joined_are_the_word(text):
    for word in normalize(text).split(" "):
        if word:
            assert "".join(split_word(word)) == f" {word}"


def test_a_very_long_word_is_cut():
    pieces = split_word("x" * 1000)
    assert max(len(piece) for piece in pieces) <= LONGEST_PIECE
    assert "".join(pieces) == " " + "x" * 1000


@given(st.text())
def test_normalizing_twice_changes_nothing(text):
    for lowercase in (False, True):
        once = normalize(text, lowercase)
        assert normalize(once, lowercase) == once
        assert unicodedata.is_normalized("NFC", once)


def test_white_space_becomes_one_space_but_no_break_spaces_stay():
    assert normalize("\t a\r\u2028b \u0085 c\u00a0? \x0b") == "a b c\u00a0?"


def test_lower_case_is_folded_on_request_only():
    assert normalize("Élan") == "Élan"
    assert normalize("E\u0301lan", lowercase=True) == "élan"


def test_join_removes_only_the_space_that_splitting_added():
    assert join_pieces(" a b") == "a b"
    assert join_pieces("a") == "a"
