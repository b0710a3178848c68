"""The log-probabilities of given translations: forced decoding of whole batches, without a search.

All target tokens are known, so the decoder reads a whole batch as in training, and the output layer works in blocks::

    log P(y|x) = Σ_t log p(y_t | y_{<t}, x)        p = 1/M Σ_m p_m   with M models, at every token

These are the numbers that a search adds up, so a translation has the log-probability with which the search found it
(but for rounding), if it has the same tokens. A text may be split into other tokens than those that a search generated.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import MAX_TOKENS_PER_BATCH, SearchConfig
from seq2seq_cli.inference.hypothesis import check_finite
from seq2seq_cli.inference.workers import WorkerPool
from seq2seq_cli.nn.functional import Array, IntArray, log_sum_exp, perplexity
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.output_layer import BLOCK_BYTES, SMALLEST_BLOCK, output_forward
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.text.tokenizer import BOS, EOS

if TYPE_CHECKING:
    from seq2seq_cli.inference.translation import Source
    from seq2seq_cli.inference.translator import Translator

BATCH = 64
"""Maximum number of pairs that a worker scores at a time."""
BATCHES_AT_A_TIME = 20
"""Batches whose pairs are sorted by length together."""
LogProbabilities = npt.NDArray[np.float64]


class Pair(NamedTuple):
    """A source sentence as ``Translator.read`` returns it, and the token ids of its translation, without EOS."""

    source: Source
    target: tuple[int, ...]


class PairScore(NamedTuple):
    """The log-probability in nats of each target token, EOS last; NaN for a target that is too long to be scored.

    ``log_probability`` is their sum, ``per_token`` their mean, and ``perplexity`` is ``exp(−per_token)``. If both sides
    are blank, there is no token, and the log-probability is 0.
    """

    token_log_probabilities: tuple[float, ...]

    @property
    def tokens(self) -> int:
        """Number of target tokens, EOS included."""
        return len(self.token_log_probabilities)

    @property
    def log_probability(self) -> float:
        """Return ``log P(y|x)``."""
        return sum(self.token_log_probabilities)

    @property
    def per_token(self) -> float:
        """Return the mean log-probability of a token: what a search ranks by, without a reranking."""
        return self.log_probability / max(1, self.tokens)

    @property
    def perplexity(self) -> float:
        """Return the perplexity per token."""
        return perplexity(-self.per_token) if self.per_token == self.per_token else math.nan


class Scorer:
    """Scores given translations with a model, or with an ensemble as a search averages it.

    Args:
        translator: the loaded models.
        threads: number of workers, each of which scores one batch at a time.
        processes: as for ``WorkerPool``.

    Example::

        from seq2seq_cli import Translator
        from seq2seq_cli.inference.scoring import Scorer

        scorer = Scorer(Translator.load("model.npz"))
        [score] = scorer.score([scorer.read("Thank you.", "Merci.")])
        score.log_probability, score.tokens, score.perplexity
    """

    def __init__(self, translator: Translator, threads: int = 1, processes: bool = False) -> None:
        self.translator = translator
        self.workers = WorkerPool(weakref.proxy(self), threads, processes)

    def read(self, source: str, target: str, config: SearchConfig | None = None) -> Pair:
        """Encode a sentence pair; a source of more than ``max_source_length`` tokens is truncated."""
        return Pair(self.translator.read(source, config), tuple(self.translator.target_tokenizer.encode(target)))

    def score(self, pairs: Iterable[Pair]) -> Iterator[PairScore]:
        """Yield the score of each pair, in order.

        Raises:
            UserError: if the model gives numbers that are not finite.
        """
        stream = iter(pairs)
        while chunk := list(islice(stream, BATCH * BATCHES_AT_A_TIME * self.workers.size)):
            scores = [PairScore((math.nan,) * (len(pair.target) + 1)) for pair in chunk]
            for k, pair in enumerate(chunk):
                if pair.source.blank and not pair.target:
                    scores[k] = PairScore(())
            work = [k for k, pair in enumerate(chunk) if scores[k].tokens and len(pair.target) < MAX_TOKENS_PER_BATCH]
            sizes = [(len(chunk[k].target), len(chunk[k].source.ids)) for k in work]
            batches = [[work[place] for place in batch] for batch in plan_batches(sizes)]
            for start in range(0, len(batches), self.workers.size):
                together = batches[start : start + self.workers.size]
                found = self.workers.call("_score", [([chunk[k] for k in batch],) for batch in together])
                for batch, results in zip(together, found):
                    for k, log_probabilities in zip(batch, results):
                        scores[k] = PairScore(tuple(log_probabilities.tolist()))
            yield from scores

    def _score(self, pairs: Sequence[Pair]) -> list[LogProbabilities]:
        sources, targets = [pair.source.ids for pair in pairs], [pair.target for pair in pairs]
        return token_log_probabilities(self.translator.models, sources, targets)


def plan_batches(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield the positions of the pairs of each batch, those of similar length together.

    Args:
        sizes: target and source tokens of each pair.
    """
    batch: list[int] = []
    tokens = 0
    for k in sorted(range(len(sizes)), key=lambda k: sizes[k], reverse=True):
        if batch and (len(batch) == BATCH or tokens + sum(sizes[k]) > MAX_TOKENS_PER_BATCH):
            yield batch
            batch, tokens = [], 0
        batch.append(k)
        tokens += sum(sizes[k])
    if batch:
        yield batch


