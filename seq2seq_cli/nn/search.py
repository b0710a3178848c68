"""Searching for the best target sentence: beam search, of which greedy search is the case of one hypothesis.

Source: Graves 2012, "Sequence Transduction with Recurrent Neural Networks", algorithm 1; Sutskever et al. 2014, section
3.2. Averaging the models' distributions at every step: Sutskever et al. 2014, section 3.6 (their ensembles).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.functional import Array, IntArray, log_softmax, log_sum_exp
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.stepper import Stepper

LONGEST_OUTPUT = 500
"""Tokens at which a translation ends if nothing else is said; a model that repeats itself would go on for ever."""


class Hypothesis(NamedTuple):
    """A finished translation.

    ``tokens`` are without the end symbol; ``log_probability`` (nats) is with it, also where the length limit
    forced it; ``score`` is ``log_probability`` normalized by length, by which hypotheses are compared.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def length_normalized(log_probability: float, length: int, config: SearchConfig) -> float:
    """Return ``log_probability / lengthᵅ``, or with ``normalization="gnmt"`` ``log_probability / ((5 + length) / 6)ᵅ``.

    A sum of logarithms falls with every token, so plain sums favour short sentences. ``α = 1`` compares means per
    token, ``α = 0`` sums; the second form is milder with short sentences.

    Source: Jean et al. 2015; Wu et al. 2016, "Google's Neural Machine Translation System", equation 14 (without its
    coverage penalty, which needs attention).
    """
    base = (5.0 + length) / 6.0 if config.normalization == "gnmt" else float(length)
    normalized: float = log_probability / base**config.length_penalty
    return normalized


def repeating(tokens: Sequence[int], n: int) -> list[int]:
    """Return the tokens that would complete a run of n tokens which stands in the sequence already.

    Example:
        >>> repeating([7, 8, 9, 7, 8], 3)
        [9]

    Source: Paulus et al. 2018, "A Deep Reinforced Model for Abstractive Summarization", section 2.5.
    """
    suffix = tuple(tokens[len(tokens) - n + 1 :])
    if len(suffix) < n - 1:
        return []
    return [tokens[k + n - 1] for k in range(len(tokens) - n + 1) if tuple(tokens[k : k + n - 1]) == suffix]


def longest_output(source_length: int, config: SearchConfig) -> int:
    """Return the most target tokens of one sentence, its end symbol included; it depends on no other sentence."""
    return config.max_length + 1 if config.max_length else min(2 * source_length + 10, LONGEST_OUTPUT)


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
    beams = _Beams(steppers, ids, packing, start)
    finished: list[list[Hypothesis]] = [[] for _ in order]
    limits = np.array([longest_output(length, config) for length in packing.lengths])
    blocked = [start, *forbidden]
    while len(beams.sentences):
        _advance(beams, beams.step(blocked), finished, limits, config, end)
    results: list[list[Hypothesis]] = [[]] * len(sources)
    for place, k in enumerate(order):
        results[k] = sorted(finished[place], key=lambda h: (-h.score, h.tokens))[: config.n_best]
    return results


class _Beams:
    """The live hypotheses of the sentences still at work: S sentences with k hypotheses each, S · k rows."""

    def __init__(self, steppers: Sequence[Stepper], ids: IntArray, packing: Packing, start: int) -> None:
        self.steppers = steppers
        started = [stepper.start(ids, packing) for stepper in steppers]
        self.states = [states for states, _ in started]
        self.constants = [constants for _, constants in started]
        self.sentences = np.arange(packing.sentences)
        self.scores: npt.NDArray[np.float64] = np.zeros((packing.sentences, 1))
        self.tokens: IntArray = np.full((packing.sentences, 1, 1), start)

    def step(self, blocked: Sequence[int]) -> tuple[Array, Array]:
        """Feed every hypothesis its last token; return what the next tokens' log-probabilities are made of.

        Returns:
            ``z`` (S, k, V) and ``n`` (S, k) such that ``z − n`` are the log-probabilities. What may not be produced is
            minus infinity. (One model's ``z`` are its logits: normalizing only what is chosen saves a pass over all.)
        """
        S, k = self.tokens.shape[:2]
        last = self.tokens[:, :, -1]
        logits = []
        for m, stepper in enumerate(self.steppers):
            z, self.states[m] = stepper.step(self.states[m], self.constants[m], last)
            logits.append(z)
        if len(logits) == 1:
            z, normalizer = logits[0], log_sum_exp(logits[0])
        else:
            z = log_softmax(logits[0])
            for others in logits[1:]:
                np.logaddexp(z, log_softmax(others), out=z)
            normalizer = np.full(len(z), np.log(len(logits)), z.dtype)
        z[:, blocked] = -np.inf
        return z.reshape(S, k, -1), normalizer.reshape(S, k)

    def keep(self, sentences: Index, parents: IntArray, tokens: IntArray, scores: npt.NDArray[np.float64]) -> None:
        """Go on with these sentences (positions) and, for each, these parents (S, k) extended by these tokens."""
        width = self.tokens.shape[1]
        if width > 1 or parents.shape[1] > 1 or len(sentences) < len(self.sentences):
            rows = (sentences[:, None] * width + parents).reshape(-1)
            self.states = [[tuple(part[rows] for part in state) for state in states] for states in self.states]
        if len(sentences) < len(self.sentences):
            self.constants = [None if each is None else each[sentences] for each in self.constants]
        history = self.tokens[sentences[:, None], parents]
        self.tokens = np.concatenate([history, tokens[:, :, None]], axis=2)
        self.scores = scores
        self.sentences = self.sentences[sentences]


def _advance(
    beams: _Beams,
    extensions: tuple[Array, Array],
    finished: list[list[Hypothesis]],
    limits: npt.NDArray[np.int_],
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
    if not np.isfinite(np.maximum(totals[:, 0], ending.max(axis=1))).all():
        raise UserError("the model's scores are not numbers", where="the model file", fix="train it again")
    # An ending extension is one of the K best if fewer than K of all others are better.
    better = (totals[:, None, :] > ending[:, :, None]).sum(axis=2) + (ending[:, None, :] > ending[:, :, None]).sum(
        axis=2
    )
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
