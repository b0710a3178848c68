"""Sentence pairs to packed batches: compact arrays of ids, bucketing by length, and a seeded order."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import MAX_TOKENS_PER_BATCH
from seq2seq_cli.nn.model import Batch
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.tokenizer import BOS, EOS, Tokenizer, source_ids

BUFFERED_IDS = 1 << 12
"""Token ids that are collected before they are added to an array."""
BATCHES_PER_POOL = 50
"""Batches whose sentences are sorted by length together: enough for near-equal lengths, few enough to stay random."""


@dataclass(frozen=True)
class Sentences:
    """Token ids of many sentences in one array, in as few bytes as possible.

    Args:
        ids: tokens of all sentences, one sentence after the other; two bytes each if the vocabulary has at most 65,536
            entries, else four.
        starts: (n + 1,) the position where each sentence starts, and the end; four bytes each, or eight if there are
            2³² tokens or more.
    """

    ids: npt.NDArray[np.unsignedinteger]
    starts: npt.NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, sentences: Iterable[Sequence[int]], vocabulary: int) -> Sentences:
        """Collect sentences of ids below ``vocabulary``, without keeping them as a list of lists."""
        builder = SentencesBuilder(vocabulary)
        for sentence in sentences:
            builder.append(sentence)
        return builder.build()

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """(n,) tokens of each sentence."""
        return np.diff(self.starts).astype(np.int32)

    def joined(self, other: Sentences) -> Sentences:
        """Return these sentences, followed by others of the same vocabulary."""
        starts = np.concatenate([self.starts[:-1].astype(np.int64), other.starts.astype(np.int64) + len(self.ids)])
        dtype = np.uint32 if starts[-1] < 1 << 32 else np.uint64
        return Sentences(np.concatenate([self.ids, other.ids]), starts.astype(dtype))

    def lengths_of(self, chosen: Index) -> npt.NDArray[np.int64]:
        """(k,) tokens of each of the chosen sentences; it does not compute the other lengths."""
        return (self.starts[chosen + 1] - self.starts[chosen]).astype(np.int64)


class SentencesBuilder:
    """Collects ``Sentences`` one by one; ids are below ``vocabulary``."""

    def __init__(self, vocabulary: int) -> None:
        self._ids, self._lengths = array("H" if vocabulary <= 1 << 16 else "I"), array("I")
        self._latest: list[int] = []  # adding thousands of numbers at a time takes a third of the time

    def append(self, sentence: Sequence[int]) -> None:
        """Add a sentence."""
        self._latest += sentence
        self._lengths.append(len(sentence))
        if len(self._latest) >= BUFFERED_IDS:
            self._flush()

    def _flush(self) -> None:
        self._ids.extend(array(self._ids.typecode, self._latest))
        self._latest.clear()

    def build(self) -> Sentences:
        """Return all sentences added so far."""
        self._flush()
        dtype: type[np.unsignedinteger] = np.uint32 if len(self._ids) < 1 << 32 else np.uint64
        starts = np.zeros(len(self._lengths) + 1, dtype)
        np.cumsum(self._lengths, dtype=starts.dtype, out=starts[1:])
        return Sentences(np.frombuffer(self._ids, self._ids.typecode), starts)


@dataclass(frozen=True)
class EncodedCorpus:
    """Sentence pairs as token ids: sources with ``</s>`` at the end, targets with ``<s>`` and ``</s>`` around them."""

    source: Sentences
    target: Sentences

    def __len__(self) -> int:
        return len(self.source)

    def joined(self, other: EncodedCorpus) -> EncodedCorpus:
        """Return these pairs, followed by the others."""
        return EncodedCorpus(self.source.joined(other.source), self.target.joined(other.target))

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """(n,) tokens of each pair, both sides together."""
        return self.source.lengths + self.target.lengths

    @property
    def target_tokens(self) -> int:
        """Tokens that the decoder has to predict, ``</s>`` included."""
        return len(self.target.ids) - len(self.target)


def encode_corpus(
    corpus: Corpus,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    reverse_source: bool,
    max_source_length: int = sys.maxsize,
    max_tokens: int = sys.maxsize,
) -> tuple[EncodedCorpus, bytearray]:
    """Encode sentence pairs as ids, without those that are too long.

    Args:
        corpus: the pairs.
        source_tokenizer, target_tokenizer: the tokenizers of the two sides.
        reverse_source: whether the source is reversed.
        max_source_length: maximum tokens of a source, without EOS.
        max_tokens: maximum tokens of both sides together, with BOS and EOS.

    Returns:
        The ids; and for each pair of the corpus 1 if it is included, else 0.
    """
    sources, targets = SentencesBuilder(len(source_tokenizer)), SentencesBuilder(len(target_tokenizer))
    fitting = bytearray()
    for source_text, target_text in zip(corpus.sources, corpus.targets):
        source = source_ids(source_tokenizer, source_text, reverse_source)
        target = [BOS, *target_tokenizer.encode(target_text), EOS]
        fits = len(source) - 1 <= max_source_length and len(source) + len(target) <= max_tokens
        fitting.append(fits)
        if fits:
            sources.append(source)
            targets.append(target)
    return EncodedCorpus(sources.build(), targets.build()), fitting


def plan_batches(
    corpus: EncodedCorpus,
    batch_size: int,
    generator: np.random.Generator | None = None,
    max_tokens: int = MAX_TOKENS_PER_BATCH,
    chosen: Index | None = None,
) -> list[Index]:
    """Return the pairs of every batch of one epoch.

    With a generator, the pairs are shuffled and split into pools. Each pool is sorted by length, so that the sentences
    of a batch have similar lengths, and split into batches; then the batches are shuffled. Without a generator, as for
    validation, all pairs are sorted by length, longest first, which is fastest. Batches with too many tokens are
    halved.

    Args:
        corpus: the pairs.
        batch_size: maximum pairs of a batch.
        generator: determines the order.
        max_tokens: maximum source and target tokens of a batch with more than one pair.
        chosen: positions of the pairs of this epoch; None: all pairs.
    """
    source, target = corpus.source.lengths, corpus.target.lengths
    both = source + target
    pairs = np.arange(len(corpus)) if chosen is None else chosen
    if generator is not None:
        pairs = generator.permutation(pairs)
    pool_size = max(1, len(pairs) if generator is None else BATCHES_PER_POOL * batch_size)
    batches: list[Index] = []
    for start in range(0, len(pairs), pool_size):
        pool = pairs[start : start + pool_size]
        pool = pool[np.lexsort((-source[pool], -target[pool]))]
        for k in range(0, len(pool), batch_size):
            batches += _halve(pool[k : k + batch_size], both, max_tokens)
    if generator is not None:
        batches = [batches[k] for k in generator.permutation(len(batches))]
    return batches


def _halve(pairs: Index, lengths: npt.NDArray[np.int32], max_tokens: int) -> list[Index]:
    """Return the pairs in one batch, or halved until each batch has at most ``max_tokens``."""
    if len(pairs) < 2 or lengths[pairs].sum() <= max_tokens:
        return [pairs]
    middle = len(pairs) // 2
    return [*_halve(pairs[:middle], lengths, max_tokens), *_halve(pairs[middle:], lengths, max_tokens)]


def make_batch(corpus: EncodedCorpus, pairs: Index) -> Batch:
    """Return these pairs as a packed batch; each side is sorted by its own lengths, longest first.

    Args:
        corpus: the pairs' ids.
        pairs: (B,) positions in the corpus.
    """
    source_lengths, target_lengths = corpus.source.lengths_of(pairs), corpus.target.lengths_of(pairs)
    source_order, target_order = (np.argsort(-side, kind="stable") for side in (source_lengths, target_lengths))
    by_source, by_target = pairs[source_order], pairs[target_order]
    source_packing = Packing.of(source_lengths[source_order])
    target_packing = Packing.of(target_lengths[target_order] - 1)
    inputs = _token_positions(corpus.target, by_target, target_packing)
    row_of_pair = {int(pair): row for row, pair in enumerate(by_source)}
    return Batch(
        source=corpus.source.ids[_token_positions(corpus.source, by_source, source_packing)].astype(np.intp),
        source_packing=source_packing,
        target_inputs=corpus.target.ids[inputs].astype(np.intp),
        target_outputs=corpus.target.ids[inputs + 1].astype(np.intp),
        target_packing=target_packing,
        source_rows=np.array([row_of_pair[int(pair)] for pair in by_target], dtype=np.intp),
    )


def shards_of(pairs: Index, workers: int) -> list[Index]:
    """Split the pairs of a batch into one shard per worker, or fewer if there are not enough pairs.

    Adjacent pairs have similar lengths, so each shard gets every ``workers``-th pair.
    """
    return [pairs[k::workers] for k in range(min(workers, len(pairs)))]


def _token_positions(sentences: Sentences, chosen: Index, packing: Packing) -> npt.NDArray[np.int64]:
    """Return the position of each packed token in ``sentences.ids``."""
    return sentences.starts[chosen].astype(np.int64)[packing.token_sentences] + packing.token_steps
