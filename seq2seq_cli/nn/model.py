"""The encoder–decoder as a whole: loss and gradients for training, one step at a time for translating.

::

    source ids ─ embedding ─ recurrent stack ─ last states ─ (bridge) ─┐ context
    target ids ─ embedding ─────────── recurrent stack ─ (readout) ─ fc_out ─ logits

The encoder's last states are all that the decoder knows about the source: a context of fixed size, whatever the
sentence's length. That is the bottleneck that attention (Bahdanau et al. 2015) later removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.decoder import Decoder
from seq2seq_cli.nn.encoder import DecoderState, Encoder
from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.output_layer import Loss, output_forward, output_loss, output_loss_and_gradients
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.parameters import Parameters, initialize


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

    Source:
        Sutskever, Vinyals & Le 2014, "Sequence to Sequence Learning with Neural Networks" (``context="initial"``);
        Cho et al. 2014, "Learning Phrase Representations using RNN Encoder–Decoder" (``context="every-step"``).
    """

    def __init__(self, config: ModelConfig, parameters: Parameters) -> None:
        self.config = config
        self.parameters = parameters
        self.encoder = Encoder(config, parameters)
        self.decoder = Decoder(config, parameters)
        self.output_name = "decoder.embedding.weight" if config.tie_embeddings else "decoder.fc_out.weight"

    @classmethod
    def create(cls, config: ModelConfig, generator: np.random.Generator, dtype: npt.DTypeLike = np.float32) -> Seq2Seq:
        """Return a new model with random parameters (see ``initialize``)."""
        return cls(config, initialize(config, generator, dtype))

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> Loss:
        """Return the loss of a batch without dropout and without gradients, as for validation."""
        start, _ = self.encoder.forward(batch.source, batch.source_packing, keep_cache=False)
        start = start.select(batch.source_rows)
        top, _, _ = self.decoder.forward(start, batch.target_inputs, batch.target_packing, keep_cache=False)
        weight, bias = self.parameters[self.output_name], self.parameters["decoder.fc_out.bias"]
        return output_loss(top, weight, bias, batch.target_outputs, label_smoothing)

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
        start = start.select(batch.source_rows)
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
        )
        d_start = self.decoder.backward(d_top, batch.target_inputs, batch.target_packing, decoder_cache, gradients)
        d_start = d_start.select(np.argsort(batch.source_rows))  # from the target's order to the source's
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
        return self.encoder.forward(source, packing, keep_cache=False)[0]

    def decode_step(self, state: DecoderState, tokens: IntArray) -> tuple[Array, DecoderState]:
        """Feed each row its last token and return the logits of the next one.

        Args:
            state: B rows.
            tokens: (B,) token ids; ``<s>`` at the first step.

        Returns:
            The logits (B, V) and the state after this step.
        """
        top, states, _ = self.decoder.forward(state, tokens, Packing((1,) * len(tokens)), keep_cache=False)
        weight, bias = self.parameters[self.output_name], self.parameters["decoder.fc_out.bias"]
        return output_forward(top, weight, bias), DecoderState(states, state.context)
