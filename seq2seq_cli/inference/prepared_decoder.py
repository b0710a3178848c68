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

from seq2seq_cli.inference.forward_cells import FORWARD_CELLS, rearranged
from seq2seq_cli.inference.prepared_encoder import Reader
from seq2seq_cli.inference.token_products import TokenProducts
from seq2seq_cli.nn.cells import State
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.products import StepMatrix


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
        weights_ih = [rearranged(cell, below[f"weight_ih_l{layer}"]) for layer in layers]  # (g, H, …)
        self.inputs = [_matrix(weight) for weight in weights_ih[1:]]  # of the layers above the first
        self.hidden = [_matrix(rearranged(cell, below[f"weight_hh_l{layer}"])) for layer in layers]
        self.biases_ih, self.biases_hh = (
            [rearranged(cell, below[f"{bias}_l{layer}"])[:, None] for layer in layers]
            for bias in ("bias_ih", "bias_hh")
        )
        if cell.additive:  # where the projections are only added, one bias does for both
            self.biases_ih = [ih + hh for ih, hh in zip(self.biases_ih, self.biases_hh)]
        self.output = _matrix(parameters[model.output_name])
        self.output_bias = parameters["decoder.fc_out.bias"]

        # Gates and readout stand beside each other, (gH + E): what a token contributes to both, and a sentence.
        self.gates = len(cell.order) * H
        first = weights_ih[0].reshape(self.gates, -1)
        of_token, bias = first[:, :E], self.biases_ih[0].reshape(-1)
        self.of_context: StepMatrix | None = None
        if config.context == "every-step":
            readout = parameters["decoder.readout.weight"]
            self.readout_hidden = _matrix(readout[:, E : E + H])
            of_token = np.concatenate([of_token, readout[:, :E]])
            bias = np.concatenate([bias, parameters["decoder.readout.bias"]])
            self.of_context = _matrix(np.concatenate([first[:, E:], readout[:, E + H :]]))
        self.tokens = TokenProducts(parameters["decoder.embedding.weight"], of_token.T, bias)

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], Array | None]:
        """Read sentences; return the decoder's first states, each array (S, H), and what every step of them shares.

        The latter is the context's part of gates and readout, (S, gH + E), or None where there is none.
        """
        states, context = self.reader.read(source, packing)
        if context is None or self.of_context is None:
            return states, None
        return states, self.of_context.multiply(context)

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
            of_sentence = x.reshape(S, k, -1)
            of_sentence += constants[:, None]
        x_projection = x[:, : self.gates].reshape(S * k, len(self.cell.order), -1).transpose(1, 0, 2)  # (g, S · k, H)
        after: list[State] = []
        for layer, state in enumerate(states):
            if layer:
                x_projection = self.inputs[layer - 1].multiply(after[-1][0])
                x_projection += self.biases_ih[layer]
            h_projection = self.hidden[layer].multiply(state[0])
            if not self.cell.additive:
                h_projection += self.biases_hh[layer]
            after.append(self.cell.step(x_projection, h_projection, state))
        top = after[-1][0]
        if constants is not None:
            top = self.readout_hidden.multiply(top)
            top += x[:, self.gates :]
            np.tanh(top, out=top)
        logits = self.output.multiply(top)
        logits += self.output_bias
        return logits, after


def _matrix(weight: Array) -> StepMatrix:
    """Return (..., N, K) weights, as torch has them, ready for products with rows of K numbers."""
    return StepMatrix(weight.swapaxes(-2, -1))
