"""The bigram prior: which token follows the previous one, given the words of the source.

The lexical prior says which tokens a translation contains, not which of them comes next. The bigram prior is a table
over pairs of target tokens. Word alignments of the training pairs give the counts ``c(s, u, v)``: how often the target
token ``v`` was aligned with the source token ``s`` and came directly after the token ``u``. For a source sentence ``x``
this is a sparse matrix over the target vocabulary, fixed before decoding starts::

    p(v | u, x) = max_{s ∈ x} c(s, u, v) / (c(s, u) + k)        c(s, u) = Σ_v c(s, u, v)

    ℓ₂(v | u) = log(1 + p(v | u, x) / ε₂)

The row of the previous output token enters the logits through a gate of its own, as the lexical prior does::

    z_j = W top_j + b + α_j · ℓ + β_j · ℓ₂(· | y_{j−1})          β_j = b · top_j + β₀

It captures the article that goes with a noun, and the second half of a word that was split into subwords. The row is
chosen by a token, like a row of the embedding; no source position is weighed by the decoder's state, so this is not
attention.

**Training leaves one out.** Every training pair is in the counts, so its own bigrams would always seem certain, and the
gate would trust them more than those of a new sentence deserve. In training, the correct token's own occurrence is
subtracted::

    c(s, u, v) − [v = y_j]          c(s, u) − [c(s, u, y_j) > 0]

A table with leave-one-out counts is held-out estimation: what is left is what other sentences say (Jelinek & Mercer
1985; Ney, Essen & Kneser 1995, "On the Estimation of 'Small' Probabilities by Leaving-One-Out"). It is approximate
here: one is subtracted for every source token of the sentence that has the entry, also if y_j is not aligned with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.functional import Array, IntArray
from seq2seq_cli.nn.lexical_prior import Gate
from seq2seq_cli.nn.packing import Packing

Ids = npt.NDArray[np.int64]

BIGRAM_GATE = "decoder.bigram_gate"
"""The gate's parameters are this and ``.weight``, ``b``, or ``.bias``, ``β₀``."""
SMALLEST_PROBABILITY = 1e-2
"""ε₂; 10⁻³ gives the same scores."""
BACKOFF = 0.5
"""k: an event with count 1 has a probability of 2/3."""
NO_TOKEN = -1
"""Pads the rows of ``token_rows``."""


class BigramFeatures(NamedTuple):
    """``ℓ₂`` of some target positions, where it is not zero.

    Args:
        places: (n,) positions in a flat (rows · V) array, ascending.
        values: (n,) ``ℓ₂`` there.
    """

    places: Ids
    values: Array

    def within(self, first: int, last: int) -> BigramFeatures:
        """Return the features at the places from ``first`` to before ``last``, counted from ``first``."""
        start, stop = np.searchsorted(self.places, (first, last))
        return BigramFeatures(self.places[start:stop] - first, self.values[start:stop])


