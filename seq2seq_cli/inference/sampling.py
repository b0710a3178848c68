"""Ancestral sampling: every token is drawn at random, by its probability given all tokens before it.

At temperature ``T`` the next token has the probability ``softmax(z / T)``, over the tokens that are not suppressed.
With ``T = 1`` and nothing suppressed, a translation is drawn with exactly the probability ``P(y|x)`` that the model
gives it.

The random numbers of a sample depend only on the seed, the source's tokens and the number of the sample: neither on its
place in a batch nor on the other lines. So the first sample is the same, however many are drawn, and a sentence that
occurs twice has the same samples both times.

Source: Bishop 2006, "Pattern Recognition and Machine Learning", section 8.1.2; with a temperature: Hinton, Vinyals &
Dean 2015, equation 1.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from seq2seq_cli.inference.step_decoder import StepDecoder
from seq2seq_cli.nn.functional import Array, IntArray, log_sum_exp
from seq2seq_cli.nn.packing import Packing

ROWS = 256
"""Samples that are drawn at a time, of all sentences of a batch together."""


def sample(
    decoders: Sequence[StepDecoder],
    sources: Sequence[Sequence[int]],
    ids: IntArray,
    packing: Packing,
    limits: IntArray,
    config: SearchConfig,
    special: SpecialTokens,
) -> list[list[Hypothesis]]:
    """Return ``n_best`` samples of each sentence, in the order in which they are drawn.

    Args:
        decoders: one, or several with the same vocabularies, whose probabilities are averaged at every step.
        sources: token ids of S sentences, longest first.
        ids: (N,) the same, packed.
        packing: the layout of ``ids``.
        limits: (S,) maximum target tokens of each, EOS included.
        config: number of samples, temperature, seed, and length of n-grams that must not repeat.
        special: BOS, EOS and the suppressed tokens.
    """
    samples: list[list[Hypothesis]] = [[] for _ in sources]
    at_a_time = max(1, ROWS // len(sources))
    for first in range(0, config.n_best, at_a_time):
        numbers = range(first, min(first + at_a_time, config.n_best))
        rows = np.repeat(np.arange(len(sources)), len(numbers))
        ensemble = Ensemble(decoders, ids, packing)
        ensemble.select(rows, rows)
        generators = [np.random.default_rng([config.seed, number, *x]) for x in sources for number in numbers]
        for row, drawn in zip(rows.tolist(), _draw(ensemble, generators, limits[rows], config, special)):
            samples[row].append(drawn)
    return samples


def _draw(
    ensemble: Ensemble,
    generators: Sequence[np.random.Generator],
    limits: IntArray,
    config: SearchConfig,
    special: SpecialTokens,
) -> list[Hypothesis]:
    """Return a sample for each of the ensemble's R rows; ``limits`` (R,) are their maximum lengths."""
    drawn: list[Hypothesis] = [Hypothesis((), 0.0, 0.0)] * len(limits)
    outputs: list[list[int]] = [[] for _ in limits]
    totals, alive, last = np.zeros(len(limits)), np.arange(len(limits)), np.full(len(limits), special.bos)
    length = 0
    while len(alive):
        length += 1
        z = ensemble.step(last[:, None])
        normalizers = log_sum_exp(z)
        check_finite(normalizers)
        living: list[int] = alive.tolist()
        so_far = [outputs[row] for row in living]
        allowed = _suppress(z.astype(np.float64), so_far, limits[alive] <= length, config, special)
        last = choose(allowed / config.temperature, np.array([generators[row].random() for row in living]))
        totals[alive] += z[np.arange(len(z)), last].astype(np.float64) - normalizers
        for row in alive[last == special.eos].tolist():
            log_probability = float(totals[row])
            score = length_normalized(log_probability, length, config)
            drawn[row] = Hypothesis(tuple(outputs[row]), log_probability, score)
        kept = np.flatnonzero(last != special.eos)
        if len(kept) < len(alive):
            alive, last = alive[kept], last[kept]
            ensemble.select(kept, kept)
        for row, token in zip(alive.tolist(), last.tolist()):
            outputs[row].append(token)
    return drawn


def choose(logits: Array, uniform: Array) -> IntArray:
    """Return the token of each row at which the cumulative probability exceeds a number from 0 to below 1.

    Args:
        logits: (R, V) float64; minus infinity for a token that must not be drawn.
        uniform: (R,).

    Example:
        >>> import numpy as np
        >>> choose(np.log([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]), np.array([0.1, 0.6])).tolist()
        [0, 2]
    """
    cumulative = np.exp(logits - logits.max(axis=1, keepdims=True)).cumsum(axis=1)
    chosen: IntArray = (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(axis=1)
    return chosen


def _suppress(
    z: Array,
    outputs: Sequence[Sequence[int]],
    full: npt.NDArray[np.bool_],
    config: SearchConfig,
    special: SpecialTokens,
) -> Array:
    """Set suppressed tokens in ``z`` (R, V) to minus infinity; at the length limit, all tokens but EOS."""
    z[:, list(special.suppressed)] = -np.inf
    if config.no_repeat_ngram:
        for row, output in zip(z, outputs):
            row[repeated_ngram_tokens(output, config.no_repeat_ngram)] = -np.inf
    eos = z[full, special.eos]
    z[full] = -np.inf
    z[full, special.eos] = eos
    return z
