"""Sentence pairs to packed batches: compact arrays of ids, bucketing by length, and an order that the seed decides."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import MOST_TOKENS_PER_BATCH
from seq2seq_cli.nn.model import Batch
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.tokenizer import END, START, Tokenizer

POOL = 50
"""Batches whose sentences are sorted by length together: enough for near-equal lengths, few enough to stay random."""


@dataclass(frozen=True)
class Sentences:
    """Token ids of many sentences in one array.

    Args:
        ids: all sentences' tokens, one sentence after the other, four bytes each.
        starts: (n + 1,) where each sentence starts, and the end.
    """

    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sentences: Iterable[Sequence[int]]) -> Sentences:
        """Collect sentences without ever holding them as lists of lists."""
        ids, starts = array("i"), array("q", [0])
        for sentence in sentences:
            ids.extend(sentence)
            starts.append(len(ids))
        return cls(np.frombuffer(ids, dtype=np.int32), np.frombuffer(starts, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(n,) tokens of each sentence."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class EncodedCorpus:
    """Sentence pairs as token ids: sources with ``</s>`` at the end, targets with ``<s>`` and ``</s>`` around them."""

    source: Sentences
    target: Sentences

    def __len__(self) -> int:
        return len(self.source)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(n,) tokens of each pair, both sides together."""
        return self.source.lengths + self.target.lengths

    def fitting(self, max_source_length: int, max_tokens: int) -> list[int]:
        """Return the positions of the pairs whose source, and whose sides together, have at most so many tokens.

        The symbols for start and end do not count as source tokens.
        """
        fits = (self.source.lengths - 1 <= max_source_length) & (self.lengths <= max_tokens)
        return [int(k) for k in np.nonzero(fits)[0]]

    @property
    def target_tokens(self) -> int:
        """Tokens that the decoder has to predict, ``</s>`` included."""
        return len(self.target.ids) - len(self.target)


def source_ids(tokenizer: Tokenizer, text: str, reverse: bool, most: int | None = None) -> list[int]:
    """Return what the encoder reads of a source sentence: its tokens, reversed if so configured, then ``</s>``.

    Of a longer one than ``most`` tokens, the first so many are read.

    Reversing brings the first words of both languages close together (Sutskever et al. 2014, section 3.3).
    """
    ids = tokenizer.encode(text, most)
    if reverse:
        ids.reverse()
    return [*ids, END]


def encode_corpus(
    corpus: Corpus, source_tokenizer: Tokenizer, target_tokenizer: Tokenizer, reverse_source: bool
) -> EncodedCorpus:
    """Turn text pairs into ids."""
    return EncodedCorpus(
        Sentences.of(source_ids(source_tokenizer, text, reverse_source) for text in corpus.sources),
        Sentences.of([START, *target_tokenizer.encode(text), END] for text in corpus.targets),
    )


def plan_batches(
    corpus: EncodedCorpus,
    batch_size: int,
    generator: np.random.Generator | None = None,
    max_tokens: int = MOST_TOKENS_PER_BATCH,
) -> list[Index]:
    """Return the pairs of every batch of one epoch.

    With a generator: the pairs are shuffled, cut into pools, sorted by length within each pool so that a batch's
    sentences are about equally long, cut into batches, and the batches shuffled. Without one, all are sorted by length,
    longest first, which is fastest, for validation. A batch with too many tokens is halved until none has.

    Args:
        corpus: the pairs.
        batch_size: most pairs of a batch.
        generator: decides the order.
        max_tokens: most source and target tokens of a batch of more than one pair.
    """
    source, target, both = corpus.source.lengths, corpus.target.lengths, corpus.lengths
    everything = np.arange(len(corpus)) if generator is None else generator.permutation(len(corpus))
    pool_size = max(1, len(everything) if generator is None else POOL * batch_size)
    batches: list[Index] = []
    for start in range(0, len(everything), pool_size):
        pool = everything[start : start + pool_size]
        pool = pool[np.lexsort((-source[pool], -target[pool]))]
        for k in range(0, len(pool), batch_size):
            batches += _halve(pool[k : k + batch_size], both, max_tokens)
    if generator is not None:
        batches = [batches[k] for k in generator.permutation(len(batches))]
    return batches


def _halve(pairs: Index, lengths: npt.NDArray[np.int64], max_tokens: int) -> list[Index]:
    """Return the pairs in as many batches as they need."""
    if len(pairs) < 2 or lengths[pairs].sum() <= max_tokens:
        return [pairs]
    middle = len(pairs) // 2
    return [*_halve(pairs[:middle], lengths, max_tokens), *_halve(pairs[middle:], lengths, max_tokens)]


def make_batch(corpus: EncodedCorpus, pairs: Index) -> Batch:
    """Pack these pairs; each side is sorted by its own lengths, longest first.

    Args:
        corpus: the pairs' ids.
        pairs: (B,) positions in the corpus.
    """
    by_source = pairs[np.argsort(-corpus.source.lengths[pairs], kind="stable")]
    by_target = pairs[np.argsort(-corpus.target.lengths[pairs], kind="stable")]
    source_packing = Packing.of(corpus.source.lengths[by_source])
    target_packing = Packing.of(corpus.target.lengths[by_target] - 1)
    inputs = _places(corpus.target, by_target, target_packing)
    row_of_pair = {int(pair): row for row, pair in enumerate(by_source)}
    return Batch(
        source=corpus.source.ids[_places(corpus.source, by_source, source_packing)],
        source_packing=source_packing,
        target_inputs=corpus.target.ids[inputs],
        target_outputs=corpus.target.ids[inputs + 1],
        target_packing=target_packing,
        source_rows=np.array([row_of_pair[int(pair)] for pair in by_target], dtype=np.intp),
    )


def share_out(pairs: Index, shares: int) -> list[Index]:
    """Deal a batch's pairs out to as many shares, or fewer if there are not enough; neighbours are equally long."""
    return [pairs[k::shares] for k in range(min(shares, len(pairs)))]


def _places(sentences: Sentences, chosen: Index, packing: Packing) -> npt.NDArray[np.int64]:
    """Return where each packed token stands in ``sentences.ids``."""
    return sentences.starts[chosen][packing.token_sentences] + packing.token_steps
