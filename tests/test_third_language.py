"""Lines in another language than the rest of a side are found without knowing the languages."""

import codecs

import pytest

from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import Corpus, read_corpus
from seq2seq_cli.text.statistics import suspicious_pairs
from seq2seq_cli.text.third_language import FEWEST_LINES, in_another_language

BUILTIN = [read_corpus(builtin_corpus(split)) for split in ("valid", "test")]
ENGLISH = [line for corpus in BUILTIN for line in corpus.sources]
FRENCH = [line for corpus in BUILTIN for line in corpus.targets]


def mixed(main, other, percent):
    """Lines of ``main``, some of them replaced by lines of ``other``, and which ones."""
    replaced = {k for k in range(len(main)) if k * 37 % 100 < percent}
    return [other[k] if k in replaced else line for k, line in enumerate(main)], replaced


@pytest.mark.parametrize("percent", [10, 20, 30, 45])
@pytest.mark.parametrize(("main", "other"), [(ENGLISH, FRENCH), (FRENCH, ENGLISH)])
def test_most_lines_in_another_language_are_found_and_hardly_any_others(main, other, percent):
    lines, replaced = mixed(main, other, percent)
    found = set(in_another_language(lines))
    assert len(found & replaced) >= 0.8 * len(replaced)
    assert len(found - replaced) <= 0.1 * len(replaced)


@pytest.mark.parametrize("split", ["train", "valid", "test", "test_everyday", "test_long"])
def test_nothing_is_found_in_the_built_in_corpus(split):
    corpus = read_corpus(builtin_corpus(split))
    for side in (corpus.sources, corpus.targets):
        assert not in_another_language(list(side))


def test_the_language_of_fewer_lines_is_the_other_one_also_where_its_lines_are_longer():
    longer = [" ".join(FRENCH[k : k + 4]) for k in range(len(FRENCH))]
    lines, replaced = mixed(ENGLISH, longer, 40)
    found = set(in_another_language(lines))
    assert len(found & replaced) >= 0.8 * len(replaced)
    assert len(found - replaced) <= 0.1 * len(replaced)


def test_text_without_words_and_short_text_have_no_other_language():
    assert not in_another_language([])
    assert not in_another_language([""] * 1000)
    assert not in_another_language(["1 2 3"] * 1000)
    assert not in_another_language(mixed(ENGLISH, FRENCH, 30)[0][: FEWEST_LINES - 1])


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_third_language_on_one_side_is_reported_with_its_count_and_first_line(side):
    cipher = [codecs.encode(line, "rot13") for line in ENGLISH]
    lines, replaced = mixed(FRENCH, ENGLISH, 20)
    sides = (lines, cipher) if side == "source" else (cipher, lines)
    found = [finding for finding in suspicious_pairs(Corpus("c", *sides)) if "another language" in finding.what]
    assert len(found) == 1
    assert f"pairs whose {side} is in another language than most" in found[0].what
    assert found[0].number == pytest.approx(len(replaced), rel=0.2)
