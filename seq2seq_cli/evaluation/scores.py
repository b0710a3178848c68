"""sacreBLEU scores of translations, with the signatures that make them comparable."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seq2seq_cli.config import DEFAULT_BLEU_TOKENIZER
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.evaluation.metrics import METRICS, References, collected_warnings, reference_streams
from seq2seq_cli.text.units import CHARACTERS, count_units, unit_of

LENGTH_BUCKETS = ((1, 5), (6, 10), (11, 15), (16, 20), (21, 1 << 30))
"""Numbers of source words; BLEU in these buckets shows the bottleneck of a context of fixed size."""
CHARACTER_BUCKETS = ((1, 10), (11, 20), (21, 30), (31, 40), (41, 1 << 30))
"""The same for sources that are measured in characters: a word has about two."""
BUCKET_WIDTH, LONGEST_BUCKET = 5, 50
"""For ``length_buckets``, in words; both are doubled in characters."""
BOOTSTRAP_SAMPLES = 1000
BETWEEN_SPACES = ("13a", "intl", "none")
"""Tokenizers that find words only between spaces or punctuation marks."""
SHORT = 0.7
"""A brevity penalty below it gets a remark."""


@dataclass(frozen=True)
class Scores:
    """Scores of a whole corpus.

    Args:
        sentences: number of sentences.
        values: metric → score, at full precision; BLEU and chrF are from 0 to 100, higher is better; for TER, lower is.
        signatures: metric → sacreBLEU's signature.
        intervals: metric → half the width of the 95% confidence interval, if requested.
        means: metric → mean over the bootstrap samples, the center of the interval, if requested.
        brevity_penalty: that of BLEU, 1 if the output is at least as long as the reference.
        matched: BLEU's numbers of 1-, 2-, 3- and 4-grams that are in the reference.
        p_values: metric → p-value of the difference from the first system, if systems are compared.
        warnings: what sacreBLEU warns of, for example that the text looks tokenized.
        precisions: BLEU's precisions of 1-, 2-, 3- and 4-grams, in percent.
        length_ratio: words of the output per word of the reference, as BLEU counts them.
    """

    sentences: int
    values: dict[str, float]
    signatures: dict[str, str]
    intervals: dict[str, float] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    brevity_penalty: float | None = None
    matched: tuple[int, ...] = ()
    p_values: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    precisions: tuple[float, ...] = ()
    length_ratio: float | None = None


@dataclass(frozen=True)
class BucketScore:
    """BLEU of the sentences whose source has between ``low`` and ``high`` words or characters (``unit``)."""

    low: int
    high: int
    sentences: int
    bleu: float
    unit: str

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
            raise usage_error(f"unknown metric {name!r}", where="--metrics", fix=f"choose from {', '.join(METRICS)}")
    if not names:
        raise usage_error("there is no metric in the list", where="--metrics", fix=f"choose from {', '.join(METRICS)}")
    return list(dict.fromkeys(names))


def corpus_scores(
    hypotheses: Sequence[str],
    references: References,
    metrics: Sequence[str] = ("bleu", "chrf"),
    confidence: bool = False,
    lowercase: bool = False,
    tokenize: str = DEFAULT_BLEU_TOKENIZER,
) -> Scores:
    """Score translations against one or several references each, exactly as the ``sacrebleu`` command does.

    Args:
        hypotheses, references: same length, at least one.
        metrics: names in ``METRICS``.
        confidence: also estimate 95% confidence intervals by bootstrap resampling (Koehn 2004).
        lowercase: ignore case, as ``sacrebleu -lc --chrf-lowercase``; TER always does.
        tokenize: sacreBLEU's tokenizer for BLEU (``sacrebleu -tok``), a name in ``config.BLEU_TOKENIZERS``.

    Raises:
        UserError: if there are no sentences, or the lengths differ.

    Source:
        Post 2018, "A Call for Clarity in Reporting BLEU Scores"; Papineni et al. 2002; Popović 2015; Snover et al.
        2006.
    """
    streams = reference_streams(references)
    for k, stream in enumerate(streams, start=1):
        if len(hypotheses) != len(stream):
            of = f" in list {k} of {len(streams)}" if len(streams) > 1 else ""
            raise UserError(
                f"there are {len(hypotheses)} hypotheses and {len(stream)} references{of}",
                where="the files to compare",
                fix="give one hypothesis per reference, in the same order",
            )
    if not hypotheses:
        raise UserError("there is nothing to score", where="the files to compare", fix="give at least one sentence")
    scores = Scores(len(hypotheses), {}, {})
    for name in metrics:
        metric = METRICS[name].make(lowercase, streams if confidence else None, tokenize)
        extra = {"n_bootstrap": BOOTSTRAP_SAMPLES} if confidence else {}
        with collected_warnings() as warnings:
            result = metric.corpus_score(list(hypotheses), None if confidence else streams, **extra)
        if warnings:
            scores = dataclasses.replace(scores, warnings=(*scores.warnings, " ".join(warnings)))
        scores.values[name] = float(result.score)
        scores.signatures[name] = str(metric.get_signature())
        if confidence:
            scores.intervals[name], scores.means[name] = float(result._ci), float(result._mean)
        if name == "bleu":
            scores = dataclasses.replace(
                scores,
                brevity_penalty=float(result.bp),
                matched=tuple(map(int, result.counts)),
                precisions=tuple(map(float, result.precisions)),
                length_ratio=result.sys_len / result.ref_len if result.ref_len else 0.0,
            )
    return scores


def compare(
    systems: Sequence[Sequence[str]],
    references: References,
    metrics: Sequence[str] = ("bleu", "chrf"),
    lowercase: bool = False,
    tokenize: str = DEFAULT_BLEU_TOKENIZER,
) -> list[Scores]:
    """Score several systems and test whether each differs from the first, by sacreBLEU's paired bootstrap.

    Every resample of the test set is scored for both systems; p is the share of resamples whose difference deviates
    from the mean difference by more than the measured difference. If the two scores are equal, p is 1 (sacreBLEU's
    formula would give its smallest value, a significant difference).

    Args:
        systems: the hypotheses of each system, in the order of the references.
        references, metrics, lowercase, tokenize: as for ``corpus_scores``.

    Returns:
        The scores of each system, with confidence intervals, and with ``p_values`` for all but the first.

    Raises:
        UserError: as for ``corpus_scores``.

    Source:
        Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation"; Post 2018.
    """
    from sacrebleu.significance import PairedTest

    plain = [corpus_scores(system, references, metrics, lowercase=lowercase, tokenize=tokenize) for system in systems]
    streams = reference_streams(references)
    tested = {name: METRICS[name].make(lowercase, streams, tokenize) for name in metrics}
    named: list[tuple[str, Sequence[str]]] = [(str(k), list(hypotheses)) for k, hypotheses in enumerate(systems)]
    with collected_warnings():  # they are those of ``plain``
        signatures, results = PairedTest(named, tested, None, test_type="bs", n_samples=BOOTSTRAP_SAMPLES)()
    keys = dict(zip(metrics, signatures))  # sacreBLEU calls chrf chrF2
    tests_of: list[dict[str, Any]] = [
        {name: results[key][k] for name, key in keys.items()} for k in range(len(systems))
    ]
    return [
        dataclasses.replace(
            scores,
            signatures={name: str(signatures[key]) for name, key in keys.items()},
            intervals={name: float(result.ci) for name, result in tests.items()},
            means={name: float(result.mean) for name, result in tests.items()},
            p_values={
                name: float(result.p_value) if scores.values[name] != plain[0].values[name] else 1.0
                for name, result in tests.items()
                if result.p_value is not None
            },
        )
        for scores, tests in zip(plain, tests_of)
    ]


def sentence_scores(hypotheses: Sequence[str], references: References, lowercase: bool = False) -> list[float]:
    """Return the chrF2 of each sentence, from 0 to 100; single sentences are too short for BLEU's 4-grams."""
    metric = METRICS["chrf"].make(lowercase, None, DEFAULT_BLEU_TOKENIZER)
    given = [[text for text in texts if text is not None] for texts in zip(*reference_streams(references))]
    return [float(metric.sentence_score(h, texts).score) for h, texts in zip(hypotheses, given)]


