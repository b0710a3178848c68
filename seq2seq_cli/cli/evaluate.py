"""``seq2seq eval``: sacreBLEU's scores of a model, or of any system's output."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2seq_cli.cli import console
from seq2seq_cli.cli.translate import (
    DEFAULT_MODEL,
    BatchSize,
    Beam,
    LengthPenalty,
    MaxLength,
    MaxSourceLength,
    MaxTokensPerBatch,
    Models,
    Threads,
    load_translator,
    report_cut,
)
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError, usage_error

if TYPE_CHECKING:
    from seq2seq_cli.evaluation import BucketScore, Scores
    from seq2seq_cli.text.corpus import Corpus

_DEFAULTS = SearchConfig()
_NAMES = {"bleu": "BLEU", "chrf": "chrF2", "ter": "TER"}


def evaluate_command(
    corpus: Annotated[
        str | None, typer.Argument(help="Test corpus, named as for 'train'.", show_default="the built-in test set")
    ] = None,
    model: Models = None,
    beam: Beam = _DEFAULTS.beam,
    length_penalty: LengthPenalty = _DEFAULTS.length_penalty,
    max_length: MaxLength = None,
    batch_size: BatchSize = _DEFAULTS.batch_size,
    max_tokens_per_batch: MaxTokensPerBatch = _DEFAULTS.max_tokens_per_batch,
    max_source_length: MaxSourceLength = _DEFAULTS.max_source_length,
    threads: Threads = None,
    metrics: Annotated[str, typer.Option("--metrics", help="Any of bleu,chrf,ter.")] = "bleu,chrf",
    by_length: Annotated[bool, typer.Option("--by-length", help="Also BLEU by length of the source.")] = False,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Also 95 % confidence intervals (bootstrap).")
    ] = False,
    hypotheses: Annotated[
        str | None, typer.Option("--hypotheses", help="Score this file's lines; no model is needed.")
    ] = None,
    references: Annotated[str | None, typer.Option("--references", help="The references for --hypotheses.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Score a model on a test corpus, with sacreBLEU's signatures.

    Without arguments it scores model.npz on the built-in test set.

    Examples: seq2seq eval · seq2seq eval test.de,test.en -m de-en.npz --beam 1
    """
    from seq2seq_cli.evaluation import corpus_scores, parse_metrics, scores_by_length

    names = parse_metrics(metrics)
    config = SearchConfig(beam, length_penalty, 1, max_length, batch_size, max_tokens_per_batch, max_source_length)
    if references is not None and hypotheses is None:
        raise usage_error("--references needs --hypotheses", where="--references", fix="name both files")
    if hypotheses is not None:
        if model:
            raise usage_error("give --model or --hypotheses, not both", where="--model", fix="leave one of them out")
        if (references is None) == (corpus is None):
            raise usage_error(
                "--hypotheses needs references",
                where="--hypotheses",
                fix="name either a CORPUS or --references FILE",
            )
        if by_length and corpus is None:
            raise usage_error(
                "--by-length needs the sources", where="--by-length", fix="name a CORPUS, not --references"
            )
        outputs, data = _read_lines(hypotheses), references or str(corpus)
        sources, targets = ([], _read_lines(references)) if references is not None else _read_columns(str(corpus))
        settings: dict[str, Any] = {"hypotheses": hypotheses}
    else:
        translator = load_translator(model, threads)
        test = _test_corpus(corpus, translator.corpora)
        console.say(f"translating {len(test):,} sentences with beam {beam} …")
        outputs = translator.translate(test.sources, config)
        report_cut([k for k, text in enumerate(test.sources, start=1) if translator.too_long(text, config)], config)
        sources, targets, data = test.sources, test.targets, test.name
        settings = {
            "models": [str(path) for path in model or [DEFAULT_MODEL]],
            "beam": beam,
            "length_penalty": length_penalty,
        }
    scores = corpus_scores(outputs, targets, names, confidence)
    buckets = scores_by_length(sources, outputs, targets) if by_length else []
    if as_json:
        lines = [json.dumps(_as_json(scores, buckets, data, settings), ensure_ascii=False)]
    else:
        lines = _as_lines(scores, buckets, data, settings)
    console.write_results(lines)


def _read_lines(path: str) -> list[str]:
    from seq2seq_cli.text.corpus import read_lines

    return list(read_lines(path))


def _read_corpus(name: str) -> Corpus:
    from seq2seq_cli.text.corpus import read_corpus

    corpus = read_corpus(name)
    console.warn_of_skipped(name, corpus.skipped)
    return corpus


def _read_columns(corpus: str) -> tuple[list[str], list[str]]:
    """Return both sides of a corpus line by line, empty ones too, so that they stay in step with another file."""
    from seq2seq_cli.text.corpus import read_pairs

    pairs = list(read_pairs(corpus))
    return [source for source, _ in pairs], [target for _, target in pairs]


def _test_corpus(name: str | None, trained_on: list[str]) -> Corpus:
    """Return the test corpus; the built-in one only goes with a model that was trained on the built-in corpus."""
    from seq2seq_cli.text.builtin import BUILTIN, builtin_corpus

    if name is None and any(corpus != BUILTIN for corpus in trained_on):
        raise UserError(
            "this model was not trained on the built-in corpus, so the built-in test set says nothing about it",
            where=", ".join(trained_on),
            fix="name a test corpus: seq2seq eval test.tsv",
            exit_code=console.EXIT_USAGE,
        )
    return _read_corpus(name or builtin_corpus("test"))


def _as_json(scores: Scores, buckets: list[BucketScore], data: str, settings: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {
        **scores.values,
        "signatures": scores.signatures,
        "sentences": scores.sentences,
        "corpus": data,
        **settings,
    }
    if scores.brevity_penalty is not None:
        result["brevity_penalty"] = scores.brevity_penalty
    if scores.intervals:
        result["confidence"] = scores.intervals
    if buckets:
        result["by_length"] = [{"words": bucket.label, **dataclasses.asdict(bucket)} for bucket in buckets]
    return result


def _as_lines(scores: Scores, buckets: list[BucketScore], data: str, settings: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in scores.values.items():
        interval = f" ± {scores.intervals[name]:.2f}" if name in scores.intervals else ""
        lines.append(f"{_NAMES[name]:<6}{value:6.2f}{interval}  {scores.signatures[name]}")
    shown = "  ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in settings.items())
    lines.append(f"data  {data}, {scores.sentences:,} sentences")
    lines.append(f"with  {shown}")
    if buckets:
        lines.append("BLEU by words of the source")
        longest = max(bucket.bleu for bucket in buckets) or 1.0
        for bucket in buckets:
            bar = "█" * round(30 * bucket.bleu / longest)
            lines.append(f"{bucket.label:>6}  {bucket.bleu:6.2f}  {bucket.sentences:5d} sentences  {bar}")
    return lines


def _plain(value: Any) -> str:
    return ", ".join(str(Path(part)) for part in value) if isinstance(value, list) else str(value)
