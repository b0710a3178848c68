"""The network as two ONNX graphs: the encoder, and one step of the decoder.

==================  =======  ===================  ==================================================================
encoder             type     shape                content
==================  =======  ===================  ==================================================================
``source``          int64    (batch, length)      token ids, EOS last; shorter sentences are padded with any id
``lengths``         int64    (batch,)             tokens of each sentence, EOS included
→ ``hidden``        float32  (batch, M · L · H)   hidden states of M networks with L layers each; ``cell``: an LSTM's
→ ``context``       float32  (batch, M · C)       with the context at every step
→ ``lexical``       float32  (batch, V)           the lexical prior ``ℓ``, if the model has one
→ ``read``          int64    (batch, length)      with a bigram prior: the source as the encoder read it, -1 for padding
==================  =======  ===================  ==================================================================

The decoder reads ``token`` (batch,), BOS at first, and all outputs of the encoder under their names. It returns
``log_probabilities`` (batch, V) of the next token, ``next_hidden`` and ``next_cell``. Row k of every array belongs to
sentence k, so a beam search reorders rows.

Source: ONNX operators, https://onnx.ai/onnx/operators/ (LSTM, GRU and RNN, whose gates are in another order).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2seq_cli.nn.bigram_prior import BIGRAM_GATE
from seq2seq_cli.nn.bigram_prior import SMALLEST_PROBABILITY as SMALLEST_BIGRAM
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.lexical_prior import LEXICAL_GATE, SMALLEST_PROBABILITY
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.nn.parameters import member_prefix
from seq2seq_cli.nn.recurrent import suffixes
from seq2seq_cli.storage.bigram_entries import BigramEntries
from seq2seq_cli.storage.onnx_graph import Graph

OPERATORS: dict[str, tuple[str, list[int]]] = {
    "rnn": ("RNN", [0]),
    "lstm": ("LSTM", [0, 3, 1, 2]),  # i, o, f, g
    "gru": ("GRU", [1, 0, 2]),  # z, r, n
}
"""The operator of each cell, and which of our gates are its gates."""
PARTS = ("hidden", "cell")


class NetworkGraph(Graph):
    """A graph with the layers of one model.

    Args:
        name: name of the graph.
        model: the model, with all its networks.
    """

    def __init__(self, name: str, model: Seq2Seq) -> None:
        super().__init__(name)
        self.model, self.config = model, model.config
        self.parts = PARTS[: 2 if model.config.cell == "lstm" else 1]

    def floats(self, *values: float) -> str:
        """Return float32 constants, (1,) or more."""
        return self.constant(np.array(values, np.float32))

    def ints(self, *values: int) -> str:
        """Return int64 constants, (1,) or more."""
        return self.constant(np.array(values, np.int64))

    def weight(self, member: int, name: str) -> str:
        """Return a parameter of one network."""
        return self.constant(self.model.members[member].parameters[name], f"{member_prefix(member)}{name}")

    def linear(self, x: str, member: int, name: str, weight: str = "") -> str:
        """Return ``x Wᵀ + b``."""
        weight = weight or f"{name}.weight"
        return self.node("Gemm", x, self.weight(member, weight), self.weight(member, f"{name}.bias"), transB=1)

    def joined(self, values: Sequence[str], axis: int) -> str:
        """Concatenate values."""
        return values[0] if len(values) == 1 else self.node("Concat", *values, axis=axis)

    def parted(self, value: str, parts: int) -> Sequence[str]:
        """Split a value in equal parts along axis 1."""
        return [value] if parts == 1 else self.nodes("Split", parts, value, axis=1, num_outputs=parts)

    def layer(
        self,
        member: int,
        prefix: str,
        layer: int,
        directions: int,
        x: str,
        lengths: str = "",
        states: Sequence[str] = (),
    ) -> Sequence[str]:
        """Run a recurrent layer: ``x`` (T, B, I) gives outputs (T, D, B, H) and each last state (D, B, H)."""
        operator, order = OPERATORS[self.config.cell]
        H, parameters = self.config.hidden_size, self.model.members[member].parameters

        def stacked(name: str) -> Array:
            """Return a weight of all directions, with the gates in the operator's order."""
            arrays = [parameters[f"{prefix}{name}{end}"] for end in suffixes(layer, directions)]
            return np.stack([a.reshape(len(order), H, -1)[order].reshape(a.shape) for a in arrays])

        name = f"{member_prefix(member)}{prefix}%s_l{layer}"
        biases = np.concatenate([stacked("bias_ih"), stacked("bias_hh")], axis=1)
        weights = [
            self.constant(stacked("weight_ih"), name % "weight_ih"),
            self.constant(stacked("weight_hh"), name % "weight_hh"),
            self.constant(biases, name % "biases"),
        ]
        attributes: dict[str, Any] = {"hidden_size": H, "direction": "bidirectional" if directions == 2 else "forward"}
        if operator == "GRU":
            attributes["linear_before_reset"] = 1  # b_hn is inside of r · (…)
        return self.nodes(operator, 1 + len(self.parts), x, *weights, lengths, *states, **attributes)

    def zeros(self, like: str) -> str:
        """Return zeros (B, V) for a value with B rows."""
        rows = self.node("Shape", like, start=0, end=1)
        return self.node("ConstantOfShape", self.joined([rows, self.ints(self.config.target_vocabulary)], 0))

    def range_to(self, count: str) -> str:
        """Return the integers from 0 to below a scalar."""
        return self.node("Range", self.constant(np.int64(0)), count, self.constant(np.int64(1)))

    def log1p_over(self, x: str, smallest: float) -> str:
        """Return ``log(1 + x / ε)``."""
        return self.node("Log", self.node("Add", self.node("Div", x, self.floats(smallest)), self.floats(1.0)))


