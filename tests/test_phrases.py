import numpy as np

from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.nn.phrases import PhrasePair, align, phrase_pairs


def lexicon(size=6):
    """Every token is translated by the one of the same number."""
    indices = np.tile(np.arange(size, dtype=np.int32), (size, 1))
    return Lexicon(indices, (0.9 * np.eye(size) + 0.02).astype(np.float32), size)


def table(probabilities, size=6):
    """A table with one translation for each token: token → (translation, probability)."""
    indices, values = np.zeros((size, 1), np.int32), np.zeros((size, 1), np.float32)
    for token, (translation, probability) in probabilities.items():
        indices[token], values[token] = translation, probability
    return Lexicon(indices, values, size)


def test_tokens_are_linked_to_their_translations_in_whatever_order():
    assert align(lexicon(), lexicon(), [0, 1, 2], [0, 2, 1]) == {(0, 0), (1, 2), (2, 1)}


def test_of_two_equal_tokens_the_one_at_the_same_part_of_the_sentence_is_linked():
    assert align(lexicon(), lexicon(), [3, 0, 3], [3, 0, 3]) == {(0, 0), (1, 1), (2, 2)}


def test_without_any_translation_there_is_no_link():
    assert align(table({}), table({}), [1, 2], [1, 2]) == set()


def test_a_link_of_one_direction_is_added_only_beside_a_link_and_for_a_token_without_one():
    # Both agree on 1-1. Forward alone: 2 is translated by 1 as well, at the other end of it nothing is adjacent.
    forward, reverse = table({1: (1, 0.9), 3: (3, 0.9)}), table({1: (1, 0.9), 2: (2, 0.9)})
    assert align(forward, reverse, [1, 2], [1, 2]) == {(0, 0), (1, 1)}
    assert align(forward, reverse, [1, 5, 2], [1, 5, 2]) == {(0, 0)}
    # The second 1 has a link already in the source, but not in the target: it is added.
    assert align(forward, reverse, [1], [1, 1]) == {(0, 0), (0, 1)}


def pairs(links, x, y, longest=9):
    return set(phrase_pairs(links, [True] * x, [True] * y, longest))


def test_phrase_pairs_have_no_link_to_the_outside():
    swapped = {(0, 0), (1, 2), (2, 1)}
    assert pairs(swapped, 3, 3) == {
        PhrasePair(0, 1, 0, 1),
        PhrasePair(1, 2, 2, 3),
        PhrasePair(2, 3, 1, 2),
        PhrasePair(1, 3, 1, 3),
        PhrasePair(0, 3, 0, 3),
    }
    assert pairs({(0, 0), (1, 0)}, 2, 1) == {PhrasePair(0, 2, 0, 1)}
    assert pairs(set(), 2, 2) == set()


def test_phrase_pairs_are_of_whole_words_and_not_too_long():
    links = {(0, 0), (1, 1), (2, 2)}
    whole = {PhrasePair(0, 2, 0, 2), PhrasePair(0, 3, 0, 3), PhrasePair(2, 3, 2, 3)}
    assert set(phrase_pairs(links, [True, False, True], [True] * 3, 9)) == whole
    assert set(phrase_pairs(links, [True] * 3, [True, False, True], 9)) == whole
    assert max(pair.j - pair.i for pair in pairs(links, 3, 3, longest=2)) == 2
    assert max(pair.l - pair.k for pair in pairs({(0, 0), (0, 2), (1, 1)}, 2, 3, longest=3)) == 3
    assert pairs({(0, 0), (0, 2), (1, 1)}, 2, 3, longest=2) == {PhrasePair(1, 2, 1, 2)}


def test_phrase_pairs_equal_those_of_the_definition():
    generator = np.random.default_rng(0)
    for _ in range(50):
        x, y = generator.integers(1, 6, 2)
        links = {(i, j) for i in range(x) for j in range(y) if generator.random() < 0.25}
        found = list(phrase_pairs(links, [True] * x, [True] * y, 9))
        expected = set()
        for i, j, k, l in np.ndindex(x, x + 1, y, y + 1):  # noqa: E741
            inside = {(s, t) for s, t in links if i <= s < j and k <= t < l}
            touching = {(s, t) for s, t in links if i <= s < j or k <= t < l}
            ends_linked = {k, l - 1} <= {t for _, t in inside}  # the smallest target side
            if inside and inside == touching and ends_linked:
                expected.add(PhrasePair(i, j, k, l))
        assert len(found) == len(set(found))
        assert set(found) == expected
