import numpy as np
import pytest

from seq2seq_cli.batches import EncodedCorpus, Sentences, encode_corpus, make_batch, plan_batches, source_ids
from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.storage import train_tokenizer
from seq2seq_cli.text.tokenizer import END, START


def random_corpus(n=137, seed=0):
    generator = np.random.default_rng(seed)
    return EncodedCorpus(
        Sentences.of([*generator.integers(3, 90, generator.integers(1, 9)).tolist(), END] for _ in range(n)),
        Sentences.of([START, *generator.integers(3, 90, generator.integers(1, 9)).tolist(), END] for _ in range(n)),
    )


def sentence(sentences, k):
    return sentences.ids[sentences.starts[k] : sentences.starts[k + 1]].tolist()


def unpack(packed, packing):
    return [packed[packing.token_sentences == k].tolist() for k in range(packing.sentences)]


def test_encoded_corpus_frames_sentences_and_reverses_the_source():
    corpus = Corpus("c", ["a b", "b"], ["b", "a a"])
    tokenizer = train_tokenizer(TokenizerConfig("word", 10), ["a b"])
    a, b = tokenizer.encode("a b")
    encoded = encode_corpus(corpus, tokenizer, tokenizer, reverse_source=False)
    assert [sentence(encoded.source, k) for k in range(2)] == [[a, b, END], [b, END]]
    assert [sentence(encoded.target, k) for k in range(2)] == [[START, b, END], [START, a, a, END]]
    assert encoded.target_tokens == 5
    assert source_ids(tokenizer, "a b", reverse=True) == [b, a, END]


def test_ids_take_four_bytes_each():
    assert random_corpus().source.ids.dtype == np.int32


@pytest.mark.parametrize("pairs", [np.arange(137), np.array([5]), np.array([9, 3, 100, 7])])
def test_a_batch_holds_its_pairs_and_matches_source_to_target(pairs):
    corpus = random_corpus()
    batch = make_batch(corpus, pairs)
    sources = unpack(batch.source, batch.source_packing)
    inputs, outputs = (unpack(x, batch.target_packing) for x in (batch.target_inputs, batch.target_outputs))
    expected = sorted((sentence(corpus.source, k), sentence(corpus.target, k)) for k in pairs)
    found = sorted((sources[row], [*i, o[-1]]) for row, i, o in zip(batch.source_rows, inputs, outputs))
    assert found == expected
    assert all(i[1:] == o[:-1] and i[0] == START and o[-1] == END for i, o in zip(inputs, outputs))


@pytest.mark.parametrize("seed", [None, 0])
def test_a_plan_uses_every_pair_once(seed):
    corpus = random_corpus()
    plan = plan_batches(corpus, 10, None if seed is None else np.random.default_rng(seed))
    assert sorted(np.concatenate(plan).tolist()) == list(range(137))
    assert max(len(pairs) for pairs in plan) == 10
    assert len(plan) == 14


def test_plans_depend_on_the_seed_only():
    corpus = random_corpus()
    first, same, other = (plan_batches(corpus, 10, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other))


def test_sentences_of_a_batch_are_about_equally_long():
    corpus = random_corpus(1000)
    lengths = corpus.target.lengths
    spread = np.mean([np.ptp(lengths[pairs]) for pairs in plan_batches(corpus, 20, np.random.default_rng(0))])
    assert spread < 0.2 * np.ptp(lengths)
