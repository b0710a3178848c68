"""Sentence lengths of a real corpus without its text: ``lengths.tsv`` counts the pairs of each (source, target) length.

The counts beside this file are of Multi30k German-English ``train`` (29,000 pairs), in tokens of byte-pair encodings of
4,000 entries a side, start and end symbols not counted. They are made with::

    python -m tests.benchmarks.lengths train.de.gz,train.en.gz > tests/benchmarks/lengths.tsv
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seq2seq_cli.text.bpe import BpeTokenizer
from seq2seq_cli.text.corpus import read_corpus
from seq2seq_cli.text.tokenizer import BOS, EOS, SPECIALS
from seq2seq_cli.training.batches import EncodedCorpus, Sentences

COUNTS = Path(__file__).parent / "lengths.tsv"
VOCABULARY = 4000


def count_lengths(name: str) -> Counter[tuple[int, int]]:
    """How many pairs of a corpus have each (source tokens, target tokens)."""
    corpus = read_corpus(name)
    source, target = (BpeTokenizer.train(side, VOCABULARY) for side in (corpus.sources, corpus.targets))
    return Counter(
        (len(source.encode(german)), len(target.encode(english)))
        for german, english in zip(corpus.sources, corpus.targets)
    )


def draw_lengths(pairs: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """(pairs, 2) source and target lengths, drawn from the stored counts."""
    table = np.loadtxt(COUNTS, dtype=np.int64, skiprows=1)
    chosen = generator.choice(len(table), size=pairs, p=table[:, 2] / table[:, 2].sum())
    return table[chosen, :2]


def draw_corpus(pairs: int, vocabulary: int, seed: int) -> EncodedCorpus:
    """Sentence pairs of real lengths and random words."""
    generator = np.random.default_rng(seed)

    def words(length: int) -> list[int]:
        return generator.integers(len(SPECIALS), vocabulary, length).tolist()

    lengths = draw_lengths(pairs, generator)
    return EncodedCorpus(
        Sentences.of(([*words(length), EOS] for length in lengths[:, 0]), vocabulary),
        Sentences.of(([BOS, *words(length), EOS] for length in lengths[:, 1]), vocabulary),
    )


if __name__ == "__main__":
    print("source\ttarget\tpairs")
    for (source_tokens, target_tokens), pairs in sorted(count_lengths(sys.argv[1]).items()):
        print(f"{source_tokens}\t{target_tokens}\t{pairs}")
