import json

import pytest

from seq2seq_cli.text.source_style import SourceStyle, final_mark, mark_keys, words_of

ENGLISH = [
    *["Where is Paul?"] * 4,
    *["Do you like the USA?"] * 3,
    *["You do like us."] * 5,
    *["Hello."] * 3,
    *["I think it may rain in May."] * 2,
]


def test_capitals_and_final_marks_are_learned():
    style = SourceStyle.learn(ENGLISH)
    assert style.capital
    assert style.mark == "."
    assert [style.mark_of(text) for text in ("Where is it", "Do it", "You do", "Hello", "Zebras")] == [
        "?",
        "?",
        ".",
        ".",
        ".",
    ]


def test_a_text_whose_lines_often_lack_them_has_neither():
    style = SourceStyle.learn([*ENGLISH, "no capital", "No mark", *["and so on"] * 3])
    assert not style.capital
    assert style.mark == ""
    assert style.marks == {}


def test_the_space_before_a_mark_belongs_to_it():
    assert SourceStyle.learn(["Où est-il\u00a0?"]).mark == "\u00a0?"
    assert final_mark("Où\u202f?!") == "\u202f?!"
    assert final_mark("Où") == ""


def test_forms_within_sentences_are_counted_and_those_at_their_start_only_for_other_words():
    style = SourceStyle.learn(ENGLISH)
    assert style.forms == {"may": ["May", "may"], "paul": ["Paul"], "usa": ["USA"]}
    assert style.starts["hello"] == "Hello"
    assert style.starts["i"] == "I"
    assert "do" not in style.starts


def test_frequent_words_with_an_apostrophe_before_their_ending_are_learned_unless_they_are_words_without():
    lines = (
        ["I don't know."] * 3 + ["We're late."] * 3 + ["We were late.", "She isn't late.", "It is five o'clock."] * 2
    )
    assert SourceStyle.learn(lines).contractions == {"dont": "don't"}
    assert SourceStyle.learn([*lines, "Dont."]).contractions == {}
    assert SourceStyle.learn(lines + ["No."] * 3000).contractions == {}


def test_chinese_questions_are_known_by_their_last_letter():
    style = SourceStyle.learn(["你好吗？", "他来吗？", "是他吗？", "我来。", "他好。", "我是。", "你去。"])
    assert style.mark_of("我们去吗") == "？"
    assert style.mark_of("我们去") == "。"


def test_the_share_of_lines_with_several_sentences_is_measured():
    assert SourceStyle.learn(["One. Two.", "Three.", "Four.", "Five."]).several == 0.25
    assert SourceStyle().several == 1.0


def test_keys_go_from_the_beginning_to_the_end():
    assert mark_keys("Where is the station?") == ["where is", "where", "…station"]
    assert mark_keys("42.") == []


def test_a_word_after_a_mark_or_a_quote_starts_a_sentence_but_after_a_comma_it_does_not():
    assert list(words_of('Hi. Tom, she, "Yes," he')) == [
        ("Hi", True),
        ("Tom", True),
        ("she", False),
        ("Yes", True),
        ("he", True),
    ]


def test_no_lines_have_no_style():
    assert SourceStyle.learn([]) == SourceStyle(several=0.0)


def test_it_survives_json():
    for style in (SourceStyle(), SourceStyle.learn(ENGLISH)):
        assert SourceStyle.from_json(json.loads(json.dumps(style.to_json()))) == style


GOOD = SourceStyle.learn(ENGLISH).to_json()


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], {}, {**GOOD, "more": 1}, {**GOOD, "marks": {"a": 1}}, {**GOOD, "forms": {"a": "A"}}),
        *({**GOOD, name: 3} for name in GOOD if name != "several"),
        *({**GOOD, "several": "x"}, {**GOOD, "forms": {"a": []}}, {**GOOD, "starts": {"a": None}}),
    ],
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="style"):
        SourceStyle.from_json(value)


@pytest.mark.parametrize(
    ("text", "mark"),
    [("यह क्या है", ""), ("यह घर है।", "।"), ("كتابٌ", ""), ("Où ?", " ?"), ("No way!!!!", "!!!"), ("?", "?"), ("", "")],
)
def test_vowel_signs_and_accents_are_no_final_marks(text, mark):
    assert final_mark(text) == mark
