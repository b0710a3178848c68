"""The results of ``seq2seq eval`` as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import bar
from seq2seq_cli.cli.terminal.tables import UNLIMITED, table, width_of
from seq2seq_cli.evaluation.evaluation import Evaluation
from seq2seq_cli.evaluation.metrics import METRICS
from seq2seq_cli.evaluation.scores import Scores, remarks

SIGNIFICANT = 0.05
WIDEST_BAR = 30
COMPARISON = 30
"""Columns that each metric needs if the metrics are side by side."""


def say_remarks(evaluation: Evaluation) -> None:
    """Print remarks on stderr, for example on a score of 0 or on empty translations."""
    for system, scores in zip(evaluation.systems, evaluation.scores):
        name = f"{system.name}: " if len(evaluation.systems) > 1 else ""
        for warning in scores.warnings:
            console.warn(f"{name}sacreBLEU: {warning}")
        for remark in remarks(system.outputs, evaluation.references, scores, evaluation.tokenize):
            console.say(f"note: {name}{remark}", indent=2)


def score_lines(evaluation: Evaluation) -> list[str]:
    """Return the results as lines that fit the terminal."""
    width = width_of(console.results())
    several = len(evaluation.systems) > 1
    lines = (_comparison if several else _sets if evaluation.sets else _scores)(evaluation, width)
    shown = "  ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in evaluation.settings.items())
    count = evaluation.scores[0].sentences
    facts = [["data", f"{evaluation.data}, {count:,} sentence{'s' * (count != 1)}"], ["with", shown]]
    if not several and evaluation.scores[0].length_ratio is not None:
        facts.insert(0, ["BLEU", bleu_parts(evaluation.scores[0])])
    lines += table(["", ""], facts, width)
    if evaluation.baselines:
        lines += ["", "baselines", *_baselines(evaluation, width)]
    if any(evaluation.lengths):
        unit = evaluation.lengths[0][0].unit
        lines += ["", f"BLEU by source length in {unit}", *_lengths(evaluation, width)]
    for name, examples in evaluation.examples.items():
        if examples:
            of = f" of {evaluation.systems[0].name}" if several else ""
            lines += ["", f"{name} sentences{of}, by chrF2", *_examples(examples, width)]
    return lines


def bleu_parts(scores: Scores) -> str:
    """Return what BLEU is made of: the precisions of 1- to 4-grams, the brevity penalty, and the ratio of lengths."""
    precisions = " / ".join(f"{precision:.1f}" for precision in scores.precisions)
    return (
        f"precisions {precisions}, brevity penalty {scores.brevity_penalty:.3f}, length ratio {scores.length_ratio:.3f}"
    )


def _scores(evaluation: Evaluation, width: int) -> list[str]:
    """Return a line for each metric: score, interval, signature; on a narrow terminal, the signatures follow."""
    scores = evaluation.scores[0]
    rows = [[METRICS[name].title, _with_interval(scores, name), scores.signatures[name]] for name in scores.values]
    lines = table(["", ">", ""], rows, UNLIMITED)
    if max(map(len, lines)) <= width:
        return lines
    return [*table(["", ">"], [row[:2] for row in rows], width), "", *_signatures(evaluation)]


def _sets(evaluation: Evaluation, width: int) -> list[str]:
    """Return a line for each test set, and then the signatures."""
    headers = ["test set", *(f">{METRICS[name].title}" for name in evaluation.metrics), ">sentences"]
    rows = [
        [name, *(_with_interval(scores, metric) for metric in evaluation.metrics), f"{scores.sentences:,}"]
        for name, scores in evaluation.sets.items()
    ]
    return [*table(headers, rows, width), "", *_signatures(evaluation)]


def _signatures(evaluation: Evaluation) -> list[str]:
    """Return a line for each signature, however narrow the terminal is: a signature in two parts cannot be copied."""
    rows = [[METRICS[name].title, text] for name, text in evaluation.scores[0].signatures.items()]
    return table(["", ""], rows, UNLIMITED)


def _comparison(evaluation: Evaluation, width: int) -> list[str]:
    """Return a line for each system, and a line that explains the significance test."""
    systems = list(zip(evaluation.systems, evaluation.scores))
    if width >= COMPARISON * len(evaluation.metrics):
        headers = ["system", *(part for name in evaluation.metrics for part in (f">{METRICS[name].title}", ">p"))]
        rows = [
            [system.name, *(cell for name in evaluation.metrics for cell in (_with_interval(s, name), _p(s, name)))]
            for system, s in systems
        ]
    else:  # one metric below the other
        headers = ["", "system", ">score", ">p"]
        rows = [
            [METRICS[name].title, system.name, _with_interval(s, name), _p(s, name)]
            for name in evaluation.metrics
            for system, s in systems
        ]
    meaning = f"* differs from {evaluation.systems[0].name} with p < {SIGNIFICANT}, by paired bootstrap"
    return [*table(headers, rows, width), *table([""], [[meaning]], width), "", *_signatures(evaluation)]


def _baselines(evaluation: Evaluation, width: int) -> list[str]:
    rows = [(system.name, scores) for system, scores in evaluation.baselines]
    rows += [(system.name, scores) for system, scores in zip(evaluation.systems, evaluation.scores)]
    cells = [[name, *(f"{scores.values[metric]:.2f}" for metric in evaluation.metrics)] for name, scores in rows]
    return table(["", *(f">{METRICS[metric].title}" for metric in evaluation.metrics)], cells, width)


def _lengths(evaluation: Evaluation, width: int) -> list[str]:
    """Return BLEU by length: with bars for one system, side by side for several."""
    buckets = evaluation.lengths[0]
    if len(evaluation.systems) > 1:
        headers = [f">{buckets[0].unit}", ">sentences", *(f">{system.name}" for system in evaluation.systems)]
        rows = [
            [bucket.label, f"{bucket.sentences:,}", *(f"{of_system[k].bleu:.2f}" for of_system in evaluation.lengths)]
            for k, bucket in enumerate(buckets)
        ]
        return table(headers, rows, width)
    room = WIDEST_BAR if width == UNLIMITED else max(5, min(WIDEST_BAR, width - 30))
    rows = [
        [bucket.label, f"{bucket.sentences:,}", f"{bucket.bleu:.2f}", bar(bucket.bleu / 100, room)]
        for bucket in buckets
    ]
    return table([f">{buckets[0].unit}", ">sentences", ">BLEU", "of 100"], rows, width)


def _with_interval(scores: Scores, name: str) -> str:
    interval = f" ± {scores.intervals[name]:.2f}" if name in scores.intervals else ""
    return f"{scores.values[name]:.2f}{interval}"


def _p(scores: Scores, name: str) -> str:
    p = scores.p_values.get(name)
    return "" if p is None else f"{p:.3f}{'*' if p < SIGNIFICANT else ' '}"


def _examples(examples: list[dict[str, Any]], width: int) -> list[str]:
    rows = []
    for example in examples:
        score = f"{example['chrf']:.1f}"
        references = [("reference", text) for text in example.get("references", [example.get("reference")])]
        source = [("source", example["source"])] if "source" in example else []
        for part, text in (*source, *references, ("translation", example["translation"])):
            rows.append([score, part, text])
            score = ""
    return table([">", "", ""], rows, width)


def _plain(value: Any) -> str:
    return ", ".join(str(Path(part)) for part in value) if isinstance(value, list) else str(value)
