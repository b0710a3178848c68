import io
import json
import math

import pytest

from seq2seq_cli.cli.terminal.translations import SourceReport, Style, write_translations
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.translation import Source, SourceNotes
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary
from tests.test_translator import LINES, checkpoint


def shown(texts, capsys, style=None, several=True, **settings):
    trained = checkpoint()
    trained.training_vocabulary = TrainingVocabulary.of(LINES, longest=5)
    stream = io.BytesIO()
    translator, config = Translator([trained]), SearchConfig(**settings)
    write_translations(translator, config, iter(texts), stream, style or Style(), several=several)
    return stream.getvalue().decode(), capsys.readouterr().err


def test_blank_lines_stay_in_every_style(capsys):
    for style in (Style(), Style(explain=True)):
        assert shown(["", " "], capsys, style) == ("\n\n", "")
    assert shown(["", " "], capsys, Style(as_json=True))[0].count('"text": ""') == 2


def test_scores_stand_before_the_text_and_numbers_before_both(capsys):
    lines = shown(["the cat", "a bird"], capsys, Style(scores=True), beam=3, n_best=2)[0].splitlines()
    rows = [line.split("\t") for line in lines]
    assert [row[:2] for row in rows] == [["1", "1"], ["1", "2"], ["2", "1"], ["2", "2"]]
    assert all(float(row[2]) < 0 for row in rows)


def test_the_n_best_list_is_as_long_as_the_beam_is_wide(capsys):
    text, _ = shown(["the cat"], capsys, Style(explain=True), beam=3)
    ranked = text[text.index("n-best list") :].strip().splitlines()[1:]
    assert [line.split()[0] for line in ranked] == ["1", "2", "3"]


def test_a_warning_names_a_few_words_and_counts_the_rest(capsys):
    words = [f"new{letter}" for letter in "abcdefg"]
    _, said = shown([" ".join(words[:4]), " ".join(words[3:])], capsys)
    assert "newa (line 1), newb (line 1), newc (line 1), newd (line 1), newe (line 2) and 2 more" in said


def test_copied_words_are_noted_apart_from_words_that_are_split(capsys):
    report = SourceReport(longest=0)
    report.add(1, Source("x", (7,)), SourceNotes((), (), ("Szymon", "bilingual")), ("Szymon", "3456"))
    report.show(several=False)
    said = capsys.readouterr().err
    assert "note: not in the training vocabulary: bilingual\n" in said
    assert "note: not in training, copied into the translation: Szymon, 3456\n" in said


def test_sentences_that_are_too_long_are_counted_and_the_first_one_named(capsys):
    nothing = SourceNotes((), (), ())
    report = SourceReport(longest=2)
    for number, tokens in enumerate((3, 2, 4, 5), start=1):
        report.add(number, Source("x", (7,) * tokens), nothing)
    report.show(several=True)
    assert "2 sentences are longer than any in training, the first on line 3 with 3 tokens" in capsys.readouterr().err
    unknown = SourceReport(longest=0)
    unknown.add(1, Source("x", (7,) * 100), nothing)
    unknown.show(several=True)
    assert capsys.readouterr().err == ""


def test_a_sentence_whose_end_was_not_read_is_explained_as_it_was_read(capsys):
    text, said = shown(["the cat sat", "the"], capsys, Style(as_json=True, explain=True), max_source_length=2)
    first = json.loads(text.splitlines()[0])
    assert first["source"] == "the cat sat"
    assert len(first["source_tokens"]) == 3
    assert math.prod(step["probability"] for step in first["steps"]) == pytest.approx(
        math.exp(first["translations"][0]["log_probability"]), rel=1e-3
    )
    assert "1 line is longer than 2 tokens, the first is line 1: the rest of it was not translated" in said
    assert "longer than any in training" not in said
    _, said = shown(["the cat sat"], capsys, several=False, max_source_length=2)
    assert "warning: this line is longer than 2 tokens: the rest of it" in said


def test_json_holds_what_a_program_needs_and_no_ids(capsys):
    text, _ = shown(["the cat", "zebra"], capsys, Style(as_json=True, explain=True), beam=3, n_best=2)
    first, second = map(json.loads, text.splitlines())
    assert first.keys() == {
        *("line", "source", "read_as", "source_tokens", "unknown", "left_out", "new_words"),
        *("translations", "steps", "n_best"),
    }
    for translation in (*first["translations"], *first["n_best"]):
        assert translation.keys() == {"text", "log_probability", "score", "tokens"}
    assert [len(first[name]) for name in ("translations", "n_best")] == [2, 3]
    assert all(step.keys() == {"token", "probability", "alternatives"} for step in first["steps"])
    assert (second["line"], second["unknown"]) == (2, ["zebra"])
