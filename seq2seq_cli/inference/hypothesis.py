"""A finished translation, and its score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.functional import Array


class SpecialTokens(NamedTuple):
    """The target ids that a search treats differently: BOS, EOS, and those that are never generated."""

    bos: int
    eos: int
    suppressed: frozenset[int]


class Hypothesis(NamedTuple):
    """A finished translation.

    ``tokens`` exclude EOS; ``log_probability`` (nats) includes it, even if the length limit forced it. ``score`` is
    what hypotheses are ranked by: ``log_probability`` normalized by length, to which ``reranking.py`` may add.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def best_of(hypotheses: Iterable[Hypothesis], count: int) -> list[Hypothesis]:
    """Return up to ``count`` hypotheses, those with the highest score first."""
    return sorted(hypotheses, key=lambda h: (-h.score, h.tokens))[:count]


def length_normalized(log_probability: float, length: int, config: SearchConfig) -> float:
    """Return ``log_probability / lengthᵅ``, or with ``normalization="gnmt"`` ``log_probability / ((5 + length) / 6)ᵅ``.

    A sum of log-probabilities falls with every token, so plain sums favor short sentences. ``α = 1`` compares means per
    token, ``α = 0`` compares sums; GNMT's form penalizes short sentences less.

    Source: Jean et al. 2015; Wu et al. 2016, "Google's Neural Machine Translation System", equation 14 (without its
    coverage penalty, which needs attention).
    """
    base = (5.0 + length) / 6.0 if config.normalization == "gnmt" else float(length)
    normalized: float = log_probability / base**config.length_penalty
    return normalized


def repeated_ngram_tokens(tokens: Sequence[int], n: int) -> list[int]:
    """Return the tokens that would complete an n-gram that the sequence already contains.

    Example:
        >>> repeated_ngram_tokens([7, 8, 9, 7, 8], 3)
        [9]

    Source: Paulus et al. 2018, "A Deep Reinforced Model for Abstractive Summarization", section 2.5.
    """
    suffix = tuple(tokens[len(tokens) - n + 1 :])
    if len(suffix) < n - 1:
        return []
    return [tokens[k + n - 1] for k in range(len(tokens) - n + 1) if tuple(tokens[k : k + n - 1]) == suffix]


def check_finite(numbers: Array) -> None:
    """Raise a ``UserError`` unless all numbers are finite."""
    if not np.isfinite(numbers).all():
        raise UserError(
            "the scores of the model are not finite numbers", where="the model file", fix="train the model again"
        )
