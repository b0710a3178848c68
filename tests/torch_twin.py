"""The same network built from ``torch.nn`` modules, with the same parameter names: what ours must equal.

It is written the way PyTorch users write it (modules, packed sequences, autograd), not as a copy of our code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

if TYPE_CHECKING:
    from seq2seq_cli.config import ModelConfig
    from seq2seq_cli.nn.model import Batch
    from seq2seq_cli.nn.parameters import Parameters

MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Encoder(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        H = config.hidden_size
        self.config = config
        self.embedding = nn.Embedding(config.source_vocabulary, config.embedding_size)
        self.rnn = MODULES[config.cell](config.embedding_size, H, config.layers, bidirectional=config.bidirectional)
        if config.bidirectional:
            names = ["hidden", "cell"] if config.cell == "lstm" else ["hidden"]
            layers = config.layers
            self.bridge = nn.ModuleDict(
                {name: nn.ModuleList([nn.Linear(2 * H, H) for _ in range(layers)]) for name in names}
            )

    def forward(self, source: torch.Tensor, sizes: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        outputs, final = self.rnn(PackedSequence(self.embedding(source), sizes))
        pooled = []
        if self.config.pooled_context:
            padded, lengths = pad_packed_sequence(outputs)  # (T, B, F)
            own = [padded[:length, sentence] for sentence, length in enumerate(lengths)]
            pooled = [torch.stack([x.mean(0) for x in own])]
        parts = list(final) if self.config.cell == "lstm" else [final]
        if not self.config.bidirectional:
            return parts, torch.cat([parts[0][-1], *pooled], dim=1)
        both = [part.reshape(self.config.layers, 2, *part.shape[1:]).transpose(1, 2).flatten(2) for part in parts]
        states = [
            torch.stack([torch.tanh(linear(layer)) for linear, layer in zip(self.bridge[name], part)])
            for name, part in zip(("hidden", "cell"), both)
        ]
        return states, torch.cat([both[0][-1], *pooled], dim=1)


class Decoder(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        E, H, V = config.embedding_size, config.hidden_size, config.target_vocabulary
        self.config = config
        self.every_step = config.context == "every-step"
        C = config.context_size
        self.embedding = nn.Embedding(V, E)
        self.rnn = MODULES[config.cell](E + C, H, config.layers)
        if self.every_step:
            self.readout = nn.Linear(E + H + C, E)
        self.fc_out = nn.Linear(E if self.every_step else H, V)
        if config.tie_embeddings:
            self.fc_out.weight = self.embedding.weight

    def forward(
        self, states: list[torch.Tensor], context: torch.Tensor, inputs: torch.Tensor, sizes: torch.Tensor
    ) -> torch.Tensor:
        embedded = self.embedding(inputs)
        per_token = torch.cat([context[:size] for size in sizes.tolist()])
        x = torch.cat([embedded, per_token], dim=1) if self.every_step else embedded
        initial = tuple(states) if self.config.cell == "lstm" else states[0]
        packed, _ = self.rnn(PackedSequence(x, sizes), initial)
        top = packed.data
        if self.every_step:
            top = torch.tanh(self.readout(torch.cat([embedded, top, per_token], dim=1)))
        logits: torch.Tensor = self.fc_out(top)
        return logits


class Twin(nn.Module):
    """Encoder and decoder in float64, loaded by name from the hand-written model's parameters."""

    def __init__(self, config: ModelConfig, parameters: Parameters) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.double()
        weights = {name: torch.tensor(value, dtype=torch.float64) for name, value in parameters.items()}
        if config.tie_embeddings:
            weights["decoder.fc_out.weight"] = weights["decoder.embedding.weight"]
        self.load_state_dict(weights, strict=True)

    def forward(self, batch: Batch) -> torch.Tensor:
        states, context = self.encoder(torch.tensor(batch.source), torch.tensor(batch.source_packing.batch_sizes))
        rows = torch.tensor(batch.source_rows)
        states = [part[:, rows].contiguous() for part in states]
        return self.decoder(
            states,
            context[rows],
            torch.tensor(batch.target_inputs),
            torch.tensor(batch.target_packing.batch_sizes),
        )

    def logits_loss_gradients(
        self, batch: Batch, label_smoothing: float
    ) -> tuple[np.ndarray, float, dict[str, np.ndarray]]:
        """The logits, the mean loss per token, and its gradient for every parameter."""
        self.zero_grad()
        logits = self(batch)
        targets = torch.tensor(batch.target_outputs)
        loss = nn.functional.cross_entropy(logits, targets, label_smoothing=label_smoothing)
        loss.backward()
        gradients = {name: value.grad.numpy() for name, value in self.named_parameters()}
        return logits.detach().numpy(), float(loss.detach()), gradients
