"""The probability of each token of a translation, the top-k alternatives at its step, and the lexical prior.

The finished translation is fed to the decoder token by token (forced decoding). So the numbers are those of the search
that found it, and the search does not have to store them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.bigram_prior import BIGRAM_GATE
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.lexical_prior import LEXICAL_GATE
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Packing


@dataclass(frozen=True)
class Choice:
    """One step of the decoder.

    Args:
        token: id of the generated token.
        probability: its probability, given the source and all tokens before it; from 0 to 1.
        alternatives: the most probable other ids with their probabilities, highest first.
        prior: its probability in the lexical prior alone, ``p(v|x)``, the same at every step; None without a prior.
        gate: the prior's weight ``α`` in the logits of this step; None without a prior.
        bigram_prior: its probability by the bigram prior alone, ``p(v|u,x)`` after the token before; None without one.
        bigram_gate: that prior's weight ``β``.
    """

    token: int
    probability: float
    alternatives: tuple[tuple[int, float], ...]
    prior: float | None = None
    gate: float | None = None
    bigram_prior: float | None = None
    bigram_gate: float | None = None


def forced_decoding(
    models: Sequence[Seq2Seq], source: Sequence[int], target: Sequence[int], bos: int, alternatives: int = 3
) -> list[Choice]:
    """Return the decoder's choices along a given translation of one sentence.

    At step t the decoder has read ``<s> y₁ … y_{t-1}``, and ``p(y_t | y_{<t}, x)`` is the softmax of its logits. With
    several models, probabilities and gates are the means of theirs. The product over all steps is the probability of
    the translation.

    Args:
        models: one model, or several with the same vocabularies.
        source: token ids that the encoder reads, at least one.
        target: token ids that the decoder generates, EOS included.
        bos: the id that begins a target sentence.
        alternatives: number of other tokens to return for each step.

    Returns:
        A choice for each target token. The alternatives are from the full distribution, so they may include a token
        that the search suppresses (``<unk>``).

    Source:
        Sutskever et al. 2014, equation 1.
    """
    packing = Packing.of([len(source)])
    prior = lexical_prior(models, source)
    states = [model.encode(np.asarray(source), packing) for model in models]
    choices = []
    previous = bos
    for token in target:
        distributions, gates, bigrams, bigram_gates = [], [], [], []
        for k, model in enumerate(models):
            top, states[k] = model.advance(states[k], np.array([previous]))
            logits = model.logits(top, states[k], np.array([previous]))
            if states[k].prior is not None:
                gates.append(model.gate(LEXICAL_GATE).forward(top).item())
            table = model.tables.bigrams
            if states[k].sources is not None and table is not None:
                bigrams.append(table.probability(source, previous, token))
                bigram_gates.append(model.gate(BIGRAM_GATE).forward(top).item())
            distributions.append(np.exp(log_softmax(logits[0].astype(np.float64))))
        probabilities = np.mean(distributions, axis=0)
        ranked = np.argsort(-probabilities, kind="stable")[: alternatives + 1]
        others = tuple((int(k), float(probabilities[k])) for k in ranked if k != token)[:alternatives]
        by_prior = None if prior is None else float(prior[token])
        means = (float(np.mean(values)) if values else None for values in (gates, bigrams, bigram_gates))
        choices.append(Choice(int(token), float(probabilities[token]), others, by_prior, *means))
        previous = token
    return choices


def lexical_prior(models: Sequence[Seq2Seq], source: Sequence[int]) -> npt.NDArray[np.float64] | None:
    """Return the lexical prior's distribution over the target vocabulary, ``p(v|x)`` (V,), for one sentence.

    With several models, it is the mean over those that have a prior; None if none has one.

    Args:
        models: one model, or several with the same vocabularies.
        source: token ids that the encoder reads, at least one.
    """
    ids, packing = np.asarray(source), Packing.of([len(source)])
    tables = [model.tables.lexicon for model in models if model.tables.lexicon is not None]
    distributions = [table.probabilities(ids, packing)[0] for table in tables]
    return np.mean(distributions, axis=0) if distributions else None
