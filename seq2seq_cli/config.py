"""Every setting, with its default and its limits, in frozen dataclasses.

The defaults are the recipe for the built-in corpus. A dataclass checks itself when it is made, so a setting that
cannot be is reported before any work starts.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from seq2seq_cli.errors import usage_error

_Config = TypeVar("_Config")

CONTEXTS = ("initial", "every-step")
NORMALIZATIONS = ("plain", "gnmt")
TOKENIZER_KINDS = ("bpe", "word", "char")

LARGEST_SIZE = 1 << 16
"""Upper limit of a layer's size: beyond it one weight matrix alone would not fit in a machine's memory."""
LARGEST_VOCABULARY = 1 << 20
MOST_TOKENS_PER_BATCH = 1 << 15
"""About 0.6 GB of a training step's memory at the default sizes of the network."""
LONGEST_SOURCE = 1000
"""Tokens; far more than one vector can remember, far less than fills the memory."""
LONGEST_NUMBER = 30
"""Characters; Python takes the square of the length to read a number."""


def _check_range(flag: str, value: float, low: float, high: float, *, open_high: bool = False) -> None:
    """Raise unless low <= value <= high (or < high); behind a colon after the flag stands which part of its value."""
    inside = low <= value < high if open_high else low <= value <= high
    if not inside:  # also true for NaN
        if math.isinf(high):
            limits = f"{low} or more"
        else:
            limits = f"from {low} to {'below ' if open_high else ''}{high}"
        raise usage_error(
            f"{flag} must be {limits}, not {str(value)[:30]}",
            where=flag.partition(":")[0],
            fix=f"give a value {limits}",
        )


def _check_batch(batch_size: int, max_tokens_per_batch: int, max_source_length: int) -> None:
    """Raise unless the sizes that bound the memory are possible."""
    _check_range("--batch-size", batch_size, 1, 1 << 16)
    _check_range("--max-tokens-per-batch", max_tokens_per_batch, 8, 1 << 30)
    _check_range("--max-source-length", max_source_length, 1, 1 << 20)


