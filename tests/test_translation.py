import pytest

from seq2seq_cli.inference.copying import Substitution
from seq2seq_cli.inference.translation import Source, Translation, join_n_best
from seq2seq_cli.text.reading import Reading


def each(*scored):
    return [Translation(text, score * 2, score, (f" {text}",), (k,)) for k, (text, score) in enumerate(scored, start=3)]


def test_the_translation_of_one_sentence_is_that_of_the_line():
    n_best = each(("a", -1.0), ("b", -2.0))
    assert join_n_best([n_best], 2) == n_best


def test_the_best_translations_of_a_line_are_the_best_combinations():
    found = join_n_best([each(("a", -1.0), ("b", -1.5)), each(("c", -1.0), ("d", -3.0))], 3)
    assert [(t.text, t.score, t.log_probability) for t in found] == [
        ("a c", -2.0, -4.0),
        ("b c", -2.5, -5.0),
        ("a d", -4.0, -8.0),
    ]
    assert (found[0].tokens, found[0].ids) == ((" a", " c"), (3, 3))


@pytest.mark.parametrize("sentences", [["", "a"], ["a", ""]])
def test_a_blank_sentence_adds_no_space(sentences):
    assert join_n_best([each((text, 0.0)) for text in sentences], 1)[0].text == "a"


def test_the_text_of_a_source_is_what_the_encoder_reads():
    ids, substituted_ids = (3, 2), (4, 2)
    substitution = Substitution("I am Tom.", {})
    source = Source("I AM SZYMON", ids, False, Reading("I am Szymon.", True), substitution, substituted_ids)
    assert source.text_for(ids) == "I am Szymon."
    assert source.text_for(substituted_ids) == "I am Tom."
