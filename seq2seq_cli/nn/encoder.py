"""The encoder: it maps a sentence of any length to a context of fixed size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.cells import State, find_cell
from seq2seq_cli.nn.embedding import embedding_backward, embedding_dropout, embedding_forward
from seq2seq_cli.nn.functional import Array, IntArray, dropout_mask, tanh_backward
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.nn.products import few_rows_product
from seq2seq_cli.nn.recurrent import StackCache, stack_backward, stack_forward
from seq2seq_cli.nn.weight_dropout import Masks, weight_dropout_backward, weight_dropout_forward


class DecoderState(NamedTuple):
    """The state of the decoder: the initial one from the encoder, or the one after a step.

    ``states`` holds the decoder's recurrent state of each layer, every array (B, H). ``context`` (B, C) is the context
    vector of a model with ``context="every-step"``, else None. ``prior`` (B, V) is the lexical prior ``ℓ`` of the
    sentences, if the model has one, and ``sources`` (B, T) are their tokens, if it has a bigram prior. A gradient with
    respect to the state has the same form, without these two, which are constant.
    """

    states: list[State]
    context: Array | None
    prior: Array | None = None
    sources: IntArray | None = None

    def select(self, rows: Index) -> DecoderState:
        """Return only these rows, in this order; a row may occur more than once."""
        return DecoderState(
            [tuple(part[rows] for part in state) for state in self.states],
            None if self.context is None else self.context[rows],
            None if self.prior is None else self.prior[rows],
            None if self.sources is None else self.sources[rows],
        )

    def context_dropout(self, rate: float, generator: np.random.Generator | None) -> DecoderState | None:
        """Return masks for the context, in the form of the state; None without a generator or at a rate of 0.

        With an independent mask ``m`` for each array, the same at every step of a sentence::

            s₀ ← m ⊙ s₀          c ← m ⊙ c          d_s₀ ← m ⊙ d_s₀          d_c ← m ⊙ d_c

        Both the initial state and the context vector are masked, so the decoder cannot rely on any single value of the
        context. The priors are not masked.

        Source: Srivastava et al. 2014, "Dropout"; one mask for all steps: Gal & Ghahramani 2016, section 4.
        """
        if not rate or generator is None:
            return None
        return DecoderState(
            [tuple(dropout_mask(part.shape, rate, generator, part.dtype) for part in state) for state in self.states],
            None if self.context is None else dropout_mask(self.context.shape, rate, generator, self.context.dtype),
        )

    def masked(self, masks: DecoderState | None) -> DecoderState:
        """Return the state, or its gradient, multiplied by the masks of ``context_dropout``, if there are any."""
        if masks is None:
            return self
        return DecoderState(
            [tuple(map(np.multiply, state, mask)) for state, mask in zip(self.states, masks.states)],
            None if self.context is None or masks.context is None else self.context * masks.context,
            self.prior,
            self.sources,
        )


class EncoderCache(NamedTuple):
    """The values that the backward pass of the encoder needs."""

    mask: Array | None
    weights: Mapping[str, Array]
    weight_masks: Masks
    stack: StackCache
    finals: list[State]
    bridged: list[State]


class Encoder:
    """Embedding, recurrent stack, and the bridge from two directions to the decoder's one.

    One direction: the last state of each layer is the initial state of the decoder's layer (Sutskever et al. 2014). Two
    directions: both last states go through a bridge, ``tanh(W [h→; h←] + b)``, one for each layer and for each array of
    the state (after Bahdanau et al. 2015, appendix A.2.2, which uses one direction's state). The context vector, where
    the decoder needs it at every step, is the top layer's last hidden state, of both directions if there are two. A
    pooled context is twice as long, and its second half is the mean of the top layer's outputs over the sentence::

        c = [h_T; (1/T) Σₜ hₜ]

    The last state has to keep what was read first through every step since; the mean takes a short way from every
    source token. Its size does not depend on the sentence, and it is the same at every step of the decoder: it is no
    attention, which weighs the outputs anew at every step.

    Source (pooled context): Conneau et al. 2017, "Supervised Learning of Universal Sentence Representations from
    Natural Language Inference Data", section 3.2.2; beside the last state: Howard & Ruder 2018, "Universal Language
    Model Fine-tuning for Text Classification", section 3.3.

    Args:
        config: the network's shape.
        parameters: those of the whole model.
    """

    def __init__(self, config: ModelConfig, parameters: Parameters) -> None:
        self.config = config
        self.parameters = parameters
        self.cell = find_cell(config.cell)

    def forward(
        self, source: IntArray, packing: Packing, generator: np.random.Generator | None = None, keep_cache: bool = True
    ) -> tuple[DecoderState, EncoderCache]:
        """Encode packed sentences (N,) and return the initial decoder state, B rows in the packing's order.

        A generator switches dropout on; with ``keep_cache=False`` there is no cache for a backward pass.
        """
        config = self.config
        embedded = embedding_forward(source, self.parameters["encoder.embedding.weight"])
        mask = embedding_dropout(embedded, config.dropout, config.word_dropout, generator)
        stacked = self.parameters.below("encoder.rnn.")
        weights, weight_masks = weight_dropout_forward(stacked, config.weight_dropout, generator)
        outputs, finals, stack = stack_forward(
            self.cell,
            weights,
            embedded,
            packing,
            None,
            directions=config.directions,
            dropout=config.dropout,
            generator=generator,
            keep_cache=keep_cache,
        )
        mean = packing.mean_over_time(outputs) if config.pooled_context else None
        start, finals = self.initial_decoder_state(finals, mean)
        return start, EncoderCache(mask, weights, weight_masks, stack, finals, start.states)

    def initial_decoder_state(self, finals: list[State], mean: Array | None) -> tuple[DecoderState, list[State]]:
        """Return the initial decoder state, and the last state of each layer, with both directions concatenated.

        Args:
            finals: the last state of each layer and direction, in torch's order.
            mean: (B, D · H) of the top layer's outputs, for a pooled context.
        """
        states = finals
        if self.config.bidirectional:
            finals = [
                tuple(np.concatenate(parts, axis=1) for parts in zip(ahead, reverse))
                for ahead, reverse in zip(finals[0::2], finals[1::2])
            ]
            states = [self._bridge(layer, final) for layer, final in enumerate(finals)]
        context = finals[-1][0] if self.config.context == "every-step" else None
        if context is not None and mean is not None:
            context = np.concatenate([context, mean], axis=1)
        return DecoderState(states, context), finals

    def backward(
        self,
        d_state: DecoderState,
        source: IntArray,
        packing: Packing,
        cache: EncoderCache,
        gradients: Parameters,
    ) -> None:
        """Write the gradient of every encoder parameter, given that of the initial decoder state."""
        H, D = self.config.hidden_size, self.config.directions
        d_finals, d_outputs, d_context = d_state.states, None, d_state.context
        if d_context is not None and self.config.pooled_context:
            d_context, d_mean = np.split(d_context, 2, axis=1)
            d_outputs = packing.mean_over_time_backward(d_mean)
        if self.config.bidirectional:
            d_finals = [
                self._bridge_backward(layer, d_layer, cache, gradients) for layer, d_layer in enumerate(d_state.states)
            ]
        if d_context is not None:
            d_hidden, *d_rest = d_finals[-1]
            d_finals = [*d_finals[:-1], (d_hidden + d_context, *d_rest)]
        recurrent_gradients = gradients.below("encoder.rnn.")
        d_embedded, _, _ = stack_backward(
            self.cell,
            cache.weights,
            packing,
            d_outputs,
            [tuple(part[:, d * H : (d + 1) * H] for part in state) for state in d_finals for d in range(D)],
            cache.stack,
            recurrent_gradients,
            directions=D,
        )
        weight_dropout_backward(cache.weight_masks, recurrent_gradients)
        if cache.mask is not None:
            d_embedded *= cache.mask
        d_weight = gradients["encoder.embedding.weight"]
        d_weight[...] = 0.0
        embedding_backward(source, d_embedded, d_weight)

    def _bridge(self, layer: int, final: State) -> State:
        return tuple(
            np.tanh(
                few_rows_product(part, self.parameters[f"encoder.bridge.{name}.{layer}.weight"])
                + self.parameters[f"encoder.bridge.{name}.{layer}.bias"]
            )
            for name, part in zip(self.cell.state_names, final)
        )

    def _bridge_backward(self, layer: int, d_state: State, cache: EncoderCache, gradients: Parameters) -> State:
        d_final = []
        for name, d_part, bridged, final in zip(
            self.cell.state_names, d_state, cache.bridged[layer], cache.finals[layer]
        ):
            prefix = f"encoder.bridge.{name}.{layer}."
            d_bridge = tanh_backward(d_part, bridged)
            np.matmul(d_bridge.T, final, out=gradients[f"{prefix}weight"])
            np.sum(d_bridge, axis=0, out=gradients[f"{prefix}bias"])
            d_final.append(d_bridge @ self.parameters[f"{prefix}weight"])
        return tuple(d_final)
