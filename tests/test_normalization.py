import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.text.normalization import Normalizer
from seq2seq_cli.text.tokenizer_file import tokenizer_from_json, train_tokenizer

ENGLISH = ["Don't wait.", 'He said "no".', "Well... is that all?", "It costs 1,000 euros, I think; a well-known price."]
FRENCH = [
    "Où est la gare\u00a0?",
    "Viens\u00a0!",
    "C'est ici\u00a0: là.",
    "«\u00a0Oui\u00a0», dit-il.",
    "10\u202f000 euros",
]
CHINESE = ["你好！", "你好吗？", "我很好，谢谢（你）。", "他说“好”。", "全角！"]
CURLY = ["Don\u2019t wait.", "He said \u201cno\u201d\u2026", "It\u2019s \u201chere\u201d."]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Don\u2019t", "Don't"),
        ("Don\u02bct don\u2032t don\uff07t don\u2018t don`t don\u00b4t", "Don't don't don't don't don't don't"),
        ("\u201cno\u201d \u201eno\u201f \uff02no\uff02", '"no" "no" "no"'),
        ("Is\u00a0that\u202fall\u2009now\u3000here", "Is that all now here"),
        ("Is that all ? Yes\u00a0! No\u202f; so : 10 .", "Is that all? Yes! No; so: 10."),
        ("in\u00adfor\u200bma\ufefftion\u2060 a\u200eb", "information ab"),
        ("\uff37\uff45\uff4c\uff4c\uff0c \uff11\uff0e", "Well, 1."),
        ("well\u2010known well\u2011known \u22125", "well-known well-known -5"),
        ("Well\u2026", "Well..."),
        ("Cafe\u0301 \ufb01ne", "Café fine"),
        ("\uff8a\uff9e", "バ"),
        (":) .5 x:y 3:30 a , b", ":) .5 x:y 3:30 a, b"),
    ],
)
def test_variants_are_read_in_the_form_of_the_training_text(typed, read):
    assert Normalizer.learn(ENGLISH).apply(typed) == read


@pytest.mark.parametrize(
    "typed", ["Où est la gare ?", "Où est la gare?", "Où est la gare\u202f?", "Où  est la gare\u2009?"]
)
def test_the_space_before_a_mark_is_that_of_the_training_text(typed):
    assert Normalizer.learn(FRENCH).apply(typed) == "Où est la gare\u00a0?"


def test_french_quotes_and_numbers_get_the_spaces_of_the_training_text():
    assert Normalizer.learn(FRENCH).apply("« Oui », 10 000 euros, 1990 fois") == (
        "«\u00a0Oui\u00a0», 10\u202f000 euros, 1990 fois"
    )
    assert Normalizer.learn(FRENCH).apply("Quoi ?!") == "Quoi\u00a0?!"


def test_a_text_with_mixed_forms_gets_the_most_frequent_one():
    mixed = ["l\u2019ami"] * 3 + ["l'ami"] * 2
    assert Normalizer.learn(mixed).apply("l'ami l\u2019eau") == "l\u2019ami l\u2019eau"
    assert Normalizer.learn(mixed[2:]).apply("l'ami l\u2019eau") == "l'ami l'eau"
    assert Normalizer.learn(CURLY).apply('"Don\'t" and "so"...') == "\u201cDon\u2019t\u201d and \u201cso\u201d\u2026"


@pytest.mark.parametrize(
    ("line", "typed", "read"),
    [
        ("„Ja“", '„Ja".', "„Ja“."),
        ("„Ja“", '"Ja".', "„Ja“."),
        ("„Ja“", '„A“ und "B"', "„A“ und „B“"),
        ("„Ja“", '"A" und „B"', "„A“ und „B“"),
        ("\u201cYes\u201d", '\u201cHi"', "\u201cHi\u201d"),
        ('„Ja" „Nein" „So“', 'Er sagte: "Ja".', 'Er sagte: „Ja".'),
    ],
)
def test_straight_quotes_take_turns_with_the_curly_ones_of_the_line(line, typed, read):
    normalizer = Normalizer.learn([line])
    assert normalizer.apply(typed) == read
    assert normalizer.apply(read) == read


