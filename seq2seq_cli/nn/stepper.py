"""A trained decoder made ready to take single steps, as fast as they go: what searching needs.

``Seq2Seq.decode_step`` is the definition; this does the same with fewer operations:

- The context's part of the gates' and the readout's products is the same at every step of a sentence: it is computed
  once, for each sentence and not for each hypothesis.
- A target token's embedding always gives the same products: they are remembered from the first time it is read.
- The other weights are cut into blocks for products with few rows (``products.py``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seq2seq_cli.nn.cells import State, find_cell
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.products import StepMatrix
from seq2seq_cli.nn.recurrent import by_gate


class SentenceConstants(NamedTuple):
    """What every step of a sentence shares: the context's part of the gates (g, S, H) and of the readout (S, E).

    None where the context is only the decoder's first state.
    """

    gates: Array | None
    readout: Array | None

    def select(self, sentences: Index) -> SentenceConstants:
        """Return those of these sentences only, in this order."""
        if self.gates is None or self.readout is None:
            return self
        return SentenceConstants(self.gates[:, sentences], self.readout[sentences])


class Stepper:
    """One model's decoder, ready for search.

    Args:
        model: whose parameters must not change from now on.
    """

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model
        config, parameters = model.config, model.parameters
        cell = self.cell = find_cell(config.cell)
        self.E = E = config.embedding_size
        H = config.hidden_size
        below = parameters.below("decoder.rnn.")
        self.weights_ih = [by_gate(below[f"weight_ih_l{layer}"], cell) for layer in range(config.layers)]
        self.inputs = [StepMatrix(weight.transpose(0, 2, 1)) for weight in self.weights_ih]
        self.hidden = [
            StepMatrix(by_gate(below[f"weight_hh_l{layer}"], cell).transpose(0, 2, 1)) for layer in range(config.layers)
        ]
        # Where the projections are only added, one bias does for both.
        self.biases_ih = [below[f"bias_ih_l{layer}"].reshape(cell.gates, 1, H) for layer in range(config.layers)]
        self.biases_hh = [below[f"bias_hh_l{layer}"].reshape(cell.gates, 1, H) for layer in range(config.layers)]
        if cell.additive:
            self.biases_ih = [ih + hh for ih, hh in zip(self.biases_ih, self.biases_hh)]
        self.output = StepMatrix(parameters[model.output_name].T[None])
        self.output_bias = parameters["decoder.fc_out.bias"]

        V = config.target_vocabulary
        self.embedding = parameters["decoder.embedding.weight"]
        self.known = np.zeros(V, dtype=bool)
        self.token_gates = np.empty((cell.gates, V, H), self.embedding.dtype)  # rows are filled when they are needed
        self.has_readout = config.context == "every-step"
        if self.has_readout:
            weight = parameters["decoder.readout.weight"]
            self.readout_of_token = np.empty((V, E), weight.dtype)
            self.readout_hidden = StepMatrix(weight[:, E : E + H].T[None])

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], SentenceConstants]:
        """Read sentences; return the decoder's first states, each array (S, H), and the sentences' constants."""
        states, context = self.model.encode(source, packing)
        if context is None:
            return states, SentenceConstants(None, None)
        H = self.model.config.hidden_size
        readout = context @ self.model.parameters["decoder.readout.weight"][:, self.E + H :].T
        readout += self.model.parameters["decoder.readout.bias"]
        gates = context @ self.weights_ih[0][:, :, self.E :].transpose(0, 2, 1)
        return states, SentenceConstants(gates, readout)

    def step(self, states: list[State], constants: SentenceConstants, tokens: IntArray) -> tuple[Array, list[State]]:
        """Feed every hypothesis its last token.

        Args:
            states: of each layer, every array (S · k, H).
            constants: of the S sentences.
            tokens: (S, k) token ids.

        Returns:
            The logits (S · k, V) and the states after this step.
        """
        S, k = tokens.shape
        ids = tokens.reshape(-1)
        self._remember(ids)
        x_projection = self.token_gates[:, ids]  # (g, S · k, H)
        if constants.gates is not None:
            x_projection.reshape(-1, S, k, x_projection.shape[2])[...] += constants.gates[:, :, None]
        after: list[State] = []
        for layer, state in enumerate(states):
            if layer:
                x_projection = self.inputs[layer].multiply(after[-1][0])
                x_projection += self.biases_ih[layer]
            h_projection = self.hidden[layer].multiply(state[0])
            if not self.cell.additive:
                h_projection += self.biases_hh[layer]
            after.append(self.cell.forward(x_projection, h_projection, state)[0])
        top = after[-1][0]
        if constants.readout is not None:
            top = self.readout_hidden.multiply(top)[0]
            top += self.readout_of_token[ids]
            top.reshape(S, k, -1)[...] += constants.readout[:, None]
            np.tanh(top, out=top)
        logits = self.output.multiply(top)[0]
        logits += self.output_bias
        return logits, after

    def _remember(self, ids: IntArray) -> None:
        """Compute what tokens that were not read before contribute to the gates and the readout."""
        known = self.known[ids]
        if known.all():
            return
        new = np.unique(ids[~known])
        embedded = self.embedding[new]
        gates = embedded @ self.weights_ih[0][:, :, : self.E].transpose(0, 2, 1)
        gates += self.biases_ih[0]
        self.token_gates[:, new] = gates
        if self.has_readout:
            self.readout_of_token[new] = embedded @ self.model.parameters["decoder.readout.weight"][:, : self.E].T
        self.known[new] = True