def _check_choice(flag: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise unless the value is one of the choices."""
    if value not in choices:
        listed = ", ".join(choices)
        raise usage_error(f"{flag} must be one of {listed}, not {value!r}", where=flag, fix=f"choose from {listed}")


def config_from_json(kind: type[_Config], values: Any) -> _Config:
    """Return a configuration from what ``dataclasses.asdict`` made of one, every value's type checked.

    A setting that is missing has its default: files from before there was such a setting stay readable.

    Raises:
        ValueError: for an unknown field, a missing one without a default, or a value of a wrong type.
        UserError: for a value outside its limits.
    """
    hints = get_type_hints(kind)
    needed = {field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}  # type: ignore[arg-type]
    if not isinstance(values, dict) or not needed <= values.keys() <= hints.keys():
        raise ValueError(f"it does not have the fields of a {kind.__name__}")
    for name, value in values.items():
        allowed = get_args(hints[name]) or (hints[name],)
        if type(value) not in allowed and not (type(value) is int and float in allowed):
            raise ValueError(f"{name} cannot be {value!r}")
    return kind(**values)


@dataclass(frozen=True)
class TokenizerConfig:
    """How text becomes tokens.

    Args:
        kind: ``bpe`` (byte-pair encoding), ``word`` or ``char``.
        vocab_size: most entries the vocabulary may have, special tokens included.
        lowercase: fold everything to lower case.
    """

    kind: str = "bpe"
    vocab_size: int = 2000
    lowercase: bool = False

    def __post_init__(self) -> None:
        _check_choice("--tokenizer", self.kind, TOKENIZER_KINDS)
        _check_range("--vocab-size", self.vocab_size, 4, LARGEST_VOCABULARY)


@dataclass(frozen=True)
class ModelConfig:
    """The network's shape. Stored in the model file; together with the weights it is the model.

    Args:
        source_vocabulary, target_vocabulary: number of tokens of each language.
        cell: a name in ``nn.cells.CELLS``.
        embedding_size: E.
        hidden_size: H, per direction.
        layers: stacked recurrent layers on each side.
        bidirectional: whether the encoder also reads from the end.
        context: ``initial`` (Sutskever: the context is the decoder's first state) or ``every-step`` (Cho: it is also
            an input of every step and of the output layer).
        reverse_source: whether the encoder reads the source's tokens in reverse order (Sutskever).
        dropout: rate on embeddings, between layers, and before the output layer, while training.
        tie_embeddings: whether the target embedding is also the output layer's weight (Press & Wolf 2017); None: where
            their sizes agree, which is always so behind a readout (``every-step``).
    """

    source_vocabulary: int
    target_vocabulary: int
    cell: str = "lstm"
    embedding_size: int = 128
    hidden_size: int = 256
    layers: int = 1
    bidirectional: bool = True
    context: str = "every-step"
    reverse_source: bool = False
    dropout: float = 0.1
    tie_embeddings: bool | None = None

    def __post_init__(self) -> None:
        _check_range("source vocabulary", self.source_vocabulary, 1, LARGEST_VOCABULARY)
        _check_range("target vocabulary", self.target_vocabulary, 1, LARGEST_VOCABULARY)
        _check_range("--embedding-size", self.embedding_size, 1, LARGEST_SIZE)
        _check_range("--hidden-size", self.hidden_size, 1, LARGEST_SIZE)
        _check_range("--layers", self.layers, 1, 64)
        _check_choice("--context", self.context, CONTEXTS)
        _check_range("--dropout", self.dropout, 0, 1, open_high=True)
        sizes_agree = self.context == "every-step" or self.embedding_size == self.hidden_size
        if self.tie_embeddings is None:
            object.__setattr__(self, "tie_embeddings", sizes_agree)
        if self.tie_embeddings and not sizes_agree:
            raise usage_error(
                f"--tie-embeddings with --context initial needs equal sizes, not --embedding-size "
                f"{self.embedding_size} and --hidden-size {self.hidden_size}",
                where="--tie-embeddings",
                fix="make the two sizes equal, or use --no-tie-embeddings or --context every-step",
            )

    @property
    def directions(self) -> int:
        """2 for a bidirectional encoder, else 1."""
        return 2 if self.bidirectional else 1


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Args:
        epochs: most passes over the training pairs.
        max_steps: most optimizer steps, or None.
        max_minutes: most minutes of training, or None.
        batch_size: sentence pairs per step.
        max_tokens_per_batch: most source and target tokens per step; a batch with more is cut, a pair with more is not
            trained on. It bounds the memory of a step.
        max_source_length: most source tokens of a pair that is trained on.
        optimizer: a name in ``nn.optimizers.OPTIMIZERS``.
        learning_rate: at the start; halved whenever validation does not improve, and lowered by ``cool_down``.
        cool_down: share of the planned training, at its end, over which the learning rate falls linearly to zero.
        clip_norm: largest norm of all gradients together (Pascanu et al. 2013); 0 switches clipping off.
        label_smoothing: share of the target probability spread over the vocabulary.
        patience: stop after so many validations in a row without a better one.
        seed: decides the initial weights, the order of the batches and the dropout masks.
    """

    epochs: int = 6
    max_steps: int | None = None
    max_minutes: float | None = None
    batch_size: int = 32
    max_tokens_per_batch: int = MOST_TOKENS_PER_BATCH
    max_source_length: int = LONGEST_SOURCE
    optimizer: str = "adam"
    learning_rate: float = 0.003
    cool_down: float = 0.7
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    patience: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        _check_range("--epochs", self.epochs, 1, math.inf)
        if self.max_steps is not None:
            _check_range("--max-steps", self.max_steps, 1, math.inf)
        if self.max_minutes is not None:
            _check_range("--max-minutes", self.max_minutes, 0.001, 1_000_000)
        _check_batch(self.batch_size, self.max_tokens_per_batch, self.max_source_length)
        _check_range("--learning-rate", self.learning_rate, 1e-12, 1000)
        _check_range("--cool-down", self.cool_down, 0, 1)
        _check_range("--clip-norm", self.clip_norm, 0, 1_000_000_000)
        _check_range("--label-smoothing", self.label_smoothing, 0, 1, open_high=True)
        _check_range("--patience", self.patience, 1, math.inf)
        _check_range("--seed", self.seed, 0, (1 << 63) - 1)


class LengthLimit(NamedTuple):
    """Most target tokens of a sentence: ``factor`` times the source's tokens, and ``tokens`` more."""

    factor: float
    tokens: int


@cache
def length_limit(text: str | int) -> LengthLimit:
    """Return what ``--max-length`` says: ``60`` tokens, or ``2x`` or ``1.5x+10``, relative to the source's.

    Example:
        >>> length_limit("1.5x+10")
        LengthLimit(factor=1.5, tokens=10)

    Raises:
        UserError: if it is neither, or outside the limits.
    """
    relative = re.fullmatch(r"(\d+\.?\d*|\.\d+)x(?:\+(\d+))?", str(text), re.ASCII)
    absolute = re.fullmatch(r"-?\d+", str(text), re.ASCII)
    if relative and len(str(text)) <= LONGEST_NUMBER:
        limit = LengthLimit(float(relative[1]), int(relative[2] or 0))
        _check_range("--max-length: the number before x", limit.factor, 0.01, 1000)
        _check_range("--max-length: the number behind +", limit.tokens, 0, 1 << 20)
        return limit
    if absolute and len(str(text)) <= LONGEST_NUMBER:
        _check_range("--max-length", int(text), 1, 1 << 20)
        return LengthLimit(0.0, int(text))
    raise usage_error(
        f"--max-length must be a number of tokens, or relative to the source's, not {str(text)[:30]!r}",
        where="--max-length",
        fix="for example 60, 2x or 1.5x+10",
    )


@dataclass(frozen=True)
class SearchConfig:
    """How a translation is searched for.

    Args:
        beam: hypotheses kept per sentence; 1 is greedy search.
        length_penalty: exponent α of the length normalization; 0 compares plain log-probabilities.
        n_best: translations returned per sentence, at most ``beam``.
        max_length: most target tokens: a number, or relative to the source's, ``2x`` or ``1.5x+10`` (then at most 500).
        batch_size: sentences translated at a time.
        max_tokens_per_batch: most source tokens translated at a time; a longer sentence is translated alone.
        max_source_length: a longer source sentence is cut to so many tokens.
        normalization: ``plain``, divided by ``lengthᵅ``, or ``gnmt``, by ``((5 + length) / 6)ᵅ`` (Wu et al. 2016).
        no_repeat_ngram: a translation may not hold the same run of so many tokens twice; 0 allows it.
        allow_unknown: whether a translation may hold ``<unk>``.
    """

    beam: int = 5
    length_penalty: float = 1.0
    n_best: int = 1
    max_length: int | str = "2x+10"
    batch_size: int = 64
    max_tokens_per_batch: int = MOST_TOKENS_PER_BATCH
    max_source_length: int = LONGEST_SOURCE
    normalization: str = "plain"
    no_repeat_ngram: int = 0
    allow_unknown: bool = False

    def __post_init__(self) -> None:
        _check_range("--beam", self.beam, 1, 1000)
        _check_choice("--normalization", self.normalization, NORMALIZATIONS)
        _check_range("--no-repeat-ngram", self.no_repeat_ngram, 0, 1000)
        _check_range("--length-penalty", self.length_penalty, 0, 10)
        _check_range("--n-best", self.n_best, 1, 1000)
        if self.n_best > self.beam:
            raise usage_error(
                f"--n-best {self.n_best} is more than --beam {self.beam} can give",
                where="--n-best",
                fix=f"use --beam {self.n_best} or a larger one",
            )
        length_limit(self.max_length)
        _check_batch(self.batch_size, self.max_tokens_per_batch, self.max_source_length)