def remarks(
    hypotheses: Sequence[str], references: References, scores: Scores, tokenize: str = DEFAULT_BLEU_TOKENIZER
) -> list[str]:
    """Return remarks that a reader of these scores needs: why a score is 0, or less meaningful than it looks."""
    texts: list[str] = []
    total, first = len(hypotheses), reference_streams(references)[0]
    unspaced = unit_of(text for text in first if text is not None) == CHARACTERS
    empty = [k for k, hypothesis in enumerate(hypotheses) if not hypothesis.strip()]
    if total == 1:
        texts.append("the corpus has one sentence: its score says little, and a confidence interval says nothing")
    if empty:
        what = "1 translation is empty" if len(empty) == 1 else f"{len(empty):,} translations are empty"
        texts.append(f"{what} (of {total:,}; the first is sentence {empty[0] + 1:,}): nothing in them can match")
    if total > 1 and len(set(hypotheses)) == 1 and hypotheses[0].strip() and len(set(first)) > 1:
        texts.append(
            f"all translations are the same: {hypotheses[0]!r}. The model has learned only which words are frequent; "
            "train longer, on more pairs, or with a smaller batch size"
        )
    if scores.values.get("bleu") == 0:
        texts.append(f"BLEU is 0 because {_why_no_bleu(len(empty) == total, scores, unspaced, tokenize)}")
    elif scores.brevity_penalty is not None and scores.brevity_penalty < SHORT:
        texts.append(
            f"the translations are much shorter than the references: BLEU is multiplied by {scores.brevity_penalty:.2f}"
        )
    if scores.values.get("chrf") == 0 and len(empty) < total:
        texts.append("chrF2 is 0 because no translation shares a character sequence with its reference")
    if unspaced and {"chrf++", "ter"} & scores.values.keys():
        titles = " and ".join(METRICS[name].title for name in ("chrf++", "ter") if name in scores.values)
        texts.append(f"{titles}: sacreBLEU counts words between spaces here, and these references have none")
    return texts


