"""Beam search: the K most probable partial translations, extended token by token.

Source: Graves 2012, "Sequence Transduction with Recurrent Neural Networks", algorithm 1; Sutskever et al. 2014, section
3.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heapreplace
from itertools import chain
from math import inf

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

Extension = tuple[float, int, int]
"""A hypothesis extended by a token: its log-probability (nats), the hypothesis's row, and the token."""


def beam_search(
    ensemble: Ensemble, limits: IntArray, config: SearchConfig, special: SpecialTokens, collected: int = 0
) -> list[list[Hypothesis]]:
    """Return each sentence's finished hypotheses.

    Args:
        ensemble: the models, with S sentences to translate.
        limits: (S,) maximum target tokens of each, EOS included.
        config: beam size, length normalization, and so on.
        special: BOS, EOS and the suppressed tokens.
        collected: minimum number of finished hypotheses of a sentence, if its limit allows as many. Once they are
            found, its search ends when the best live hypothesis can no longer enter the n-best list; once ``beam``
            are found as well, when it would not enter even if it ended with the next token.
    """
    finished: list[list[Hypothesis]] = [[] for _ in limits]
    alive, max_lengths = list(range(len(limits))), limits.tolist()
    scores, last = np.zeros((len(limits), 1)), np.full((len(limits), 1), special.bos)
    paths = _Paths()
    while alive:  # S sentences with k live hypotheses each, in S · k rows
        S, k = last.shape
        length = len(paths) + 1
        # 1. Score every extension of every live hypothesis: its log-probability is ``before + z``.
        z = ensemble.step(last)
        normalizers = log_sum_exp(z)
        check_finite(normalizers)
        before = scores - normalizers.reshape(S, k)
        # 2. Suppress the tokens that must not be generated.
        _suppress(z.reshape(S, k, -1), paths, [max_lengths[sentence] <= length for sentence in alive], config, special)
        # 3. Prune: keep the best extensions, move those with EOS to the finished ones, and drop completed sentences.
        kept, survivors = [], []
        for s, (live, ended) in enumerate(best_extensions(z, before, config.beam, special.eos)):
            hypotheses = finished[alive[s]]
            for log_probability, row, _ in ended:
                score = length_normalized(log_probability, length, config)
                hypotheses.append(Hypothesis(paths.tokens(row), log_probability, score))
            if live and not _is_done(hypotheses, live[0][0], length, max_lengths[alive[s]], config, collected):
                kept.append(s)
                survivors.append(live)
        if not kept:
            break
        # 4. Reorder the states and the paths to follow the surviving hypotheses.
        width = max(map(len, survivors))
        padding = (-inf, 0, special.eos)  # if a tiny vocabulary allows fewer extensions
        padded = [live + [padding] * (width - len(live)) for live in survivors]
        totals, rows, tokens = zip(*chain.from_iterable(padded))
        scores, last = np.array(totals).reshape(-1, width), np.array(tokens).reshape(-1, width)
        ensemble.select(np.array(rows), np.array(kept) if len(kept) < S else None)
        paths.extend(rows, tokens)
        alive = [alive[s] for s in kept]
    return finished


def best_extensions(
    z: Array, before: npt.NDArray[np.float64], count: int, eos: int
) -> Iterator[tuple[list[Extension], list[Extension]]]:
    """Yield the best extensions of each sentence, best first: those that stay alive, and those that end with EOS.

    The ``count`` best extensions without EOS stay alive; an extension with EOS is finished if fewer than ``count``
    others are better. Suppressed extensions are neither.

    A heap holds the best extension of every hypothesis; the best of all is popped and replaced by the next best
    extension of the same hypothesis. So, besides one pass over all of ``z``, there are ``count`` passes over one row
    each: with 2,000 tokens and a beam of 5, it takes 12 µs for one sentence, and 6 µs for each of many.

    Args:
        z: (S · k, V), without NaN; overwritten.
        before: (S, k), for each hypothesis, what is added to its row of ``z`` to give log-probabilities.
        count: number of extensions to keep alive.
        eos: the token that ends a hypothesis.
    """
    S, k = before.shape
    best = z.argmax(axis=1)
    offsets = before.ravel().tolist()
    logits = z[np.arange(S * k), best].tolist()
    firsts = [
        (-(offset + logit), row, token)
        for row, (offset, logit, token) in enumerate(zip(offsets, logits, best.tolist()))
    ]
    for start in range(0, S * k, k):
        heap = firsts[start : start + k]  # the smallest item is the best: log-probabilities are negated
        heapify(heap)
        live: list[Extension] = []
        ended: list[Extension] = []
        rank = 0
        while heap[0][0] < inf:
            negated, row, token = heap[0]
            if token != eos:
                live.append((-negated, row, token))
                if len(live) == count:
                    break
            elif rank < count:
                ended.append((-negated, row, token))
            rank += 1
            of_row = z[row]
            of_row[token] = -inf
            token = int(of_row.argmax())
            heapreplace(heap, (-(offsets[row] + of_row.item(token)), row, token))
        yield live, ended


def _suppress(z: Array, paths: _Paths, full: list[bool], config: SearchConfig, special: SpecialTokens) -> None:
    """Set suppressed tokens in ``z`` (S, k, V) to minus infinity; at the length limit, all tokens but EOS."""
    for token in special.suppressed:
        z[:, :, token] = -inf
    if config.no_repeat_ngram:
        for row, logits in enumerate(z.reshape(-1, z.shape[2])):
            logits[repeated_ngram_tokens(paths.tokens(row), config.no_repeat_ngram)] = -inf
    for logits, is_full in zip(z, full):
        if is_full:
            eos_logits = logits[:, special.eos].copy()
            logits[...] = -inf
            logits[:, special.eos] = eos_logits


def _is_done(
    finished: list[Hypothesis], best: float, length: int, limit: int, config: SearchConfig, collected: int
) -> bool:
    """Whether the best live hypothesis, of log-probability ``best``, can no longer enter the n-best list.

    It enters if it may end at its limit with no further loss. If enough hypotheses are finished, it has to end at once
    instead: they alone are no reason to stop, because the endings of improbable hypotheses also count.
    """
    if len(finished) < max(config.n_best, collected):
        return False
    worst_kept = sorted((h.score for h in finished), reverse=True)[config.n_best - 1]
    enough = len(finished) >= max(config.beam, collected)
    return worst_kept >= length_normalized(best, length + 1 if enough else limit, config)


class _Paths:
    """Back pointers of the live hypotheses: for each step, the previous row and the token of every row."""

    def __init__(self) -> None:
        self._steps: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def __len__(self) -> int:
        return len(self._steps)

    def extend(self, rows: tuple[int, ...], tokens: tuple[int, ...]) -> None:
        """Add a step: row k is now the hypothesis of row ``rows[k]``, extended by ``tokens[k]``."""
        self._steps.append((rows, tokens))

    def tokens(self, row: int) -> tuple[int, ...]:
        """Return the tokens of a live hypothesis, first to last."""
        path = []
        for rows, tokens in reversed(self._steps):
            path.append(tokens[row])
            row = rows[row]
        return tuple(reversed(path))
