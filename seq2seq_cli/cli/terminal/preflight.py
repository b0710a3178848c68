"""Before training: what the corpus is like, what looks wrong in it, and what the training will take."""

from __future__ import annotations

import sys
from pathlib import Path

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import bar, can_draw
from seq2seq_cli.cli.terminal.progress import clock
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.statistics import Bucket, Lengths, count_oov, length_histogram, overlap, suspicious_pairs
from seq2seq_cli.text.tokenizer import UNKNOWN
from seq2seq_cli.training.batches import EncodedCorpus, Sentences
from seq2seq_cli.training.trainer import UNLIMITED_EPOCHS, Trainer

BAR, LABEL = 18, 12
"""Widths in characters: of a full bar, and of what stands before each line's colon."""
MUCH_UNKNOWN = 0.2
"""Share of ``<unk>`` from which on a corpus and its tokenizer do not go together."""


def preflight(trainer: Trainer, train: Corpus, valid: Corpus, title: str, as_result: bool) -> None:
    """Show everything that can be known before the training, then warnings.

    Args:
        trainer: the training, ready to start; it is left as it is.
        train, valid: its pairs as text.
        title: what to call the corpus.
        as_result: whether this is all that was asked for: it then goes to standard output.
    """
    blocks = as_result or can_draw(sys.stderr)
    sections = (
        corpus_lines(trainer, train, valid, title, blocks),
        vocabulary_lines(trainer, train, valid),
        suspicion_lines(trainer, train, valid),
        cost_lines(trainer),
    )
    for lines in sections:  # each as soon as it is known
        if as_result:
            console.write_results(console.wrapped(line, LABEL, sys.stdout) for line in lines)
        else:
            for line in lines:
                console.say(line, indent=LABEL)
    for corpus, encoded in ((train, trainer.train), (valid, trainer.valid)):
        warn_of_unknown(corpus, encoded)


def corpus_lines(trainer: Trainer, train: Corpus, valid: Corpus, title: str, blocks: bool) -> list[str]:
    """Return how many pairs and tokens there are, and how long the sentences are."""
    source, target = token_counts(trainer.train)
    buckets = length_histogram(source, target)
    return [
        f"corpus:     {title}: {len(train):,} training pair{'s' * (len(train) > 1)}, {len(valid):,} for validation",
        f"tokens:     {int(source.sum()):,} source and {int(target.sum()):,} target, "
        f"{source.mean():.1f} and {target.mean():.1f} a sentence, at most {source.max()} and {target.max()}",
        *histogram_lines(buckets, blocks),
    ]


def histogram_lines(buckets: list[Bucket], blocks: bool) -> list[str]:
    """Return one line for each bucket, both sides beside each other."""
    most = max(max(bucket.source, bucket.target) for bucket in buckets)
    rows = [f"lengths:    {'tokens':>9}  {'source':<{BAR + 10}} target"]
    for bucket in buckets:
        sides = [f"{n:>8,} {bar(n / most, BAR, blocks):<{BAR}}" for n in (bucket.source, bucket.target)]
        rows.append(f"{'':{LABEL}}{bucket.label:>9} {'  '.join(sides)}".rstrip())
    return rows


def vocabulary_lines(trainer: Trainer, train: Corpus, valid: Corpus) -> list[str]:
    """Return the vocabularies' sizes and what of the validation corpus is outside of them."""
    checkpoint = trainer.checkpoint
    source, target = checkpoint.source_tokenizer, checkpoint.target_tokenizer
    kind = source.kind if source.kind == target.kind else f"{source.kind} and {target.kind}"
    words = [
        count_oov(known, lines, tokenizer.lowercase).rate
        for known, lines, tokenizer in (
            (train.sources, valid.sources, source),
            (train.targets, valid.targets, target),
        )
    ]
    tokens = [unknown_share(sentences) for sentences in (trainer.valid.source, trainer.valid.target)]
    return [
        f"vocabulary: {len(source):,} source and {len(target):,} target tokens ({kind})",
        f"unseen:     of the validation corpus, {tokens[0]:.2%} of source and {tokens[1]:.2%} of target tokens are "
        f"<unk>; {words[0]:.1%} and {words[1]:.1%} of the words are not in the training text",
    ]


