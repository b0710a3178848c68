"""Events that a training run yields: they carry typed data, and the caller decides how to present it.

``train`` yields them in this order: information before the first step (``TrainingCorpus``, ``Vocabularies``,
``SuspiciousPairs``, ``SyntheticPairs`` if there are any, ``Network``, ``BleuTokenizerChosen`` if it is not the usual
one, ``RecipeChosen``, ``CostEstimate``),
``TrainingStarted``, then each ``StepReport`` and ``ValidationReport``, followed by its diagnostics, and
``TrainingFinished``. Notes about the data may come at any time before ``TrainingStarted``. A training that starts from
another model yields ``StartedFrom`` first, and a ``ValidationReport`` of step 0 before its first step.
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
from seq2seq_cli.text.units import WORDS


@dataclass(frozen=True)
class NothingHeldOut:
    """No pair could be held out for validation, so the training pairs are used for it."""


@dataclass(frozen=True)
class StartedFrom:
    """The weights, tokenizers and settings are those of the model at ``path``, which was trained on ``corpus``."""

    path: Path
    corpus: str


@dataclass(frozen=True)
class PairsSkipped:
    """``count`` pairs of a corpus exceed a limit and are skipped; ``first`` is the source of the first one."""

    corpus: str
    count: int
    first: str
    max_source_length: int
    max_tokens_per_batch: int


@dataclass(frozen=True)
class TrainingCorpus:
    """The name of the training corpus (None: built-in), numbers of pairs, and lengths of all sentences in tokens.

    ``columns`` says in which columns the sides are, for each file in which they are not the first two.
    ``swapped`` says whether its sides have changed places.
    """

    name: str | None
    training_pairs: int
    validation_pairs: int
    source_lengths: Lengths
    target_lengths: Lengths
    columns: tuple[str, ...] = ()
    swapped: bool = False


@dataclass(frozen=True)
class TestSetHeldOut:
    """``pairs`` pairs were held out as a test set; they are in the file ``path``, unless this is a dry run."""

    path: Path
    pairs: int


class Side(NamedTuple):
    """The vocabulary of one side, and out-of-vocabulary rates of the validation corpus, from 0 to 1.

    ``unknown`` is the share of tokens that are ``<unk>``; ``oov`` is the share of words that do not occur in the
    training corpus; ``unit`` says whether words are meant or characters (see ``text.units``).
    """

    kind: str
    entries: int
    unknown: float
    oov: float
    unit: str = WORDS


@dataclass(frozen=True)
class Vocabularies:
    """Both vocabularies."""

    source: Side
    target: Side


@dataclass(frozen=True)
class SuspiciousPairs:
    """Suspicious pairs of the corpora."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class SyntheticPairs:
    """``pairs`` synthetic pairs were made; each epoch, except the last ones, draws ``per_epoch`` of them."""

    pairs: int
    per_epoch: int


@dataclass(frozen=True)
class UnknownTokens:
    """A side of a corpus has tokens outside of its vocabulary: their number, and their share of all tokens."""

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
    """The settings that were chosen to fit a corpus of that many pairs, without those that the user gave."""

    pairs: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class BleuTokenizerChosen:
    """The validations score BLEU with ``name``, one of sacreBLEU's tokenizers; ``reason`` says why not with 13a."""

    name: str
    reason: str


