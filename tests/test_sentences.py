import pytest

from seq2seq_cli.text.sentences import learn_abbreviations, split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["The cat is sleeping on the chair.", "We have two children."],
        ["Really?!", "Yes...", "No!"],
        ['"Is that all?"', '"Yes."'],
        ["(One.)", "¿Dos?", "Été."],
        ["Mr. Hill met Dr. Watson.", "J. S. Bach did not."],
        ["It costs 1.80 euros, e.g. here."],
        ["He lives in the U.S. now"],
        ["It is I.", "Who else?"],
        ["no capital follows. this one stays"],
        ["Où est la gare\u00a0?", "Ici."],
        [""],
        ["..."],
    ],
)
def test_a_line_is_split_after_a_mark_a_space_and_before_a_capital(sentences):
    assert split_sentences(" ".join(sentences)) == sentences


def test_chinese_and_japanese_marks_need_no_space():
    assert split_sentences("你好。你好吗？「はい。」そう！") == ["你好。", "你好吗？", "「はい。」", "そう！"]
    assert split_sentences("你好。 你好") == ["你好。", "你好"]


def test_a_letter_without_case_may_begin_a_sentence():
    assert split_sentences("سلام! خوبی؟ بله.") == ["سلام!", "خوبی؟ بله."]


def test_abbreviations_are_learned_from_periods_within_sentences():
    lines = ["Der Hr. Meier kommt mit Abb. Drei.", "Siehe Abb. Vier.", "Zu Abb. Eins kommt nichts.", "Er kommt."]
    assert learn_abbreviations(lines) == {"Abb"}
    assert split_sentences("Siehe Abb. Drei. Komm.", {"Abb"}) == ["Siehe Abb. Drei.", "Komm."]


def test_the_last_word_of_sentences_is_no_abbreviation():
    lines = ["He is here. She is not here. So what.", "They are here. We too.", "It is here.", "You are here. Fine."]
    assert learn_abbreviations(lines * 3) == frozenset()


@pytest.mark.parametrize(
    "text", ["." * 200_000, ". " * 100_000, "a" * 200_000 + ". B", "." + ")" * 200_000, ". " + "(" * 200_000]
)
def test_a_long_line_takes_linear_time(text):
    assert split_sentences(text)
