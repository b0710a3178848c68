"""Baselines without a network, to put a model's score in perspective: nearest training sentence, and word by word."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from seq2seq_cli.nn.ibm_model1 import Side, learn_translation_table
from seq2seq_cli.text.bpe import BpeTokenizer
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.pieces import join_pieces, normalize, split_word
from seq2seq_cli.text.tokenizer import UNKNOWN
from seq2seq_cli.text.units import CHARACTERS, split_characters, unit_of


def nearest_translations(train: Corpus, sources: Sequence[str]) -> list[str]:
    """Return, for each source, the target of the most similar training source.

    Similarity is the Jaccard coefficient ``|A ∩ B| / |A ∪ B|`` of the sets of lower-cased words (characters, in scripts
    without spaces); of equally similar sources, the first one counts. A source without a word in common with any gets
    the target of the first pair.

    Args:
        train: the training pairs.
        sources: sentences to look up.

    Source:
        Jaccard 1912, "The Distribution of the Flora in the Alpine Zone" (the coefficient).
    """
    # Index the training sources by word.
    train_words = [_words(source) for source in train.sources]
    index: defaultdict[str, list[int]] = defaultdict(list)
    for k, words in enumerate(train_words):
        for word in words:
            index[word].append(k)
    # Count the words in common, and take the source with the largest share.
    translations = []
    for source in sources:
        words = _words(source)
        common = Counter(k for word in words for k in index.get(word, ()))
        best = max(common, key=lambda k: (common[k] / len(words | train_words[k]), -k), default=0)
        translations.append(train.targets[best])
    return translations


def word_by_word_translations(train: Corpus, sources: Sequence[str]) -> list[str]:
    """Return, for each source, the most probable translations of its words by IBM model 1, in the order of the source.

    Words and punctuation marks that occur in no training source are copied. In scripts without spaces, words are the
    tokens of a byte-pair vocabulary that is learned from the training pairs.

    Args:
        train: the training pairs.
        sources: sentences to translate.

    Source:
        Brown et al. 1993 (see ``nn.ibm_model1``).

    Example:
        With ``the cat → le chat`` and ``the dog → le chien``, ``the Zebra, the dog`` becomes ``le Zebra, le chien``.
    """
    null = ""  # the NULL word of every source; no piece is empty
    source_ids: dict[str, int] = {null: 0}
    target_ids: dict[str, int] = {}
    split_source, split_target = _Splitter(train.sources), _Splitter(train.targets)
    source_side = _side([[null, *split_source(text)] for text in train.sources], source_ids)
    target_side = _side([split_target(text) for text in train.targets], target_ids)
    table = learn_translation_table(source_side, target_side, len(source_ids), len(target_ids))
    # For each source word, take the pair with the largest t(v|s): the last one in this order.
    order = np.lexsort((-table.target, table.values, table.source))
    best = order[np.flatnonzero(np.diff(table.source[order], append=-1))]
    source_words, target_words = list(source_ids), list(target_ids)
    translations = {source_words[s]: target_words[v] for s, v in zip(table.source[best], table.target[best])}
    return [join_pieces("".join(translations.get(piece, piece) for piece in split_source(text))) for text in sources]


_split_word = lru_cache(maxsize=1 << 16)(split_word)


def _side(sentences: Sequence[Sequence[str]], ids: dict[str, int]) -> Side:
    """Encode sentences as ids; every new word is added to ``ids``."""
    lengths = np.array([len(sentence) for sentence in sentences])
    return Side(np.array([ids.setdefault(word, len(ids)) for sentence in sentences for word in sentence]), lengths)


class _Splitter:
    """Splits text into words and punctuation marks, each with the space before it.

    A clause of an unspaced script is split into the tokens of a byte-pair vocabulary, without spaces.

    Args:
        lines: the text to learn that vocabulary from, if it is in such a script.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._tokenizer: BpeTokenizer | None = None
        if unit_of(lines) == CHARACTERS:
            characters = len(set().union(*map(normalize, lines)))
            self._tokenizer = BpeTokenizer.train(lines, 2 * characters)  # most words have one or two characters

    def __call__(self, text: str) -> list[str]:
        words = (word for word in normalize(text).split(" ") if word)
        return [part for word in words for piece in _split_word(word) for part in self._tokens(piece)]

    def _tokens(self, piece: str) -> list[str]:
        characters = split_characters(piece)
        if characters == [piece] or self._tokenizer is None:
            return characters
        ids = self._tokenizer.encode(piece)
        if UNKNOWN in ids:
            return characters
        return [token for k in ids if (token := self._tokenizer.vocabulary[k].strip(" "))]


def _words(text: str) -> frozenset[str]:
    parts = (part for word in text.lower().split() for part in split_characters(word))
    return frozenset(word for part in parts for word in re.findall(r"\w+", part))
