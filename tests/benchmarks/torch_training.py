"""The PyTorch side of ``training``: the same network in several forms, of which the fastest is the reference.

A form is a word for each choice:

=============  =====================================================================================================
``packed``     recurrent layers over a ``PackedSequence``
``padded``     recurrent layers over padded time-major tensors (oneDNN has a fused LSTM for these). An encoder can do
               this only with a GRU: the LSTM's cell state at a sentence's last word is not in a padded output
``real``       readout, logits and loss on real tokens only
``ignored``    on padded positions too, which ``cross_entropy(ignore_index=…)`` leaves out
``compiled``   readout, logits and loss through ``torch.compile``
``whole``      everything through ``torch.compile``
=============  =====================================================================================================

Everywhere: fused Adam, ``clip_grad_norm_(foreach=True)``, as many threads as cores, the readout's part of the context
multiplied once per sentence; ``nn.LSTM`` and ``nn.GRU`` want the context as part of every step's input, so there it is
expanded and concatenated.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.model import Batch
from seq2seq_cli.nn.packing import Index, Packing
from seq2seq_cli.nn.parameters import Parameters
from seq2seq_cli.training.batches import EncodedCorpus, make_batch
from tests import torch_twin
from tests.benchmarks.measure import cores

IGNORED = -100
TUTORIAL_FORMS = ("steps", "sequences")
"""Whether the decoder is called for one token after the other in a Python loop, as in PyTorch's translation tutorial
and in others, where teacher forcing is a choice at every step; or once for the whole of each sentence."""
Prepared = dict[str, Any]


def forms(cell: str) -> list[str]:
    """What to try for a cell: encoder, decoder, loss; compiled forms are tried on the best of these."""
    found = ["packed packed real", "packed padded real", "packed padded ignored"]
    return found if cell == "lstm" else [*found, "padded padded real", "padded padded ignored"]


def _padded(packed: Tensor, packing: Packing, fill: int) -> Tensor:
    """(N,) to (T, B)."""
    padded = torch.full((packing.steps, packing.sentences), fill, dtype=packed.dtype)
    padded[torch.as_tensor(packing.token_steps), torch.as_tensor(packing.token_sentences)] = packed
    return padded


def prepare(batch: Batch) -> Prepared:
    """A batch as every form wants it, so that none of this is timed."""
    source = torch.as_tensor(batch.source, dtype=torch.int64)
    inputs = torch.as_tensor(batch.target_inputs, dtype=torch.int64)
    outputs = torch.as_tensor(batch.target_outputs, dtype=torch.int64)
    target = batch.target_packing
    steps, sentences = torch.as_tensor(target.token_steps), torch.as_tensor(target.token_sentences)
    return {
        "source": source,
        "source_sizes": torch.tensor(batch.source_packing.batch_sizes),
        "source_padded": _padded(source, batch.source_packing, 0),
        "source_reversed": _padded(source[torch.as_tensor(batch.source_packing.reversal)], batch.source_packing, 0),
        "source_last": torch.tensor(batch.source_packing.lengths) - 1,
        "rows": torch.as_tensor(batch.source_rows),
        "inputs": inputs,
        "inputs_padded": _padded(inputs, target, 0),
        "outputs": outputs,
        "outputs_padded": _padded(outputs, target, IGNORED),
        "sizes": torch.tensor(target.batch_sizes),
        "sentences": sentences,
        "real": steps * target.sentences + sentences,
    }


class Network(nn.Module):
    """``torch_twin``'s parameters, run in one of the forms."""

    def __init__(self, config: ModelConfig, form: str) -> None:
        super().__init__()
        self.config = config
        self.encoder = torch_twin.Encoder(config)
        self.decoder = torch_twin.Decoder(config)
        self.encoder_form, self.decoder_form, self.positions, *compiled = form.split()
        if "compiled" in compiled:
            self._head = torch.compile(self._head, dynamic=True)  # type: ignore[method-assign]

    def forward(self, batch: Prepared, label_smoothing: float) -> Tensor:
        """Return the mean loss per real target token."""
        dropout = self.config.dropout
        states, context = self._encode(batch)
        states = [part[:, batch["rows"]].contiguous() for part in states]
        context = context[batch["rows"]]
        padded = self.decoder_form == "padded"
        embedded = self.decoder.embedding(batch["inputs_padded" if padded else "inputs"])
        if dropout:
            embedded = functional.dropout(embedded, dropout)
        x = embedded
        if self.decoder.every_step:
            per_token = context.expand(len(embedded), -1, -1) if padded else context[batch["sentences"]]
            x = torch.cat([embedded, per_token], dim=-1)
        initial = tuple(states) if self.config.cell == "lstm" else states[0]
        hidden = self.decoder.rnn(x if padded else PackedSequence(x, batch["sizes"]), initial)[0]
        targets, sentences = batch["outputs"], batch["sentences"]
        if not padded:
            hidden = hidden.data
        elif self.positions == "real":
            hidden, embedded = (part.flatten(0, 1)[batch["real"]] for part in (hidden, embedded))
        else:
            hidden, embedded = hidden.flatten(0, 1), embedded.flatten(0, 1)
            targets = batch["outputs_padded"].flatten()
            sentences = torch.arange(len(context)).repeat(len(batch["inputs_padded"]))
        return self._head(embedded, hidden, context, sentences, targets, label_smoothing)

    def _encode(self, batch: Prepared) -> tuple[list[Tensor], Tensor]:
        encoder, config = self.encoder, self.config
        if self.encoder_form == "packed":
            if not config.dropout:
                return encoder(batch["source"], batch["source_sizes"])
            embedded = functional.dropout(encoder.embedding(batch["source"]), config.dropout)
            final = encoder.rnn(PackedSequence(embedded, batch["source_sizes"]))[1]
            parts = list(final) if config.cell == "lstm" else [final]
        else:
            parts = [torch.stack(self._padded_finals(batch))]
        if not config.bidirectional:
            return parts, parts[0][-1]
        both = [part.transpose(0, 1).flatten(1) for part in parts]
        linears = [encoder.bridge[name][0] for name in ("hidden", "cell")[: len(both)]]
        return [torch.tanh(linear(part))[None] for linear, part in zip(linears, both)], both[0]

    def _padded_finals(self, batch: Prepared) -> list[Tensor]:
        """Each direction's last hidden state of a GRU: the reverse one reads every sentence reversed before padding."""
        finals = []
        for suffix, ids in (("", "source_padded"), ("_reverse", "source_reversed"))[: self.config.directions]:
            embedded = self.encoder.embedding(batch[ids])
            if self.config.dropout:
                embedded = functional.dropout(embedded, self.config.dropout)
            zeros = embedded.new_zeros(1, embedded.shape[1], self.config.hidden_size)
            names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
            weights = [getattr(self.encoder.rnn, name + suffix) for name in names]
            outputs = torch._VF.gru(embedded, zeros, weights, True, 1, 0.0, True, False, False)[0]  # type: ignore[attr-defined]
            finals.append(outputs[batch["source_last"], torch.arange(outputs.shape[1])])
        return finals

    def _head(
        self, embedded: Tensor, hidden: Tensor, context: Tensor, sentences: Tensor, targets: Tensor, smoothing: float
    ) -> Tensor:
        """Readout, logits and loss."""
        top = hidden
        if self.decoder.every_step:
            E, H = embedded.shape[-1], hidden.shape[-1]
            weight, bias = self.decoder.readout.weight, self.decoder.readout.bias
            per_sentence = functional.linear(context, weight[:, E + H :], bias)
            top = embedded @ weight[:, :E].T + hidden @ weight[:, E : E + H].T + per_sentence[sentences]
            top = torch.tanh(top)
        if self.config.dropout:
            top = functional.dropout(top, self.config.dropout)
        logits = functional.linear(top, self.decoder.fc_out.weight, self.decoder.fc_out.bias)
        return functional.cross_entropy(logits, targets, ignore_index=IGNORED, label_smoothing=smoothing)


