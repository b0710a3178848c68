"""What a training reports while it runs: typed events that carry data; how they are worded is the listener's business.

``train`` yields them in this order: what is known before the first step (``TrainingCorpus``, ``Vocabularies``,
``SuspiciousPairs``, ``SyntheticPairs`` if there are any, ``Network``, ``RecipeChosen``, ``CostEstimate``),
``TrainingStarted``, then ``StepReport`` and ``ValidationReport`` with the diagnostics that follow from them, and
``TrainingFinished``. Notes about the data may come at any time before.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq_cli.config import ModelConfig, Recipe
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.text.statistics import Finding, Lengths


@dataclass(frozen=True)
class NothingHeldOut:
    """No pair could be held out for validation, so the training pairs validate."""


@dataclass(frozen=True)
class PairsSkipped:
    """``count`` pairs of a corpus exceed ``limits``, two settings, and are left out; ``first`` is a source."""

    corpus: str
    count: int
    first: str
    max_source_length: int
    max_tokens_per_batch: int


@dataclass(frozen=True)
class TrainingCorpus:
    """The corpora: name of the training corpus (None: the built-in one), pairs, and tokens of every sentence."""

    name: str | None
    training_pairs: int
    validation_pairs: int
    source_lengths: Lengths
    target_lengths: Lengths


class Side(NamedTuple):
    """One language's vocabulary, and what of the validation corpus is outside of it, as shares from 0 to 1.

    ``unknown`` counts tokens that are ``<unk>``, ``oov`` words that do not occur in the training corpus.
    """

    kind: str
    entries: int
    unknown: float
    oov: float


@dataclass(frozen=True)
class Vocabularies:
    """Both vocabularies."""

    source: Side
    target: Side


@dataclass(frozen=True)
class SuspiciousPairs:
    """Pairs of the corpora that look wrong."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class SyntheticPairs:
    """``pairs`` synthetic pairs were made; ``per_epoch`` of them are drawn for every epoch but the last ones."""

    pairs: int
    per_epoch: int


@dataclass(frozen=True)
class UnknownTokens:
    """A side of a corpus has tokens outside its vocabulary: how many, and as a share of all."""

    corpus: str
    side: str
    count: int
    share: float


@dataclass(frozen=True)
class Network:
    """The network's shape and its number of parameters."""

    config: ModelConfig
    parameters: int


@dataclass(frozen=True)
class RecipeChosen:
    """What was chosen to fit a corpus of that many pairs, by the setting's name; what was given is not among it."""

    pairs: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class CostEstimate:
    """What the training will take, from a few steps that leave no trace.

    Args:
        memory: peak bytes of all processes together; None where the system does not say.
        least_memory: bytes of weights, gradients and optimizer.
        weights: bytes of the weights.
        steps: number of steps measured.
        step_seconds, epoch_seconds: of one step, and of one epoch without its validation.
        steps_per_epoch: optimizer steps.
        seconds: of all steps to come at most; None where nothing limits them.
    """

    memory: int | None
    least_memory: int
    weights: int
    steps: int
    step_seconds: float
    epoch_seconds: float
    steps_per_epoch: int
    seconds: float | None


@dataclass(frozen=True)
class BatchesSplit:
    """``max_tokens_per_batch`` makes some batches smaller than ``batch_size``."""

    max_tokens_per_batch: int
    batch_size: int


@dataclass(frozen=True)
class ModelBackedUp:
    """The model that is at ``path`` will be kept as ``backup``."""

    path: Path
    backup: Path


@dataclass(frozen=True)
class TrainingStarted:
    """The loop begins, at ``step`` after ``seconds`` of training: more than 0 for a resumed one.

    Args:
        recipe: what is trained, with all settings decided.
        output: where the model is kept; its state is beside it.
        step, seconds: where the training stands.
        total_steps: most optimizer steps of the whole training.
        best_bleu: of the validations so far; None before the first one.
        finished: whether a limit is already reached, so that nothing is left to do.
    """

    recipe: Recipe
    output: Path
    step: int
    seconds: float
    total_steps: int
    best_bleu: float | None
    finished: bool


@dataclass(frozen=True)
class StepReport:
    """One optimizer step.

    ``seconds`` is training time since the start, earlier runs included; ``loss`` is what is minimized, label smoothing
    included, in nats per real target token; ``perplexity`` is without label smoothing; ``tokens_per_second`` counts
    real target tokens; ``gradient_norm`` is before clipping.
    """

    step: int
    epoch: int
    seconds: float
    loss: float
    perplexity: float
    tokens_per_second: float
    learning_rate: float
    gradient_norm: float


class Score(NamedTuple):
    """What a validation's translations are worth.

    ``bleu`` and ``chrf`` are those of all of them; ``samples`` are a few (source, reference, hypothesis), the same
    sentences every time; ``all_equal`` says whether different sources all got the same translation, or none at all.
    """

    bleu: float
    samples: tuple[tuple[str, str, str], ...]
    all_equal: bool = False
    chrf: float = 0.0


@dataclass(frozen=True)
class ValidationReport:
    """One validation; loss in nats per real target token, BLEU of greedy translations, and what they look like."""

    step: int
    epoch: int
    seconds: float
    valid_loss: float
    valid_perplexity: float
    valid_bleu: float
    learning_rate: float
    improved: bool
    score: Score


@dataclass(frozen=True)
class GradientClipped:
    """The gradient was clipped to less than half at each of the last ``steps`` steps, now from ``norm``."""

    steps: int
    norm: float
    clip_norm: float


@dataclass(frozen=True)
class WorseThanGuessing:
    """The validation loss is far above ``guessing``, the loss of a uniform distribution over the vocabulary."""

    valid_loss: float
    guessing: float
    vocabulary: int


@dataclass(frozen=True)
class TranslationsAllEqual:
    """Every validation sentence gets the same translation, or an empty one."""

    translation: str


@dataclass(frozen=True)
class ValidationLossRising:
    """The validation loss has risen ``times`` in a row, from ``before`` to ``now``: overfitting, or divergence."""

    times: int
    before: float
    now: float
    training_loss_rises: bool


@dataclass(frozen=True)
class TrainingFinished:
    """A limit is reached.

    Args:
        output: the file of the kept model.
        checkpoint: the kept model with its tokenizers and history.
        steps, seconds: of the whole training.
        best: the validation whose model is kept; None if it was in an earlier run.
        stopped_early: whether ``patience`` ended it.
        trained: whether this run took any step or validation.
    """

    output: Path
    checkpoint: Checkpoint
    steps: int
    seconds: float
    best: ValidationReport | None
    stopped_early: bool
    trained: bool


Diagnostic = GradientClipped | WorseThanGuessing | TranslationsAllEqual | ValidationLossRising
Preparation = (
    NothingHeldOut
    | PairsSkipped
    | TrainingCorpus
    | Vocabularies
    | SuspiciousPairs
    | SyntheticPairs
    | UnknownTokens
    | Network
    | RecipeChosen
    | CostEstimate
    | BatchesSplit
    | ModelBackedUp
)
Event = Preparation | TrainingStarted | StepReport | ValidationReport | Diagnostic | TrainingFinished


def record_of(report: StepReport | ValidationReport) -> dict[str, Any]:
    """Return a report's numbers, as history and metrics log keep them: JSON, where what is not finite becomes null."""
    numbers = dataclasses.asdict(report)
    numbers.pop("score", None)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in numbers.items()}
