"""What one gets without a network, as a scale for a model's score: the nearest training sentence, or word by word."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from seq2seq_cli.nn.ibm_model1 import Side, learn_translation_table
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.pieces import join_pieces, normalize, split_word


def nearest_translations(train: Corpus, sources: Sequence[str]) -> list[str]:
    """Return, for each source, the target of the most similar training source.

    Similarity is the share of words in common, ``|A ∩ B| / |A ∪ B|`` over the sets of lower-cased words; the first of
    equals wins. A source that has no word in common with any gets the first training pair's target.

    Args:
        train: the training pairs.
        sources: sentences to look up.

    Source:
        Jaccard 1912, "The Distribution of the Flora in the Alpine Zone" (the coefficient).
    """
    known = [_words(source) for source in train.sources]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for k, words in enumerate(known):
        for word in words:
            places[word].append(k)
    found = []
    for source in sources:
        own = _words(source)
        common = Counter(k for word in own for k in places.get(word, ()))
        best = max(common, key=lambda k: (common[k] / len(own | known[k]), -k), default=0)
        found.append(train.targets[best])
    return found


def word_by_word_translations(train: Corpus, sources: Sequence[str]) -> list[str]:
    """Return, for each source, its words' most probable translations by IBM model 1, in the source's order.

    A word or mark that occurs in no training source is copied.

    Args:
        train: the training pairs, from which the model learns.
        sources: sentences to translate.

    Source:
        Brown et al. 1993 (see ``nn.ibm_model1``).

    Example:
        With ``the cat → le chat`` and ``the dog → le chien``, ``the Zebra, the dog`` becomes ``le Zebra, le chien``.
    """
    null = ""  # the NULL word of every source; no piece is empty
    source_ids: dict[str, int] = {null: 0}
    target_ids: dict[str, int] = {}
    source_side = _side([[null, *_pieces(text)] for text in train.sources], source_ids)
    target_side = _side([_pieces(text) for text in train.targets], target_ids)
    table = learn_translation_table(source_side, target_side, len(source_ids), len(target_ids))
    # For each source word, take the pair with the largest t(v|s): the last one in this order.
    order = np.lexsort((-table.target, table.values, table.source))
    best = order[np.flatnonzero(np.diff(table.source[order], append=-1))]
    source_words, target_words = list(source_ids), list(target_ids)
    translations = {source_words[s]: target_words[v] for s, v in zip(table.source[best], table.target[best])}
    return [join_pieces("".join(translations.get(piece, piece) for piece in _pieces(text))) for text in sources]


_split_word = lru_cache(maxsize=1 << 16)(split_word)


def _side(sentences: Sequence[Sequence[str]], ids: dict[str, int]) -> Side:
    """Return sentences as ids; every new word is added to ``ids``."""
    lengths = np.array([len(sentence) for sentence in sentences])
    return Side(np.array([ids.setdefault(word, len(ids)) for sentence in sentences for word in sentence]), lengths)


def _pieces(text: str) -> list[str]:
    """Return the words and marks of a text, each with the space before it."""
    return [piece for word in normalize(text).split(" ") if word for piece in _split_word(word)]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))