class BigramTable:
    """The counts ``c(s, u, v)``.

    Args:
        triples: (M, 3) source token ``s``, previous target token ``u``, target token ``v``, in ascending order, each
            triple once.
        counts: (M,) at least 1.
        target_vocabulary: V_target.
    """

    def __init__(self, triples: npt.NDArray[np.int32], counts: npt.NDArray[np.int32], target_vocabulary: int) -> None:
        self.triples, self.counts, self.target_vocabulary = triples, counts, target_vocabulary
        contexts = self._keys(triples[:, 0], triples[:, 1])
        self.contexts, self.starts = np.unique(contexts, return_index=True)  # (K,) each (s, u) once
        self.stops = np.append(self.starts[1:], len(triples))
        self.totals = np.add.reduceat(counts, self.starts) if len(counts) else counts  # (K,) c(s, u)

    @classmethod
    def count(
        cls, source: IntArray, previous: IntArray, target: IntArray, target_vocabulary: int, max_triples: int
    ) -> BigramTable:
        """Return the table of some occurrences: each of the arrays (L,) has one token of every occurrence.

        Args:
            source, previous, target: ``s``, ``u`` and ``v``.
            target_vocabulary: V_target.
            max_triples: triples to keep; the rarest counts are left out first.
        """
        occurrences = np.stack([source, previous, target], axis=1).astype(np.int32)
        triples, counts = np.unique(occurrences, axis=0, return_counts=True)
        rarest = 1
        while (counts >= rarest).sum() > max_triples:
            rarest += 1
        kept = counts >= rarest
        return cls(triples[kept], counts[kept].astype(np.int32), target_vocabulary)

    def features(
        self,
        sources: IntArray,
        previous: IntArray,
        references: IntArray | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> BigramFeatures:
        """Return ``ℓ₂`` of some target positions.

        Args:
            sources: (R, L) each position's source sentence, from ``token_rows``.
            previous: (R,) the token before each position.
            references: (R,) each position's correct token, whose own occurrence is left out; None: none is.
            dtype: of the values.

        Returns:
            The places are those of a flat (R · V) array.
        """
        if not len(self.contexts):
            return BigramFeatures(np.zeros(0, np.int64), np.zeros(0, dtype))
        # Look up the context (s, u) of every position and source token.
        keys = self._keys(sources, previous[:, None])
        indices = np.minimum(np.searchsorted(self.contexts, keys), len(self.contexts) - 1)
        rows, columns = ((self.contexts[indices] == keys) & (sources != NO_TOKEN)).nonzero()
        contexts = indices[rows, columns]
        # List the entries of the contexts found.
        starts, lengths = self.starts[contexts], self.stops[contexts] - self.starts[contexts]
        context_of = np.repeat(np.arange(len(contexts)), lengths)
        entries = np.arange(len(context_of)) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        tokens, counts, totals = self.triples[entries, 2], self.counts[entries], self.totals[contexts]
        # Leave the correct token's own occurrence out.
        if references is not None:
            own = tokens == references[rows[context_of]]
            counts = counts - own
            totals = totals - np.bincount(context_of, own, len(contexts))
        probabilities = counts / (totals[context_of] + BACKOFF)
        # Keep the largest probability of each position and token.
        places = rows[context_of] * self.target_vocabulary + tokens
        order = np.argsort(places, kind="stable")
        places, probabilities = places[order], probabilities[order]
        firsts = np.flatnonzero(np.diff(places, prepend=-1))
        if len(firsts):
            probabilities = np.maximum.reduceat(probabilities, firsts)
        return BigramFeatures(places[firsts], np.log1p(probabilities / SMALLEST_PROBABILITY).astype(dtype))

    def probability(self, source: Sequence[int], previous: int, token: int) -> float:
        """Return ``p(v | u, x)`` of one token after another, for one source sentence."""
        places, values = self.features(np.asarray(source)[None], np.array([previous]), dtype=np.float64)
        return float(np.expm1(values[places == token]).sum() * SMALLEST_PROBABILITY)

    def _keys(self, source: IntArray, previous: IntArray) -> Ids:
        keys: Ids = source.astype(np.int64) * self.target_vocabulary + previous
        return keys


class GatedBigrams(NamedTuple):
    """The bigram prior of a mini-batch, as the output layer adds it to the logits (see ``output_layer.Prior``).

    Args:
        features: of the N packed target tokens.
        gate: ``β``.
    """

    features: BigramFeatures
    gate: Gate

    def add(self, z: Array, top: Array, start: int) -> None:
        """Add ``β · ℓ₂`` to the logits."""
        places, values = self._block(z, start)
        gate = self.gate.forward(top)[:, 0]
        z.reshape(-1)[places] += gate[places // z.shape[1]] * values

    def backward(self, d_z: Array, top: Array, start: int) -> Array:
        """Return the gradient of ``top``, and add those of the gate to its own."""
        places, values = self._block(d_z, start)
        d_gate = np.bincount(places // d_z.shape[1], d_z.reshape(-1)[places] * values, len(top))
        return self.gate.backward(d_gate.astype(top.dtype)[:, None], top)

    def _block(self, z: Array, start: int) -> BigramFeatures:
        rows, V = z.shape
        return self.features.within(start * V, (start + rows) * V)


def token_rows(source: IntArray, packing: Packing) -> IntArray:
    """Return packed sentences as rows, (B, T), padded with ``NO_TOKEN``."""
    rows = np.full((packing.sentences, packing.steps), NO_TOKEN, np.intp)
    rows[packing.token_sentences, packing.token_steps] = source
    return rows