def encoder_graph(model: Seq2Seq) -> NetworkGraph:
    """Return the graph of the encoder, and of everything else that is computed before decoding starts."""
    graph, config = NetworkGraph("encoder", model), model.config
    H, D = config.hidden_size, config.directions
    M, L = len(model.members), config.layers
    source = graph.input("source", "int64", "batch", "length")
    lengths = graph.input("lengths", "int64", "batch")
    if config.reverse_source:  # all but EOS
        others = graph.node("Max", graph.node("Sub", lengths, graph.ints(1)), graph.ints(1))
        source = graph.node("ReverseSequence", source, others, batch_axis=0, time_axis=1)
    states: dict[str, list[str]] = {part: [] for part in graph.parts}
    contexts = []
    for member in range(M):
        embedded = graph.node("Gather", graph.weight(member, "encoder.embedding.weight"), source)
        x = graph.node("Transpose", embedded, perm=[1, 0, 2])  # (T, B, E)
        sizes = graph.cast(lengths, "int32")
        for layer in range(L):
            y, *last = graph.layer(member, "encoder.rnn.", layer, D, x, sizes)
            x = graph.node("Reshape", graph.node("Transpose", y, perm=[0, 2, 1, 3]), graph.ints(0, 0, D * H))
            rows = [graph.node("Transpose", state, perm=[1, 0, 2]) for state in last]  # (B, D, H)
            finals = [graph.node("Flatten", state) for state in rows]  # (B, D · H)
            for part, final in zip(graph.parts, finals):
                bridge = f"encoder.bridge.{part}.{layer}"
                bridged = graph.node("Tanh", graph.linear(final, member, bridge)) if config.bidirectional else final
                states[part].append(bridged)
        context = [finals[0]]
        if config.pooled_context:  # padded outputs are zero
            total = graph.node("ReduceSum", x, graph.ints(0), keepdims=0)
            context.append(
                graph.node("Div", total, graph.node("Unsqueeze", graph.cast(lengths, "float"), graph.ints(1)))
            )
        contexts.append(graph.joined(context, 1))
    for part in graph.parts:
        graph.output(graph.joined(states[part], 1), part, "float", "batch", M * L * H)
    if config.context == "every-step":
        graph.output(graph.joined(contexts, 1), "context", "float", "batch", M * config.context_size)
    if config.lexical_prior or config.bigram_prior:
        length = graph.node("Squeeze", graph.node("Shape", source, start=1, end=2))
        steps = graph.range_to(length)
        mask = graph.node("Less", steps, graph.node("Unsqueeze", lengths, graph.ints(1)))  # (B, T)
        if config.lexical_prior:
            lexical = _lexical_prior(graph, source, lengths, mask)
            graph.output(lexical, "lexical", "float", "batch", config.target_vocabulary)
        if config.bigram_prior:
            graph.output(graph.node("Where", mask, source, graph.ints(-1)), "read", "int64", "batch", "length")
    return graph


def decoder_graph(model: Seq2Seq) -> NetworkGraph:
    """Return the graph of one step of the decoder."""
    graph, config = NetworkGraph("decoder", model), model.config
    H, V, L, M = config.hidden_size, config.target_vocabulary, config.layers, len(model.members)
    every_step = config.context == "every-step"
    token = graph.input("token", "int64", "batch")
    states = {part: graph.parted(graph.input(part, "float", "batch", M * L * H), M * L) for part in graph.parts}
    if every_step:
        contexts = graph.parted(graph.input("context", "float", "batch", M * config.context_size), M)
    priors = []  # each with the name of its gate
    if config.lexical_prior:
        priors.append((LEXICAL_GATE, graph.input("lexical", "float", "batch", V)))
    if config.bigram_prior:
        read = graph.input("read", "int64", "batch", "length")
        priors.append((BIGRAM_GATE, _bigram_prior(graph, read, token)))
    after: dict[str, list[str]] = {part: [] for part in graph.parts}
    outputs = []
    for member in range(M):
        embedded = graph.node("Gather", graph.weight(member, "decoder.embedding.weight"), token)
        step_input = graph.joined([embedded, contexts[member]], 1) if every_step else embedded
        x = graph.node("Unsqueeze", step_input, graph.ints(0))  # (1, B, E + C)
        for layer in range(L):
            before = [graph.node("Unsqueeze", states[part][member * L + layer], graph.ints(0)) for part in graph.parts]
            _, *last = graph.layer(member, "decoder.rnn.", layer, 1, x, states=before)
            x = last[0]
            for part, state in zip(graph.parts, last):
                after[part].append(graph.node("Squeeze", state, graph.ints(0)))
        top = after["hidden"][-1]
        if every_step:
            read_out = graph.joined([embedded, top, contexts[member]], 1)
            top = graph.node("Tanh", graph.linear(read_out, member, "decoder.readout"))
        logits = graph.linear(top, member, "decoder.fc_out", model.output_name)
        for gate, prior in priors:
            logits = graph.node("Add", logits, graph.node("Mul", graph.linear(top, member, gate), prior))
        outputs.append(graph.node("LogSoftmax", logits, axis=1))
    graph.output(_mean_distribution(graph, outputs), "log_probabilities", "float", "batch", V)
    for part in graph.parts:
        graph.output(graph.joined(after[part], 1), f"next_{part}", "float", "batch", M * L * H)
    return graph


