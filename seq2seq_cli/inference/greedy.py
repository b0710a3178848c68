"""Greedy search: always the most probable next token.

Beam search with a beam of one gives the same result; without its bookkeeping, a sentence takes two thirds of the time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.ensemble import Ensemble
from seq2seq_cli.inference.hypothesis import (
    Hypothesis,
    SpecialTokens,
    check_finite,
    length_normalized,
    repeated_ngram_tokens,
)
from seq2seq_cli.nn.functional import Array, IntArray, log_sum_exp
from seq2seq_cli.nn.packing import Index


def greedy_search(
    ensemble: Ensemble, limits: IntArray, config: SearchConfig, special: SpecialTokens
) -> list[list[Hypothesis]]:
    """Return a list with the hypothesis of each sentence.

    Args:
        ensemble: the models, with S sentences to translate.
        limits: (S,) maximum target tokens of each, EOS included.
        config: length normalization, and the length of n-grams that must not repeat.
        special: BOS, EOS and the suppressed tokens.
    """
    finished: list[list[Hypothesis]] = [[] for _ in limits]
    outputs: list[list[int]] = [[] for _ in limits]
    alive, last, score = np.arange(len(limits)), np.full(len(limits), special.bos), _Score(len(limits))
    shortest_limit = int(limits.min())
    length = 0
    while True:
        length += 1
        z = ensemble.step(last[:, None])
        last = z.argmax(axis=1)
        if config.no_repeat_ngram or not special.suppressed.isdisjoint(last.tolist()):  # something to suppress
            last = _suppress(z.copy(), [outputs[sentence] for sentence in alive], config, special).argmax(axis=1)
        if length >= shortest_limit:
            last[limits[alive] <= length] = special.eos  # at the length limit
        score.add(z, last)
        tokens = last.tolist()
        if special.eos in tokens:
            totals = score.totals()
            check_finite(totals)  # NaN stays NaN, so checking at the end is enough
            unfinished = last != special.eos
            for row in (~unfinished).nonzero()[0]:
                sentence, log_probability = alive[row], float(totals[row])
                normalized = length_normalized(log_probability, length, config)
                finished[sentence].append(Hypothesis(tuple(outputs[sentence]), log_probability, normalized))
            kept = unfinished.nonzero()[0]
            if not len(kept):
                break
            alive, last, tokens = alive[kept], last[kept], last[kept].tolist()
            score.select(kept)
            ensemble.select(kept, kept)
        for sentence, token in zip(alive.tolist(), tokens):
            outputs[sentence].append(token)
    return finished


def _suppress(z: Array, outputs: list[list[int]], config: SearchConfig, special: SpecialTokens) -> Array:
    """Set suppressed tokens in ``z`` (S, V) to minus infinity, given the output of each row; return ``z``."""
    z[:, list(special.suppressed)] = -np.inf
    if config.no_repeat_ngram:
        for row, output in zip(z, outputs):
            row[repeated_ngram_tokens(output, config.no_repeat_ngram)] = -np.inf
    return z


class _Score:
    """The log-probability of every sentence so far, ``Σ (z[token] − log Σ eᶻ)``.

    The search needs it only when a sentence ends. So, with few sentences, it is computed for several steps at once,
    which takes 3 instead of 12 µs per step for one sentence.
    """

    MAX_LOGITS = 32_768
    """Logits to collect before they are reduced: 128 kB."""

    def __init__(self, sentences: int) -> None:
        self._totals: npt.NDArray[np.float64] = np.zeros(sentences)
        self._steps: list[tuple[Array, IntArray]] = []

    def add(self, z: Array, tokens: IntArray) -> None:
        """Add a step: tokens (S,) chosen from ``z`` (S, V)."""
        self._steps.append((z, tokens))
        if len(self._steps) * z.size >= self.MAX_LOGITS:
            self.totals()

    def totals(self) -> npt.NDArray[np.float64]:
        """Return the log-probabilities (S,) in nats."""
        if self._steps:
            joined = (parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*self._steps))
            z, tokens = joined  # (steps · S, V) and (steps · S,)
            log_probabilities = z[np.arange(len(z)), tokens] - log_sum_exp(z)
            self._totals += log_probabilities.reshape(len(self._steps), -1).sum(axis=0, dtype=np.float64)
            self._steps = []
        return self._totals

    def select(self, rows: Index) -> None:
        """Keep only these sentences."""
        self._totals = self.totals()[rows]