class TorchSide:
    """Trains the network on given batches in any form; runs in a worker.

    Args:
        config, parameters: the same network and weights as ours.
        corpus, plan: the same batches as ours.
        label_smoothing: ε.
        tutorial: the way of the tutorials: padded, logits on padded positions too, plain Adam, default clipping, and
            an encoder that reads the padding; in one of ``TUTORIAL_FORMS``.
    """

    def __init__(
        self,
        config: ModelConfig,
        parameters: Parameters,
        corpus: EncodedCorpus,
        plan: Sequence[Index],
        label_smoothing: float,
        tutorial: bool = False,
    ) -> None:
        torch.set_num_threads(cores())
        self.config, self.parameters, self.label_smoothing, self.tutorial = (
            config,
            parameters,
            label_smoothing,
            tutorial,
        )
        self.batches = [prepare(make_batch(corpus, pairs)) for pairs in plan]
        self.runs: dict[str, tuple[nn.Module, torch.optim.Optimizer]] = {}
        for form in TUTORIAL_FORMS if tutorial else ():
            self._start(form)

    def _start(self, form: str) -> tuple[nn.Module, torch.optim.Optimizer]:
        """The network and its optimizer in that form, as it was left or made new."""
        if form not in self.runs:
            network: nn.Module = TutorialNetwork(self.config, form) if self.tutorial else Network(self.config, form)
            weights = {name: torch.tensor(value) for name, value in self.parameters.items()}
            if self.config.tie_embeddings:
                weights["decoder.fc_out.weight"] = weights["decoder.embedding.weight"]
            network.load_state_dict(weights, strict=True)
            if form.endswith("whole"):
                torch._dynamo.config.allow_rnn = True
                network.compile(dynamic=True)
            optimizer = torch.optim.Adam(network.parameters(), lr=0.001, fused=None if self.tutorial else True)
            self.runs[form] = network, optimizer
        return self.runs[form]

    def loss(self, k: int, form: str) -> float:
        """The loss of batch k with the first weights."""
        self.runs.pop(form, None)
        with torch.no_grad():
            return float(self._start(form)[0](self.batches[k], self.label_smoothing))

    def block(self, places: Sequence[int], form: str) -> float:
        """Seconds of training on these batches."""
        network, optimizer = self._start(form)
        start = time.perf_counter()
        for k in places:
            optimizer.zero_grad(set_to_none=True)
            loss = network(self.batches[k], self.label_smoothing)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0, foreach=None if self.tutorial else True)
            optimizer.step()
            loss.item()
        return time.perf_counter() - start

    def block_only(self, places: Sequence[int], form: str) -> float:
        """The same, where nothing will start again from the first weights: they are not kept."""
        self._start(form)
        del self.parameters
        return self.block(places, form)


