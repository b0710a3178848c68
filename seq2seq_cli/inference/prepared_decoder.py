"""A trained decoder, prepared for the single steps of a search.

``Seq2Seq.decode_step`` is the definition; this computes the same with fewer operations:

- The context's part of the gates' and the readout's products is the same at every step of a sentence: it is computed
  once for each sentence, not for each hypothesis.
- A target token's embedding has constant products, which are cached when the token first occurs.
- The other weights are split into blocks for products with few rows (``products.py``).
- The gates are computed in few calls (``forward_cells.py``).
"""

from __future__ import annotations

import numpy as np

from seq2seq_cli.inference.forward_cells import FORWARD_CELLS, rearranged
from seq2seq_cli.inference.prepared_encoder import PreparedEncoder
from seq2seq_cli.inference.step_decoder import Constants, DefinitionDecoder, StepDecoder
from seq2seq_cli.inference.token_products import TokenProducts
from seq2seq_cli.nn.cells import State
from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.lexical_prior import LEXICAL_GATE
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.products import StepMatrix


class PreparedDecoder:
    """One model, prepared for search.

    Args:
        model: its cell has a fast twin; its parameters must not change any more.
    """

    def __init__(self, model: Seq2Seq) -> None:
        config, parameters = model.config, model.parameters
        self.model = model
        cell = self.cell = FORWARD_CELLS[config.cell]
        self.encoder = PreparedEncoder(model)
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
        if cell.additive:  # the projections are only added: merge their biases
            self.biases_ih = [ih + hh for ih, hh in zip(self.biases_ih, self.biases_hh)]
        self.output = _matrix(parameters[model.output_name])
        self.output_bias = parameters["decoder.fc_out.bias"]

        # Gates and readout side by side, (gH + E): a token's part of both, and a sentence's.
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

    def start(self, source: IntArray, packing: Packing) -> tuple[list[State], Constants]:
        """Encode sentences (see ``StepDecoder.start``).

        The steps read the context's part of gates and readout, (S, gH + E).
        """
        states, context, prior, sources = self.encoder.encode(source, packing)
        if context is not None and self.of_context is not None:
            context = self.of_context.multiply(context)
        return states, Constants(context, prior, sources)

    def step(self, states: list[State], constants: Constants, tokens: IntArray) -> tuple[Array, list[State]]:
        """Feed every hypothesis its last token (see ``StepDecoder.step``)."""
        S, k = tokens.shape
        x = self.tokens.of(tokens.reshape(-1))  # (S · k, gH + E)
        if constants.context is not None:
            of_sentence = x.reshape(S, k, -1)
            of_sentence += constants.context[:, None]
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
        if constants.context is not None:
            top = self.readout_hidden.multiply(top)
            top += x[:, self.gates :]
            np.tanh(top, out=top)
        logits = self.output.multiply(top)
        logits += self.output_bias
        if constants.prior is not None:
            of_sentence = logits.reshape(S, k, -1)
            of_sentence += self.model.gate(LEXICAL_GATE).forward(top).reshape(S, k, 1) * constants.prior[:, None]
        if constants.sources is not None:
            known = DecoderState(states, None, None, constants.sources)
            for prior in self.model.priors(known, np.arange(S).repeat(k), tokens.reshape(-1)):
                prior.add(logits, top, 0)
        return logits, after


def prepare_decoder(model: Seq2Seq) -> StepDecoder:
    """Return a model prepared for search; where its cell has no fast twin, its definition."""
    return PreparedDecoder(model) if model.config.cell in FORWARD_CELLS else DefinitionDecoder(model)


def _matrix(weight: Array) -> StepMatrix:
    """Return (..., N, K) weights, in torch's layout, prepared for products with rows of K numbers."""
    return StepMatrix(weight.swapaxes(-2, -1))
