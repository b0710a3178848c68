"""The lexical prior: a word translation table, averaged over the source and added to the logits.

For a source sentence ``x`` a table ``t(v|s)`` (``ibm_model1.py``), learned before training and fixed, gives one vector
over the target vocabulary, before decoding starts::

    p(v|x) = 1/|x| Σ_{s ∈ x} t(v|s)          ℓ(v) = log(1 + p(v|x) / ε)

It enters the logits through a gate, one number for each target position that the decoder computes::

    z_j = W top_j + b + α_j · ℓ              α_j = a · top_j + α₀

With ``d_z = ∂loss/∂z_j``, and since ``ℓ`` is constant, the backward pass is::

    d_α_j = d_z · ℓ          d_a = Σ_j d_α_j · top_j          d_α₀ = Σ_j d_α_j          d_top_j += d_α_j · a

So word choice bypasses the bottleneck: which words the translation is likely to contain need not pass through
the context vector, and a word that occurs once in training can be generated. Their order is left to the decoder. This
is not attention: ``ℓ`` is one vector of fixed size for the sentence, and nothing in it depends on the decoder's state;
no source position is ever weighed against another.

Source: Arthur, Neubig & Nakamura 2016, "Incorporating Discrete Translation Lexicons into Neural Machine Translation",
sections 3.1 and 3.2 (the bias ``log(p + ε)``); Nguyen & Chiang 2018, "Improving Lexical Choice in Neural Machine
Translation". Both weigh the table by attention where here it is averaged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.ibm_model1 import Ids, Side, largest_entries, learn_translation_table
from seq2seq_cli.nn.packing import Index, Packing

LEXICAL_GATE = "decoder.lexical_gate"
"""The gate's parameters are this and ``.weight``, ``a``, or ``.bias``, ``α₀``."""
SMALLEST_PROBABILITY = 1e-3
"""ε: probabilities well below it have almost no effect."""
MAX_ENTRIES = 32
"""Target tokens kept for each source token; keeping all gives the same BLEU; keeping eight costs half a point."""
INITIAL_GATE = 0.3
"""α₀ at the start; training takes it to about 0.7."""


class Lexicon(NamedTuple):
    """The largest ``t(v|s)`` of each source token ``s``; in a reverse table, source and target are exchanged.

    Args:
        indices: (V_source, K) int32, target tokens ``v``.
        values: (V_source, K) float32, from 0 to 1, largest first; zero where a source token has fewer than K.
        target_vocabulary: V_target.
    """

    indices: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    target_vocabulary: int

    @classmethod
    def learn(
        cls, source: Side, target: Side, source_vocabulary: int, target_vocabulary: int, copies: Ids | None = None
    ) -> Lexicon:
        """Learn the table from a corpus; arguments as for ``learn_translation_table``."""
        table = learn_translation_table(source, target, source_vocabulary, target_vocabulary, copies)
        return cls(*largest_entries(table, entries(target_vocabulary), copies), target_vocabulary)

    def probabilities(self, source: IntArray, packing: Packing) -> npt.NDArray[np.float64]:
        """Return ``p(v|x)`` of each sentence, (B, V_target).

        Args:
            source: (N,) packed token ids.
            packing: where each token is; B sentences.
        """
        V = self.target_vocabulary
        places = packing.token_sentences[:, None] * V + self.indices[source]  # (N, K) in a flat (B · V)
        sums = np.bincount(places.ravel(), self.values[source].ravel(), packing.sentences * V)
        probabilities: npt.NDArray[np.float64] = sums.reshape(-1, V) / np.asarray(packing.lengths)[:, None]
        return probabilities

    def pairwise(self, source: IntArray, target: IntArray) -> Array:
        """Return ``t(v|s)`` of every pair of some source and some target tokens: (n,) and (m,) give (n, m)."""
        same = self.indices[source][:, :, None] == target  # (n, K, m)
        found: Array = np.einsum("nkm,nk->nm", same, self.values[source])
        return found

    def features(self, source: IntArray, packing: Packing, dtype: npt.DTypeLike = np.float32) -> Array:
        """Return ``ℓ`` of each sentence, (B, V_target); arguments as for ``probabilities``."""
        scaled = self.probabilities(source, packing)
        scaled /= SMALLEST_PROBABILITY
        return np.log1p(scaled, out=scaled).astype(dtype)


class Gate(NamedTuple):
    """The weight of a prior at each target position: ``α = a · top + α₀``.

    Args:
        weight: (1, F) ``a``.
        bias: (1,) ``α₀``.
        d_weight, d_bias: their gradients, which the backward pass adds to; None where there is none.
    """

    weight: Array
    bias: Array
    d_weight: Array | None = None
    d_bias: Array | None = None

    def forward(self, top: Array) -> Array:
        """Return ``α``: (N, F) gives (N, 1)."""
        gate: Array = top @ self.weight.T
        gate += self.bias
        return gate

    def backward(self, d_gate: Array, top: Array) -> Array:
        """Return ``d_top`` (N, F), given ``d_α`` (N, 1), and add the gradients of ``a`` and ``α₀`` to theirs."""
        assert self.d_weight is not None and self.d_bias is not None
        self.d_weight[...] += d_gate.T @ top
        self.d_bias[...] += d_gate.sum(axis=0)
        d_top: Array = d_gate * self.weight
        return d_top


class GatedPrior(NamedTuple):
    """The lexical prior of a mini-batch, as the output layer adds it to the logits (see ``output_layer.Prior``).

    Args:
        features: (B, V) ``ℓ`` of each sentence.
        rows: (N,) for each packed target token, its sentence's row in ``features``.
        gate: ``α``.
    """

    features: Array
    rows: Index
    gate: Gate

    def add(self, z: Array, top: Array, start: int) -> None:
        """Add ``α · ℓ`` to the logits."""
        z += self.gate.forward(top) * self.features[self.rows[start : start + len(z)]]

    def backward(self, d_z: Array, top: Array, start: int) -> Array:
        """Return the gradient of ``top``, ``d_α · a`` with ``d_α = d_z · ℓ``, and add those of the gate to its own."""
        d_gate = np.einsum("nv,nv->n", d_z, self.features[self.rows[start : start + len(d_z)]])
        return self.gate.backward(d_gate[:, None], top)


def entries(target_vocabulary: int) -> int:
    """Return K, the number of entries that a table keeps for each source token."""
    return min(MAX_ENTRIES, target_vocabulary)
