"""The report before a training run: the corpus, the vocabularies, the network, the estimated time and memory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, assert_never

from seq2seq_cli.cli.terminal.charts import bar
from seq2seq_cli.config import UNLIMITED_EPOCHS, ModelConfig, flag_of
from seq2seq_cli.text.builtin import BUILTIN, SWAPPED
from seq2seq_cli.text.statistics import Bucket, length_histogram
from seq2seq_cli.training.events import (
    BatchesSplit,
    BleuTokenizerChosen,
    CostEstimate,
    ModelBackedUp,
    Network,
    NothingHeldOut,
    PairsSkipped,
    Preparation,
    RecipeChosen,
    StartedFrom,
    SuspiciousPairs,
    SyntheticPairs,
    TestSetHeldOut,
    TrainingCorpus,
    UnknownTokens,
    Vocabularies,
)

BAR, LABEL = 18, 12
"""Widths in characters of a full bar, and of the label at the start of each line."""
NUMBERS = 43
"""Width of a line of the histogram without its two bars, and with a free column at its end."""
FEW_PAIRS = 1000
"""With fewer pairs, a model is hardly better than the translation of the nearest training sentence."""
MUCH_UNKNOWN = 0.2
"""Share of ``<unk>`` at which a tokenizer does not fit a corpus."""


def section_lines(event: Preparation, blocks: bool) -> list[str]:
    """Return the lines of the report for an event; an event that is a warning has none."""
    match event:
        case TrainingCorpus():
            return corpus_lines(event, blocks)
        case TestSetHeldOut(path, pairs):
            return [f"test:       {pairs:,} pair{'s' * (pairs > 1)} held out for a test: {path}"]
        case Vocabularies(source, target):
            kind = source.kind if source.kind == target.kind else f"{source.kind} and {target.kind}"
            rates = f"{source.oov:.1%} and {target.oov:.1%} of the {source.unit}"
            if source.unit != target.unit:
                rates = f"{source.oov:.1%} of the source {source.unit} and {target.oov:.1%} of the target {target.unit}"
            return [
                f"vocabulary: {source.entries:,} source and {target.entries:,} target tokens ({kind})",
                f"OOV:        in the validation corpus, {source.unknown:.2%} of source and {target.unknown:.2%} of "
                f"target tokens are <unk>; {rates} are not in the training corpus",
            ]
        case SuspiciousPairs(findings):
            if not findings:
                return ["suspicious: nothing found"]
            return [
                f"suspicious: {found.what}, the first at {shortest(found.location)} ({found.advice})"
                for found in findings
            ]
        case SyntheticPairs(pairs, per_epoch):
            drawn = f"{per_epoch:,} of them per epoch, none in the last fifth of the epochs"
            return [f"synthetic:  {pairs:,} pairs made by exchanging phrase pairs; {drawn}"]
        case Network(config, parameters):
            return [f"model:      {describe(config)}, {parameters:,} parameters"]
        case RecipeChosen(pairs, settings):
            return recipe_lines(pairs, settings)
        case BleuTokenizerChosen(_, reason):
            return [f"scoring:    {reason}"]
        case CostEstimate():
            return cost_lines(event)
        case StartedFrom(path, corpus):
            trained_on = "the built-in corpus" if corpus == BUILTIN else corpus
            return [f"start:      {path}, trained on {trained_on}: its weights, tokenizers, network and settings"]
        case BatchesSplit(tokens, size):
            return [f"note:       --max-tokens-per-batch {tokens} makes some batches smaller than --batch-size {size}"]
        case ModelBackedUp(path, backup):
            oldest = ", in place of the oldest backup" if backup.exists() else ""
            return [f"note:       the existing model {path} will be backed up as {backup}{oldest}"]
        case NothingHeldOut() | PairsSkipped() | UnknownTokens():
            return []
        case _:
            assert_never(event)


def warning_of(event: Preparation) -> str | None:
    """Return the warning for an event, if there is one."""
    match event:
        case NothingHeldOut():
            return "no pairs can be held out for validation, so the training pairs are used for it"
        case PairsSkipped(corpus, count, first, length, tokens):
            counted = "1 pair" if count == 1 else f"{count:,} pairs"
            limits = f"--max-source-length {length} or --max-tokens-per-batch {tokens}"
            return f"{corpus}: skipped {counted} longer than {limits} allows, the first: {first}"
        case UnknownTokens(corpus, side, count, share):
            counted = f"{count:,} {side} token{'s' * (count != 1)} ({share:.1%})"
            text = f"{corpus}: {counted} {'are' if count != 1 else 'is'} not in the vocabulary: <unk>"
            if share >= MUCH_UNKNOWN:
                text += "; use --tokenizer bpe, a larger --vocab-size, or a tokenizer trained on this text"
            return text
        case SuspiciousPairs(findings):
            severe = [f"{found.what} ({found.advice})" for found in findings if found.severe]
            return f"this corpus teaches hardly any translation: {'; '.join(severe)}" if severe else None
        case _:
            return None


def corpus_lines(event: TrainingCorpus, blocks: bool) -> list[str]:
    """Return lines with the numbers of pairs and tokens, and the lengths of the sentences."""
    source, target = event.source_lengths, event.target_lengths
    languages = "French–English" if event.swapped else "English–French"
    title = f"the built-in {languages} corpus" if event.name is None else event.name + SWAPPED * event.swapped
    pairs = f"{event.training_pairs:,} training pair{'s' * (event.training_pairs > 1)}"
    return [
        f"corpus:     {title}: {pairs}, {event.validation_pairs:,} for validation",
        *(f"columns:    {note}" for note in event.columns),
        f"tokens:     {int(source.sum()):,} source and {int(target.sum()):,} target, "
        f"{source.mean():.1f} and {target.mean():.1f} per sentence, at most {source.max()} and {target.max()}",
        *histogram_lines(length_histogram(source, target), blocks, shutil.get_terminal_size().columns),
    ]


def histogram_lines(buckets: list[Bucket], blocks: bool, columns: int = 80) -> list[str]:
    """Return one line for each bucket, with both sides side by side; bars are shorter on a narrow terminal."""
    largest = max(max(bucket.source, bucket.target) for bucket in buckets)
    width = max(1, min(BAR, (columns - NUMBERS) // 2))
    rows = [f"lengths:    {'tokens':>9}  {'source':<{width + 10}} target"]
    for bucket in buckets:
        sides = [f"{n:>8,} {bar(n / largest, width, blocks):<{width}}" for n in (bucket.source, bucket.target)]
        rows.append(f"{'':{LABEL}}{bucket.label:>9} {'  '.join(sides)}".rstrip())
    return rows


def describe(config: ModelConfig) -> str:
    """Return the shape of a network in a few words."""
    directions = "both directions" if config.bidirectional else "one direction"
    layers = f"{config.layers} layer{'s' * (config.layers > 1)}"
    pooled = ", pooled" * config.pooled_context
    prior = ", lexical prior" * config.lexical_prior + ", bigram prior" * config.bigram_prior
    return f"{config.cell}, {layers}, {directions}, context {config.context}{pooled}{prior}"


def recipe_lines(pairs: int, settings: dict[str, Any]) -> list[str]:
    """Return a line with the settings that were chosen to fit the corpus, as flags; none if all were given."""
    shown = [
        flag_of(name)
        if value is True
        else f"--no-{flag_of(name)[2:]}"
        if value is False
        else f"{flag_of(name)} {value}"
        for name, value in settings.items()
        if name != "patience" and not (name == "epochs" and value >= UNLIMITED_EPOCHS)
    ]
    lines = (
        [f"recipe:     chosen for {pairs:,} pairs, where no flag says otherwise: {' '.join(shown)}"] if shown else []
    )
    if pairs < FEW_PAIRS:
        lines.append(
            "note:       with so few pairs, the translation of the nearest training sentence may be better: compare "
            "with 'seq2seq eval --baselines'"
        )
    return lines


def cost_lines(event: CostEstimate) -> list[str]:
    """Return lines with the estimated memory and time."""
    if event.memory is None:
        size = f"over {megabytes(event.least_memory)} for weights, gradients and optimizer"
    else:
        size = f"about {megabytes(event.memory)}"
    steps = event.steps_per_epoch
    parts = [
        f"about {duration(event.epoch_seconds)} per epoch of {steps:,} step{'s' * (steps > 1)} "
        f"({milliseconds(event.step_seconds)} each, measured on {event.steps}), validation not counted"
    ]
    if event.seconds is not None:
        parts.append(f"at most {duration(event.seconds)} in total")
    return [f"memory:     {size}; the weights are {megabytes(event.weights)}", f"time:       {'; '.join(parts)}"]


def shortest(location: str) -> str:
    """Return a location with a path relative to the current folder, if it is inside of it."""
    return location.removeprefix(f"{Path.cwd()}/")


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """Return a duration in readable form, ``0.4 s`` or ``3:20``."""
    return f"{seconds:.1f} s" if seconds < 10 else clock(seconds)


def megabytes(size: int) -> str:
    """Return a number of bytes in readable form, ``12 kB`` or ``3.4 MB``."""
    if size < 1e6:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:,.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


def milliseconds(seconds: float) -> str:
    """Return the duration of a step in milliseconds."""
    return f"{1000 * seconds:,.{0 if seconds >= 0.1 else 1}f} ms"