class TutorialNetwork(Network):
    """The tutorial's way: padded everywhere, one concatenated readout, a loss that ignores the padding."""

    def __init__(self, config: ModelConfig, form: str) -> None:
        super().__init__(config, "padded padded ignored")
        self.step_by_step = form == "steps"

    def forward(self, batch: Prepared, label_smoothing: float) -> Tensor:
        final = self.encoder.rnn(self.encoder.embedding(batch["source_padded"]))[1]
        parts = list(final) if self.config.cell == "lstm" else [final]
        context = parts[0][-1]
        if self.config.bidirectional:
            both = [part.transpose(0, 1).flatten(1) for part in parts]
            linears = [self.encoder.bridge[name][0] for name in ("hidden", "cell")[: len(both)]]
            parts, context = [torch.tanh(linear(part))[None] for linear, part in zip(linears, both)], both[0]
        parts, context = [part[:, batch["rows"]].contiguous() for part in parts], context[batch["rows"]]
        state = tuple(parts) if self.config.cell == "lstm" else parts[0]
        inputs = batch["inputs_padded"]
        if self.step_by_step:
            logits = torch.zeros(*inputs.shape, self.config.target_vocabulary)
            for t in range(len(inputs)):
                logits[t], state = self._decode(inputs[t : t + 1], state, context)
        else:
            logits, _ = self._decode(inputs, state, context)
        return functional.cross_entropy(
            logits.flatten(0, 1),
            batch["outputs_padded"].flatten(),
            ignore_index=IGNORED,
            label_smoothing=label_smoothing,
        )

    def _decode(self, inputs: Tensor, state: Any, context: Tensor) -> tuple[Tensor, Any]:
        """The logits of these steps (T, B), and the state after them."""
        embedded = x = self.decoder.embedding(inputs)
        if self.decoder.every_step:
            per_token = context.expand(len(embedded), -1, -1)
            x = torch.cat([embedded, per_token], dim=-1)
        top, state = self.decoder.rnn(x, state)
        if self.decoder.every_step:
            top = torch.tanh(self.decoder.readout(torch.cat([embedded, top, per_token], dim=-1)))
        return self.decoder.fc_out(top), state
