"""The interface of a model for the search, and its reference implementation: the network's definition."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from seq2seq_cli.nn.cells import State
from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Index, Packing


class Constants(NamedTuple):
    """Values that all steps of a sentence share, one row for each of the S sentences.

    Args:
        context: (S, C) the context vector, or products of it, that every step reads; None if none does.
        prior: (S, V) the lexical prior ``ℓ``; None if the model has none.
        sources: (S, T) the source tokens, for a bigram prior; None if the model has none.
    """

    context: Array | None
    prior: Array | None
    sources: IntArray | None

    def select(self, sentences: Index) -> Constants:
        """Return the rows of these sentences only, in this order."""
        return Constants(
            None if self.context is None else self.context.take(sentences, axis=0),
            None if self.prior is None else self.prior.take(sentences, axis=0),
            None if self.sources is None else self.sources.take(sentences, axis=0),
        )


class StepDecoder(Protocol):
    """One model, ready for search."""

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], Constants]:
        """Encode sentences; return the initial decoder states, each array (S, H), and what all their steps share."""

    def step(self, states: list[State], constants: Constants, tokens: IntArray) -> tuple[Array, list[State]]:
        """Feed every hypothesis its last token.

        Args:
            states: of each layer, every array (S · k, H).
            constants: of the S sentences, as ``start`` returned them.
            tokens: (S, k) token ids.

        Returns:
            The logits (S · k, V) and the states after this step.
        """


class DefinitionDecoder:
    """``Seq2Seq.encode`` and ``Seq2Seq.decode_step`` as they are, for cells without a fast twin.

    Args:
        model: the model.
    """

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], Constants]:
        """Encode sentences (see ``StepDecoder.start``)."""
        start = self.model.encode(source, packing)
        return start.states, Constants(start.context, start.prior, start.sources)

    def step(self, states: list[State], constants: Constants, tokens: IntArray) -> tuple[Array, list[State]]:
        """Feed every hypothesis its last token (see ``StepDecoder.step``)."""
        S, k = tokens.shape
        of_hypotheses = constants if k == 1 else constants.select(np.arange(S).repeat(k))  # (S · k, …)
        logits, after = self.model.decode_step(DecoderState(states, *of_hypotheses), tokens.reshape(-1))
        return logits, after.states
