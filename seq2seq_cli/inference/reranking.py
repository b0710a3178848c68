"""Reranking an n-best list by how well each translation explains its source.

A decoder that receives the source as one vector produces fluent sentences, but may omit or invent words. A reverse IBM
model 1 (``nn/ibm_model1.py``) detects this: a token of the translation has to generate each source token::

    log p(x | y) / |x| = 1/|x| Σ_i log (1/|y| Σ_j t(x_i | y_j) + ε)
    score(y) = log P(y | x) / |y|ᵅ + λ · log p(x | y) / |x|

Lengths include EOS on both sides; it is the NULL word of the reverse model. No second network is needed, only a second
table.

Source: Och et al. 2004, "A Smorgasbord of Features for Statistical Machine Translation", section 4.1 (IBM model 1 as a
feature for reranking n-best lists).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seq2seq_cli.inference.hypothesis import Hypothesis
from seq2seq_cli.nn.lexical_prior import Lexicon

SMALLEST_PROBABILITY = 1e-4
"""ε: the probability of pairs that are not in the table."""


def rerank(
    hypotheses: Sequence[Hypothesis], table: Lexicon, source: Sequence[int], eos: int, weight: float
) -> list[Hypothesis]:
    """Return the hypotheses of a sentence, in the same order, with their weighted reverse log-probability in the score.

    Args:
        hypotheses: at least one.
        table: ``t(source token | target token)``.
        source: token ids, EOS included.
        eos: id of EOS in the target vocabulary.
        weight: λ.
    """
    reverse = reverse_log_probabilities(table, source, [(*hypothesis.tokens, eos) for hypothesis in hypotheses])
    return [h._replace(score=h.score + weight * value) for h, value in zip(hypotheses, reverse.tolist())]


def reverse_log_probabilities(
    table: Lexicon, source: Sequence[int], targets: Sequence[Sequence[int]]
) -> npt.NDArray[np.float64]:
    """Return ``log p(x | y) / |x|`` of several translations of one sentence.

    Args:
        table: ``t(source token | target token)``.
        source: token ids, EOS included.
        targets: token ids of n translations, EOS included.

    Returns:
        (n,) nats per source token.
    """
    # Count the distinct tokens of both sides: translations of one sentence share most of their tokens.
    x, x_counts = np.unique(np.asarray(source), return_counts=True)
    lengths = np.array([len(target) for target in targets])
    y, columns = np.unique(np.concatenate(targets), return_inverse=True)
    cells = np.repeat(np.arange(len(targets)), lengths) * len(y) + columns  # in a flat (n · |y|)
    y_counts = np.bincount(cells, minlength=len(targets) * len(y)).reshape(len(targets), -1)
    # Take the mean of the table's rows for each translation and source token, then sum over the source.
    probabilities = y_counts @ table.pairwise(y, x).astype(np.float64) / lengths[:, None]
    means: npt.NDArray[np.float64] = np.log(probabilities + SMALLEST_PROBABILITY) @ x_counts / len(source)
    return means
