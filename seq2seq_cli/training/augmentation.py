"""Synthetic sentence pairs: a phrase pair is replaced by another one that also occurs between the same tokens.

::

    This is a good place to live .     Este es un buen lugar para vivir .
    Tom is a fool .                    Tom es un tonto .

Both "This | Este" and "Tom | Tom" occur at the start and before "is | es", so these are synthetic pairs::

    Tom is a good place to live .      Tom es un buen lugar para vivir .
    This is a fool .                   Este es un tonto .

In a few thousand pairs, each word occurs in a handful of sentences, and the network overfits to these sentences. In
the synthetic pairs the same words occur in other contexts, so the network has to learn how they combine. Many synthetic
pairs make no sense: they teach word translation only, and the last part of the training leaves them out.

Source: Andreas 2020, "Good-Enough Compositional Data Augmentation" (fragments that share an environment are exchanged);
Fadaee, Bisazza & Monz 2017, "Data Augmentation for Low-Resource Neural Machine Translation" (one word on both sides).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.nn.phrases import PhrasePair, align, phrase_pairs
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.text.tokenizer import BOS, EOS, Tokenizer
from seq2seq_cli.training.batches import EncodedCorpus, Sentences
from seq2seq_cli.training.lexicon import learn_lexicons
from seq2seq_cli.training.trainer import SYNTHETIC_STREAM, random_stream

SYNTHETIC_PER_PAIR = 4
"""Synthetic pairs per real pair that are made before the training; every epoch draws from them."""
LONGEST_PHRASE = 6
"""Tokens on either side."""
FEW_SPACES = 0.25
"""Share of tokens with a space before them; below it, a language does not separate words by spaces."""
TRIES = 20
"""Random replacements to try for each requested synthetic pair."""
MAX_PAIRS = 20_000
"""Maximum sentence pairs whose phrase pairs are extracted; of a larger corpus, every n-th pair."""

Ids = tuple[int, ...]
Pair = tuple[Ids, Ids]
Environment = tuple[int, ...]
"""The side or sides that it covers, and the tokens before and after the phrase there."""


class _Occurrence(NamedTuple):
    """A phrase pair, and the number of its sentence pair."""

    number: int
    phrase: PhrasePair


def augment(checkpoint: Checkpoint, train: EncodedCorpus) -> EncodedCorpus | None:
    """Return the synthetic pairs that a training run draws from, or None if its recipe has no augmentation.

    They depend only on the corpus and the seed, so a resumed run makes the same ones.

    Args:
        checkpoint: model, tokenizers and recipe.
        train: the real pairs.
    """
    model, recipe = checkpoint.model, checkpoint.recipe
    tokenizers = checkpoint.source_tokenizer, checkpoint.target_tokenizer
    augmentation = recipe.training.augmentation
    if not augmentation:
        return None
    if model.tables.lexicon is not None and model.tables.reverse_lexicon is not None:
        lexicons = model.tables.lexicon, model.tables.reverse_lexicon
    else:
        lexicons = learn_lexicons(train, *tokenizers, model.config.reverse_source)
    count = math.ceil(max(SYNTHETIC_PER_PAIR, augmentation) * len(train))
    generator = random_stream(recipe.training.seed, SYNTHETIC_STREAM)
    return synthetic_pairs(train, *tokenizers, lexicons, count, generator, model.config.reverse_source)


def synthetic_pairs(
    corpus: EncodedCorpus,
    source: Tokenizer,
    target: Tokenizer,
    lexicons: tuple[Lexicon, Lexicon],
    count: int,
    generator: np.random.Generator,
    reverse_source: bool = False,
) -> EncodedCorpus:
    """Return up to ``count`` synthetic pairs.

    A phrase pair may replace another one if both occur between the same two tokens, on both sides or on one side. No
    synthetic pair is in the corpus or occurs twice, and none is longer than the longest source and the longest pair.

    Args:
        corpus: the real pairs.
        source, target: the tokenizers that encoded them.
        lexicons: ``t(target token | source token)`` and ``t(source token | target token)``.
        count: number of pairs to make.
        generator: determines the random choices.
        reverse_source: whether the sources are in reverse order.
    """
    order = -1 if reverse_source else 1
    step = -(-len(corpus) // MAX_PAIRS)
    real = [(x[:-1][::order], y[1:-1]) for x, y in zip(_tuples(corpus.source), _tuples(corpus.target))]
    pairs = real[::step]
    starts = _word_starts(source, corpus.source), _word_starts(target, corpus.target)
    occurrences = list(_occurrences(pairs, lexicons, *starts))
    # Group the distinct phrase pairs by the environments in which they occur.
    grouped: defaultdict[Environment, dict[Pair, None]] = defaultdict(dict)
    for number, phrase in occurrences:
        for environment in _environments(*pairs[number], phrase):
            grouped[environment][_inside(*pairs[number], phrase)] = None
    fitting = {environment: list(phrases) for environment, phrases in grouped.items() if len(phrases) > 1}
    # Replace random phrase pairs until there are enough new sentence pairs.
    longest_source, longest_pair = max(len(x) for x, _ in real), max(len(x) + len(y) for x, y in real)
    known, new = set(real), dict[Pair, None]()
    for _ in range(TRIES * count if fitting else 0):
        if len(new) == count:
            break
        number, phrase = occurrences[generator.integers(len(occurrences))]
        x, y = pairs[number]
        choices = [fitting[environment] for environment in _environments(x, y, phrase) if environment in fitting]
        if not choices:
            continue
        phrases = choices[generator.integers(len(choices))]
        of_source, of_target = phrases[generator.integers(len(phrases))]
        pair = (x[: phrase.i] + of_source + x[phrase.j :], y[: phrase.k] + of_target + y[phrase.l :])
        fits = len(pair[0]) <= longest_source and len(pair[0]) + len(pair[1]) <= longest_pair
        if fits and of_source != x[phrase.i : phrase.j] and pair not in known:
            new[pair] = None
    return EncodedCorpus(
        Sentences.of(((*x[::order], EOS) for x, _ in new), len(source)),
        Sentences.of(((BOS, *y, EOS) for _, y in new), len(target)),
    )


def _tuples(sentences: Sentences) -> Iterator[Ids]:
    for start, stop in pairwise(sentences.starts.tolist()):
        yield tuple(sentences.ids[start:stop].tolist())


def _occurrences(
    pairs: Sequence[Pair], lexicons: tuple[Lexicon, Lexicon], source_starts: list[bool], target_starts: list[bool]
) -> Iterator[_Occurrence]:
    """Yield the phrase pairs of all sentence pairs, except those that cover a whole source."""
    for number, (x, y) in enumerate(pairs):
        if not x or not y:
            continue
        links = align(*lexicons, x, y)
        x_starts, y_starts = [source_starts[token] for token in x], [target_starts[token] for token in y]
        for phrase in phrase_pairs(links, x_starts, y_starts, LONGEST_PHRASE):
            if phrase.j - phrase.i < len(x):
                yield _Occurrence(number, phrase)


def _word_starts(tokenizer: Tokenizer, sentences: Sentences) -> list[bool]:
    """Return for each token whether a phrase may start with it: if it starts with a space or a punctuation mark.

    If few tokens of the sentences start with a space (Chinese, Japanese), a phrase may start with any token.
    """
    spaced = np.array([token.startswith(" ") for token in tokenizer.vocabulary])
    if spaced[sentences.ids].mean() < FEW_SPACES:
        return [True] * len(tokenizer)
    return [token.startswith(" ") or not token[:1].isalnum() for token in tokenizer.vocabulary]


def _inside(x: Ids, y: Ids, phrase: PhrasePair) -> Pair:
    return x[phrase.i : phrase.j], y[phrase.k : phrase.l]


def _environments(x: Ids, y: Ids, phrase: PhrasePair) -> list[Environment]:
    """Return the environments of a phrase pair: on both sides, on the source side, and on the target side."""
    around_x = (x[phrase.i - 1] if phrase.i else BOS, x[phrase.j] if phrase.j < len(x) else EOS)
    around_y = (y[phrase.k - 1] if phrase.k else BOS, y[phrase.l] if phrase.l < len(y) else EOS)
    return [(0, *around_x, *around_y), (1, *around_x), (2, *around_y)]
