"""Scores of translations, by sacreBLEU, with the signatures that make them comparable."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seq2seq_cli.errors import UserError, usage_error

METRICS = ("bleu", "chrf", "ter")
LENGTH_BUCKETS = ((1, 5), (6, 10), (11, 15), (16, 20), (21, 1 << 30))
"""Words of a source sentence; the classic picture of the fixed context's bottleneck is BLEU over these."""
BOOTSTRAP_SAMPLES = 1000


@dataclass(frozen=True)
class Scores:
    """Scores of a whole corpus.

    Args:
        sentences: number of sentences.
        values: metric → score, at full precision; BLEU and chrF from 0 to 100, higher is better, TER lower.
        signatures: metric → sacreBLEU's signature.
        intervals: metric → half the width of the 95 % confidence interval, if asked for.
        brevity_penalty: BLEU's, 1 where the output is at least as long as the reference.
    """

    sentences: int
    values: dict[str, float]
    signatures: dict[str, str]
    intervals: dict[str, float] = field(default_factory=dict)
    brevity_penalty: float | None = None


@dataclass(frozen=True)
class BucketScore:
    """BLEU of the sentences whose source has between ``low`` and ``high`` words."""

    low: int
    high: int
    sentences: int
    bleu: float

    @property
    def label(self) -> str:
        """For example ``6–10`` or ``21+``."""
        return f"{self.low}+" if self.high >= LENGTH_BUCKETS[-1][1] else f"{self.low}–{self.high}"


def parse_metrics(text: str) -> list[str]:
    """Return the metrics named in ``bleu,chrf,ter``.

    Raises:
        UserError: for an unknown name.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in METRICS:
            raise usage_error(
                f"there is no metric {name!r}", where="--metrics", fix=f"choose from {', '.join(METRICS)}"
            )
    if not names:
        raise usage_error("no metric is named", where="--metrics", fix=f"choose from {', '.join(METRICS)}")
    return list(dict.fromkeys(names))


def corpus_scores(
    hypotheses: Sequence[str],
    references: Sequence[str],
    metrics: Sequence[str] = ("bleu", "chrf"),
    confidence: bool = False,
) -> Scores:
    """Score translations against one reference each, exactly as the ``sacrebleu`` command does.

    Args:
        hypotheses, references: same length, at least one.
        metrics: of ``METRICS``.
        confidence: also estimate 95 % confidence intervals by bootstrap resampling (Koehn 2004).

    Raises:
        UserError: if there are none, or the lengths differ.

    Source:
        Post 2018, "A Call for Clarity in Reporting BLEU Scores"; Papineni et al. 2002; Popović 2015; Snover et al.
        2006.
    """
    if len(hypotheses) != len(references):
        raise UserError(
            f"there are {len(hypotheses)} hypotheses and {len(references)} references",
            where="the files to compare",
            fix="give one hypothesis per reference, in the same order",
        )
    if not hypotheses:
        raise UserError("there is nothing to score", where="the files to compare", fix="give at least one sentence")
    values, signatures, intervals = {}, {}, {}
    brevity_penalty = None
    for name in metrics:
        metric = _metric(name, references if confidence else None)
        extra = {"n_bootstrap": BOOTSTRAP_SAMPLES} if confidence else {}
        result = metric.corpus_score(list(hypotheses), None if confidence else [list(references)], **extra)
        values[name] = float(result.score)
        signatures[name] = str(metric.get_signature())
        if confidence:
            intervals[name] = float(result._ci)
        if name == "bleu":
            brevity_penalty = float(result.bp)
    return Scores(len(hypotheses), values, signatures, intervals, brevity_penalty)


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Return sacreBLEU's default BLEU (13a, cased) of translations against one reference each."""
    return corpus_scores(hypotheses, references, ["bleu"]).values["bleu"]


def scores_by_length(
    sources: Sequence[str],
    hypotheses: Sequence[str],
    references: Sequence[str],
    lengths: Sequence[tuple[int, int]] = LENGTH_BUCKETS,
) -> list[BucketScore]:
    """Return BLEU for each bucket of source lengths, counted in words between spaces; empty buckets are left out."""
    buckets = []
    for low, high in lengths:
        chosen = [k for k, source in enumerate(sources) if low <= len(source.split()) <= high]
        if chosen:
            bleu = corpus_bleu([hypotheses[k] for k in chosen], [references[k] for k in chosen])
            buckets.append(BucketScore(low, high, len(chosen), bleu))
    return buckets


def _metric(name: str, references: Sequence[str] | None) -> Any:
    # Half a second to import: only when something is scored.
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # its advice about tokenized text is not about our output
    kinds = {"bleu": BLEU, "chrf": CHRF, "ter": TER}
    return kinds[name](references=None if references is None else [list(references)])
