from seq2seq_cli.evaluation.baselines import nearest_translations
from seq2seq_cli.text.corpus import Corpus

TRAIN = Corpus(
    "train",
    ["the cat sleeps", "a dog sleeps here", "The cat sleeps!", "one two three four five six cat"],
    ["A", "B", "C", "D"],
)


def test_the_nearest_sentence_shares_the_largest_part_of_its_words():
    assert nearest_translations(TRAIN, ["a dog sleeps", "one two cat three four"]) == ["B", "D"]


def test_of_equals_the_first_wins_whatever_case_and_punctuation():
    assert nearest_translations(TRAIN, ["THE CAT sleeps?"]) == ["A"]


def test_a_long_sentence_does_not_win_by_its_length_alone():
    assert nearest_translations(TRAIN, ["cat"]) == ["A"]


def test_a_sentence_like_none_gets_the_first():
    assert nearest_translations(TRAIN, ["zebra", "", "!?"]) == ["A", "A", "A"]
