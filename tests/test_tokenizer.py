import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.text.tokenizer import BOS, EOS, SPECIALS, UNKNOWN, merge_unknown
from seq2seq_cli.text.tokenizer_file import train_tokenizer

LINES = [
    "Hello, world! Don't you see the 3 cats?",
    "L'été, c'est l'heure d'aller à l'école\u00a0!",
    "“Quoted” — it's 12.50€ (or so); see #4 & C++…",
    "The cats see the world. The world sees the cats.",
]
KINDS = ["bpe", "word", "char"]


def trained(kind, lines=LINES, size=400, lowercase=False):
    return train_tokenizer(TokenizerConfig(kind, size, lowercase), lines)


@pytest.mark.parametrize("kind", KINDS)
def test_training_text_round_trips(kind):
    tokenizer = trained(kind)
    for line in LINES:
        ids = tokenizer.encode(line)
        assert UNKNOWN not in ids
        assert tokenizer.decode(ids) == tokenizer.normalize(line)
        assert tokenizer.unknown(line) == []


ALPHABET = "".join(sorted(set("".join(LINES))))


@pytest.mark.parametrize("kind", ["bpe", "char"])
@given(text=st.text(alphabet=ALPHABET + "\t\r\n"))
def test_any_text_of_known_characters_round_trips(kind, text):
    tokenizer = trained_once(kind)
    assert tokenizer.decode(tokenizer.encode(text)) == tokenizer.normalize(text)


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text())
def test_text_without_unknown_parts_round_trips_and_all_else_is_reported(kind, text):
    tokenizer = trained_once(kind)
    ids = tokenizer.encode(text)
    if UNKNOWN in ids:
        assert tokenizer.unknown(text)
    else:
        assert tokenizer.decode(ids) == tokenizer.normalize(text)
        assert not tokenizer.unknown(text)


_TRAINED = {}


def trained_once(kind):
    if kind not in _TRAINED:
        _TRAINED[kind] = trained(kind)
    return _TRAINED[kind]


@pytest.mark.parametrize("kind", ["bpe", "char"])
def test_unknown_characters_become_one_unk_and_are_reported(kind):
    tokenizer = trained(kind)
    ids = tokenizer.encode("the 漢字 cats")
    assert ids.count(UNKNOWN) == 1
    assert tokenizer.decode(ids) == "the <unk> cats"
    assert tokenizer.unknown("the 漢字 cats 漢") == ["漢", "字"]


def test_unknown_words_become_unk_and_are_reported():
    tokenizer = trained("word")
    ids = tokenizer.encode("The dog, the cats.")
    assert ids.count(UNKNOWN) == 1
    assert tokenizer.decode(ids) == "The <unk>, the cats."
    assert tokenizer.unknown("The dog, the cats.") == ["dog"]


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_come_first_and_cannot_be_typed(kind):
    tokenizer = trained(kind, [*LINES, "<s> </s> <unk>"])
    assert tuple(tokenizer.vocabulary[:3]) == SPECIALS
    ids = tokenizer.encode("<s> </s> <unk>")
    assert not {BOS, EOS, UNKNOWN} & set(ids)
    assert tokenizer.decode([BOS, *ids, EOS]) == "<s> </s> <unk>"


@pytest.mark.parametrize("kind", KINDS)
def test_empty_and_blank_text_has_no_tokens(kind):
    tokenizer = trained(kind)
    for text in ("", " ", "\t \n"):
        assert tokenizer.encode(text) == []
        assert tokenizer.unknown(text) == []
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_vocabulary_is_no_larger_than_asked_for_and_has_no_repeats(kind):
    for size in (4, 10, 45, 400):
        tokenizer = trained(kind, size=size)
        assert len(tokenizer) <= size
        assert len(set(tokenizer.vocabulary)) == len(tokenizer)


@pytest.mark.parametrize("kind", KINDS)
def test_training_depends_on_counts_only_not_on_order(kind):
    assert trained(kind).to_json() == trained(kind, LINES[::-1]).to_json()


@pytest.mark.parametrize("kind", KINDS)
def test_lowercase_folds_case(kind):
    tokenizer = trained(kind, lowercase=True)
    assert tokenizer.encode("THE CATS") == tokenizer.encode("the cats")
    assert tokenizer.decode(tokenizer.encode("THE CATS")) == "the cats"


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_outside_the_vocabulary_is_an_error(kind):
    tokenizer = trained(kind)
    for bad in (-1, len(tokenizer)):
        with pytest.raises(UserError, match="not a token id"):
            tokenizer.decode([bad])


def test_cache_does_not_change_results_and_stays_bounded(monkeypatch):
    monkeypatch.setattr("seq2seq_cli.text.tokenizer.CACHE_SIZE", 3)
    tokenizer = trained("bpe")
    first = [tokenizer.encode(line) for line in LINES]
    assert first == [tokenizer.encode(line) for line in LINES]
    assert len(tokenizer._cache) <= 3


def test_merge_unknown():
    assert merge_unknown([5, 0, 0, 7, 0]) == [5, 0, 7, 0]
    assert merge_unknown([]) == []