def suspicion_lines(trainer: Trainer, train: Corpus, valid: Corpus) -> list[str]:
    """Return what looks wrong in the corpora, each kind with its number and its first line."""
    if valid is train:
        found = suspicious_pairs(train)
    elif valid.name == train.name and trainer.checkpoint.valid is None:  # held out of the same file: one corpus
        found = suspicious_pairs(train.joined(valid))
    else:
        found = suspicious_pairs(train) + suspicious_pairs(valid) + overlap(train, valid)
    if not found:
        return ["suspicious: nothing found"]
    return [f"suspicious: {f.what}, the first {shortest(f.place)} ({f.advice})" for f in found]


def cost_lines(trainer: Trainer) -> list[str]:
    """Return the network's size and, from a few steps that leave no trace, the memory and time it will take."""
    config, model = trainer.config, trainer.model.config
    directions = "both directions" if model.bidirectional else "one direction"
    lines = [
        f"model:      {model.cell}, {model.layers} layer{'s' * (model.layers > 1)}, {directions}, context "
        f"{model.context}, {len(trainer.model.parameters.flat):,} parameters"
    ]
    if trainer.finished:
        return lines
    rehearsal = trainer.rehearse()
    peak = peak_memory()
    vectors = 2 + len(trainer.optimizer.moments())
    if peak is None:
        size = f"over {megabytes(vectors * trainer.model.parameters.flat.nbytes)} for weights, gradients and optimizer"
    else:
        size = f"about {megabytes(peak + rehearsal.workers_memory)}"
    lines.append(f"memory:     {size}; the weights are {megabytes(trainer.model.parameters.flat.nbytes)}")
    left = trainer.total_steps - trainer.step
    steps = trainer.steps_per_epoch
    seconds = rehearsal.epoch_seconds * left / steps
    parts = [
        f"about {duration(rehearsal.epoch_seconds)} per epoch of {steps:,} step{'s' * (steps > 1)} "
        f"({milliseconds(rehearsal.step_seconds)} each, measured on {rehearsal.steps}), validation not counted"
    ]
    if config.max_minutes is not None:
        seconds = min(seconds, 60 * config.max_minutes - trainer.seconds)
    if config.epochs < UNLIMITED_EPOCHS or config.max_steps or config.max_minutes:
        parts.append(f"at most {duration(seconds)} in all")
    return [*lines, f"time:       {'; '.join(parts)}"]


def warn_of_unknown(corpus: Corpus, encoded: EncodedCorpus) -> None:
    """Warn of tokens that are not in the vocabulary."""
    for side, sentences in (("source", encoded.source), ("target", encoded.target)):
        share = unknown_share(sentences)
        if share:
            unknown = int((sentences.ids == UNKNOWN).sum())
            counted = f"{unknown:,} {side} token{'s' * (unknown != 1)} ({share:.1%})"
            text = f"{counted} {'are' if unknown != 1 else 'is'} not in the vocabulary: <unk>"
            if share >= MUCH_UNKNOWN:
                text += "; use --tokenizer bpe, a larger --vocab-size, or a tokenizer learnt from this text"
            console.warn(f"{corpus.name}: {text}")


def token_counts(encoded: EncodedCorpus) -> tuple[Lengths, Lengths]:
    """Return the tokens of every sentence of both sides, start and end symbols not counted."""
    return encoded.source.lengths - 1, encoded.target.lengths - 2


def unknown_share(sentences: Sentences) -> float:
    """Return which share of the tokens, the end symbols not counted, is ``<unk>``."""
    return float((sentences.ids == UNKNOWN).sum()) / max(1, len(sentences.ids) - len(sentences))


def shortest(place: str) -> str:
    """Return a place with its path as one would type it here, if that is shorter."""
    here = f"{Path.cwd()}/"
    return place.removeprefix(here)


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


def peak_memory() -> int | None:
    """Return the most bytes of memory that this process has held so far, or None where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: the kernel's count for this program alone, not for the one that started it
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
