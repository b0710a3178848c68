"""The network of seq2seq-cli as a ``torch.nn.Module``, which 'seq2seq export --format torch' copies beside the weights.

It needs only PyTorch. It reads and writes lines of token ids::

    seq2seq tokenizer encode -t model.npz --ids < in.txt > ids.txt
    python model_torch.py < ids.txt | seq2seq tokenizer decode -t model.npz --ids

or in Python, in the folder of this file::

    from model_torch import load
    network = load()
    network.translate([[17, 4, 33]])

``torch.load`` reads the weights with ``weights_only=True``: a dictionary of ``config``, ``state_dict``, and the two
tokenizers. Parameters have the names of the model file. The search is greedy and copies no unknown words, as
'seq2seq translate --beam 1 --no-copy-unknown'. A line is read as it is written: 'hello' is not read as 'Hello.'.

seq2seq-cli, Apache License 2.0.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

WEIGHTS = "model.pt"
UNKNOWN, BOS, EOS = 0, 1, 2
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
SMALLEST_LEXICAL, SMALLEST_BIGRAM = 1e-3, 1e-2
LONGEST_OUTPUT = 500

States = tuple[Tensor, ...]
"""``(hidden,)``, or ``(hidden, cell)`` of an LSTM, each (layers, B, H)."""
Start = tuple[States, Tensor, Tensor | None]
"""What a decoder starts from: its states, the context, and the lexical prior (B, 1, V), if there is one."""


class Encoder(nn.Module):
    """Source tokens to the initial decoder state and the context vector.

    Args:
        config: the ``ModelConfig`` of the model file, as a dictionary.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        E, H, layers = config["embedding_size"], config["hidden_size"], config["layers"]
        self.bidirectional = config["bidirectional"]
        self.pooled = config["pooled_context"]
        self.embedding = nn.Embedding(config["source_vocabulary"], E)
        self.rnn = CELLS[config["cell"]](E, H, layers, batch_first=True, bidirectional=self.bidirectional)
        if self.bidirectional:
            parts = ("hidden", "cell") if config["cell"] == "lstm" else ("hidden",)
            self.bridge = nn.ModuleDict(
                {part: nn.ModuleList([nn.Linear(2 * H, H) for _ in range(layers)]) for part in parts}
            )

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[States, Tensor]:
        """Return the states and the context (B, C) of padded sentences (B, T) with these lengths (B,)."""
        packed = pack_padded_sequence(self.embedding(source), lengths.cpu(), batch_first=True, enforce_sorted=False)
        outputs, last = self.rnn(packed)
        states = last if isinstance(last, tuple) else (last,)
        mean = []
        if self.pooled:  # padded outputs are zero
            mean = [pad_packed_sequence(outputs, batch_first=True)[0].sum(1) / lengths[:, None]]
        if not self.bidirectional:
            return states, torch.cat([states[0][-1], *mean], dim=1)
        both = [state.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2) for state in states]  # (layers, B, 2H)
        bridged = (
            torch.stack([torch.tanh(linear(layer)) for linear, layer in zip(linears, state)])
            for linears, state in zip(self.bridge.values(), both)
        )
        return tuple(bridged), torch.cat([both[0][-1], *mean], dim=1)