@dataclass(frozen=True)
class CostEstimate:
    """Estimated time and memory of the training run, from a few timed steps.

    Args:
        memory: peak memory of all processes together, in bytes; None if the system does not report it.
        least_memory: bytes of weights, gradients and optimizer.
        weights: bytes of the weights.
        steps: number of timed steps.
        step_seconds, epoch_seconds: time of one step, and of one epoch without its validation.
        steps_per_epoch: optimizer steps of one epoch.
        seconds: maximum time of all remaining steps; None if there is no limit.
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
    """Some batches are smaller than ``batch_size``, because of ``max_tokens_per_batch``."""

    max_tokens_per_batch: int
    batch_size: int


@dataclass(frozen=True)
class ModelBackedUp:
    """The existing model at ``path`` will be backed up as ``backup``."""

    path: Path
    backup: Path


@dataclass(frozen=True)
class TrainingStarted:
    """The training loop starts, or continues if the training was resumed.

    Args:
        recipe: the recipe, with all settings decided.
        output: path of the model; the training state is beside it.
        step, seconds: steps and training time so far; 0 for a new training run.
        total_steps: maximum optimizer steps of the whole training.
        best_bleu: best BLEU of the validations so far; None before the first one.
        finished: whether a limit is already reached, so that there is nothing to do.
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

    The fields are those of the metrics log (see ``metrics_log``).
    """

    step: int
    epoch: int
    seconds: float
    loss: float
    perplexity: float
    tokens_per_second: float
    learning_rate: float
    gradient_norm: float
    objective: float = math.nan


class Score(NamedTuple):
    """The scores of the translations in a validation.

    ``bleu`` and ``chrf`` are corpus scores. ``samples`` are a few triples (source, reference, hypothesis), with the
    same sentences in every validation. ``all_equal`` says whether all translations are the same, possibly empty,
    although the sources differ. ``warnings`` are sacreBLEU's.
    """

    bleu: float
    samples: tuple[tuple[str, str, str], ...]
    all_equal: bool = False
    chrf: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ValidationReport:
    """One validation: loss in nats per real target token, BLEU and chrF2 of greedy translations, and some of them.

    ``step`` and ``epoch`` are 0 before the first step of a training that starts from another model.
    """

    step: int
    epoch: int
    seconds: float
    valid_loss: float
    valid_perplexity: float
    valid_bleu: float
    valid_chrf: float
    learning_rate: float
    improved: bool
    score: Score


@dataclass(frozen=True)
class GradientClipped:
    """Each of the last ``steps`` gradients was clipped to less than half its norm; the last norm was ``norm``."""

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
    """All validation sentences have the same translation, which may be empty."""

    translation: str


@dataclass(frozen=True)
class ValidationLossRising:
    """The validation loss has risen ``times`` in a row, from ``before`` to ``now``: overfitting, or divergence."""

    times: int
    before: float
    now: float
    training_loss_rises: bool


@dataclass(frozen=True)
class ScoringWarning:
    """sacreBLEU warns of something when it scores the validation translations; reported once."""

    text: str


@dataclass(frozen=True)
class TrainingFinished:
    """The training has reached a limit.

    Args:
        output: path of the kept model.
        checkpoint: the kept model with its tokenizers and history.
        steps, seconds: steps and time of the whole training.
        best: the validation of the kept model; None if it was in an earlier run.
        stopped_early: whether ``patience`` ended the training.
        trained: whether this run took any step or validation.
    """

    output: Path
    checkpoint: Checkpoint
    steps: int
    seconds: float
    best: ValidationReport | None
    stopped_early: bool
    trained: bool


Diagnostic = GradientClipped | WorseThanGuessing | TranslationsAllEqual | ValidationLossRising | ScoringWarning
Preparation = (
    StartedFrom
    | NothingHeldOut
    | PairsSkipped
    | TestSetHeldOut
    | TrainingCorpus
    | Vocabularies
    | SuspiciousPairs
    | SyntheticPairs
    | UnknownTokens
    | Network
    | RecipeChosen
    | BleuTokenizerChosen
    | CostEstimate
    | BatchesSplit
    | ModelBackedUp
)
Event = Preparation | TrainingStarted | StepReport | ValidationReport | Diagnostic | TrainingFinished


def record_of(report: StepReport | ValidationReport) -> dict[str, Any]:
    """Return the numbers of a report for history and metrics log; numbers that are not finite become None."""
    numbers = dataclasses.asdict(report)
    numbers.pop("score", None)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in numbers.items()}
