import pytest

from seq2seq_cli.text import training_vocabulary
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary

SOURCES = ["The old cat, isn't it?", "L'ami arrive à 10 h."]


def test_words_that_were_in_no_training_source_are_out_of_vocabulary_whatever_their_case():
    found = TrainingVocabulary.of(SOURCES, longest=9)
    assert found.longest == 9
    assert found.oov_words("THE cat isn't old: it arrive, l'ami") == []
    assert found.oov_words("the zebra, the Zebu and a zebra") == ["zebra", "Zebu", "and", "a"]


def test_numbers_and_punctuation_are_not_words():
    assert TrainingVocabulary.of(SOURCES, 9).oov_words("the 42 ; ! — cat") == []


def test_without_a_known_vocabulary_no_word_is_out_of_it():
    assert TrainingVocabulary().oov_words("anything") == []


def test_of_too_many_words_none_are_kept(monkeypatch):
    monkeypatch.setattr(training_vocabulary, "MAX_WORDS", 3)
    assert TrainingVocabulary.of(["one two three"], 3).words == {"one", "two", "three"}
    assert TrainingVocabulary.of(["one two three four"], 4) == TrainingVocabulary(4)


def test_it_survives_json():
    found = TrainingVocabulary.of(SOURCES, 9)
    assert TrainingVocabulary.from_json(found.to_json()) == found
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
        TrainingVocabulary.from_json(value)


def test_where_there_are_no_spaces_words_are_characters():
    found = TrainingVocabulary.of(["我喜欢书。", "他用 iPhone"], 9)
    assert found.words == {"我", "喜", "欢", "书", "他", "用", "iphone"}
    assert found.oov_words("我喜欢猫，用 iPad。") == ["猫", "iPad"]


def test_the_phrases_of_an_older_model_are_read_as_their_characters():
    older = TrainingVocabulary.from_json({"longest": 9, "words": ["我喜欢书", "cat"]})
    assert older.oov_words("书，我 cat 猫") == ["猫"]
