"""Byte-pair encoding beside Hugging Face ``tokenizers`` (Rust) and ``subword-nmt`` (Python): training and encoding.

The same lines for all: a seeded sample of both sides of the built-in corpus, or of any corpus, and the same number of
entries. Encoding starts with empty caches in every block, as a program does that encodes a corpus once; tokens per
second count each tokenizer's own tokens. Hugging Face encodes with ``encode_batch``, which uses all cores, and cuts
words at white space and punctuation; ``subword-nmt`` cuts at spaces. Blocks alternate, each side in a process of its
own::

    python -m tests.benchmarks.tokenizer [--quick] [--json FILE] [--corpus CORPUS] [--lines 29000] [--vocab-size 4000]
"""

from __future__ import annotations

import contextlib
import io
import random
from importlib.util import find_spec
from typing import Any

from seq2seq_cli.text.bpe import BpeTokenizer
from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import read_corpus
from tests.benchmarks.measure import Spread, Worker, alternate, parser, ratios, report, timed

SEED = 4
PACKAGES = {"ours": None, "tokenizers": "tokenizers", "subword-nmt": "subword_nmt"}


class OurSide:
    """``BpeTokenizer``."""

    def __init__(self, lines: list[str], entries: int) -> None:
        self.lines, self.entries = lines, entries
        self.tokens = 0

    def train(self) -> float:
        """Seconds of learning."""
        return timed(self._train)

    def encode(self) -> float:
        """Tokens per second, caches empty."""
        self._fresh()
        seconds = timed(self._encode)
        return self.tokens / seconds

    def _train(self) -> None:
        self.tokenizer = BpeTokenizer.train(self.lines, self.entries)

    def _fresh(self) -> None:
        self.tokenizer = BpeTokenizer(self.tokenizer.vocabulary, self.tokenizer.merges)

    def _encode(self) -> None:
        self.tokens = sum(len(self.tokenizer.encode(line)) for line in self.lines)


class HuggingFaceSide(OurSide):
    """The ``tokenizers`` package."""

    def _train(self) -> None:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers

        self.tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        trainer = trainers.BpeTrainer(
            vocab_size=self.entries, min_frequency=2, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False
        )
        self.tokenizer.train_from_iterator(self.lines, trainer)

    def _fresh(self) -> None:
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_str(self.tokenizer.to_str())

    def _encode(self) -> None:
        self.tokens = sum(len(encoding.ids) for encoding in self.tokenizer.encode_batch(self.lines))


class SubwordNmtSide(OurSide):
    """The ``subword-nmt`` package: the reference implementation of Sennrich et al. 2016."""

    def _train(self) -> None:
        from subword_nmt.learn_bpe import learn_bpe

        codes = io.StringIO()
        symbols = self.entries - len(set("".join(self.lines)))
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
            learn_bpe(io.StringIO("\n".join(self.lines) + "\n"), codes, symbols, min_frequency=2)
        self.codes = codes.getvalue()

    def _fresh(self) -> None:
        from subword_nmt.apply_bpe import BPE

        self.tokenizer = BPE(io.StringIO(self.codes))

    def _encode(self) -> None:
        self.tokens = sum(len(self.tokenizer.process_line(line).split()) for line in self.lines)


SIDES = {"ours": OurSide, "tokenizers": HuggingFaceSide, "subword-nmt": SubwordNmtSide}


def sample(name: str, lines: int) -> list[str]:
    """This many lines of both sides of a corpus, in random order; lines are repeated if it has fewer."""
    corpus = read_corpus(name)
    everything = [*corpus.sources, *corpus.targets]
    random.Random(SEED).shuffle(everything)
    return (everything * -(-lines // len(everything)))[:lines]


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--corpus", default=None, help="the built-in training corpus if none is given")
    flags.add_argument("--lines", type=int, default=29_000)
    flags.add_argument("--vocab-size", type=int, default=4_000)
    given = flags.parse_args()
    lines = sample(given.corpus or builtin_corpus("train"), given.lines // 10 if given.quick else given.lines)
    names = [name for name, package in PACKAGES.items() if package is None or find_spec(package)]
    for name in PACKAGES.keys() - set(names):
        print(f"{name} is not installed: left out.")
    workers = {name: Worker(SIDES[name], lines, given.vocab_size) for name in names}
    results: dict[str, dict[str, list[float]]] = {}
    for task in ("train", "encode"):
        calls: dict[str, Any] = {name: lambda _, w=worker, t=task: w.call(t) for name, worker in workers.items()}
        results[task] = alternate(calls, 3 if given.quick else 5)
    for worker in workers.values():
        worker.__exit__()
    rows = [
        {
            "tokenizer": name,
            "learning s": Spread.of(results["train"][name]).median,
            "ours / its time": ratios(results["train"]["ours"], results["train"][name]),
            "encoding tokens/s": Spread.of(results["encode"][name]).median,
            "ours / its speed": ratios(results["encode"]["ours"], results["encode"][name]),
        }
        for name in names
    ]
    report(f"tokenizer: {len(lines):,} lines, {given.vocab_size:,} entries", rows, given)


if __name__ == "__main__":
    main()