def _lexical_prior(graph: NetworkGraph, source: str, lengths: str, mask: str) -> str:
    """Return ``ℓ`` (B, V), as ``Lexicon.features``."""
    lexicon = graph.model.tables.lexicon
    assert lexicon is not None
    tokens = graph.node("Gather", graph.constant(lexicon.indices, "lexicon.indices"), source)  # (B, T, K)
    values = graph.node("Gather", graph.constant(lexicon.values, "lexicon.values"), source)
    values = graph.node("Mul", values, graph.node("Unsqueeze", graph.cast(mask, "float"), graph.ints(2)))
    tokens, values = graph.node("Flatten", tokens), graph.node("Flatten", values)  # (B, T · K)
    sums = graph.node("ScatterElements", graph.zeros(source), tokens, values, axis=1, reduction="add")
    lengths = graph.node("Unsqueeze", graph.cast(lengths, "float"), graph.ints(1))
    return graph.log1p_over(graph.node("Div", sums, lengths), SMALLEST_PROBABILITY)


def _bigram_prior(graph: NetworkGraph, read: str, token: str) -> str:
    """Return ``ℓ₂`` (B, V) after these tokens, as ``BigramTable.features``."""
    assert graph.model.tables.bigrams is not None
    entries = BigramEntries.of(graph.model.tables.bigrams).padded()
    V = graph.config.target_vocabulary
    # Look up the context (s, u) of every source token: a binary search for the last one that is not above the key.
    keys = graph.node("Add", graph.node("Mul", read, graph.ints(V)), graph.node("Unsqueeze", token, graph.ints(1)))
    contexts = graph.constant(entries.contexts, "bigrams.contexts")
    place = graph.node("Mul", keys, graph.ints(0))  # (B, T)
    step = len(entries.contexts) // 2
    while step:
        candidate = graph.node("Add", place, graph.ints(step))
        fits = graph.node("LessOrEqual", graph.node("Gather", contexts, candidate), keys)
        place, step = graph.node("Where", fits, candidate, place), step // 2
    found = graph.node("Equal", graph.node("Gather", contexts, place), keys)
    # List the entries of the contexts found.
    starts = graph.constant(entries.starts, "bigrams.starts")
    first = graph.node("Gather", starts, place)
    last = graph.node("Gather", starts, graph.node("Add", place, graph.ints(1)))
    counts = graph.node("Where", found, graph.node("Sub", last, first), graph.ints(0))
    offsets = graph.range_to(graph.node("ReduceMax", counts, keepdims=0))
    listed = graph.node("NonZero", graph.node("Less", offsets, graph.node("Unsqueeze", counts, graph.ints(2))))
    rows, columns, offset = graph.nodes("Split", 3, listed, axis=0, num_outputs=3)  # each (1, entries)
    firsts = graph.node("GatherND", first, graph.node("Transpose", graph.joined([rows, columns], 0)))
    positions = graph.node("Add", firsts, graph.node("Squeeze", offset, graph.ints(0)))
    # Keep the largest probability of each token.
    tokens = graph.node("Gather", graph.constant(entries.tokens, "bigrams.tokens"), positions)
    places = graph.joined([graph.node("Transpose", rows), graph.node("Unsqueeze", tokens, graph.ints(1))], 1)
    values = graph.node("Gather", graph.constant(entries.probabilities, "bigrams.probabilities"), positions)
    largest = graph.node("ScatterND", graph.zeros(read), places, values, reduction="max")
    return graph.log1p_over(largest, SMALLEST_BIGRAM)


def _mean_distribution(graph: NetworkGraph, log_probabilities: Sequence[str]) -> str:
    """Return the logarithm of the mean of several distributions."""
    if len(log_probabilities) == 1:
        return log_probabilities[0]
    stacked = graph.joined([graph.node("Unsqueeze", each, graph.ints(0)) for each in log_probabilities], 0)
    total = graph.node("ReduceLogSumExp", stacked, graph.ints(0), keepdims=0)
    return graph.node("Sub", total, graph.floats(math.log(len(log_probabilities))))
