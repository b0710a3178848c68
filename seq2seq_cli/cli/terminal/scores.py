"""What ``seq2seq eval`` found, as tables for people and as one JSON object for programs."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import bar
from seq2seq_cli.cli.terminal.tables import UNLIMITED, table, width_of

if TYPE_CHECKING:
    from seq2seq_cli.evaluation.scores import BucketScore, Scores

NAMES = {"bleu": "BLEU", "chrf": "chrF2", "ter": "TER"}
SIGNIFICANT = 0.05
WIDEST_BAR = 30
COMPARISON = 30
"""Columns that a metric needs to stand beside the others."""


@dataclass(frozen=True)
class System:
    """Somebody's translations of the test set, and what to call them."""

    name: str
    outputs: list[str]


@dataclass
class Report:
    """Scores and what explains them.

    Args:
        data: the test set's name.
        sources: none if they are not known.
        references: one for each sentence.
        systems: one, or several to compare.
        settings: what the scores depend on besides, for the last line.
        metrics: to score by.
        lowercase: whether to take no notice of case.
    """

    data: str
    sources: list[str]
    references: list[str]
    systems: list[System]
    settings: dict[str, Any]
    metrics: list[str]
    lowercase: bool = False
    scores: list[Scores] = field(default_factory=list)
    baselines: list[tuple[System, Scores]] = field(default_factory=list)
    lengths: list[list[BucketScore]] = field(default_factory=list)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def score(self, confidence: bool) -> None:
        """Score the one system."""
        from seq2seq_cli.evaluation.scores import corpus_scores

        outputs = self.systems[0].outputs
        self.scores = [corpus_scores(outputs, self.references, self.metrics, confidence, self.lowercase)]

    def compare(self) -> None:
        """Score every system, and test how far it differs from the first."""
        from seq2seq_cli.evaluation.scores import compare

        outputs = [system.outputs for system in self.systems]
        self.scores = compare(outputs, self.references, self.metrics, self.lowercase)

    def add_baselines(self, systems: list[System]) -> None:
        """Score what one gets without a model."""
        from seq2seq_cli.evaluation.scores import corpus_scores

        self.baselines = [
            (s, corpus_scores(s.outputs, self.references, self.metrics, lowercase=self.lowercase)) for s in systems
        ]

    def add_lengths(self) -> None:
        """Score every system's sentences by the length of their source."""
        from seq2seq_cli.evaluation.scores import scores_by_length

        self.lengths = [
            scores_by_length(self.sources, s.outputs, self.references, lowercase=self.lowercase) for s in self.systems
        ]

    def add_examples(self, count: int) -> None:
        """Pick the first system's best and worst sentences by chrF2; none is among both."""
        from seq2seq_cli.evaluation.scores import sentence_scores

        outputs = self.systems[0].outputs
        scores = sentence_scores(outputs, self.references, self.lowercase)
        ranked = sorted(range(len(outputs)), key=lambda k: (-scores[k], k))
        best = ranked[:count]
        worst = ranked[::-1][: min(count, len(ranked) - len(best))]
        for name, chosen in (("best", best), ("worst", worst)):
            self.examples[name] = [
                {
                    "sentence": k + 1,
                    "chrf": scores[k],
                    **({"source": self.sources[k]} if self.sources else {}),
                    "reference": self.references[k],
                    "translation": outputs[k],
                }
                for k in chosen
            ]

    def say_remarks(self) -> None:
        """Explain on stderr a score of 0, a corpus of one sentence, empty translations."""
        from seq2seq_cli.evaluation.scores import remarks

        for system, scores in zip(self.systems, self.scores):
            for remark in remarks(system.outputs, self.references, scores):
                console.say(f"note: {f'{system.name}: ' if len(self.systems) > 1 else ''}{remark}", indent=2)

    def as_json(self) -> str:
        """Return everything as one JSON object."""
        first = self.scores[0]
        result: dict[str, Any] = {
            "signatures": first.signatures,
            "sentences": first.sentences,
            "corpus": self.data,
            **self.settings,
        }
        if len(self.systems) == 1:
            result = {**_score_json(first), **result}
            if first.brevity_penalty is not None:
                result["brevity_penalty"] = first.brevity_penalty
            if self.lengths:
                result["by_length"] = _lengths_json(self.lengths[0])
        else:
            result["systems"] = [
                {
                    "name": system.name,
                    **_score_json(scores),
                    **({"by_length": _lengths_json(self.lengths[k])} if self.lengths else {}),
                }
                for k, (system, scores) in enumerate(zip(self.systems, self.scores))
            ]
        if self.baselines:
            result["baselines"] = [{"name": system.name, **scores.values} for system, scores in self.baselines]
        if self.examples:
            result["examples"] = self.examples
        return json.dumps(result, ensure_ascii=False)

    def lines(self) -> list[str]:
        """Return everything as lines that fit the terminal."""
        width = width_of(console.results())
        several = len(self.systems) > 1
        lines = self._comparison(width) if several else self._scores(width)
        shown = "  ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in self.settings.items())
        count = len(self.references)
        facts = [["data", f"{self.data}, {count:,} sentence{'s' * (count != 1)}"], ["with", shown]]
        lines += table(["", ""], facts, width)
        if self.baselines:
            lines += ["", "for scale", *self._scale(width)]
        if self.lengths:
            lines += ["", "BLEU by words of the source", *self._lengths(width)]
        for name, found in self.examples.items():
            if found:
                of = f" of {self.systems[0].name}" if several else ""
                lines += ["", f"{name} sentences{of}, by chrF2", *_examples(found, width)]
        return lines

    def _scores(self, width: int) -> list[str]:
        """Return a line for each metric: score, interval, signature."""
        scores = self.scores[0]
        rows = [[NAMES[name], _with_interval(scores, name), scores.signatures[name]] for name in scores.values]
        return table(["", ">", ""], rows, width)

    def _comparison(self, width: int) -> list[str]:
        """Return a line for each system, and what the test means."""
        found = list(zip(self.systems, self.scores))
        if width >= COMPARISON * len(self.metrics):
            headers = ["system", *(part for name in self.metrics for part in (f">{NAMES[name]}", ">p"))]
            rows = [
                [system.name, *(cell for name in self.metrics for cell in (_with_interval(s, name), _p(s, name)))]
                for system, s in found
            ]
        else:  # one below the other
            headers = ["", "system", ">score", ">p"]
            rows = [
                [NAMES[name], system.name, _with_interval(s, name), _p(s, name)]
                for name in self.metrics
                for system, s in found
            ]
        signatures = [[NAMES[name], text] for name, text in self.scores[0].signatures.items()]
        meaning = f"* differs from {self.systems[0].name} with p < {SIGNIFICANT}, by paired bootstrap"
        return [*table(headers, rows, width), *table([""], [[meaning]], width), "", *table(["", ""], signatures, width)]

    def _scale(self, width: int) -> list[str]:
        rows = [(system.name, scores) for system, scores in self.baselines]
        rows += [(system.name, scores) for system, scores in zip(self.systems, self.scores)]
        cells = [[name, *(f"{scores.values[metric]:.2f}" for metric in self.metrics)] for name, scores in rows]
        return table(["", *(f">{NAMES[metric]}" for metric in self.metrics)], cells, width)

    def _lengths(self, width: int) -> list[str]:
        """Return BLEU by length: with bars for one system, side by side for several."""
        buckets = self.lengths[0]
        if len(self.systems) > 1:
            headers = [">words", ">sentences", *(f">{system.name}" for system in self.systems)]
            rows = [
                [bucket.label, f"{bucket.sentences:,}", *(f"{found[k].bleu:.2f}" for found in self.lengths)]
                for k, bucket in enumerate(buckets)
            ]
            return table(headers, rows, width)
        longest = max((bucket.bleu for bucket in buckets), default=0.0) or 1.0
        room = WIDEST_BAR if width == UNLIMITED else max(5, min(WIDEST_BAR, width - 30))
        rows = [
            [bucket.label, f"{bucket.sentences:,}", f"{bucket.bleu:.2f}", bar(bucket.bleu / longest, room)]
            for bucket in buckets
        ]
        return table([">words", ">sentences", ">BLEU", ""], rows, width)