def token_log_probabilities(
    models: Sequence[Seq2Seq], sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
) -> list[LogProbabilities]:
    """Return the log-probability of every target token of some pairs, EOS included.

    Args:
        models: one, or several with the same vocabularies, whose probabilities are averaged at every token.
        sources: token ids that the encoder reads, EOS included.
        targets: token ids of the translations, without EOS.

    Returns:
        For each pair (tokens + 1,) nats.

    Raises:
        UserError: if the numbers are not finite.
    """
    source_order, target_order = (sorted(range(len(side)), key=lambda k: -len(side[k])) for side in (sources, targets))
    packing = Packing.of([len(sources[k]) for k in source_order])
    target_packing = Packing.of([len(targets[k]) + 1 for k in target_order])
    ids = _packed([sources[k] for k in source_order], packing)
    inputs = _packed([(BOS, *targets[k]) for k in target_order], target_packing)
    outputs = _packed([(*targets[k], EOS) for k in target_order], target_packing)
    row_of = {k: row for row, k in enumerate(source_order)}
    rows = np.array([row_of[k] for k in target_order])
    total: LogProbabilities | None = None
    for model in models:
        found = _of_model(model, ids, packing, inputs, outputs, target_packing, rows)
        total = found if total is None else np.logaddexp(total, found)
    assert total is not None
    total -= math.log(len(models))
    check_finite(total)
    places = np.asarray(target_packing.offsets)
    results: list[LogProbabilities] = [total[:0]] * len(targets)
    for row, k in enumerate(target_order):
        results[k] = total[places[: len(targets[k]) + 1] + row]
    return results


def _of_model(
    model: Seq2Seq,
    ids: IntArray,
    packing: Packing,
    inputs: IntArray,
    outputs: IntArray,
    target_packing: Packing,
    rows: Index,
) -> LogProbabilities:
    """Return the log-probabilities (N,) of packed target tokens by one model."""
    start = model.encode(ids, packing).select(rows)
    top, _, _ = model.decoder.forward(start, inputs, target_packing, keep_cache=False)
    weight, bias = model.parameters[model.output_name], model.parameters["decoder.fc_out.bias"]
    priors = model.priors(start, target_packing.token_sentences, inputs)
    found = np.empty(len(top))
    size = max(SMALLEST_BLOCK, BLOCK_BYTES // (len(weight) * weight.itemsize))
    for first in range(0, len(top), size):
        block = top[first : first + size]
        z: Array = output_forward(block, weight, bias)
        for prior in priors:
            prior.add(z, block, first)
        targets = outputs[first : first + size]
        found[first : first + size] = z[np.arange(len(z)), targets] - log_sum_exp(z)
    return found


def _packed(sentences: Sequence[Sequence[int]], packing: Packing) -> IntArray:
    """Return sentences, longest first, as packed ids (N,)."""
    return np.array([s[step] for step, size in enumerate(packing.batch_sizes) for s in sentences[:size]], np.intp)
