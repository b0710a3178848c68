"""An ensemble: the distributions of several models are averaged at every step. Usually there is only one model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.step_decoder import StepDecoder
from seq2seq_cli.nn.functional import Array, IntArray, log_softmax
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.storage.checkpoint import Checkpoint


class Ensemble:
    """Decoders, with the states of the sentences that they are translating.

    Args:
        decoders: of one model or several with the same vocabularies.
        ids: (N,) packed source tokens.
        packing: the layout of ``ids``; S sentences, longest first.

    Source:
        Sutskever et al. 2014, section 3.6.
    """

    def __init__(self, decoders: Sequence[StepDecoder], ids: IntArray, packing: Packing) -> None:
        self.decoders = decoders
        started = [decoder.start(ids, packing) for decoder in decoders]
        self.states = [states for states, _ in started]
        self.constants = [constants for _, constants in started]

    def step(self, tokens: IntArray) -> Array:
        """Feed every hypothesis its last token; return the unnormalized log-probabilities of the next one.

        Args:
            tokens: (S, k), of k hypotheses of each sentence.

        Returns:
            ``z`` (S · k, V) such that ``log_softmax(z)`` are the log-probabilities: the logits of one model, or the
            logarithm of the sum of the probabilities of several. The search normalizes only what it needs.
        """
        logits = []
        for m, decoder in enumerate(self.decoders):
            z, self.states[m] = decoder.step(self.states[m], self.constants[m], tokens)
            logits.append(z)
        if len(logits) == 1:
            return logits[0]
        z = log_softmax(logits[0])
        for others in logits[1:]:
            np.logaddexp(z, log_softmax(others), out=z)
        return z

    def select(self, rows: Index, sentences: Index | None = None) -> None:
        """Keep only these rows, in this order, and only these sentences (None: all)."""
        self.states = [[tuple(part.take(rows, axis=0) for part in state) for state in states] for states in self.states]
        if sentences is not None:
            self.constants = [constants.select(sentences) for constants in self.constants]


def check_ensemble(checkpoints: Sequence[Checkpoint], names: Sequence[str]) -> None:
    """Raise a ``UserError`` unless the models can form an ensemble: the same tokenizers, and one order of the source.

    Args:
        checkpoints: one model or several.
        names: their names in error messages.
    """
    first = checkpoints[0]
    for checkpoint, name in zip(checkpoints[1:], names[1:]):
        for side in ("source", "target"):
            tokenizer, other = (getattr(each, f"{side}_tokenizer") for each in (first, checkpoint))
            if tokenizer.to_json() != other.to_json():
                raise UserError(
                    f"the models' {side} vocabularies differ, so their distributions cannot be averaged",
                    where=f"{names[0]} and {name}",
                    fix="train the models of an ensemble with the same --source-tokenizer and --target-tokenizer",
                )
        if checkpoint.model.config.reverse_source != first.model.config.reverse_source:
            raise UserError(
                "one of the models reads the source in reverse order, the other does not",
                where=f"{names[0]} and {name}",
                fix="train all models of an ensemble with --reverse-source, or all without it",
            )