def _why_no_bleu(all_empty: bool, scores: Scores, unspaced: bool, tokenize: str) -> str:
    if all_empty:
        return "every translation is empty"
    if unspaced and tokenize in BETWEEN_SPACES:
        return f"its tokenizer {tokenize} needs spaces between words; choose another one with --tokenize"
    if not scores.matched or not scores.matched[0]:
        return (
            "no word of any translation is in its reference: check that the model is trained, that the language is "
            "right, and that both sides have the same order"
        )
    unit = "words" if tokenize in BETWEEN_SPACES else "tokens"
    what = f"no translation has four {unit}, and BLEU counts n-grams of one to four {unit}"
    return f"{what}; chrF2 is more informative here"


def corpus_bleu(
    hypotheses: Sequence[str],
    references: References,
    lowercase: bool = False,
    tokenize: str = DEFAULT_BLEU_TOKENIZER,
) -> float:
    """Return sacreBLEU's BLEU (13a and cased by default) of translations; arguments as for ``corpus_scores``."""
    return corpus_scores(hypotheses, references, ["bleu"], lowercase=lowercase, tokenize=tokenize).values["bleu"]


def length_buckets(sources: Sequence[str]) -> list[tuple[int, int]]:
    """Return buckets up to the longest sentence, and one for all longer ones.

    A bucket has five lengths, up to fifty words; ten, up to a hundred, if the sources are measured in characters.
    """
    times = 2 if unit_of(sources) == CHARACTERS else 1
    width, most = times * BUCKET_WIDTH, times * LONGEST_BUCKET
    longest = min(max(map(count_units, sources)), most)
    return [*((low, low + width - 1) for low in range(1, longest + 1, width)), (most + 1, LENGTH_BUCKETS[-1][1])]


def scores_by_length(
    sources: Sequence[str],
    hypotheses: Sequence[str],
    references: References,
    lengths: Sequence[tuple[int, int]] | None = None,
    lowercase: bool = False,
    tokenize: str = DEFAULT_BLEU_TOKENIZER,
) -> list[BucketScore]:
    """Return BLEU for each bucket of source lengths, without empty buckets.

    Lengths are words between spaces, or characters (see ``text.units``); by default, the buckets suit that unit.
    """
    unit, measured = unit_of(sources), list(map(count_units, sources))
    streams = reference_streams(references)
    buckets = []
    for low, high in lengths or (CHARACTER_BUCKETS if unit == CHARACTERS else LENGTH_BUCKETS):
        chosen = [k for k, length in enumerate(measured) if low <= length <= high]
        if chosen:
            theirs = [[stream[k] for k in chosen] for stream in streams]
            bleu = corpus_bleu([hypotheses[k] for k in chosen], theirs, lowercase, tokenize)
            buckets.append(BucketScore(low, high, len(chosen), bleu, unit))
    return buckets
