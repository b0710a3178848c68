import tracemalloc

import numpy as np
import pytest

from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.text import lines
from seq2seq_cli.text.corpus import Corpus, hold_out, read_corpus
from seq2seq_cli.text.tokenizer import BOS, EOS
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.training.batches import EncodedCorpus, Sentences, encode_corpus, make_batch, plan_batches, source_ids


def random_corpus(n=137, seed=0, vocabulary=90):
    generator = np.random.default_rng(seed)

    def words():
        return generator.integers(3, vocabulary, generator.integers(1, 9)).tolist()

    return EncodedCorpus(
        Sentences.of(([*words(), EOS] for _ in range(n)), vocabulary),
        Sentences.of(([BOS, *words(), EOS] for _ in range(n)), vocabulary),
    )


def sentence(sentences, k):
    return sentences.ids[sentences.starts[k] : sentences.starts[k + 1]].tolist()


def unpack(packed, packing):
    return [packed[packing.token_sentences == k].tolist() for k in range(packing.sentences)]


def test_encoded_corpus_frames_sentences_and_reverses_the_source():
    corpus = Corpus("c", ["a b", "b"], ["b", "a a"])
    tokenizer = train_tokenizer(TokenizerConfig("word", 10), ["a b"])
    a, b = tokenizer.encode("a b")
    encoded, fitting = encode_corpus(corpus, tokenizer, tokenizer, reverse_source=False)
    assert list(fitting) == [1, 1]
    assert [sentence(encoded.source, k) for k in range(2)] == [[a, b, EOS], [b, EOS]]
    assert [sentence(encoded.target, k) for k in range(2)] == [[BOS, b, EOS], [BOS, a, a, EOS]]
    assert encoded.target_tokens == 5
    assert source_ids(tokenizer, "a b", reverse=True) == [b, a, EOS]


@pytest.mark.parametrize(
    ("limits", "expected"), [((2, 8), [1, 0, 1, 1]), ((1, 8), [0, 0, 1, 0]), ((9, 6), [1, 0, 1, 0])]
)
def test_pairs_that_are_too_long_are_left_out(limits, expected):
    corpus = Corpus("c", ["a b", "a b a", "b", "b b"], ["b", "a", "a a", "a a"])
    tokenizer = train_tokenizer(TokenizerConfig("word", 10), ["a b"])
    everything, _ = encode_corpus(corpus, tokenizer, tokenizer, False)
    encoded, fitting = encode_corpus(corpus, tokenizer, tokenizer, False, *limits)
    assert list(fitting) == expected
    kept = [k for k, fits in enumerate(expected) if fits]
    for found, whole in ((encoded.source, everything.source), (encoded.target, everything.target)):
        assert [sentence(found, k) for k in range(len(found))] == [sentence(whole, k) for k in kept]


@pytest.mark.parametrize(("vocabulary", "kind"), [(65_536, np.uint16), (65_537, np.uint32)])
def test_ids_take_two_bytes_each_or_four_where_the_vocabulary_needs_them(vocabulary, kind):
    sentences = Sentences.of([[0, vocabulary - 1], [], [7]], vocabulary)
    assert sentences.ids.dtype == kind
    assert sentences.ids.tolist() == [0, vocabulary - 1, 7]
    assert sentences.starts.tolist() == [0, 2, 2, 3]
    assert sentences.starts.dtype == np.uint32
    assert sentences.lengths.tolist() == [2, 0, 1]
    assert sentences.lengths_of(np.array([2, 0])).tolist() == [1, 2]


def test_many_sentences_are_collected_in_order():
    expected = [[k % 50] * (k % 9) for k in range(3000)]
    sentences = Sentences.of(iter(expected), 50)
    assert [sentence(sentences, k) for k in range(len(sentences))] == expected


def test_ten_times_the_pairs_take_little_more_memory_than_their_ids(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "IN_MEMORY", 1 << 14)
    monkeypatch.setattr(lines, "BLOCK", 1 << 12)
    words = [f"word{k}" for k in range(300)]
    tokenizer = train_tokenizer(TokenizerConfig("word", 1000), words)

    def peak_and_ids(pairs):
        path = tmp_path / f"{pairs}.tsv"
        numbers = ((k, k // 300) for k in range(pairs))  # different sentences of the same words
        path.write_text("".join(f"word{a % 300} word{b} {' '.join(words[:20])}\tword{b}\n" for a, b in numbers))
        tracemalloc.start()
        train, _ = hold_out(read_corpus(str(path)), seed=1, max_pairs=20)
        encoded, _ = encode_corpus(train, tokenizer, tokenizer, False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, sum(a.nbytes for side in (encoded.source, encoded.target) for a in (side.ids, side.starts))

    (few, few_ids), (many, many_ids) = peak_and_ids(1_000), peak_and_ids(10_000)
    assert many - few < 1.25 * (many_ids - few_ids)


@pytest.mark.parametrize("pairs", [np.arange(137), np.array([5]), np.array([9, 3, 100, 7])])
def test_a_batch_holds_its_pairs_and_matches_source_to_target(pairs):
    corpus = random_corpus()
    batch = make_batch(corpus, pairs)
    sources = unpack(batch.source, batch.source_packing)
    inputs, outputs = (unpack(x, batch.target_packing) for x in (batch.target_inputs, batch.target_outputs))
    expected = sorted((sentence(corpus.source, k), sentence(corpus.target, k)) for k in pairs)
    found = sorted((sources[row], [*i, o[-1]]) for row, i, o in zip(batch.source_rows, inputs, outputs))
    assert found == expected
    assert all(i[1:] == o[:-1] and i[0] == BOS and o[-1] == EOS for i, o in zip(inputs, outputs))


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


def test_joined_corpora_follow_each_other():
    first, second = random_corpus(5), random_corpus(3, seed=1)
    joined = first.joined(second)
    for side in ("source", "target"):
        parts = [getattr(corpus, side) for corpus in (first, second)]
        expected = [sentence(part, k) for part in parts for k in range(len(part))]
        found = getattr(joined, side)
        assert [sentence(found, k) for k in range(len(found))] == expected
        assert (found.ids.dtype, found.starts.dtype) == (parts[0].ids.dtype, parts[0].starts.dtype)
    assert len(first.joined(random_corpus(0))) == len(first)


def test_a_plan_of_chosen_pairs_holds_these_and_a_plan_of_all_is_as_without_a_choice():
    corpus = random_corpus()
    chosen = np.array([3, 100, 5, 77])
    for generator in (None, np.random.default_rng(0)):
        planned = plan_batches(corpus, 3, generator, chosen=chosen)
        assert sorted(np.concatenate(planned).tolist()) == sorted(chosen.tolist())
    everything = plan_batches(corpus, 8, np.random.default_rng(0), chosen=np.arange(len(corpus)))
    for batch, expected in zip(everything, plan_batches(corpus, 8, np.random.default_rng(0)), strict=True):
        np.testing.assert_array_equal(batch, expected)
