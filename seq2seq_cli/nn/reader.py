"""A trained encoder made ready to read, as fast as it goes: the counterpart of ``stepper.py``.

``Seq2Seq.encode`` is the definition; this does the same with fewer operations: what a token contributes to the gates is
remembered from the first time it is read, both directions take their steps together, and nothing is kept for a way
back.
"""

from __future__ import annotations

import numpy as np

from seq2seq_cli.nn.cells import State
from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.forward_cells import FORWARD_CELLS, rearranged
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.products import StepMatrix
from seq2seq_cli.nn.recurrent import suffixes
from seq2seq_cli.nn.token_products import TokenProducts

USUAL_ROWS = 64
"""Rows for which the weights are cut into blocks: ``translate``'s batch size."""


class Reader:
    """One model's encoder, ready to read.

    Args:
        model: whose parameters must not change from now on.
    """

    def __init__(self, model: Seq2Seq) -> None:
        self.encoder, self.config = model.encoder, model.config
        cell = self.cell = FORWARD_CELLS[model.config.cell]
        weights = model.parameters.below("encoder.rnn.")
        embedding = model.parameters["encoder.embedding.weight"]
        self.hidden: list[StepMatrix] = []
        self.inputs: list[list[tuple[Array, Array]]] = []
        self.biases_hh: list[Array] = []
        for layer in range(self.config.layers):
            names = suffixes(layer, self.config.directions)
            parts = [{part: rearranged(cell, weights[part + name]) for part in _PARTS} for name in names]
            if cell.additive:
                for each in parts:
                    each["bias_ih"] += each["bias_hh"]
            self.biases_hh.append(np.stack([each["bias_hh"][None] for each in parts]))
            self.hidden.append(StepMatrix(np.stack([each["weight_hh"].T for each in parts]), USUAL_ROWS))
            self.inputs.append([(each["weight_ih"].T, each["bias_ih"]) for each in parts])
        self.tokens = [TokenProducts(embedding, weight, bias) for weight, bias in self.inputs[0]]

    def read(self, source: IntArray, packing: Packing) -> DecoderState:
        """Return what ``Seq2Seq.encode`` returns."""
        D, layers = self.config.directions, self.config.layers
        orders: list[Index | slice] = [slice(None), packing.reversal] if D == 2 else [slice(None)]
        x = [tokens.of(source[order]) for tokens, order in zip(self.tokens, orders)]
        finals: list[State] = []
        for layer in range(layers):
            last, outputs = self._run(layer, np.stack(x), packing, above=layer + 1 < layers)
            finals += [tuple(part[d] for part in last) for d in range(D)]
            if outputs is not None:
                inputs = np.concatenate([part[order] for part, order in zip(outputs, orders)], axis=1)
                x = [inputs[order] @ weight + bias for order, (weight, bias) in zip(orders, self.inputs[layer + 1])]
        return self.encoder.hand_over(finals)[0]

    def _run(self, layer: int, x: Array, packing: Packing, above: bool) -> tuple[State, Array | None]:
        """Take one layer's steps in all directions at once.

        Args:
            layer: which.
            x: (D, N, gH) projections of the inputs, packed, for each direction in its order.
            packing: where each token is.
            above: whether a layer above wants the outputs.

        Returns:
            The last states, each array (D, B, H), and the outputs (D, N, H) or None.
        """
        (D, N, _), H, B = x.shape, self.config.hidden_size, packing.sentences
        outputs = np.empty((D, N, H), x.dtype) if above else None
        state: State = tuple(np.zeros((D, B, H), x.dtype) for _ in range(self.cell.states))
        final = tuple(np.empty_like(part) for part in state)
        rows = B
        for size, start in zip(packing.batch_sizes, packing.offsets):
            if size < rows:  # some sentences have ended: their state is final
                for part, whole in zip(state, final):
                    whole[:, size:rows] = part[:, size:]
                state, rows = tuple(part[:, :size] for part in state), size
            # Before the first step the state is zero, and so is its product.
            h_projection = self.hidden[layer].multiply(state[0]) if start else np.zeros_like(x[:, :size])
            if not self.cell.additive:
                h_projection += self.biases_hh[layer]
            state = self.cell.step(x[:, start : start + size], h_projection, state)
            if outputs is not None:
                outputs[:, start : start + size] = state[0]
        for part, whole in zip(state, final):
            whole[:, :rows] = part
        return final, outputs


_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