def _score_json(scores: Scores) -> dict[str, Any]:
    result: dict[str, Any] = dict(scores.values)
    if scores.intervals:
        result["confidence"], result["bootstrap_mean"] = scores.intervals, scores.means
    if scores.p_values:
        result["p_values"] = scores.p_values
    return result


def _lengths_json(buckets: list[BucketScore]) -> list[dict[str, Any]]:
    return [{"words": bucket.label, **dataclasses.asdict(bucket)} for bucket in buckets]


def _with_interval(scores: Scores, name: str) -> str:
    interval = f" ± {scores.intervals[name]:.2f}" if name in scores.intervals else ""
    return f"{scores.values[name]:.2f}{interval}"


def _p(scores: Scores, name: str) -> str:
    p = scores.p_values.get(name)
    return "" if p is None else f"{p:.3f}{'*' if p < SIGNIFICANT else ' '}"


def _examples(found: list[dict[str, Any]], width: int) -> list[str]:
    rows = []
    for example in found:
        score = f"{example['chrf']:.1f}"
        for part in ("source", "reference", "translation"):
            if part in example:
                rows.append([score, part, example[part]])
                score = ""
    return table([">", "", ""], rows, width)


def _plain(value: Any) -> str:
    return ", ".join(str(Path(part)) for part in value) if isinstance(value, list) else str(value)
