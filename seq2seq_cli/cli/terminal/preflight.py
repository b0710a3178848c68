"""What is known before a training, in words: the corpus, the vocabularies, the network, what it will take."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_never

from seq2seq_cli.cli.terminal.charts import bar
from seq2seq_cli.config import UNLIMITED_EPOCHS, ModelConfig, flag_of
from seq2seq_cli.text.statistics import Bucket, length_histogram
from seq2seq_cli.training.events import (
    BatchesSplit,
    CostEstimate,
    ModelBackedUp,
    Network,
    NothingHeldOut,
    PairsSkipped,
    Preparation,
    RecipeChosen,
    SuspiciousPairs,
    SyntheticPairs,
    TrainingCorpus,
    UnknownTokens,
    Vocabularies,
)

BAR, LABEL = 18, 12
"""Widths in characters: of a full bar, and of what stands before each line's colon."""
FEW_PAIRS = 1000
"""Pairs below which a model hardly beats looking up the nearest training sentence."""
MUCH_UNKNOWN = 0.2
"""Share of ``<unk>`` from which on a corpus and its tokenizer do not go together."""


def section_lines(event: Preparation, blocks: bool) -> list[str]:
    """Return the lines of the preflight that an event makes; none for one that makes a warning."""
    match event:
        case TrainingCorpus():
            return corpus_lines(event, blocks)
        case Vocabularies(source, target):
            kind = source.kind if source.kind == target.kind else f"{source.kind} and {target.kind}"
            return [
                f"vocabulary: {source.entries:,} source and {target.entries:,} target tokens ({kind})",
                f"unseen:     of the validation corpus, {source.unknown:.2%} of source and {target.unknown:.2%} of "
                f"target tokens are <unk>; {source.oov:.1%} and {target.oov:.1%} of the words are not in the training "
                "text",
            ]
        case SuspiciousPairs(findings):
            if not findings:
                return ["suspicious: nothing found"]
            return [f"suspicious: {each.what}, the first {shortest(each.place)} ({each.advice})" for each in findings]
        case SyntheticPairs(pairs, per_epoch):
            drawn = f"{per_epoch:,} of them per epoch, none in the last fifth of the training"
            return [f"synthetic:  {pairs:,} pairs made by exchanging phrase pairs; {drawn}"]
        case Network(config, parameters):
            return [f"model:      {describe(config)}, {parameters:,} parameters"]
        case RecipeChosen(pairs, settings):
            return recipe_lines(pairs, settings)
        case CostEstimate():
            return cost_lines(event)
        case BatchesSplit(tokens, size):
            return [f"note:       --max-tokens-per-batch {tokens} makes some batches smaller than --batch-size {size}"]
        case ModelBackedUp(path, backup):
            return [f"note:       the model now in {path} will be kept as {backup}"]
        case NothingHeldOut() | PairsSkipped() | UnknownTokens():
            return []
        case _:
            assert_never(event)


def warning_of(event: Preparation) -> str | None:
    """Return the warning that an event makes, if it makes one."""
    match event:
        case NothingHeldOut():
            return "no pairs can be held out for validation: the training pairs are used for it"
        case PairsSkipped(corpus, count, first, length, tokens):
            counted = "1 pair" if count == 1 else f"{count:,} pairs"
            limits = f"--max-source-length {length} or --max-tokens-per-batch {tokens}"
            return f"{corpus}: skipped {counted} longer than {limits} allows, the first: {first}"
        case UnknownTokens(corpus, side, count, share):
            counted = f"{count:,} {side} token{'s' * (count != 1)} ({share:.1%})"
            text = f"{corpus}: {counted} {'are' if count != 1 else 'is'} not in the vocabulary: <unk>"
            if share >= MUCH_UNKNOWN:
                text += "; use --tokenizer bpe, a larger --vocab-size, or a tokenizer learnt from this text"
            return text
        case _:
            return None


def corpus_lines(event: TrainingCorpus, blocks: bool) -> list[str]:
    """Return how many pairs and tokens there are, and how long the sentences are."""
    source, target = event.source_lengths, event.target_lengths
    title = "the built-in English–French corpus" if event.name is None else event.name
    pairs = f"{event.training_pairs:,} training pair{'s' * (event.training_pairs > 1)}"
    return [
        f"corpus:     {title}: {pairs}, {event.validation_pairs:,} for validation",
        f"tokens:     {int(source.sum()):,} source and {int(target.sum()):,} target, "
        f"{source.mean():.1f} and {target.mean():.1f} a sentence, at most {source.max()} and {target.max()}",
        *histogram_lines(length_histogram(source, target), blocks),
    ]


def histogram_lines(buckets: list[Bucket], blocks: bool) -> list[str]:
    """Return one line for each bucket, both sides beside each other."""
    most = max(max(bucket.source, bucket.target) for bucket in buckets)
    rows = [f"lengths:    {'tokens':>9}  {'source':<{BAR + 10}} target"]
    for bucket in buckets:
        sides = [f"{n:>8,} {bar(n / most, BAR, blocks):<{BAR}}" for n in (bucket.source, bucket.target)]
        rows.append(f"{'':{LABEL}}{bucket.label:>9} {'  '.join(sides)}".rstrip())
    return rows


def describe(config: ModelConfig) -> str:
    """Return a network's shape in a few words."""
    directions = "both directions" if config.bidirectional else "one direction"
    layers = f"{config.layers} layer{'s' * (config.layers > 1)}"
    prior = ", lexical prior" * config.lexical_prior + ", bigram prior" * config.bigram_prior
    return f"{config.cell}, {layers}, {directions}, context {config.context}{prior}"


def recipe_lines(pairs: int, settings: dict[str, Any]) -> list[str]:
    """Return what was chosen to fit the corpus, as flags; none if everything was given."""
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
            "note:       so few pairs that the translation of the nearest training sentence may be better: compare "
            "with 'seq2seq eval --baselines'"
        )
    return lines


def cost_lines(event: CostEstimate) -> list[str]:
    """Return the memory and the time that a training will take."""
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
        parts.append(f"at most {duration(event.seconds)} in all")
    return [f"memory:     {size}; the weights are {megabytes(event.weights)}", f"time:       {'; '.join(parts)}"]


def shortest(place: str) -> str:
    """Return a place with its path as one would type it here, if that is shorter."""
    return place.removeprefix(f"{Path.cwd()}/")


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """Return a time for people, ``0.4 s`` or ``3:20``."""
    return f"{seconds:.1f} s" if seconds < 10 else clock(seconds)


def megabytes(size: int) -> str:
    """Return a number of bytes for people."""
    if size < 1e6:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:,.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


def milliseconds(seconds: float) -> str:
    """Return the duration of a step for people."""
    return f"{1000 * seconds:,.{0 if seconds >= 0.1 else 1}f} ms"
