"""Read the corpora of a training run, encode them, and describe them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seq2seq_cli.config import Recipe
from seq2seq_cli.errors import DataNote, UserError, explain_os_errors, usage_error
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.storage.files import atomic_file, back_up
from seq2seq_cli.storage.model_files import backup_path
from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import Corpus, hold_out, read_corpus, shorten
from seq2seq_cli.text.inputs import title
from seq2seq_cli.text.statistics import count_oov, overlap, suspicious_pairs
from seq2seq_cli.text.tokenizer import UNKNOWN
from seq2seq_cli.text.units import unit_of
from seq2seq_cli.training.batches import EncodedCorpus, Sentences, encode_corpus
from seq2seq_cli.training.events import PairsSkipped, Side, SuspiciousPairs, TrainingCorpus, UnknownTokens, Vocabularies


class Pairs(NamedTuple):
    """Sentence pairs as text and as token ids."""

    text: Corpus
    ids: EncodedCorpus


def read_corpora(recipe: Recipe) -> tuple[Corpus, Corpus, Corpus | None]:
    """Return the training, the validation and the test corpus; without a name, the built-in ones.

    The seed determines which pairs are held out for a test, if the recipe asks for it, and then for validation, if the
    recipe names no corpus for it. If nothing can be held out for validation, it is the training corpus itself.

    Raises:
        UserError: if no test set can be held out, or as for ``read_corpus``.
    """
    name, valid_name = recipe.corpora.corpus, recipe.corpora.valid
    if name is None:
        if recipe.corpora.test:
            raise usage_error("the built-in corpus has test sets", where="--test", fix="leave --test out")
        name, valid_name = builtin_corpus("train"), valid_name or builtin_corpus("valid")
    train, test, seed = _read(recipe, name), None, recipe.training.seed
    if recipe.corpora.test:
        whole = train
        train, test = hold_out(whole, seed, recipe.corpora.test, len(whole))
        if test is whole:
            raise UserError("no pairs can be held out for a test", where=name, fix="leave --test out")
    return (*((train, _read(recipe, valid_name)) if valid_name is not None else hold_out(train, seed)), test)


def write_test_set(test: Corpus, path: Path, swap: bool) -> None:
    """Write a test set in the format of a corpus; an existing file with another content is backed up.

    Args:
        test: its pairs.
        path: the file.
        swap: whether its sides have changed places; in the file they are as the user gave them.
    """
    sides = (test.targets, test.sources) if swap else (test.sources, test.targets)
    pairs = zip(*(([line.replace("\t", " ") for line in side]) for side in sides))
    content = "".join(f"{source}\t{target}\n" for source, target in pairs).encode()
    if path.is_file():
        with explain_os_errors(path, "read"):
            if path.read_bytes() == content:
                return
        back_up(path, backup_path(path), move=True)
    with atomic_file(path) as file:
        file.write(content)


def _read(recipe: Recipe, name: str) -> Corpus:
    """Return a corpus in the direction of the recipe."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataNote)  # the event TrainingCorpus has it
        corpus = read_corpus(name)
    return corpus.swapped() if recipe.corpora.swap else corpus


def encode_pairs(corpus: Corpus, checkpoint: Checkpoint) -> tuple[Pairs, PairsSkipped | None]:
    """Return the pairs within the length limits of the recipe, and an event if others are skipped.

    Raises:
        UserError: if no pair is within the limits.
    """
    training = checkpoint.recipe.training
    length, tokens = training.max_source_length, training.max_tokens_per_batch
    encoded, fitting = encode_corpus(
        corpus,
        checkpoint.source_tokenizer,
        checkpoint.target_tokenizer,
        checkpoint.model.config.reverse_source,
        length,
        tokens,
    )
    if not len(encoded):
        raise UserError(
            f"every pair is longer than --max-source-length {length} or --max-tokens-per-batch {tokens} allows",
            where=corpus.name,
            fix="give single sentences instead of longer texts, or raise these limits",
        )
    skipped = len(corpus) - len(encoded)
    if not skipped:
        return Pairs(corpus, encoded), None
    first = shorten(corpus.sources[fitting.index(0)])
    return Pairs(corpus.select(fitting), encoded), PairsSkipped(corpus.name, skipped, first, length, tokens)


def describe_corpus(recipe: Recipe, train: Pairs, valid: Pairs) -> TrainingCorpus:
    """Return the numbers of pairs and tokens, without BOS and EOS."""
    source, target = train.ids.source.lengths - 1, train.ids.target.lengths - 2
    noted = [corpus for corpus in (train.text, valid.text) if corpus.columns]
    columns = tuple(dict.fromkeys(f"{title(corpus.name)}: {corpus.columns}" for corpus in noted))
    name, swapped = recipe.corpora.corpus, recipe.corpora.swap
    return TrainingCorpus(name, len(train.text), len(valid.text), source, target, columns, swapped)


def describe_vocabularies(checkpoint: Checkpoint, train: Pairs, valid: Pairs) -> Vocabularies:
    """Return the sizes of both vocabularies, and the out-of-vocabulary rates of the validation corpus."""
    sides = []
    for tokenizer, known, lines, ids in (
        (checkpoint.source_tokenizer, train.text.sources, valid.text.sources, valid.ids.source),
        (checkpoint.target_tokenizer, train.text.targets, valid.text.targets, valid.ids.target),
    ):
        oov = count_oov(map(tokenizer.normalize, known), map(tokenizer.normalize, lines), tokenizer.lowercase).rate
        unknown = _count_unknown(ids) / _count_tokens(ids)
        sides.append(Side(tokenizer.kind, len(tokenizer), unknown, oov, unit_of(lines)))
    return Vocabularies(*sides)


def find_suspicious_pairs(recipe: Recipe, train: Corpus, valid: Corpus) -> SuspiciousPairs:
    """Return the suspicious pairs of the corpora."""
    if valid is train:
        findings = suspicious_pairs(train)
    elif valid.name == train.name and recipe.corpora.valid is None:  # held out of the same file: one corpus
        findings = suspicious_pairs(train.joined(valid))
    else:
        findings = suspicious_pairs(train) + suspicious_pairs(valid) + overlap(train, valid)
    return SuspiciousPairs(tuple(findings))


def find_unknown_tokens(pairs: Pairs) -> list[UnknownTokens]:
    """Return an event for each side with tokens outside of its vocabulary."""
    events = []
    for side, ids in (("source", pairs.ids.source), ("target", pairs.ids.target)):
        count = _count_unknown(ids)
        if count:
            events.append(UnknownTokens(pairs.text.name, side, count, count / _count_tokens(ids)))
    return events


def _count_unknown(sentences: Sentences) -> int:
    return int(np.count_nonzero(sentences.ids == UNKNOWN))


def _count_tokens(sentences: Sentences) -> int:
    """Return the number of tokens without EOS, at least 1."""
    return max(1, len(sentences.ids) - len(sentences))