class Decoder(nn.Module):
    """Target tokens to logits, given the context.

    Args:
        config: as for ``Encoder``.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        E, H, V = config["embedding_size"], config["hidden_size"], config["target_vocabulary"]
        self.every_step = config["context"] == "every-step"
        C = H * (1 + config["bidirectional"]) * (1 + config["pooled_context"]) if self.every_step else 0
        F = E if self.every_step else H
        self.embedding = nn.Embedding(V, E)
        self.rnn = CELLS[config["cell"]](E + C, H, config["layers"], batch_first=True)
        if self.every_step:
            self.readout = nn.Linear(E + H + C, E)
        self.fc_out = nn.Linear(F, V)
        if config["tie_embeddings"]:
            self.fc_out.weight = self.embedding.weight
        if config["lexical_prior"]:
            self.lexical_gate = nn.Linear(F, 1)
        if config["bigram_prior"]:
            self.bigram_gate = nn.Linear(F, 1)

    def forward(
        self, tokens: Tensor, states: States, context: Tensor, lexical: Tensor | None, bigram: Tensor | None
    ) -> tuple[Tensor, States]:
        """Read tokens (B, S), one step or several, and return the logits (B, S, V) and the last states.

        Args:
            tokens: of each sentence; the first one is BOS.
            states, context: as the encoder, or the step before, returned them.
            lexical: (B, 1, V) the lexical prior ``ℓ``; None without one.
            bigram: (B, S, V) the bigram prior ``ℓ₂`` after each token; None without one.
        """
        embedded = self.embedding(tokens)
        every_step = [context[:, None].expand(-1, tokens.shape[1], -1)] if self.every_step else []
        initial = states if len(states) == 2 else states[0]
        top, last = self.rnn(torch.cat([embedded, *every_step], dim=2), initial)
        if self.every_step:
            top = torch.tanh(self.readout(torch.cat([embedded, top, *every_step], dim=2)))
        logits = self.fc_out(top)
        if lexical is not None:
            logits = logits + self.lexical_gate(top) * lexical
        if bigram is not None:
            logits = logits + self.bigram_gate(top) * bigram
        return logits, last if isinstance(last, tuple) else (last,)


class LexicalPrior(nn.Module):
    """``ℓ(v) = log(1 + p(v|x) / ε)``, where ``p(v|x)`` is the mean of ``t(v|s)`` over the source tokens."""

    def __init__(self, indices: Tensor, values: Tensor) -> None:
        super().__init__()
        self.register_buffer("indices", torch.zeros_like(indices))  # (V_source, K) target tokens
        self.register_buffer("values", torch.zeros_like(values))  # (V_source, K) their t(v|s)

    def forward(self, source: Tensor, lengths: Tensor, target_vocabulary: int) -> Tensor:
        """Return ``ℓ`` (B, V) of padded sentences (B, T)."""
        values = self.values[source] * is_token(source, lengths)[:, :, None]  # (B, T, K)
        sums = values.new_zeros(len(source), target_vocabulary)
        sums.scatter_add_(1, self.indices[source].flatten(1), values.flatten(1))
        return torch.log1p(sums / lengths[:, None] / SMALLEST_LEXICAL)


class BigramPrior(nn.Module):
    """``ℓ₂(v|u) = log(1 + p(v|u,x) / ε₂)``, where ``p(v|u,x)`` is the largest ``p(v|s,u)`` of all source tokens ``s``.

    The table is sparse: ``contexts`` (K,) holds ``s · V + u`` in ascending order; the target tokens ``v`` that occur in
    context k are the entries ``starts[k]`` to ``starts[k + 1]`` of ``tokens`` and ``probabilities``, both (M,).
    """

    def __init__(self, contexts: Tensor, starts: Tensor, tokens: Tensor, probabilities: Tensor) -> None:
        super().__init__()
        self.register_buffer("contexts", torch.zeros_like(contexts))
        self.register_buffer("starts", torch.zeros_like(starts))
        self.register_buffer("tokens", torch.zeros_like(tokens))
        self.register_buffer("probabilities", torch.zeros_like(probabilities))

    def forward(self, source: Tensor, lengths: Tensor, previous: Tensor, target_vocabulary: int) -> Tensor:
        """Return ``ℓ₂`` (B, V) of padded sentences (B, T), given the token before, (B,)."""
        keys = source * target_vocabulary + previous[:, None]
        context = torch.searchsorted(self.contexts, keys).clamp(max=len(self.contexts) - 1)  # (B, T)
        found = (self.contexts[context] == keys) & is_token(source, lengths)
        first, last = self.starts[context], self.starts[context + 1]
        offsets = torch.arange(int((last - first).max()), device=source.device)
        listed = found[:, :, None] & (offsets < (last - first)[:, :, None])  # (B, T, longest)
        sentence, position, offset = listed.nonzero(as_tuple=True)
        entries = first[sentence, position] + offset
        largest = self.probabilities.new_zeros(len(source) * target_vocabulary)
        places = sentence * target_vocabulary + self.tokens[entries]
        largest.scatter_reduce_(0, places, self.probabilities[entries], "amax")
        return torch.log1p(largest.view(len(source), -1) / SMALLEST_BIGRAM)


class Network(nn.Module):
    """One encoder and one decoder."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)


