"""Models that take each step together: their distributions are averaged. One model is the usual case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seq2seq_cli.inference.prepared_decoder import Stepper
from seq2seq_cli.nn.functional import Array, IntArray, log_softmax
from seq2seq_cli.nn.packing import Index, Packing


class Ensemble:
    """Decoders in the midst of translating sentences.

    Args:
        steppers: of one model or several with the same vocabularies.
        ids: (N,) packed source tokens.
        packing: where they are; S sentences, longest first.

    Source:
        Sutskever et al. 2014, section 3.6.
    """

    def __init__(self, steppers: Sequence[Stepper], ids: IntArray, packing: Packing) -> None:
        self.steppers = steppers
        started = [stepper.start(ids, packing) for stepper in steppers]
        self.states = [states for states, _ in started]
        self.constants = [constants for _, constants in started]

    def step(self, tokens: IntArray) -> Array:
        """Feed every hypothesis its last token; return what the next tokens' log-probabilities are made of.

        Args:
            tokens: (S, k), of k hypotheses of each sentence.

        Returns:
            ``z`` (S · k, V) such that ``log_softmax(z)`` are the log-probabilities: one model's logits (normalizing
            only what is chosen saves a pass over all), or the logarithm of the sum of several models' probabilities.
        """
        logits = []
        for m, stepper in enumerate(self.steppers):
            z, self.states[m] = stepper.step(self.states[m], self.constants[m], tokens)
            logits.append(z)
        if len(logits) == 1:
            return logits[0]
        z = log_softmax(logits[0])
        for others in logits[1:]:
            np.logaddexp(z, log_softmax(others), out=z)
        return z

    def select(self, rows: Index, sentences: Index | None = None) -> None:
        """Go on with these rows only, in this order; and with these sentences only, if not with all."""
        self.states = [[tuple(part.take(rows, axis=0) for part in state) for state in states] for states in self.states]
        if sentences is not None:
            self.constants = [None if each is None else each.take(sentences, axis=0) for each in self.constants]
