"""What a training tells of itself, step by step: to the screen, to its log, and to the history in the model file."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class StepReport:
    """One optimizer step.

    ``seconds`` is training time since the start, earlier runs included; ``loss`` is what is lowered, in nats per real
    target token; ``perplexity`` is without label smoothing; ``tokens_per_second`` counts real target tokens;
    ``gradient_norm`` is before clipping.
    """

    step: int
    epoch: int
    seconds: float
    loss: float
    perplexity: float
    tokens_per_second: float
    learning_rate: float
    gradient_norm: float


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


class Score(NamedTuple):
    """What a validation's translations are worth.

    ``bleu`` is that of all of them; ``samples`` are a few (source, reference, hypothesis), the same sentences every
    time; ``all_equal`` says whether different sources all got the same translation, or none at all.
    """

    bleu: float
    samples: tuple[tuple[str, str, str], ...]
    all_equal: bool = False


def record_of(report: StepReport | ValidationReport) -> dict[str, Any]:
    """Return a report's numbers, as history and metrics log keep them: JSON, where what is not finite becomes null."""
    numbers = dataclasses.asdict(report)
    numbers.pop("score", None)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in numbers.items()}
