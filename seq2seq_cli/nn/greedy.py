"""Greedy search: always the most probable next token.

Beam search with a beam of one finds the same; without its bookkeeping a step of one sentence takes half the time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.nn.ensemble import Ensemble
from seq2seq_cli.nn.functional import IntArray
from seq2seq_cli.nn.hypothesis import Hypothesis, check_numbers, length_normalized, repeating


def greedy_search(
    ensemble: Ensemble,
    limits: IntArray,
    config: SearchConfig,
    start: int,
    end: int,
    blocked: IntArray,
) -> list[list[Hypothesis]]:
    """Return each sentence's one hypothesis.

    Args:
        ensemble: the models, with S sentences to translate.
        limits: (S,) most target tokens of each, its end symbol included.
        config: how to score and what not to repeat.
        start, end: ids of the symbols that begin and end a target sentence.
        blocked: ids never to be produced.
    """
    finished: list[list[Hypothesis]] = [[] for _ in limits]
    outputs: list[list[int]] = [[] for _ in limits]
    alive, rows, last = np.arange(len(limits)), np.arange(len(limits)), np.full(len(limits), start)
    totals: npt.NDArray[np.float64] = np.zeros(len(limits))
    nearest = int(limits.min())
    length = 0
    while len(alive):
        length += 1
        z, normalizer = ensemble.step(last[:, None])
        z[:, blocked] = -np.inf
        if config.no_repeat_ngram:
            for row, sentence in enumerate(alive):
                z[row, repeating(outputs[sentence], config.no_repeat_ngram)] = -np.inf
        last = z.argmax(axis=1)
        if length >= nearest:
            last[limits[alive] <= length] = end  # what is full may only end
        totals += z[rows, last]
        totals -= normalizer
        going = last != end
        if not going.all():
            check_numbers(totals)  # what is no number stays none
            for row in (~going).nonzero()[0]:
                sentence, log_probability = alive[row], float(totals[row])
                score = length_normalized(log_probability, length, config)
                finished[sentence].append(Hypothesis(tuple(outputs[sentence]), log_probability, score))
            kept = going.nonzero()[0]
            alive, last, totals, rows = alive[kept], last[kept], totals[kept], rows[: len(kept)]
            ensemble.select(kept, kept)
        for sentence, token in zip(alive.tolist(), last.tolist()):
            outputs[sentence].append(token)
    return finished
