"""Searching for the best target sentences of a batch: by ``beam.py``, or by ``greedy.py`` with a beam of one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from seq2seq_cli.config import SearchConfig, length_limit
from seq2seq_cli.inference.beam import beam_search
from seq2seq_cli.inference.ensemble import Ensemble
from seq2seq_cli.inference.greedy import greedy_search
from seq2seq_cli.inference.hypothesis import Hypothesis, Symbols
from seq2seq_cli.inference.prepared_decoder import Stepper
from seq2seq_cli.nn.packing import Packing

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
    longest_first = [sources[k] for k in order]
    packing = Packing.of([len(source) for source in longest_first])
    ids = np.array([source[step] for step, size in enumerate(packing.batch_sizes) for source in longest_first[:size]])
    limits = np.array([longest_output(length, config) for length in packing.lengths])
    find = greedy_search if config.beam == 1 else beam_search
    symbols = Symbols(start, end, frozenset((start, *forbidden)))
    finished = find(Ensemble(steppers, ids, packing), limits, config, symbols)
    results: list[list[Hypothesis]] = [[]] * len(sources)
    for place, k in enumerate(order):
        results[k] = sorted(finished[place], key=lambda h: (-h.score, h.tokens))[: config.n_best]
    return results
