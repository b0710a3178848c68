"""Beam search: the K most probable beginnings of a translation, extended token by token.

Source: Graves 2012, "Sequence Transduction with Recurrent Neural Networks", algorithm 1; Sutskever et al. 2014, section
3.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heapreplace
from math import inf

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.ensemble import Ensemble
from seq2seq_cli.inference.hypothesis import Hypothesis, Symbols, check_numbers, length_normalized, repeating
from seq2seq_cli.nn.functional import Array, IntArray, log_sum_exp

Extension = tuple[float, int, int]
"""A hypothesis extended by a token: its log-probability (nats), the hypothesis's row, and the token."""


def beam_search(ensemble: Ensemble, limits: IntArray, config: SearchConfig, symbols: Symbols) -> list[list[Hypothesis]]:
    """Return each sentence's finished hypotheses.

    Args:
        ensemble: the models, with S sentences to translate.
        limits: (S,) most target tokens of each, its end symbol included.
        config: beam and so on.
        symbols: how a target sentence begins and ends, and what is never to be produced.
    """
    finished: list[list[Hypothesis]] = [[] for _ in limits]
    alive, room = list(range(len(limits))), limits.tolist()
    scores, last = np.zeros((len(limits), 1)), np.full((len(limits), 1), symbols.start)
    paths = _Paths()
    while alive:  # S sentences with k live hypotheses each, in S · k rows
        S, k = last.shape
        length = len(paths) + 1
        z = ensemble.step(last)
        normalizers = log_sum_exp(z)
        check_numbers(normalizers)
        before = scores - normalizers.reshape(S, k)  # what the z of a hypothesis's extensions are added to
        _forbid(z.reshape(S, k, -1), paths, [room[sentence] <= length for sentence in alive], config, symbols)
        kept, survivors = [], []
        for s, (live, ended) in enumerate(best_extensions(z, before, config.beam, symbols.end)):
            found = finished[alive[s]]
            for log_probability, row, _ in ended:
                score = length_normalized(log_probability, length, config)
                found.append(Hypothesis(paths.tokens(row), log_probability, score))
            if live and not _is_done(found, live[0][0], room[alive[s]], config):
                kept.append(s)
                survivors.append(live)
        if not kept:
            break
        width = max(map(len, survivors))
        nothing = (-inf, 0, symbols.end)  # where a vocabulary is so small that there are not as many extensions
        totals, rows, tokens = zip(*(each for live in survivors for each in live + [nothing] * (width - len(live))))
        scores, last = np.array(totals).reshape(-1, width), np.array(tokens).reshape(-1, width)
        ensemble.select(np.array(rows), np.array(kept) if len(kept) < S else None)
        paths.extend(rows, tokens)
        alive = [alive[s] for s in kept]
    return finished


def best_extensions(
    z: Array, before: npt.NDArray[np.float64], count: int, end: int
) -> Iterator[tuple[list[Extension], list[Extension]]]:
    """Yield each sentence's best extensions, best first: those that live on, and those that end.

    Of all extensions the ``count`` best that do not end live on; those that end count if fewer than ``count`` others
    are better. What is impossible is neither.

    A heap holds the best extension of every hypothesis; the best of all leaves it and makes place for the next best of
    the same hypothesis. So beside one pass over all numbers there are ``count`` over one row: with 2,000 tokens and a
    beam of 5, it takes 12 µs for one sentence and 6 µs for each of many.

    Args:
        z: (S · k, V), without nan, overwritten.
        before: (S, k), added to a hypothesis's ``z`` to give the totals.
        count: how many shall live.
        end: the token that ends a hypothesis.
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
        heap = firsts[start : start + k]  # its smallest is the best: totals are negated
        heapify(heap)
        live: list[Extension] = []
        ended: list[Extension] = []
        rank = 0
        while heap[0][0] < inf:
            negated, row, token = heap[0]
            if token != end:
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


def _forbid(z: Array, paths: _Paths, full: list[bool], config: SearchConfig, symbols: Symbols) -> None:
    """Overwrite with minus infinity in ``z`` (S, k, V) what is not allowed; what is full may only end."""
    for token in symbols.barred:
        z[:, :, token] = -inf
    if config.no_repeat_ngram:
        for row, logits in enumerate(z.reshape(-1, z.shape[2])):
            logits[repeating(paths.tokens(row), config.no_repeat_ngram)] = -inf
    for logits, is_full in zip(z, full):
        if is_full:
            endings = logits[:, symbols.end].copy()
            logits[...] = -inf
            logits[:, symbols.end] = endings


def _is_done(finished: list[Hypothesis], best: float, limit: int, config: SearchConfig) -> bool:
    """Whether as many hypotheses have ended as the beam is wide, or the best alive cannot become one of the best."""
    if len(finished) >= config.beam:
        return True
    if len(finished) < config.n_best:
        return False
    worst_kept = sorted((h.score for h in finished), reverse=True)[config.n_best - 1]
    return worst_kept >= length_normalized(best, limit, config)


class _Paths:
    """How every live hypothesis came about: for each step, the row before and the token of every row."""

    def __init__(self) -> None:
        self._steps: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def __len__(self) -> int:
        return len(self._steps)

    def extend(self, rows: tuple[int, ...], tokens: tuple[int, ...]) -> None:
        """Take another step: row k is now ``rows[k]``'s hypothesis and ``tokens[k]``."""
        self._steps.append((rows, tokens))

    def tokens(self, row: int) -> tuple[int, ...]:
        """Return a live hypothesis, from its first token to its last."""
        path = []
        for rows, tokens in reversed(self._steps):
            path.append(tokens[row])
            row = rows[row]
        return tuple(reversed(path))
