"""What a search needs of a model, and its simplest implementation: the network's definition."""

from __future__ import annotations

from typing import Protocol

from seq2seq_cli.nn.cells import State
from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Packing


class StepDecoder(Protocol):
    """One model, ready for search."""

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], Array | None]:
        """Encode sentences; return the initial decoder states, each array (S, H), and what all their steps share.

        The latter is an array with one row for each sentence, or None where there is none.
        """

    def step(self, states: list[State], constants: Array | None, tokens: IntArray) -> tuple[Array, list[State]]:
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
        model: whose definition takes the steps.
    """

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], Array | None]:
        """Return the initial decoder states and the context (S, C), or None (see ``StepDecoder.start``)."""
        return self.model.encode(source, packing)

    def step(self, states: list[State], constants: Array | None, tokens: IntArray) -> tuple[Array, list[State]]:
        """Feed every hypothesis its last token (see ``StepDecoder.step``)."""
        context = None if constants is None else constants.repeat(tokens.shape[1], axis=0)  # (S · k, C)
        logits, after = self.model.decode_step(DecoderState(states, context), tokens.reshape(-1))
        return logits, after.states
