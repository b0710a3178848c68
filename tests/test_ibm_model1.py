import itertools
import math

import numpy as np
import pytest

from seq2seq_cli.nn import ibm_model1
from seq2seq_cli.nn.ibm_model1 import (
    BACKOFF,
    DIAGONALS,
    NULL_WEIGHT,
    PLAIN_ROUNDS,
    ROUNDS,
    Side,
    largest_entries,
    learn_translation_table,
    link_weights,
)

V_SOURCE, V_TARGET = 6, 7


def side(sentences):
    return Side(np.array(list(itertools.chain(*sentences))), np.array([len(sentence) for sentence in sentences]))


def random_corpus(seed=0, pairs=20):
    generator = np.random.default_rng(seed)
    return [
        [generator.integers(0, V, generator.integers(1, 6)).tolist() for V in (V_SOURCE - 1, V_TARGET - 1)]
        for _ in range(pairs)
    ]  # the last token of either vocabulary never occurs


def em_with_loops(corpus, copies):
    """The definition, in plain Python: t[s][v]."""
    unigrams = np.bincount([v for _, target in corpus for v in target], minlength=V_TARGET).astype(float)
    unigrams /= unigrams.sum()
    backoff = [unigrams if copies[s] < 0 else np.eye(V_TARGET)[copies[s]] for s in range(V_SOURCE)]

    def weight(i, j, n, m, diagonal):
        return NULL_WEIGHT if i == n - 1 else math.exp(-diagonal * abs((i + 0.5) / (n - 1) - (j + 0.5) / max(m - 1, 1)))

    def positions(diagonal):
        """Yield for each target position its token, its source tokens, and the weights of its links."""
        for source, target in corpus:
            n, m = len(source), len(target)
            for j, v in enumerate(target):
                yield v, source, [1.0 if diagonal is None else weight(i, j, n, m, diagonal) for i in range(n)]

    def log_likelihood(diagonal):
        return sum(math.log(w @ t[s, v] / sum(w)) for v, s, w in positions(diagonal))

    t, diagonal = np.ones((V_SOURCE, V_TARGET)), None
    for finished in range(ROUNDS):
        if finished == PLAIN_ROUNDS:
            diagonal = max(DIAGONALS, key=log_likelihood)
        counts = np.zeros((V_SOURCE, V_TARGET))
        for v, source, weights in positions(diagonal):
            total = sum(w * t[s, v] for s, w in zip(source, weights))
            for s, w in zip(source, weights):
                counts[s, v] += w * t[s, v] / total
        t = np.array([(counts[s] + BACKOFF * backoff[s]) / (counts[s].sum() + BACKOFF) for s in range(V_SOURCE)])
    return t


@pytest.mark.parametrize("copies", [np.full(V_SOURCE, -1), np.array([-1, 3, -1, -1, 0, 5])])
def test_vectorized_em_equals_the_definition_in_loops(copies):
    corpus = random_corpus()
    expected = em_with_loops(corpus, copies)
    source, target = (side(sentences) for sentences in zip(*corpus))
    table = learn_translation_table(source, target, V_SOURCE, V_TARGET, copies)
    indices, values = largest_entries(table, V_TARGET, copies)
    found = np.zeros((V_SOURCE, V_TARGET))
    np.put_along_axis(found, indices, values, axis=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (np.diff(values, axis=1) <= 0).all()


@pytest.mark.parametrize(("reorder", "expected"), [(lambda words: words, 8.0), (lambda words: words[::-1], 0.0)])
def test_the_weight_of_the_diagonal_follows_the_order_of_the_words(monkeypatch, reorder, expected):
    generator, chosen = np.random.default_rng(0), []
    monkeypatch.setattr(ibm_model1, "link_weights", lambda s, t, d: (chosen.append(d), link_weights(s, t, d))[1])
    sentences = [generator.permutation(30)[:8].tolist() for _ in range(200)]
    source, target = side([[*words, 30] for words in sentences]), side([[*reorder(words), 30] for words in sentences])
    learn_translation_table(source, target, 31, 31)
    assert chosen == [*DIAGONALS, expected]


def test_few_entries_are_the_largest_ones():
    source, target = (side(sentences) for sentences in zip(*random_corpus()))
    table = learn_translation_table(source, target, V_SOURCE, V_TARGET)
    all_indices, all_values = largest_entries(table, V_TARGET)
    indices, values = largest_entries(table, 3)
    np.testing.assert_array_equal(indices, all_indices[:, :3])
    np.testing.assert_array_equal(values, all_values[:, :3])


def test_words_are_matched_by_the_sentences_that_they_share():
    das, haus, buch, the, house, book = 0, 1, 2, 0, 1, 2
    source, target = side([[das, haus], [das, buch]]), side([[the, house], [the, book]])
    indices, _ = largest_entries(learn_translation_table(source, target, 3, 3), 1)
    assert indices[:, 0].tolist() == [the, house, book]


def test_a_token_that_never_occurs_is_copied_where_it_can_be():
    source, target = side([[0, 1]]), side([[0, 1]])
    copies = np.array([-1, -1, 2])
    indices, values = largest_entries(learn_translation_table(source, target, 3, 3, copies), 2, copies)
    assert (indices[2, 0], values[2].tolist()) == (2, [1.0, 0.0])


def test_a_large_corpus_is_subsampled(monkeypatch):
    corpus = random_corpus(pairs=50)
    source, target = (side(sentences) for sentences in zip(*corpus))
    links = int(source.lengths @ target.lengths)
    monkeypatch.setattr(ibm_model1, "MAX_LINKS", links // 3)
    sampled = learn_translation_table(source, target, V_SOURCE, V_TARGET)
    few = links // (links // 3) + (links % (links // 3) > 0)
    monkeypatch.undo()
    source, target = (side(sentences) for sentences in zip(*corpus[::few]))
    expected = learn_translation_table(source, target, V_SOURCE, V_TARGET)
    np.testing.assert_array_equal(sampled.values, expected.values)


@pytest.mark.parametrize(("name", "value"), [("BLOCK", 1), ("BLOCK", 7), ("LARGEST_INDEX", 0)])
def test_blocks_and_sorting_do_not_change_the_table(name, value, monkeypatch):
    source, target = (side(sentences) for sentences in zip(*random_corpus()))
    expected = learn_translation_table(source, target, V_SOURCE, V_TARGET)
    monkeypatch.setattr(ibm_model1, name, value)
    for found, known in zip(learn_translation_table(source, target, V_SOURCE, V_TARGET), expected):
        np.testing.assert_allclose(found, known, rtol=1e-12)
