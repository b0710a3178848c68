from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seq2seq_cli.text import bpe
from seq2seq_cli.text.bpe import BpeTokenizer, learn_merges, merge_pair


def plain_merges(pieces, entries):
    """The textbook's algorithm: count all pairs of all pieces anew before every merge."""
    vocabulary = dict.fromkeys(sorted({c for piece in pieces for c in piece}))
    words = {piece: list(piece) for piece in pieces}
    merges = []
    while len(vocabulary) < entries:
        counts = Counter()
        for piece, symbols in words.items():
            for pair in pairwise(symbols):
                counts[pair] += pieces[piece]
        if not counts:
            break
        pair = min(counts, key=lambda p: (-counts[p], p))
        if counts[pair] < 2:
            break
        merges.append(pair)
        vocabulary[pair[0] + pair[1]] = None
        words = {piece: merge_pair(symbols, pair) for piece, symbols in words.items()}
    return list(vocabulary), merges


def test_docstring_example():
    assert merge_pair("12312", ("1", "2")) == ["12", "3", "12"]


def test_first_merge_is_the_most_frequent_pair():
    _, merges = learn_merges({"low": 5, "lower": 2, "newest": 6, "widest": 3}, sorted("lowernstid"), 11)
    assert merges == [("e", "s")]


@given(
    st.dictionaries(st.text(alphabet="abc", min_size=1, max_size=8), st.integers(1, 5), min_size=1, max_size=12),
    st.integers(1, 30),
)
def test_incremental_counting_equals_counting_anew(pieces, entries):
    alphabet = sorted({c for piece in pieces for c in piece})
    assert learn_merges(pieces, alphabet, entries) == plain_merges(pieces, entries)


@given(st.text(alphabet="abcd ", max_size=60))
def test_encoding_gives_the_pieces_that_training_ended_with(text):
    tokenizer = BpeTokenizer.train([text], 30)
    assert tokenizer.decode(tokenizer.encode(text)) == tokenizer.normalize(text)


def test_frequent_words_become_one_token_and_new_words_several():
    tokenizer = BpeTokenizer.train(["the cat and the dog and the cat"] * 5, 60)
    assert len(tokenizer.encode("the cat")) == 2
    assert len(tokenizer.encode("the dogcat")) > 2


def test_more_characters_than_entries_keeps_the_most_frequent():
    tokenizer = BpeTokenizer.train(["aaa bb c"], 6)
    assert tokenizer.vocabulary[3:] == [" ", "a", "b"]
    assert tokenizer.unknown("abc") == ["c"]


def test_no_token_is_a_whole_sentence_where_there_are_no_spaces():
    lines = ["我的朋友今天在家里看书。", "ฉันชอบอ่านหนังสือพิมพ์ที่บ้าน"] * 9
    tokenizer = BpeTokenizer.train(lines, 1000)
    assert max(len(token.strip()) for token in tokenizer.vocabulary if "\u4e00" <= token[-1] <= "\u9fff") == 6
    assert 6 < max(len(token.strip()) for token in tokenizer.vocabulary) <= 20
    assert [tokenizer.decode(tokenizer.encode(line)) for line in lines] == lines
    assert " conscientiousness" in BpeTokenizer.train(["conscientiousness"] * 2, 100).vocabulary


def test_of_very_many_clauses_merges_are_learned_from_a_share_and_all_characters_are_kept(monkeypatch):
    lines = [f"今天我们的朋友看书{chr(0x5000 + k)}" for k in range(300)]
    monkeypatch.setattr(bpe, "MAX_CLAUSES", 40)
    tokenizer = BpeTokenizer.train(lines, 400)
    assert all(tokenizer.unknown(line) == [] for line in lines)
    assert any(len(token) == 6 for token in tokenizer.vocabulary)
    assert sum(len(tokenizer.encode(line)) for line in lines) < 4 * len(lines)
