import pytest

from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.text.alphabet import covering_size
from seq2seq_cli.text.tokenizer_file import train_tokenizer

IDEOGRAPHS = [chr(0x4E00 + k) for k in range(3500)]


def test_a_usual_alphabet_changes_nothing():
    for kind in ("bpe", "char", "word"):
        assert covering_size(TokenizerConfig(kind, 2000), ["The cat sat.", "Où est l'été ?"]) == 2000


def test_thousands_of_characters_are_covered_with_room_for_merges():
    assert covering_size(TokenizerConfig("bpe", 4000), IDEOGRAPHS) == 5600  # 3 + 3,501 + 2,000, rounded up
    assert covering_size(TokenizerConfig("bpe", 8000), IDEOGRAPHS) == 8000
    assert covering_size(TokenizerConfig("char", 2000), IDEOGRAPHS) == 3600
    assert covering_size(TokenizerConfig("word", 2000), IDEOGRAPHS) == 2000


@pytest.mark.parametrize("kind", ["bpe", "char"])
def test_no_character_of_the_text_is_unknown(kind):
    lines = ["".join(IDEOGRAPHS[k : k + 7]) for k in range(0, 3500, 7)] * 2
    size = covering_size(TokenizerConfig(kind, 1000), lines)
    tokenizer = train_tokenizer(TokenizerConfig(kind, size), lines)
    assert all(tokenizer.unknown(line) == [] for line in lines[:100])
    assert any(len(token) > 2 for token in tokenizer.vocabulary[3:]) == (kind == "bpe")
