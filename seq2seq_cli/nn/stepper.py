"""A trained decoder made ready to take single steps, as fast as they go: what searching needs.

``Seq2Seq.decode_step`` is the definition; this does the same with fewer operations:

- The context's part of the gates' and the readout's products is the same at every step of a sentence: it is computed
  once, for each sentence and not for each hypothesis.
- A target token's embedding always gives the same products: they are remembered from the first time it is read.
- The other weights are cut into blocks for products with few rows (``products.py``).
- The gates are computed in few calls (``forward_cells.py``).
"""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.cells import State
from seq2seq_cli.nn.forward_cells import FORWARD_CELLS, rearranged
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.products import StepMatrix
from seq2seq_cli.nn.reader import USUAL_ROWS, Reader
from seq2seq_cli.nn.token_products import TokenProducts


class Stepper:
    """One model, ready for search.

    Args:
        model: whose parameters must not change from now on.
    """

    def __init__(self, model: Seq2Seq) -> None:
        config, parameters = model.config, model.parameters
        cell = self.cell = FORWARD_CELLS[config.cell]
        self.reader = Reader(model)
        E, H = config.embedding_size, config.hidden_size
        below = parameters.below("decoder.rnn.")
        layers = range(config.layers)
        weights_ih = [rearranged(cell, below[f"weight_ih_l{layer}"]) for layer in layers]
        self.inputs = [StepMatrix(_upright(weight), USUAL_ROWS) for weight in weights_ih]
        self.hidden = [
            StepMatrix(_upright(rearranged(cell, below[f"weight_hh_l{layer}"])), USUAL_ROWS) for layer in layers
        ]
        self.biases_ih = [rearranged(cell, below[f"bias_ih_l{layer}"]) for layer in layers]
        self.biases_hh = [rearranged(cell, below[f"bias_hh_l{layer}"]) for layer in layers]
        if cell.additive:  # where the projections are only added, one bias does for both
            self.biases_ih = [ih + hh for ih, hh in zip(self.biases_ih, self.biases_hh)]
        self.output = StepMatrix(_upright(parameters[model.output_name]), USUAL_ROWS)
        self.output_bias = parameters["decoder.fc_out.bias"]

        # Gates and readout stand beside each other, (gH + E): what a token contributes to both, and a sentence.
        self.gates = weights_ih[0].shape[0]
        of_token, bias = weights_ih[0][:, :E], self.biases_ih[0]
        self.of_context: Array | None = None
        if config.context == "every-step":
            readout = parameters["decoder.readout.weight"]
            self.readout_hidden = StepMatrix(_upright(readout[:, E : E + H]), USUAL_ROWS)
            of_token = np.concatenate([of_token, readout[:, :E]])
            bias = np.concatenate([bias, parameters["decoder.readout.bias"]])
            self.of_context = np.concatenate([weights_ih[0][:, E:], readout[:, E + H :]])
        self.tokens = TokenProducts(parameters["decoder.embedding.weight"], of_token.T, bias)

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], Array | None]:
        """Read sentences; return the decoder's first states, each array (S, H), and what every step of them shares.

        The latter is the context's part of gates and readout, (S, gH + E), or None where there is none.
        """
        states, context = self.reader.read(source, packing)
        return states, None if context is None or self.of_context is None else context @ self.of_context.T

    def step(self, states: list[State], constants: Array | None, tokens: IntArray) -> tuple[Array, list[State]]:
        """Feed every hypothesis its last token.

        Args:
            states: of each layer, every array (S · k, H).
            constants: of the S sentences, as ``start`` returned them.
            tokens: (S, k) token ids.

        Returns:
            The logits (S · k, V) and the states after this step.
        """
        S, k = tokens.shape
        x = self.tokens.of(tokens.reshape(-1))  # (S · k, gH + E)
        if constants is not None:
            x.reshape(S, k, -1)[...] += constants[:, None]
        x_projection = x[:, : self.gates]
        after: list[State] = []
        for layer, state in enumerate(states):
            if layer:
                x_projection = self.inputs[layer].multiply(after[-1][0])[0]
                x_projection += self.biases_ih[layer]
            h_projection = self.hidden[layer].multiply(state[0])[0]
            if not self.cell.additive:
                h_projection += self.biases_hh[layer]
            after.append(self.cell.step(x_projection, h_projection, state))
        top = after[-1][0]
        if constants is not None:
            top = self.readout_hidden.multiply(top)[0]
            top += x[:, self.gates :]
            np.tanh(top, out=top)
        logits = self.output.multiply(top)[0]
        logits += self.output_bias
        return logits, after


def _upright(weight: Array) -> Array:
    """Return (1, F, M), contiguous, from torch's (M, F): the fastest form for products with one row."""
    return np.ascontiguousarray(weight.T)[None]
