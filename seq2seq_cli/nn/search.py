"""Searching for the best target sentence: beam search, of which greedy search is the case of one hypothesis.

Source: Graves 2012, "Sequence Transduction with Recurrent Neural Networks", algorithm 1; Sutskever et al. 2014, section
3.2. Averaging the models' distributions at every step: Sutskever et al. 2014, section 3.6 (their ensembles).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import SearchConfig, length_limit
from seq2seq_cli.nn.ensemble import Ensemble
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.greedy import greedy_search
from seq2seq_cli.nn.hypothesis import Hypothesis, check_numbers, length_normalized, repeating
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.stepper import Stepper

LONGEST_OUTPUT = 500
"""Tokens at which a translation ends whose length is relative to the source's; some models repeat themselves for ever.
"""


def longest_output(source_length: int, config: SearchConfig) -> int:
    """Return the most target tokens of one sentence; it depends on no other. End symbols count, here and there.

    Example: by default, ``2x+10``, six source tokens and their end give up to 22 target tokens and theirs.

        >>> longest_output(7, SearchConfig())
        23
    """
    limit = length_limit(config.max_length)
    if not limit.factor:
        return limit.tokens + 1
    relative = int(limit.factor * (source_length - 1)) + limit.tokens
    return min(max(1, relative), LONGEST_OUTPUT) + 1


def search(
    steppers: Sequence[Stepper],
    sources: Sequence[Sequence[int]],
    config: SearchConfig,
    start: int,
    end: int,
    forbidden: Collection[int] = (),
) -> list[list[Hypothesis]]:
    """Translate a batch of sentences.

    Args:
        steppers: of one model or several (their probabilities are averaged at every step) with the same vocabularies.
        sources: token ids of each sentence, none empty, in any order.
        config: beam and so on.
        start, end: ids of the symbols that begin and end a target sentence.
        forbidden: ids never to be produced.

    Returns:
        For each sentence up to ``n_best`` hypotheses, best first.
    """
    order = sorted(range(len(sources)), key=lambda k: -len(sources[k]))
    packing = Packing.of([len(sources[k]) for k in order])
    flat = np.concatenate([np.asarray(sources[k]) for k in order])
    starts = np.cumsum([0, *packing.lengths[:-1]])
    ids = flat[starts[packing.token_sentences] + packing.token_steps]
    limits = np.array([longest_output(length, config) for length in packing.lengths])
    ensemble, blocked = Ensemble(steppers, ids, packing), np.array([start, *forbidden])
    find = greedy_search if config.beam == 1 else beam_search
    finished = find(ensemble, limits, config, start, end, blocked)
    results: list[list[Hypothesis]] = [[]] * len(sources)
    for place, k in enumerate(order):
        results[k] = sorted(finished[place], key=lambda h: (-h.score, h.tokens))[: config.n_best]
    return results


def beam_search(
    ensemble: Ensemble,
    limits: IntArray,
    config: SearchConfig,
    start: int,
    end: int,
    blocked: IntArray,
) -> list[list[Hypothesis]]:
    """Return each sentence's finished hypotheses.

    Args:
        ensemble: the models, with S sentences to translate.
        limits: (S,) most target tokens of each, its end symbol included.
        config: beam and so on.
        start, end: ids of the symbols that begin and end a target sentence.
        blocked: ids never to be produced.
    """
    beams = _Beams(ensemble, len(limits), start)
    finished: list[list[Hypothesis]] = [[] for _ in limits]
    while len(beams.sentences):
        _advance(beams, beams.step(blocked), finished, limits, config, end)
    return finished


class _Beams:
    """The live hypotheses of the sentences still at work: S sentences with k hypotheses each, S · k rows."""

    def __init__(self, ensemble: Ensemble, sentences: int, start: int) -> None:
        self.ensemble = ensemble
        self.sentences = np.arange(sentences)
        self.scores: npt.NDArray[np.float64] = np.zeros((sentences, 1))
        self.tokens: IntArray = np.full((sentences, 1, 1), start)

    def step(self, blocked: IntArray) -> tuple[Array, Array]:
        """Feed every hypothesis its last token; return what the next tokens' log-probabilities are made of.

        Returns:
            ``z`` (S, k, V) and ``n`` (S, k) such that ``z − n`` are the log-probabilities. What may not be produced is
            minus infinity.
        """
        S, k = self.tokens.shape[:2]
        z, normalizer = self.ensemble.step(self.tokens[:, :, -1])
        z[:, blocked] = -np.inf
        return z.reshape(S, k, -1), normalizer.reshape(S, k)

    def keep(self, sentences: Index, parents: IntArray, tokens: IntArray, scores: npt.NDArray[np.float64]) -> None:
        """Go on with these sentences (positions) and, for each, these parents (S, k) extended by these tokens."""
        width = self.tokens.shape[1]
        if width > 1 or parents.shape[1] > 1 or len(sentences) < len(self.sentences):
            rows = (sentences[:, None] * width + parents).reshape(-1)
            self.ensemble.select(rows, sentences if len(sentences) < len(self.sentences) else None)
        history = self.tokens[sentences[:, None], parents]
        self.tokens = np.concatenate([history, tokens[:, :, None]], axis=2)
        self.scores = scores
        self.sentences = self.sentences[sentences]


def _advance(
    beams: _Beams,
    extensions: tuple[Array, Array],
    finished: list[list[Hypothesis]],
    limits: IntArray,
    config: SearchConfig,
    end: int,
) -> None:
    """Extend every hypothesis by one token, move those that end to ``finished``, and drop sentences that are done.

    Of all extensions, the K best that do not end live on; those that end count if fewer than K others are better.
    """
    z, normalizer = extensions
    S, width, V = z.shape
    length = beams.tokens.shape[2]  # counts the start symbol, so it is that of the extensions too
    K = config.beam
    if config.no_repeat_ngram:
        for s, k in np.ndindex(S, width):
            z[s, k, repeating(beams.tokens[s, k, 1:].tolist(), config.no_repeat_ngram)] = -np.inf
    before = beams.scores - normalizer  # (S, k) what a hypothesis's logits are added to
    ending = before + z[:, :, end]
    z[:, :, end] = -np.inf
    out_of_room = limits[beams.sentences] <= length
    z[out_of_room] = -np.inf  # what is full may only end
    totals, candidates = _best(z, before, min(K, width * V))
    check_numbers(np.maximum(totals[:, 0], ending.max(axis=1)))
    # An ending extension is one of the K best if fewer than K of all others are better. Most cannot be.
    if totals.shape[1] < K or (ending >= totals[:, -1:]).any():
        better = (totals[:, None, :] > ending[:, :, None]).sum(axis=2)
        better += (ending[:, None, :] > ending[:, :, None]).sum(axis=2)
        for s, k in zip(*np.nonzero((better < K) & np.isfinite(ending))):
            log_probability = float(ending[s, k])
            score = length_normalized(log_probability, length, config)
            words = tuple(beams.tokens[s, k, 1:].tolist())
            finished[beams.sentences[s]].append(Hypothesis(words, log_probability, score))

    alive = [
        s
        for s, sentence in enumerate(beams.sentences)
        if not out_of_room[s] and not _is_done(finished[sentence], totals[s], int(limits[sentence]), config)
    ]
    parents, tokens = np.divmod(candidates[alive], V)
    beams.keep(np.array(alive, dtype=np.intp), parents, tokens, totals[alive])


def _is_done(finished: list[Hypothesis], live: npt.NDArray[np.float64], limit: int, config: SearchConfig) -> bool:
    """Whether as many hypotheses have ended as the beam is wide, or none alive can still become one of the best."""
    if len(finished) >= config.beam or not np.isfinite(live[0]):
        return True
    if len(finished) < config.n_best:
        return False
    worst_kept = sorted((h.score for h in finished), reverse=True)[config.n_best - 1]
    return worst_kept >= length_normalized(float(live[0]), limit, config)


CHUNKS = 64
"""Into how many chunks a row of logits is cut to look for its largest ones."""
MANY = 16
"""Up to so many, looking for the largest again and again takes a quarter of the time of ``argpartition``."""
FEW_LOGITS = 50_000
"""With so few, the chunks are more work than they save."""


def _best(z: Array, before: Array, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return each sentence's largest totals ``before + z`` and their positions in (k · V), largest first.

    The ``count`` largest values are in the ``count`` chunks whose largest values are largest, so of many logits only
    those of these chunks have to be sorted out.

    Args:
        z: (S, k, V).
        before: (S, k).
        count: how many.
    """
    S, k, V = z.shape
    if z.size <= FEW_LOGITS or V <= CHUNKS:
        return _largest((before[:, :, None] + z).reshape(S, k * V), count)
    height = -(-V // CHUNKS)  # a chunk is a column of (height, CHUNKS): positions c, c + CHUNKS, c + 2 · CHUNKS …
    full = (height - 1) * CHUNKS
    largest = z[:, :, :full].reshape(S, k, height - 1, CHUNKS).max(axis=2)
    np.maximum(largest[:, :, : V - full], z[:, :, full:], out=largest[:, :, : V - full])
    bounds, chunks = _largest((before[:, :, None] + largest).reshape(S, k * CHUNKS), min(count, k * CHUNKS))
    hypothesis, column = np.divmod(chunks, CHUNKS)  # (S, count)
    token = column[:, :, None] + CHUNKS * np.arange(height)  # (S, count, height)
    inside = (token < V) & np.isfinite(bounds)[:, :, None]  # a chunk of nothing may come up twice
    token[token >= V] = 0
    sentence = np.arange(S)[:, None]
    values = before[sentence, hypothesis][:, :, None] + z[sentence[:, :, None], hypothesis[:, :, None], token]
    totals, best = _largest(np.where(inside, values, -np.inf).reshape(S, -1), count)
    positions = (hypothesis[:, :, None] * V + token).reshape(S, -1)
    return totals, positions[sentence, best]


def _largest(values: npt.NDArray[np.float64], count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return each row's largest values and their positions, largest first; ``values`` is overwritten.

    Where they are minus infinity, the positions mean nothing.
    """
    rows = np.arange(len(values))
    if count > MANY:
        best = np.sort(np.argpartition(-values, count - 1, axis=1)[:, :count], axis=1)
        order = np.argsort(-values[rows[:, None], best], axis=1, kind="stable")  # the first of equals first
        positions = best[rows[:, None], order]
        return values[rows[:, None], positions], positions
    found, positions = np.empty((len(values), count)), np.empty((len(values), count), dtype=np.intp)
    for rank in range(count):
        best = values.argmax(axis=1)
        found[:, rank], positions[:, rank] = values[rows, best], best
        values[rows, best] = -np.inf
    return found, positions
