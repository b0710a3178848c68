import dataclasses

import pytest

from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.text.reading import Reading, SourceReader
from seq2seq_cli.text.source_style import SourceStyle
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary
from tests.test_source_style import ENGLISH


def reader(lines, styled=True, **settings):
    tokenizer = train_tokenizer(TokenizerConfig("bpe", 300, **settings), lines)
    normalized = [tokenizer.normalize(line) for line in lines]
    vocabulary = TrainingVocabulary.of(normalized, 9)
    style = SourceStyle.learn(normalized) if styled else SourceStyle()
    return SourceReader(tokenizer, dataclasses.replace(vocabulary, style=style))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("where is paul", "Where is Paul?"),
        ("WHERE IS PAUL?", "Where is Paul?"),
        ("where is the usa?", "Where is the USA?"),
        ("Do you LIKE the USA?", "Do you like the USA?"),
        ("YOU LIKE THE USA", "You like the USA."),
        ("hello", "Hello."),
        ("you think i like it", "You think I like it."),
        ("it may rain", "It may rain."),
        ("IT MAY RAIN", "It May rain."),
        ("i like USAD", "I like USAD."),
    ],
)
def test_a_line_is_read_as_the_training_text_would_write_it(typed, read):
    assert reader(ENGLISH).read(typed) == Reading(read, True)


@pytest.mark.parametrize(
    "line", [*dict.fromkeys(ENGLISH), "Zebras eat Paul.", "USA?", "iPhone do.", "42", "", "Where: us..."]
)
def test_a_line_that_is_written_like_the_training_text_is_read_as_it_is(line):
    assert reader([*ENGLISH, "P: 4 2 ..."] * 3 + ENGLISH * 60).read(line) == Reading(line)


SHORT_FORMS = ["I don't know, Paul.", "We'll see.", "You don't like it."] * 3 + ["I'm here.", "We are here."] * 3


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("i dont know", "I don't know."),
        ("well, im here", "Well, I'm here."),
        ("I DONT KNOW", "I don't know."),
        ("Dont go", "Don't go."),
        ("it's here, dont go", "It's here, don't go."),
        ("we dont, xdont", "We don't, xdont."),
        ("he doesnt know", "He doesnt know."),
    ],
)
def test_a_word_in_a_careless_line_gets_the_apostrophe_of_a_frequent_word(typed, read):
    assert reader([*SHORT_FORMS, "It is well."]).read(typed).text == read


@pytest.mark.parametrize("line", ["I dont know.", "Well, we are here.", "Paul's id, please."])
def test_a_line_with_a_capital_and_a_mark_keeps_its_apostrophes(line):
    assert reader([*SHORT_FORMS, "Well, please."]).read(line).text == line


def test_an_unknown_symbol_is_left_out_and_an_unknown_letter_is_not():
    found = reader(ENGLISH).read("Hello \U0001f600 漢, \u2022Paul\u2022.")
    assert found == Reading("Hello 漢 Paul.", True, ("\U0001f600", ",", "\u2022"))


def test_a_line_of_nothing_but_unknown_symbols_is_kept():
    assert reader(ENGLISH).read("\U0001f600 \u2022") == Reading("\U0001f600 \u2022")


def test_an_unknown_character_is_read_as_a_known_form_of_it():
    lines = ['He said "it" - at 12.'] * 3
    assert reader(lines).read("Hé said «it» \u2014 at \u0661\u00b2.") == Reading('He said "it" - at 12.', True)


def test_without_a_known_style_only_unknown_characters_are_read_otherwise():
    plain = reader(["Don't wait, dear WAITER."], styled=False, text_normalization="none")
    assert plain.read("don\u2019t WAIT") == Reading("don't WAIT", True)
    assert plain.read("don't wait") == Reading("don't wait")


def test_a_tokenizer_in_lower_case_has_no_capitals():
    assert reader(ENGLISH, lowercase=True).read("WHERE is Paul") == Reading("where is paul?", True)


def test_a_variant_of_the_same_text_is_not_read_otherwise():
    assert reader(["Don't wait\u00a0!"]).read("Don\u2019t wait !") == Reading("Don't wait\u00a0!")


@pytest.mark.parametrize(("typed", "read"), [("You 4/2 do.", "You 4 2 do."), ("You 4 /2 do.", "You 4 2 do.")])
def test_a_symbol_that_is_left_out_still_divides_words(typed, read):
    assert reader([*ENGLISH, "You 4 2 do."]).read(typed) == Reading(read, True, ("/",))
