"""Each token's probability in a translation, and the top-k alternatives at that step.

The finished translation is fed back token by token (forced decoding), so the numbers are those of the search that found
it, and the search need not store them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Packing


@dataclass(frozen=True)
class Choice:
    """One step of the decoder.

    Args:
        token: the generated id.
        probability: of it, given the source and all tokens before it; from 0 to 1.
        alternatives: the most probable other ids with their probabilities, highest first.
    """

    token: int
    probability: float
    alternatives: tuple[tuple[int, float], ...]


def forced_decoding(
    models: Sequence[Seq2Seq], source: Sequence[int], target: Sequence[int], bos: int, alternatives: int = 3
) -> list[Choice]:
    """Return the decoder's choices along a given translation of one sentence.

    At step t the decoder has read ``<s> y₁ … y_{t-1}``, and ``p(y_t | y_{<t}, x)`` is the
    softmax of its logits; for several models, the mean of theirs. The product over all steps is the translation's
    probability.

    Args:
        models: one or several with the same vocabularies.
        source: token ids that the encoder reads, at least one.
        target: token ids that the decoder generates, EOS included.
        bos: the id that begins a target sentence.
        alternatives: number of other tokens to return for each step.

    Returns:
        A choice for each target token. The alternatives are those of the full distribution, so a token that a search
        suppresses (``<unk>``) may be among them.

    Source:
        Sutskever et al. 2014, equation 1.
    """
    packing = Packing.of([len(source)])
    states = [model.encode(np.asarray(source), packing) for model in models]
    choices = []
    previous = bos
    for token in target:
        distributions = []
        for k, model in enumerate(models):
            logits, states[k] = model.decode_step(states[k], np.array([previous]))
            distributions.append(np.exp(log_softmax(logits[0].astype(np.float64))))
        probabilities = np.mean(distributions, axis=0)
        ranked = np.argsort(-probabilities, kind="stable")[: alternatives + 1]
        others = tuple((int(k), float(probabilities[k])) for k in ranked if k != token)[:alternatives]
        choices.append(Choice(int(token), float(probabilities[token]), others))
        previous = token
    return choices
