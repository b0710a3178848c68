"""The encoder–decoder as a whole: loss and gradients for training, one step at a time for translating.

::

    source ids ─ embedding ─ recurrent stack ─ last states ─ (bridge) ─┐ context
    target ids ─ embedding ─────────── recurrent stack ─ (readout) ─ fc_out ─ logits ( + gate · prior)

The encoder's last states are all that the decoder knows about the source: a context of fixed size, for sentences
of any length. That is the bottleneck that attention (Bahdanau et al. 2015) later removed. A lexical prior and a
bigram prior, if the model has them, are a way around it for the choice of words (see ``lexical_prior``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.bigram_prior import BIGRAM_GATE, BigramTable, GatedBigrams, token_rows
from seq2seq_cli.nn.decoder import Decoder
from seq2seq_cli.nn.encoder import DecoderState, Encoder
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.lexical_prior import LEXICAL_GATE, Gate, GatedPrior, Lexicon
from seq2seq_cli.nn.output_layer import Loss, Prior, output_forward, output_loss, output_loss_and_gradients
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.parameters import Parameters


@dataclass(frozen=True)
class Batch:
    """Sentence pairs, packed. Each side is sorted by its own lengths, longest first.

    Args:
        source: (N_source,) packed token ids.
        source_packing: where each token is.
        target_inputs: (N_target,) what the decoder reads: ``<s> y₁ … y_n`` (teacher forcing).
        target_outputs: (N_target,) its targets: ``y₁ … y_n </s>``.
        target_packing: where each token of both is.
        source_rows: (B,) for each sentence in the target's order, its row in the source's order.
    """

    source: IntArray
    source_packing: Packing
    target_inputs: IntArray
    target_outputs: IntArray
    target_packing: Packing
    source_rows: Index


class Tables(NamedTuple):
    """The tables learned from the training pairs before training; they stay fixed.

    Args:
        lexicon: ``t(target token | source token)`` of a lexical prior.
        reverse_lexicon: ``t(source token | target token)``, which reranks n-best lists; None: no reranking.
        bigrams: the counts of a bigram prior.
    """

    lexicon: Lexicon | None = None
    reverse_lexicon: Lexicon | None = None
    bigrams: BigramTable | None = None


NO_TABLES = Tables()


class Seq2Seq:
    """A recurrent encoder–decoder without attention.

    Args:
        config: the network's shape.
        parameters: under the names of ``parameter_shapes(config)``; their dtype is the model's.
        tables: those of its priors; they may also be set later, before the model is first used.

    Source:
        Sutskever, Vinyals & Le 2014, "Sequence to Sequence Learning with Neural Networks" (``context="initial"``);
        Cho et al. 2014, "Learning Phrase Representations using RNN Encoder–Decoder" (``context="every-step"``).
    """

    def __init__(self, config: ModelConfig, parameters: Parameters, tables: Tables = NO_TABLES) -> None:
        self.config = config
        self.parameters = parameters
        self.tables = tables
        self.encoder = Encoder(config, parameters)
        self.decoder = Decoder(config, parameters)
        self.output_name = "decoder.embedding.weight" if config.tie_embeddings else "decoder.fc_out.weight"

    @property
    def members(self) -> list[Seq2Seq]:
        """The networks whose distributions are averaged: this one alone (see ``members.EnsembleModel``)."""
        return [self]

    def loss(self, batch: Batch, label_smoothing: float = 0.0, leave_one_out: bool = False) -> Loss:
        """Return the loss of a batch without dropout and without gradients, as for validation.

        Args:
            batch: sentence pairs.
            label_smoothing: ε.
            leave_one_out: whether the batch is training data, which a bigram prior has counted (see ``bigram_prior``).
        """
        start = self.encode(batch.source, batch.source_packing).select(batch.source_rows)
        top, _, _ = self.decoder.forward(start, batch.target_inputs, batch.target_packing, keep_cache=False)
        weight, bias = self.parameters[self.output_name], self.parameters["decoder.fc_out.bias"]
        references = batch.target_outputs if leave_one_out else None
        priors = self.priors(start, batch.target_packing.token_sentences, batch.target_inputs, references)
        return output_loss(top, weight, bias, batch.target_outputs, label_smoothing, priors)

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
        start = self._with_source_features(start, batch.source, batch.source_packing).select(batch.source_rows)
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
            self.priors(
                start, batch.target_packing.token_sentences, batch.target_inputs, batch.target_outputs, gradients
            ),
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
        return self._with_source_features(start, source, packing)

    def decode_step(self, state: DecoderState, tokens: IntArray) -> tuple[Array, DecoderState]:
        """Feed each row its last token and return the logits of the next one.

        Args:
            state: B rows.
            tokens: (B,) token ids; ``<s>`` at the first step.

        Returns:
            The logits (B, V) and the state after this step.
        """
        top, state = self.advance(state, tokens)
        return self.logits(top, state, tokens), state

    def advance(self, state: DecoderState, tokens: IntArray) -> tuple[Array, DecoderState]:
        """Feed each row its last token, as ``decode_step``, and return the output layer's input instead of logits."""
        top, states, _ = self.decoder.forward(state, tokens, Packing((1,) * len(tokens)), keep_cache=False)
        return top, state._replace(states=states)

    def logits(self, top: Array, state: DecoderState, tokens: IntArray) -> Array:
        """Return the output layer's logits (B, V), given its input (B, F); the rest as for ``decode_step``."""
        logits = output_forward(top, self.parameters[self.output_name], self.parameters["decoder.fc_out.bias"])
        for prior in self.priors(state, np.arange(len(tokens)), tokens):
            prior.add(logits, top, 0)
        return logits

    def gate(self, name: str, gradients: Parameters | None = None) -> Gate:
        """Return the gate of a prior.

        Args:
            name: ``LEXICAL_GATE`` or ``BIGRAM_GATE``.
            gradients: receive its gradients, which start at zero.
        """
        names = f"{name}.weight", f"{name}.bias"
        weight, bias = (self.parameters[each] for each in names)
        if gradients is None:
            return Gate(weight, bias)
        d_weight, d_bias = (gradients[each] for each in names)
        d_weight[...], d_bias[...] = 0.0, 0.0
        return Gate(weight, bias, d_weight, d_bias)

    def source_features(self, source: IntArray, packing: Packing) -> tuple[Array | None, IntArray | None]:
        """Return the inputs of the priors for packed sentences: ``prior`` and ``sources`` of ``DecoderState``."""
        prior = sources = None
        if self.config.lexical_prior:
            if self.tables.lexicon is None:
                raise ValueError("a model with a lexical prior needs its table")
            prior = self.tables.lexicon.features(source, packing, self.parameters.flat.dtype)
        if self.config.bigram_prior:
            sources = token_rows(source, packing)
        return prior, sources

    def priors(
        self,
        state: DecoderState,
        rows: Index,
        previous: IntArray,
        references: IntArray | None = None,
        gradients: Parameters | None = None,
    ) -> list[Prior]:
        """Return what is added to the logits of some target positions.

        Args:
            state: holds the inputs of the priors for the sentences.
            rows: (N,) each position's sentence.
            previous: (N,) the token before each position.
            references: (N,) the correct tokens, in training only (see ``bigram_prior``).
            gradients: as for ``gate``.
        """
        priors: list[Prior] = []
        if state.prior is not None:
            priors.append(GatedPrior(state.prior, rows, self.gate(LEXICAL_GATE, gradients)))
        if state.sources is not None:
            if self.tables.bigrams is None:
                raise ValueError("a model with a bigram prior needs its table")
            dtype = self.parameters.flat.dtype
            features = self.tables.bigrams.features(state.sources[rows], previous, references, dtype)
            priors.append(GatedBigrams(features, self.gate(BIGRAM_GATE, gradients)))
        return priors

    def _with_source_features(self, start: DecoderState, source: IntArray, packing: Packing) -> DecoderState:
        prior, sources = self.source_features(source, packing)
        return start._replace(prior=prior, sources=sources)
