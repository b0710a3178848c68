"""Mixed-up sides are found without knowing the languages, and nothing is found where nothing is mixed up."""

import random

import pytest

from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import Corpus, read_corpus
from seq2seq_cli.text.mixture import mixed_up

BUILTIN = read_corpus(builtin_corpus("valid"))
SOURCES, TARGETS = list(BUILTIN.sources), list(BUILTIN.targets)


def exchanged(share):
    """The built-in corpus with some pairs exchanged, and which ones."""
    generator = random.Random(1)
    chosen = {k for k in range(len(SOURCES)) if generator.random() < share}
    pairs = [(SOURCES[k], TARGETS[k])[:: -1 if k in chosen else 1] for k in range(len(SOURCES))]
    return Corpus("c", *map(list, zip(*pairs))), chosen


@pytest.mark.parametrize("share", [0.003, 0.01, 0.05, 0.3])
def test_exchanged_pairs_are_found_and_no_others(share):
    corpus, chosen = exchanged(share)
    swapped, same = mixed_up(corpus)
    assert set(swapped) <= chosen
    assert len(swapped) >= 0.8 * len(chosen)
    assert len(same) == 0


def test_a_corpus_of_both_directions_is_found():
    swapped, _ = mixed_up(exchanged(0.5)[0])
    assert 0.3 * len(SOURCES) < len(swapped) <= 0.5 * len(SOURCES)


def test_lines_in_the_language_of_the_other_side_are_found():
    targets = [SOURCES[-k] if k % 20 == 3 else target for k, target in enumerate(TARGETS)]
    swapped, same = mixed_up(Corpus("c", SOURCES, targets))
    assert len(swapped) == 0
    assert {k % 20 for k in same} == {3}
    assert len(same) > 0.4 * len(SOURCES) / 20  # short ones are not certain


@pytest.mark.parametrize("split", ["valid", "test", "test_everyday", "test_long"])
def test_nothing_is_found_in_the_built_in_corpus(split):
    corpus = read_corpus(builtin_corpus(split))
    for turn in (1, -1):
        assert not any(map(len, mixed_up(Corpus("c", *(corpus.sources, corpus.targets)[::turn]))))


@pytest.mark.parametrize("lines", [SOURCES, TARGETS])
def test_two_sides_in_one_language_are_not_mixed_up(lines):
    assert not any(map(len, mixed_up(Corpus("answers", lines[:-1], lines[1:]))))
    assert not any(map(len, mixed_up(Corpus("copies", lines, lines))))


def test_languages_without_spaces_are_told_apart_by_their_characters():
    chinese = ["我喜欢这本书。", "他在这里工作。", "我不知道他在哪里。", "这是我的书。", "他喜欢这里。"] * 8
    english = ["I like this book.", "He works here.", "I do not know where he is.", "This is my book.", "He likes it."]
    english *= 8
    assert not any(map(len, mixed_up(Corpus("c", chinese, english))))
    chinese[13], english[13] = english[13], chinese[13]
    assert list(mixed_up(Corpus("c", chinese, english))[0]) == [13]


@pytest.mark.parametrize("pairs", [[("a", "b")], [("1", "2")], [("a", "a")] * 30, [("?", "!")] * 30])
def test_small_and_odd_corpora_raise_no_suspicion(pairs):
    assert not any(map(len, mixed_up(Corpus("c", *map(list, zip(*pairs))))))
