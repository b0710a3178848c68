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
from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.functional import Array, IntArray, log_softmax
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Packing

LONGEST_OUTPUT = 500
"""Tokens at which a translation ends if nothing else is said; a model that repeats itself would go on for ever."""


class Hypothesis(NamedTuple):
    """A finished translation.

    ``tokens`` are without the end symbol; ``log_probability`` (nats) is with it, also where the length limit
    forced it; ``score`` is ``log_probability / lengthᵅ``, by which hypotheses are compared.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def length_normalized(log_probability: float, length: int, alpha: float) -> float:
    """Return ``log_probability / lengthᵅ``.

    A sum of logarithms falls with every token, so plain sums favour short sentences. ``α = 1`` compares means per
    token, ``α = 0`` sums.

    Source: Jean et al. 2015; compared with other forms in Wu et al. 2016, "Google's Neural Machine Translation System",
    section 7.
    """
    normalized: float = log_probability / float(length) ** alpha
    return normalized


def longest_output(source_length: int, config: SearchConfig) -> int:
    """Return the most target tokens of one sentence, its end symbol included; it depends on no other sentence."""
    return config.max_length + 1 if config.max_length else min(2 * source_length + 10, LONGEST_OUTPUT)


def search(
    models: Sequence[Seq2Seq],
    sources: Sequence[Sequence[int]],
    config: SearchConfig,
    start: int,
    end: int,
    forbidden: Collection[int] = (),
) -> list[list[Hypothesis]]:
    """Translate a batch of sentences.

    Args:
        models: one or several (their probabilities are averaged at every step) with the same vocabularies.
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
    beams = _Beams([model.encode(ids, packing) for model in models], packing.sentences, start)
    finished: list[list[Hypothesis]] = [[] for _ in order]
    limits = np.array([longest_output(length, config) for length in packing.lengths])
    blocked = [start, *forbidden]
    while len(beams.sentences):
        log_probs = beams.step(models)
        log_probs[:, blocked] = -np.inf
        _advance(beams, log_probs, finished, limits, config, end)
    results: list[list[Hypothesis]] = [[]] * len(sources)
    for place, k in enumerate(order):
        results[k] = sorted(finished[place], key=lambda h: (-h.score, h.tokens))[: config.n_best]
    return results


class _Beams:
    """The live hypotheses of the sentences still at work: S sentences with k hypotheses each, S · k rows."""

    def __init__(self, states: list[DecoderState], sentences: int, start: int) -> None:
        self.states = states
        self.sentences = np.arange(sentences)
        self.scores: npt.NDArray[np.float64] = np.zeros((sentences, 1))
        self.tokens: IntArray = np.full((sentences, 1, 1), start)

    def step(self, models: Sequence[Seq2Seq]) -> Array:
        """Feed every row its last token; return the next token's log-probabilities (S · k, V)."""
        results = [
            model.decode_step(state, self.tokens[:, :, -1].reshape(-1)) for model, state in zip(models, self.states)
        ]
        self.states = [state for _, state in results]
        log_probs = log_softmax(results[0][0])
        for logits, _ in results[1:]:
            np.logaddexp(log_probs, log_softmax(logits), out=log_probs)
        if len(models) > 1:
            log_probs -= np.log(len(models))
        return log_probs

    def keep(self, sentences: IntArray, parents: IntArray, tokens: IntArray, scores: npt.NDArray[np.float64]) -> None:
        """Go on with these sentences (positions) and, for each, these parents (S, k) extended by these tokens."""
        width = self.tokens.shape[1]
        rows = (sentences[:, None] * width + parents).reshape(-1)
        self.states = [state.select(rows) for state in self.states]
        history = self.tokens[sentences[:, None], parents]
        self.tokens = np.concatenate([history, tokens[:, :, None]], axis=2)
        self.scores = scores
        self.sentences = self.sentences[sentences]


def _advance(
    beams: _Beams,
    log_probs: Array,
    finished: list[list[Hypothesis]],
    limits: npt.NDArray[np.int_],
    config: SearchConfig,
    end: int,
) -> None:
    """Extend every hypothesis by one token, move those that end to ``finished``, and drop sentences that are done.

    Of the 2K best extensions, those that end count if they are among the first K; the first K others live on. There are
    always K others, since at most one extension of each hypothesis ends.
    """
    S, width, length = beams.tokens.shape  # length counts the start symbol, so it is that of the extensions too
    V = log_probs.shape[1]
    out_of_room = limits[beams.sentences] <= length
    full = np.repeat(out_of_room, width)
    log_probs[full] = np.where(np.arange(V) == end, log_probs[full], -np.inf)  # what is full may only end
    totals = (beams.scores[:, :, None] + log_probs.reshape(S, width, V)).reshape(S, width * V)
    K = config.beam
    candidates = _best(totals, min(2 * K, width * V))
    totals = np.take_along_axis(totals, candidates, axis=1)
    if not np.isfinite(totals[:, 0]).all():
        raise UserError("the model's scores are not numbers", where="the model file", fix="train it again")
    parents, tokens = np.divmod(candidates, V)
    ends = tokens == end
    for s, rank in zip(*np.nonzero(ends[:, :K] & np.isfinite(totals[:, :K]))):
        words = beams.tokens[s, parents[s, rank], 1:].tolist()
        log_probability = float(totals[s, rank])
        score = length_normalized(log_probability, length, config.length_penalty)
        finished[beams.sentences[s]].append(Hypothesis(tuple(words), log_probability, score))

    rank_of_live = np.argsort(ends, axis=1, kind="stable")[:, :K]  # the first K that do not end
    live_totals = np.take_along_axis(totals, rank_of_live, axis=1)
    live_totals[np.take_along_axis(ends, rank_of_live, axis=1)] = -np.inf
    alive = [
        s
        for s, sentence in enumerate(beams.sentences)
        if not out_of_room[s] and not _is_done(finished[sentence], live_totals[s], int(limits[sentence]), config)
    ]
    beams.keep(
        np.array(alive, dtype=np.intp),
        np.take_along_axis(parents, rank_of_live, axis=1)[alive],
        np.take_along_axis(tokens, rank_of_live, axis=1)[alive],
        live_totals[alive],
    )


def _is_done(finished: list[Hypothesis], live: npt.NDArray[np.float64], limit: int, config: SearchConfig) -> bool:
    """Whether as many hypotheses have ended as the beam is wide, or none alive can still become one of the best."""
    if len(finished) >= config.beam or not np.isfinite(live[0]):
        return True
    if len(finished) < config.n_best:
        return False
    worst_kept = sorted((h.score for h in finished), reverse=True)[config.n_best - 1]
    return worst_kept >= length_normalized(float(live[0]), limit, config.length_penalty)


def _best(totals: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    """Return the positions of each row's largest values, largest first, the first of equals first."""
    if count < totals.shape[1]:
        positions = np.sort(np.argpartition(-totals, count - 1, axis=1)[:, :count], axis=1)
    else:
        positions = np.broadcast_to(np.arange(totals.shape[1]), totals.shape)
    values = np.take_along_axis(totals, positions, axis=1)
    return np.take_along_axis(positions, np.argsort(-values, axis=1, kind="stable"), axis=1)