def test_full_width_marks_stay_where_the_training_text_has_them_and_ascii_ones_become_full_width():
    chinese = Normalizer.learn(CHINESE)
    assert chinese.apply("你好! 你好吗? (好)，1,000 \uff21") == "你好！ 你好吗？ （好），1,000 A"
    assert Normalizer.learn(ENGLISH).apply("你好！") == "你好!"


def test_zero_width_joiners_stay_only_where_they_are_part_of_the_language():
    assert Normalizer.learn(["می\u200cخواهم"]).apply("می\u200cروم a\u200bb") == "می\u200cروم ab"
    assert Normalizer.learn(["no"] * 200 + ["a\u200cb"]).apply("a\u200cb") == "ab"


def test_a_training_text_in_its_own_convention_stays_as_it_is():
    for text in (ENGLISH, FRENCH, CHINESE, CURLY):
        normalizer = Normalizer.learn(text)
        assert [normalizer.apply(line) for line in text] == text


@given(st.lists(st.text()), st.text(), st.booleans())
def test_normalizing_again_changes_nothing(lines, text, lowercase):
    tokenizer = train_tokenizer(TokenizerConfig("char", 50, lowercase), [*ENGLISH, *lines])
    once = tokenizer.normalize(text)
    assert tokenizer.normalize(once) == once


@pytest.mark.parametrize("text", [FRENCH, CURLY, CHINESE])
@pytest.mark.parametrize("kind", ["bpe", "word", "char"])
def test_a_tokenizer_decodes_to_the_convention_of_its_training_text(kind, text):
    tokenizer = train_tokenizer(TokenizerConfig(kind, 500), text)
    assert [tokenizer.decode(tokenizer.encode(line)) for line in text] == text


def test_without_normalization_variants_stay_different():
    tokenizer = train_tokenizer(TokenizerConfig("char", 500, text_normalization="none"), ENGLISH)
    assert tokenizer.normalizer is None
    assert tokenizer.normalize("Don\u2019t\u00a0!") == "Don\u2019t\u00a0!"
    assert tokenizer.to_json()["version"] == 1
    assert "normalization" not in tokenizer.to_json()


def test_lines_that_can_be_read_only_once_train_the_same_tokenizer():
    config = TokenizerConfig("bpe", 100)
    assert train_tokenizer(config, iter(FRENCH)).to_json() == train_tokenizer(config, FRENCH).to_json()


def test_a_dotted_capital_i_becomes_one_letter_in_lower_case():
    tokenizer = train_tokenizer(TokenizerConfig("char", 500, lowercase=True), ["İstanbul"])
    assert tokenizer.normalize("İSTANBUL") == tokenizer.normalize("I\u0307stanbul") == "istanbul"


@pytest.mark.parametrize("text", [ENGLISH, FRENCH, CHINESE, CURLY, []])
def test_it_survives_json(text):
    normalizer = Normalizer.learn(text)
    assert Normalizer.from_json(json.loads(json.dumps(normalizer.to_json()))) == normalizer


GOOD = Normalizer.learn(FRENCH).to_json()


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], {}, {**GOOD, "name": "nfkc"}, {**GOOD, "more": 1}, {**GOOD, "apostrophe": ""}),
        *({**GOOD, name: 3} for name in GOOD),
        *({**GOOD, name: "xyz"} for name in GOOD if name != "name"),
        {**GOOD, "spacing": {"?": "xx"}},
        {**GOOD, "spacing": {"a": " "}},
        {**GOOD, "spacing": {"?": ["\u00a0"]}},
        {name: value for name, value in GOOD.items() if name != "quotes"},
    ],
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="normalization"):
        Normalizer.from_json(value)
    data = {**train_tokenizer(TokenizerConfig("char", 50), FRENCH).to_json(), "normalization": value}
    with pytest.raises(UserError) as caught:
        tokenizer_from_json(data, "tok.json")
    assert caught.value.where == "tok.json"


@pytest.mark.parametrize(
    "text", [" " * 200_000 + "x", "?" * 200_000 + "x", "a ?" * 60_000, '"' * 200_000, "`" * 200_000]
)
def test_a_long_line_takes_linear_time(text):
    assert Normalizer.learn(CURLY).apply(text)
