"""Pairs whose text is not what it should be (see also ``test_statistics``)."""

import numpy as np

from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.suspicions import outsize, with_html, with_numbers, with_quoted_cells


def corpus(*pairs):
    return Corpus("c", *map(list, zip(*pairs)))


def test_positions_are_those_of_the_pairs():
    assert list(with_html(corpus(("a", "b"), ("a &lt; b", "c"), ("a", "&eacute;")))) == [1, 2]
    assert list(with_numbers(corpus(("7", "seven"), ("seven", "seven"), ("7", "7"), ("no. 7", "8:30")))) == [0, 3]
    assert list(with_quoted_cells(corpus(("a", '"b ""c"""'), ('"a"', '"b"')))) == [0]


def test_an_outsize_sentence_is_long_and_far_longer_than_the_median():
    lengths = np.array([6] * 20 + [59, 60])
    assert list(outsize(lengths, np.full(22, 6))) == [21]
    assert list(outsize(np.full(22, 1), np.array([1] * 21 + [49]))) == []
    assert list(outsize(np.full(22, 1), np.array([1] * 21 + [50]))) == [21]