class Seq2Seq(Network):
    """The whole model: one network, or several whose distributions are averaged, and the priors that they share.

    Args:
        config: as for ``Encoder``.
        tables: the tables of the priors, ``lexicon.…`` and ``bigrams.…`` of the state; only their shapes are used.
    """

    def __init__(self, config: dict[str, Any], tables: dict[str, Tensor]) -> None:
        super().__init__(config)
        self.config = config
        for number in range(2, config["members"] + 1):
            self.add_module(f"member{number}", Network(config))
        if config["lexical_prior"]:
            self.lexicon = LexicalPrior(tables["lexicon.indices"], tables["lexicon.values"])
        if config["bigram_prior"]:
            names = ("contexts", "starts", "tokens", "probabilities")
            self.bigrams = BigramPrior(*(tables[f"bigrams.{name}"] for name in names))

    def networks(self) -> list[Any]:
        """Return the networks: this one and its further members."""
        return [self, *(getattr(self, f"member{number}") for number in range(2, self.config["members"] + 1))]

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Return the log-probabilities (B, S, V) of the token after each one of ``target`` (teacher forcing).

        Args:
            source: (B, T) token ids, EOS last (and the rest reversed for a model of ``--reverse-source``), padded.
            lengths: (B,) tokens of each sentence, EOS included.
            target: (B, S) token ids, BOS first.
        """
        log_probabilities, _ = self.steps(self.start(source, lengths), source, lengths, target)
        return log_probabilities

    def start(self, source: Tensor, lengths: Tensor) -> list[Start]:
        """Return what each network's decoder starts from; arguments as for ``forward``."""
        lexical = None
        if self.config["lexical_prior"]:
            lexical = self.lexicon(source, lengths, self.config["target_vocabulary"])[:, None]
        return [(*network.encoder(source, lengths), lexical) for network in self.networks()]

    def steps(self, starts: list[Start], source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, list[Start]]:
        """Return the log-probabilities after each token of ``target``, and what the steps after them start from."""
        V, bigram = self.config["target_vocabulary"], None
        if self.config["bigram_prior"]:
            bigram = torch.stack([self.bigrams(source, lengths, each, V) for each in target.unbind(1)], dim=1)
        outputs, after = [], []
        for network, (states, context, lexical) in zip(self.networks(), starts):
            logits, states = network.decoder(target, states, context, lexical, bigram)
            outputs.append(torch.log_softmax(logits, dim=2))
            after.append((states, context, lexical))
        return torch.logsumexp(torch.stack(outputs), dim=0) - math.log(len(outputs)), after

    def translate(self, sentences: list[list[int]]) -> list[list[int]]:
        """Return the greedy translations of sentences: token ids without BOS and EOS, on both sides."""
        outputs: list[list[int]] = [[] for _ in sentences]
        limits = [min(2 * len(ids) + 10, LONGEST_OUTPUT) for ids in sentences]
        alive = [k for k, ids in enumerate(sentences) if ids]
        if not alive:
            return outputs
        # Encode all sentences, padded.
        device = self.encoder.embedding.weight.device
        read = [[*(ids[::-1] if self.config["reverse_source"] else ids), EOS] for ids in sentences]
        lengths = torch.tensor([len(ids) for ids in read], device=device)
        source = nn.utils.rnn.pad_sequence([torch.tensor(ids, device=device) for ids in read], batch_first=True)
        last = torch.full((len(read), 1), BOS, device=device)
        # Always take the most probable token; a sentence ends with EOS, or at its limit.
        with torch.inference_mode():
            state = self.start(source, lengths)
            while alive:
                log_probabilities, state = self.steps(state, source, lengths, last)
                log_probabilities[:, :, [UNKNOWN, BOS]] = -math.inf
                last = log_probabilities.argmax(dim=2)
                alive = [k for k in alive if last[k] != EOS and len(outputs[k]) < limits[k]]
                for k in alive:
                    outputs[k].append(int(last[k]))
        return outputs


def is_token(source: Tensor, lengths: Tensor) -> Tensor:
    """Return (B, T), true where padded sentences have a token."""
    return torch.arange(source.shape[1], device=source.device) < lengths[:, None]


def load(path: str | Path | None = None) -> Seq2Seq:
    """Return the network of an exported file, by default of the one beside this script, ready to translate."""
    saved = torch.load(path or Path(__file__).with_name(WEIGHTS), weights_only=True)
    network = Seq2Seq(saved["config"], saved["state_dict"])
    network.load_state_dict(saved["state_dict"])
    return network.eval()


if __name__ == "__main__":
    trained = load()
    for line in sys.stdin:
        (output,) = trained.translate([[int(word) for word in line.split()]])
        sys.stdout.write(" ".join(map(str, output)) + "\n")
        sys.stdout.flush()
