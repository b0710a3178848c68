"""What the decoder thought at each step of a translation: every token's probability, and the runners-up.

The finished translation is fed back token by token (forced decoding), so the numbers are those of the search that found
it, without the search having to remember anything.
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
        token: the id that was written.
        probability: of it, given the source and all tokens before it; from 0 to 1.
        runners_up: the most probable other ids with their probabilities, highest first.
    """

    token: int
    probability: float
    runners_up: tuple[tuple[int, float], ...]


def forced_decoding(
    models: Sequence[Seq2Seq], source: Sequence[int], target: Sequence[int], start: int, runners_up: int = 3
) -> list[Choice]:
    """Return the decoder's choices along a given translation of one sentence.

    At step t the decoder is in the state that ``<s> y₁ … y_{t-1}`` brought it to, and ``p(y_t | y_{<t}, x)`` is the
    softmax of its logits; of several models, the mean of theirs. The product over all steps is the translation's
    probability.

    Args:
        models: one or several with the same vocabularies.
        source: token ids that the encoder reads, at least one.
        target: token ids that the decoder writes, the end symbol included.
        start: the id that begins a target sentence.
        runners_up: how many other tokens to name at each step.

    Returns:
        A choice for each target token. Runners-up are the distribution's own: also a token that a search never writes
        (``<unk>``) may be among them.

    Source:
        Sutskever et al. 2014, equation 1.
    """
    packing = Packing.of([len(source)])
    states = [model.encode(np.asarray(source), packing) for model in models]
    choices = []
    previous = start
    for token in target:
        distributions = []
        for k, model in enumerate(models):
            logits, states[k] = model.decode_step(states[k], np.array([previous]))
            distributions.append(np.exp(log_softmax(logits[0].astype(np.float64))))
        probabilities = np.mean(distributions, axis=0)
        ranked = np.argsort(-probabilities, kind="stable")[: runners_up + 1]
        others = tuple((int(k), float(probabilities[k])) for k in ranked if k != token)[:runners_up]
        choices.append(Choice(int(token), float(probabilities[token]), others))
        previous = token
    return choices
