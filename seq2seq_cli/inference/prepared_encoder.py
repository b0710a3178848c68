"""A trained encoder, prepared for speed: the counterpart of ``prepared_decoder.py``.

``Seq2Seq.encode`` is the definition; this module computes the same with fewer operations: the input projection of a
token is cached when it is first computed, both directions take their steps together, and there is no cache for a
backward pass.
"""

from __future__ import annotations

import numpy as np

from seq2seq_cli.inference.forward_cells import FORWARD_CELLS, rearranged
from seq2seq_cli.inference.token_products import TokenProducts
from seq2seq_cli.nn.cells import State
from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.products import StepMatrix
from seq2seq_cli.nn.recurrent import suffixes


class PreparedEncoder:
    """The encoder of one model, prepared for inference.

    Args:
        model: a model whose cell has a fast twin; its parameters must not change any more.
    """

    def __init__(self, model: Seq2Seq) -> None:
        self.encoder, self.config, self.source_features = model.encoder, model.config, model.source_features
        cell = self.cell = FORWARD_CELLS[model.config.cell]
        weights = model.parameters.below("encoder.rnn.")
        embedding = model.parameters["encoder.embedding.weight"]
        self.hidden: list[StepMatrix] = []
        self.biases_hh: list[Array] = []
        self.inputs: list[list[tuple[Array, Array]]] = []
        for layer in range(self.config.layers):
            names = suffixes(layer, self.config.directions)
            hidden, bias_hh = (
                np.stack([rearranged(cell, weights[part + name]) for name in names])
                for part in ("weight_hh", "bias_hh")
            )
            self.hidden.append(StepMatrix(hidden.transpose(1, 0, 3, 2)))  # (g, D, H, H)
            self.biases_hh.append(bias_hh.transpose(1, 0, 2)[:, :, None])  # (g, D, 1, H)
            self.inputs.append([])
            for d, name in enumerate(names):
                weight, bias = (rearranged(cell, weights[part + name]) for part in ("weight_ih", "bias_ih"))
                if cell.additive:  # the projections are only added: merge their biases
                    bias += bias_hh[d]
                self.inputs[-1].append((weight.reshape(-1, weight.shape[2]).T, bias.reshape(-1)))
        self.tokens = [TokenProducts(embedding, weight, bias) for weight, bias in self.inputs[0]]

    def encode(self, source: IntArray, packing: Packing) -> DecoderState:
        """Encode sentences (see ``Seq2Seq.encode``)."""
        D, layers = self.config.directions, self.config.layers
        # Look up the first layer's input projections, for the reverse direction in reverse order.
        orders: list[Index | slice] = [slice(None), packing.reversal] if D == 2 else [slice(None)]
        x = np.empty((D, packing.tokens, self.tokens[0].products.shape[1]), self.tokens[0].products.dtype)
        for d, (tokens, order) in enumerate(zip(self.tokens, orders)):
            tokens.of(source[order], out=x[d])
        finals: list[State] = []
        for layer in range(layers):
            top = layer + 1 == layers
            last, by_direction = self._run(layer, x, packing, not top or self.config.pooled_context)
            finals += [tuple(part[d] for part in last) for d in range(D)]
            if by_direction is not None:
                outputs = np.concatenate([part[order] for part, order in zip(by_direction, orders)], axis=1)
            if not top:  # the next layer's input projections
                for d, (order, (weight, bias)) in enumerate(zip(orders, self.inputs[layer + 1])):
                    np.matmul(outputs[order], weight, out=x[d])
                    x[d] += bias
        mean = packing.mean_over_time(outputs) if self.config.pooled_context else None
        start, _ = self.encoder.initial_decoder_state(finals, mean)
        prior, sources = self.source_features(source, packing)
        return start._replace(prior=prior, sources=sources)

    def _run(self, layer: int, x: Array, packing: Packing, keep_outputs: bool) -> tuple[State, Array | None]:
        """Run one layer in all directions at once.

        Args:
            layer: number of the layer.
            x: (D, N, gH) packed input projections, for each direction in its own order.
            packing: where each token is.
            keep_outputs: whether a layer above, or a pooled context, needs the outputs.

        Returns:
            The last states, each array (D, B, H), and the outputs (D, N, H) or None.
        """
        (D, N, _), H, B = x.shape, self.config.hidden_size, packing.sentences
        by_row = x.reshape(D, N, -1, H).transpose(1, 2, 0, 3)  # (N, g, D, H)
        if B == 1:
            by_row = np.ascontiguousarray(by_row)  # a step of one sentence (H = 256) takes 9 instead of 12 µs
        outputs = np.empty((D, N, H), x.dtype) if keep_outputs else None
        state: State = tuple(np.zeros((D, B, H), x.dtype) for _ in range(self.cell.states))
        final = tuple(np.empty_like(part) for part in state)
        rows = B
        for size, start in zip(packing.batch_sizes, packing.offsets):
            if size < rows:  # some sentences have ended: their state is final
                for part, whole in zip(state, final):
                    whole[:, size:rows] = part[:, size:]
                state, rows = tuple(part[:, :size] for part in state), size
            # Before the first step the state is zero, and so is its product.
            x_projection = by_row[start : start + size].transpose(1, 2, 0, 3)  # (g, D, size, H)
            h_projection = self.hidden[layer].multiply(state[0]) if start else np.zeros(x_projection.shape, x.dtype)
            if not self.cell.additive:
                h_projection += self.biases_hh[layer]
            state = self.cell.step(x_projection, h_projection, state)
            if outputs is not None:
                outputs[:, start : start + size] = state[0]
        for part, whole in zip(state, final):
            whole[:, :rows] = part
        return final, outputs
