"""The encoder–decoder as a whole: loss and gradients for training, one step at a time for translating.

::

    source ids ─ embedding ─ recurrent stack ─ last states ─ (bridge) ─┐ context
    target ids ─ embedding ─────────── recurrent stack ─ (readout) ─ fc_out ─ logits ( + gate · lexical prior)

The encoder's last states are all that the decoder knows about the source: a context of fixed size, whatever the
sentence's length. That is the bottleneck that attention (Bahdanau et al. 2015) later removed. A lexical prior, if the
model has one, is a way around it for the choice of words (see ``lexical_prior``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.decoder import Decoder
from seq2seq_cli.nn.encoder import DecoderState, Encoder
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.lexical_prior import GATE_BIAS, GATE_WEIGHT, GatedPrior, Lexicon, gate_forward
from seq2seq_cli.nn.output_layer import Loss, output_forward, output_loss, output_loss_and_gradients
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.parameters import Parameters


@dataclass(frozen=True)
class Batch:
    """Sentence pairs, packed. Each side is sorted by its own lengths, longest first.

    Args:
        source: (N_source,) packed token ids.
        source_packing: where each token is.
        target_inputs: (N_target,) what the decoder reads: ``<s> y₁ … y_n`` (teacher forcing).
        target_outputs: (N_target,) what it should predict: ``y₁ … y_n </s>``.
        target_packing: where each token of both is.
        source_rows: (B,) for each sentence in the target's order, its row in the source's order.
    """

    source: IntArray
    source_packing: Packing
    target_inputs: IntArray
    target_outputs: IntArray
    target_packing: Packing
    source_rows: Index


class Seq2Seq:
    """A recurrent encoder–decoder without attention.

    Args:
        config: the network's shape.
        parameters: under the names of ``parameter_shapes(config)``; their dtype is the model's.
        lexicon: the table ``t(target token | source token)`` of a model with a lexical prior; it may also be set later,
            before the model is first used.
        reverse_lexicon: the table ``t(source token | target token)``, which reranks n-best lists; None: they are not.

    Source:
        Sutskever, Vinyals & Le 2014, "Sequence to Sequence Learning with Neural Networks" (``context="initial"``);
        Cho et al. 2014, "Learning Phrase Representations using RNN Encoder–Decoder" (``context="every-step"``).
    """

    def __init__(
        self,
        config: ModelConfig,
        parameters: Parameters,
        lexicon: Lexicon | None = None,
        reverse_lexicon: Lexicon | None = None,
    ) -> None:
        self.config = config
        self.parameters = parameters
        self.lexicon, self.reverse_lexicon = lexicon, reverse_lexicon
        self.encoder = Encoder(config, parameters)
        self.decoder = Decoder(config, parameters)
        self.output_name = "decoder.embedding.weight" if config.tie_embeddings else "decoder.fc_out.weight"

    @property
    def members(self) -> list[Seq2Seq]:
        """The networks whose distributions are averaged: this one alone (see ``members.EnsembleModel``)."""
        return [self]

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> Loss:
        """Return the loss of a batch without dropout and without gradients, as for validation."""
        start = self.encode(batch.source, batch.source_packing).select(batch.source_rows)
        top, _, _ = self.decoder.forward(start, batch.target_inputs, batch.target_packing, keep_cache=False)
        weight, bias = self.parameters[self.output_name], self.parameters["decoder.fc_out.bias"]
        prior = self._gated(start.prior, batch.target_packing)
        return output_loss(top, weight, bias, batch.target_outputs, label_smoothing, prior)

    def loss_and_gradients(
        self,
        batch: Batch,
        gradients: Parameters,
        *,
        tokens: int | None = None,
        label_smoothing: float = 0.0,
        generator: np.random.Generator | None = None,
    ) -> Loss:
        """Return the loss of a batch and write the gradients of the **mean loss per real target token**.

        Args:
            batch: sentence pairs.
            gradients: same names and shapes as the parameters; overwritten.
            tokens: number of tokens that the mean is over: this batch's if None; those of the whole batch if this is a
                shard of it.
            label_smoothing: ε.
            generator: determines the dropout masks; None switches dropout off.

        Returns:
            Sums in nats and the number of tokens; the gradients are those of ``loss / tokens``.
        """
        start, encoder_cache = self.encoder.forward(batch.source, batch.source_packing, generator)
        start = start._replace(prior=self.prior(batch.source, batch.source_packing)).select(batch.source_rows)
        masks = start.context_dropout(self.config.context_dropout, generator)
        start = start.masked(masks)
        top, _, decoder_cache = self.decoder.forward(start, batch.target_inputs, batch.target_packing, generator)
        weight, bias = self.parameters[self.output_name], self.parameters["decoder.fc_out.bias"]
        loss, d_top = output_loss_and_gradients(
            top,
            weight,
            bias,
            batch.target_outputs,
            gradients[self.output_name],
            gradients["decoder.fc_out.bias"],
            label_smoothing,
            tokens,
            self._gated(start.prior, batch.target_packing),
            (gradients[GATE_WEIGHT], gradients[GATE_BIAS]) if self.config.lexical_prior else None,
        )
        d_start = self.decoder.backward(d_top, batch.target_inputs, batch.target_packing, decoder_cache, gradients)
        d_start = d_start.masked(masks).select(np.argsort(batch.source_rows))  # from the target's order to the source's
        self.encoder.backward(d_start, batch.source, batch.source_packing, encoder_cache, gradients)
        return loss

    def encode(self, source: IntArray, packing: Packing) -> DecoderState:
        """Encode sentences and return the initial decoder state, the context included.

        Args:
            source: (N,) packed token ids.
            packing: where each token is; B sentences, longest first.

        Returns:
            B rows, in the packing's order.
        """
        start, _ = self.encoder.forward(source, packing, keep_cache=False)
        return start._replace(prior=self.prior(source, packing))

    def decode_step(self, state: DecoderState, tokens: IntArray) -> tuple[Array, DecoderState]:
        """Feed each row its last token and return the logits of the next one.

        Args:
            state: B rows.
            tokens: (B,) token ids; ``<s>`` at the first step.

        Returns:
            The logits (B, V) and the state after this step.
        """
        top, state = self.advance(state, tokens)
        return self.logits(top, state.prior), state

    def advance(self, state: DecoderState, tokens: IntArray) -> tuple[Array, DecoderState]:
        """Feed each row its last token, as ``decode_step``, and return the output layer's input in place of logits."""
        top, states, _ = self.decoder.forward(state, tokens, Packing((1,) * len(tokens)), keep_cache=False)
        return top, state._replace(states=states)

    def logits(self, top: Array, prior: Array | None) -> Array:
        """Return the output layer's logits (B, V), given its input (B, F) and each row's lexical prior, if any."""
        logits = output_forward(top, self.parameters[self.output_name], self.parameters["decoder.fc_out.bias"])
        if prior is not None:
            logits += self.gate(top) * prior
        return logits

    def gate(self, top: Array) -> Array:
        """Return the gate ``α`` (B, 1) of the lexical prior, given the output layer's input (B, F)."""
        return gate_forward(top, self.parameters[GATE_WEIGHT], self.parameters[GATE_BIAS])

    def prior(self, source: IntArray, packing: Packing) -> Array | None:
        """Return the lexical prior ``ℓ`` of packed sentences, (B, V), or None if the model has none."""
        if not self.config.lexical_prior:
            return None
        if self.lexicon is None:
            raise ValueError("a model with a lexical prior needs its table")
        return self.lexicon.features(source, packing, self.parameters.flat.dtype)

    def _gated(self, prior: Array | None, packing: Packing) -> GatedPrior | None:
        """Return what the output layer adds to the logits of packed target tokens; B rows in the packing's order."""
        if prior is None:
            return None
        return GatedPrior(prior, packing.token_sentences, self.parameters[GATE_WEIGHT], self.parameters[GATE_BIAS])
