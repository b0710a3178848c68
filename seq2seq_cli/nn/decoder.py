"""The decoder: it predicts one target token after the other, given the context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.cells import State, find_cell
from seq2seq_cli.nn.embedding import embedding_backward, embedding_dropout, embedding_forward
from seq2seq_cli.nn.encoder import DecoderState
from seq2seq_cli.nn.functional import Array, IntArray, dropout_mask, tanh_backward
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.nn.products import few_rows_product
from seq2seq_cli.nn.recurrent import StackCache, stack_backward, stack_forward
from seq2seq_cli.nn.weight_dropout import Masks, weight_dropout_backward, weight_dropout_forward


class DecoderCache(NamedTuple):
    """The values that the backward pass of the decoder needs."""

    mask: Array | None
    embedded: Array
    hidden: Array
    context: Array | None
    weights: Mapping[str, Array]
    weight_masks: Masks
    stack: StackCache
    readout: Array | None
    top_mask: Array | None


class Decoder:
    """Embedding, recurrent stack and, with the context at every step, the readout.

    ``context="initial"``: the context is the initial state of the stack; ``top`` is its output (Sutskever et al. 2014).
    ``context="every-step"``: the context vector ``c`` is also part of every step's input, ``[embedding; c]``, and of a
    readout, ``top = tanh(W [embedding; hidden; c] + b)`` (Cho et al. 2014, appendix A.1.2, with tanh instead of
    maxout). In training, the context's part of both products is computed once per sentence, not once per token.

    Args:
        config: the network's shape.
        parameters: those of the whole model.
    """

    def __init__(self, config: ModelConfig, parameters: Parameters) -> None:
        self.config = config
        self.parameters = parameters
        self.cell = find_cell(config.cell)

    def forward(
        self,
        start: DecoderState,
        inputs: IntArray,
        packing: Packing,
        generator: np.random.Generator | None = None,
        keep_cache: bool = True,
    ) -> tuple[Array, list[State], DecoderCache]:
        """Read packed target tokens (N,) and return ``top``, the output layer's input.

        Args:
            start: initial decoder state, B rows in the packing's order.
            inputs: (N,) ``<s> y₁ … y_n`` of each sentence.
            packing: where each token is.
            generator: determines the dropout masks; None switches dropout off.
            keep_cache: whether there will be a backward pass.

        Returns:
            ``top`` (N, H), or (N, E) after a readout; the last states; the cache for ``backward``.
        """
        config = self.config
        embedded = embedding_forward(inputs, self.parameters["decoder.embedding.weight"])
        mask = embedding_dropout(embedded, config.dropout, config.word_dropout, generator)
        top_mask = readout = None
        stacked = self.parameters.below("decoder.rnn.")
        weights, weight_masks = weight_dropout_forward(stacked, config.weight_dropout, generator)
        hidden, finals, stack = stack_forward(
            self.cell,
            weights,
            embedded,
            packing,
            start.states,
            dropout=config.dropout,
            generator=generator,
            sentence_input=start.context,
            keep_cache=keep_cache,
        )
        top = hidden
        if start.context is not None:
            top = readout = self._readout(embedded, hidden, start.context, packing)
        if config.dropout and generator is not None:
            top_mask = dropout_mask(top.shape, config.dropout, generator, top.dtype)
            top = top * top_mask
        cache = DecoderCache(mask, embedded, hidden, start.context, weights, weight_masks, stack, readout, top_mask)
        return top, finals, cache

    def backward(
        self, d_top: Array, inputs: IntArray, packing: Packing, cache: DecoderCache, gradients: Parameters
    ) -> DecoderState:
        """Write the gradients of every decoder parameter below the output layer; return those of ``start``.

        A tied embedding is used twice, so its gradient is a sum: the part of the embedding is added to that of the
        output layer, which has been written before.
        """
        if cache.top_mask is not None:
            d_top = d_top * cache.top_mask
        d_embedded = d_context = None
        d_hidden = d_top
        if cache.readout is not None and cache.context is not None:
            d_embedded, d_hidden, d_context = self._readout_backward(d_top, packing, cache, gradients)
        zeros = np.zeros((packing.sentences, self.config.hidden_size), d_top.dtype)
        recurrent_gradients = gradients.below("decoder.rnn.")
        d_inputs, d_states, d_sentence_input = stack_backward(
            self.cell,
            cache.weights,
            packing,
            d_hidden,
            [(zeros,) * len(self.cell.state_names)] * self.config.layers,
            cache.stack,
            recurrent_gradients,
        )
        weight_dropout_backward(cache.weight_masks, recurrent_gradients)
        if d_embedded is not None:
            d_inputs += d_embedded
        if d_context is not None and d_sentence_input is not None:
            d_context += d_sentence_input
        if cache.mask is not None:
            d_inputs *= cache.mask
        d_weight = gradients["decoder.embedding.weight"]
        if not self.config.tie_embeddings:
            d_weight[...] = 0.0
        embedding_backward(inputs, d_inputs, d_weight)
        return DecoderState(d_states, d_context)

    def _readout(self, embedded: Array, hidden: Array, context: Array, packing: Packing) -> Array:
        E, H = embedded.shape[1], hidden.shape[1]
        weight = self.parameters["decoder.readout.weight"]
        readout: Array = embedded @ weight[:, :E].T
        readout += hidden @ weight[:, E : E + H].T
        per_sentence = few_rows_product(context, weight[:, E + H :]) + self.parameters["decoder.readout.bias"]
        readout += per_sentence[packing.token_sentences]
        np.tanh(readout, out=readout)
        return readout

    def _readout_backward(
        self, d_top: Array, packing: Packing, cache: DecoderCache, gradients: Parameters
    ) -> tuple[Array, Array, Array]:
        assert cache.readout is not None and cache.context is not None
        E, H = cache.embedded.shape[1], cache.hidden.shape[1]
        weight = self.parameters["decoder.readout.weight"]
        d_weight = gradients["decoder.readout.weight"]
        d_readout = tanh_backward(d_top, cache.readout)
        d_per_sentence = packing.sum_over_time(d_readout)
        np.matmul(d_readout.T, cache.embedded, out=d_weight[:, :E])
        np.matmul(d_readout.T, cache.hidden, out=d_weight[:, E : E + H])
        np.matmul(d_per_sentence.T, cache.context, out=d_weight[:, E + H :])
        np.sum(d_per_sentence, axis=0, out=gradients["decoder.readout.bias"])
        return (
            d_readout @ weight[:, :E],
            d_readout @ weight[:, E : E + H],
            d_per_sentence @ weight[:, E + H :],
        )
