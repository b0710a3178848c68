import pytest

from seq2seq_cli.text import training_vocabulary as seen
from seq2seq_cli.text.training_vocabulary import Seen

SOURCES = ["The old cat, isn't it?", "L'ami arrive à 10 h."]


def test_words_that_were_in_no_training_source_are_new_whatever_their_case():
    found = Seen.of(SOURCES, longest=9)
    assert found.longest == 9
    assert found.new_words("THE cat isn't old: it arrive, l'ami") == []
    assert found.new_words("the zebra, the Zebu and a zebra") == ["zebra", "Zebu", "and", "a"]


def test_numbers_and_punctuation_are_not_words():
    assert Seen.of(SOURCES, 9).new_words("the 42 ; ! — cat") == []


def test_where_nothing_is_known_nothing_is_new():
    assert Seen().new_words("anything") == []


def test_of_too_many_words_none_are_kept(monkeypatch):
    monkeypatch.setattr(seen, "MOST_WORDS", 3)
    assert Seen.of(["one two three"], 3).words == {"one", "two", "three"}
    assert Seen.of(["one two three four"], 4) == Seen(4)


def test_it_survives_json():
    found = Seen.of(SOURCES, 9)
    assert Seen.from_json(found.to_json()) == found
    assert found.to_json()["words"] == sorted(found.words)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        {"longest": -1, "words": []},
        {"longest": True, "words": []},
        {"longest": 1, "words": "abc"},
        {"longest": 1, "words": [1]},
        {"longest": 1.5, "words": []},
    ],
)
def test_what_is_of_another_form_is_refused(value):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Seen.from_json(value)
