"""Growth: how time and memory grow with the size of the corpus and of the network.

*Corpus*: files of 10,000, 100,000 and 1,000,000 synthetic pairs (words of syllables with a natural frequency
distribution, sentence lengths of Multi30k) are read, two tokenizers are trained, and both sides are encoded, each size
in its own process; ``per pair`` should not grow. ``growth MB`` is the peak memory of the process above that at its
start, ``ids MB`` is the part that is kept for training.

*Network*: training steps while one setting of the default recipe doubles repeatedly and the others stay fixed;
``relative`` is the time per floating-point operation of the matrix products, against the first row of the setting: it
should not grow::

    python -m tests.benchmarks.growth [--quick] [--json FILE]
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.parameters import initialize
from seq2seq_cli.text.bpe import BpeTokenizer
from seq2seq_cli.text.corpus import read_corpus
from seq2seq_cli.text.tokenizer import BOS, EOS, SPECIALS
from seq2seq_cli.training.batches import EncodedCorpus, Sentences, encode_corpus, plan_batches
from tests.benchmarks.lengths import draw_lengths
from tests.benchmarks.measure import Spread, Worker, parser, report, show
from tests.benchmarks.memory import peak_bytes
from tests.benchmarks.training import SEED, OurSide, operations

LINES = (10_000, 100_000, 1_000_000)
WORDS = 10_000
"""Distinct words; the same at every size, as a language's frequent words are."""
DEFAULT = {"vocabulary": 2000, "hidden size": 256, "batch": 32, "sentence length": 15}
SETTINGS = {
    "vocabulary": (1000, 2000, 4000, 8000, 16000),
    "hidden size": (128, 256, 512, 1024),
    "batch": (16, 32, 64, 128, 256),
    "sentence length": (10, 20, 40, 80, 160),
}
TOKENS = 20_000
"""Target tokens of a block; a fifth of them with ``--quick``."""


def write_corpus(path: Path, lines: int) -> None:
    """Pairs of sentences of made-up words, the k-th most frequent one with probability in proportion to 1 / k."""
    generator = np.random.default_rng(SEED)
    syllables = [consonant + vowel for consonant in "bcdfghjklmnprstvwz" for vowel in "aeiou"]
    words = ["".join(generator.choice(syllables, size)) for size in generator.integers(1, 5, WORDS)]
    likely = 1.0 / np.arange(1, WORDS + 1)
    likely /= likely.sum()
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, lines, 10_000):
            lengths = draw_lengths(min(10_000, lines - start), generator)
            chosen = iter(generator.choice(WORDS, size=int(lengths.sum()), p=likely).tolist())
            for pair in lengths.tolist():
                file.write("\t".join(" ".join(words[next(chosen)] for _ in range(length)) for length in pair) + "\n")


class CorpusSide:
    """Reads and encodes a corpus; runs in a worker."""

    def work(self, path: str) -> dict[str, float]:
        """Seconds of each part, and bytes."""
        before = peak_bytes()
        marks = [time.perf_counter()]
        corpus = read_corpus(path)
        marks.append(time.perf_counter())
        source, target = (BpeTokenizer.train(side, 2000) for side in (corpus.sources, corpus.targets))
        marks.append(time.perf_counter())
        encoded, _ = encode_corpus(corpus, source, target, reverse_source=False)
        marks.append(time.perf_counter())
        plan_batches(encoded, 32, np.random.default_rng(SEED))
        marks.append(time.perf_counter())
        arrays = [array for side in (encoded.source, encoded.target) for array in (side.ids, side.starts)]
        names = ("reading s", "learning s", "encoding s", "planning s")
        return {
            **{name: end - start for name, start, end in zip(names, marks, marks[1:])},
            "growth MB": (peak_bytes() - before) / 1e6,
            "ids MB": sum(array.nbytes for array in arrays) / 1e6,
        }


def measure_corpus(lines: int, folder: str) -> dict[str, Any]:
    """One row of the first table."""
    path = Path(folder) / "pairs.tsv"
    write_corpus(path, lines)
    with Worker(CorpusSide) as worker:
        found = worker.call("work", str(path))
    seconds = sum(value for name, value in found.items() if name.endswith(" s"))
    return {"pairs": lines, "file MB": path.stat().st_size / 1e6, **found, "µs per pair": 1e6 * seconds / lines}


def equal_corpus(pairs: int, length: int, vocabulary: int) -> EncodedCorpus:
    """Pairs of random words, all of one length."""
    words = np.random.default_rng(SEED).integers(len(SPECIALS), vocabulary, (2, pairs, length - 1)).tolist()
    return EncodedCorpus(
        Sentences.of(([*sentence, EOS] for sentence in words[0]), vocabulary),
        Sentences.of(([BOS, *sentence, EOS] for sentence in words[1]), vocabulary),
    )


def measure_network(setting: str, value: int, rounds: int, total: int) -> dict[str, Any]:
    """One row of the second table, without the comparison."""
    chosen = {**DEFAULT, setting: value}
    vocabulary, batch_size, length = chosen["vocabulary"], chosen["batch"], chosen["sentence length"]
    config = ModelConfig(vocabulary, vocabulary, hidden_size=chosen["hidden size"], dropout=0.0)
    batches = max(2, total // (batch_size * length))
    corpus = equal_corpus(batches * batch_size, length, vocabulary)
    plan = plan_batches(corpus, batch_size)
    side = OurSide(config, initialize(config, np.random.default_rng(SEED)), corpus, plan, 0.0)
    places = list(range(batches))
    side.block(places)
    seconds = Spread.of([side.block(places) for _ in range(rounds)])
    tokens = sum(batch.target_packing.tokens for batch in side.batches)
    work = sum(operations(config, batch) for batch in side.batches)
    return {
        "setting": setting,
        "value": value,
        "tokens/s": tokens / seconds.median,
        "µs per token": 1e6 * seconds.median / tokens,
        "operations per token": work / tokens,
        "ns per 1,000 operations": 1e12 * seconds.median / work,
    }


def main() -> None:
    flags = parser(__doc__)
    given = flags.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpora = [measure_corpus(lines, folder) for lines in (LINES[:2] if given.quick else LINES)]
    networks = []
    for setting, values in SETTINGS.items():
        rounds, total = (2, TOKENS // 5) if given.quick else (5, TOKENS)
        rows = [measure_network(setting, value, rounds, total) for value in (values[:3] if given.quick else values)]
        for row in rows:
            row["relative"] = row["ns per 1,000 operations"] / rows[0]["ns per 1,000 operations"]
        networks += rows
    show("growth: corpus", corpora)
    report("growth: network", networks, given, corpora=corpora)


if __name__ == "__main__":
    main()
