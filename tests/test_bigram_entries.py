import numpy as np

from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.storage.bigram_entries import NO_CONTEXT, BigramEntries

V = 10


def table(triples, counts):
    return BigramTable(np.array(triples, np.int32).reshape(-1, 3), np.array(counts, np.int32), V)


def test_entries_are_the_contexts_in_ascending_order_with_the_probabilities_of_their_tokens():
    entries = BigramEntries.of(table([(1, 4, 5), (1, 4, 6), (1, 7, 5), (3, 0, 9)], [1, 3, 2, 1]))
    assert entries.contexts.tolist() == [14, 17, 30]
    assert entries.starts.tolist() == [0, 2, 3, 4]
    assert entries.tokens.tolist() == [5, 6, 5, 9]
    np.testing.assert_allclose(entries.probabilities, [1 / 4.5, 3 / 4.5, 2 / 2.5, 1 / 1.5], rtol=1e-6)
    assert [array.dtype for array in entries] == [np.int64, np.int64, np.int64, np.float32]


def test_a_table_is_padded_to_a_power_of_two_with_contexts_that_no_pair_of_tokens_has():
    entries = BigramEntries.of(table([(1, 4, 5), (1, 7, 5), (3, 0, 9)], [1, 2, 1])).padded()
    assert entries.contexts.tolist() == [14, 17, 30, NO_CONTEXT]
    assert entries.starts.tolist() == [0, 1, 2, 3, 3]
    assert BigramEntries.of(table([(1, 4, 5), (1, 7, 5)], [1, 2])).padded().contexts.tolist() == [14, 17]


def test_an_empty_table_has_one_context_without_entries():
    entries = BigramEntries.of(table([], [])).padded()
    assert entries.contexts.tolist() == [NO_CONTEXT]
    assert entries.starts.tolist() == [0, 0]
    assert len(entries.tokens) == len(entries.probabilities) == 1  # so that no program meets an empty array
