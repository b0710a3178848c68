from seq2seq_cli.evaluation.baselines import nearest_translations, word_by_word_translations
from seq2seq_cli.evaluation.scores import corpus_bleu
from seq2seq_cli.text.corpus import Corpus
from tests.unspaced import pairs

TRAIN = Corpus(
    "train",
    ["the cat sleeps", "a dog sleeps here", "The cat sleeps!", "one two three four five six cat"],
    ["A", "B", "C", "D"],
)


def test_the_nearest_sentence_shares_the_largest_part_of_its_words():
    assert nearest_translations(TRAIN, ["a dog sleeps", "one two cat three four"]) == ["B", "D"]


def test_of_equally_similar_sentences_the_first_wins_without_regard_to_case_and_punctuation():
    assert nearest_translations(TRAIN, ["THE CAT sleeps?"]) == ["A"]


def test_a_long_sentence_does_not_win_by_its_length_alone():
    assert nearest_translations(TRAIN, ["cat"]) == ["A"]


def test_a_sentence_without_common_words_gets_the_first_translation():
    assert nearest_translations(TRAIN, ["zebra", "", "!?"]) == ["A", "A", "A"]


def test_word_by_word_takes_the_most_probable_translation_and_copies_unknown_words():
    train = Corpus("train", ["the cat", "the dog", "a cat"], ["le chat", "le chien", "un chat"])
    assert word_by_word_translations(train, ["the Zebra, the dog!", "a cat", ""]) == [
        "le Zebra, le chien!",
        "un chat",
        "",
    ]


def test_word_by_word_keeps_to_words_that_are_in_both_languages():
    train = Corpus("train", ["Tom sleeps", "Tom eats", "Mary eats"], ["Tom dort", "Tom mange", "Mary mange"])
    assert word_by_word_translations(train, ["Mary sleeps"]) == ["Mary dort"]


CHINESE = ["我看书", "你看书", "我喝水", "你喝水", "老师看报纸"]
ZH_TRAIN = Corpus("train", CHINESE, ["I read", "you read", "I drink", "you drink", "he"])


def test_sources_without_spaces_are_near_if_they_share_characters():
    assert nearest_translations(ZH_TRAIN, ["老师在看报纸。", "你在喝水"]) == ["he", "you drink"]


def test_word_by_word_needs_no_spaces_and_makes_none():
    assert word_by_word_translations(ZH_TRAIN, ["我喝水。"]) == ["I drink。"]
    english, chinese = zip(*pairs("zh"))
    train = Corpus("train", english[64:], chinese[64:])
    found = word_by_word_translations(train, english[:64])
    assert not any(" " in text for text in found)
    assert corpus_bleu(found, chinese[:64], tokenize="zh") > 15
