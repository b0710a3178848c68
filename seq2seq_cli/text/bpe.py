"""Byte-pair encoding: a vocabulary between characters and words, learned by merging the most frequent pair.

A worked example with five symbols: in ``[1, 2, 3, 1, 2]`` the pair ``(1, 2)`` is the most frequent. Merging it into a
new symbol 4 gives ``[4, 3, 4]``. Learning repeats that on a whole corpus and records the order of the merges; encoding
applies the recorded merges, in that order, to new text, so a frequent word becomes one token and a rare word several.

Merges never cross the boundary of a piece (see ``pieces``). In scripts without spaces a piece is a clause, so there a
merged symbol cannot be longer than a word (see ``units.is_phrase``).

Source: Sennrich, Haddow & Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from seq2seq_cli.text.pieces import split_word
from seq2seq_cli.text.tokenizer import SPECIALS, UNKNOWN, Tokenizer, count_words, merge_unknown, most_frequent
from seq2seq_cli.text.units import is_phrase

Pair = tuple[str, str]
MAX_CLAUSES = 100_000
"""Distinct clauses of unspaced scripts that merges are learned from: more take minutes, and give the same merges."""
MIN_COUNT = 2
"""A pair that occurs once is not worth a vocabulary entry."""


def merge_pair(symbols: Sequence[str], pair: Pair) -> list[str]:
    """Return the symbols with every occurrence of the pair merged, from the left.

    Example:
        >>> merge_pair(["l", "o", "w", "l", "o"], ("l", "o"))
        ['lo', 'w', 'lo']
    """
    merged: list[str] = []
    position = 0
    while position < len(symbols):
        if tuple(symbols[position : position + 2]) == pair:
            merged.append(pair[0] + pair[1])
            position += 2
        else:
            merged.append(symbols[position])
            position += 1
    return merged


def learn_merges(pieces: Mapping[str, int], alphabet: Iterable[str], entries: int) -> tuple[list[str], list[Pair]]:
    """Learn merges until the vocabulary is full, or no pair occurs twice.

    A merge updates only the pieces that contain the pair, and the counts of the pairs in them; so learning takes little
    more time than one pass over the distinct pieces. Pairs of equal count are merged in alphabetical order: the result
    depends only on the counts.

    Args:
        pieces: the count of each distinct piece.
        alphabet: the initial symbols, single characters; a pair with any other character is never merged.
        entries: size of the vocabulary, the alphabet included.

    Returns:
        The entries, first the alphabet and then the merged symbols in the order learned; and the merges in order.
    """
    # Count every pair, and index the pieces in which it occurs.
    vocabulary = dict.fromkeys(alphabet)
    words = [list(piece) for piece in pieces]
    weights = list(pieces.values())
    counts: Counter[Pair] = Counter()
    occurrences: defaultdict[Pair, array[int]] = defaultdict(lambda: array("I"))  # numbers of pieces
    for k, symbols in enumerate(words):
        for pair in pairwise(symbols):
            if pair[0] in vocabulary and pair[1] in vocabulary:
                counts[pair] += weights[k]
                occurrences[pair].append(k)
    # Take the most frequent pair from a heap, whose counts may be out of date, until the vocabulary is full.
    heap = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(vocabulary) < entries:
        negative, pair = heapq.heappop(heap)
        if counts[pair] != -negative:  # out of date: push the pair back with its current count
            if counts[pair] > 0:
                heapq.heappush(heap, (-counts[pair], pair))
            continue
        if -negative < MIN_COUNT:
            break
        if is_phrase(pair[0] + pair[1]):
            continue
        # Record the merge and add the new symbol.
        merges.append(pair)
        vocabulary[pair[0] + pair[1]] = None
        # Merge the pair in every piece that contains it, and update the counts of the pairs there.
        increased: set[Pair] = set()
        for k in set(occurrences.pop(pair)):
            old = words[k]
            words[k] = new = merge_pair(old, pair)
            for removed in pairwise(old):
                if removed in counts:
                    counts[removed] -= weights[k]
            for added in pairwise(new):
                if added[0] in vocabulary and added[1] in vocabulary:
                    counts[added] += weights[k]
                    occurrences[added].append(k)
                    increased.add(added)
        del counts[pair]
        for changed in sorted(increased):
            if changed in counts:
                heapq.heappush(heap, (-counts[changed], changed))
    return list(vocabulary), merges


class BpeTokenizer(Tokenizer):
    """Byte-pair encoding on characters.

    Args:
        vocabulary: entries in the order of their ids, ``SPECIALS`` first.
        merges: pairs in the order learned.
        lowercase: whether text is converted to lower case first.
    """

    kind = "bpe"

    def __init__(self, vocabulary: Sequence[str], merges: Sequence[Pair], lowercase: bool = False) -> None:
        super().__init__(vocabulary, lowercase)
        self.merges = list(merges)
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}

    @classmethod
    def train(cls, lines: Iterable[str], vocab_size: int, lowercase: bool = False) -> BpeTokenizer:
        """Learn a vocabulary from lines of text.

        Args:
            lines: the training text.
            vocab_size: maximum number of entries, special tokens included. If there are more characters than that, the
                rarest become ``<unk>``.
            lowercase: whether to convert to lower case.
        """
        pieces: Counter[str] = Counter()
        for word, count in count_words(lines, lowercase).items():
            for piece in split_word(word):
                pieces[piece] += count
        characters: Counter[str] = Counter()
        for piece, count in pieces.items():
            for character in piece:
                characters[character] += count
        room = vocab_size - len(SPECIALS)
        alphabet = sorted(most_frequent(characters, room))
        clauses = [piece for piece in pieces if is_phrase(piece)]
        step = -(-len(clauses) // MAX_CLAUSES)
        for k, clause in enumerate(clauses):
            if k % step:
                del pieces[clause]
        entries, merges = learn_merges(pieces, alphabet, room)
        return cls([*SPECIALS, *entries], merges, lowercase)

    def _encode_word(self, word: str) -> list[int]:
        return merge_unknown([k for piece in split_word(word) for k in self._encode_piece(piece)])

    def _encode_piece(self, piece: str) -> list[int]:
        symbols = list(piece)
        # Apply the merge that was learned first, as long as any applies.
        while len(symbols) > 1:
            first = min(pairwise(symbols), key=self._rank)
            if first not in self._ranks:
                break
            symbols = merge_pair(symbols, first)
        return [self.ids.get(symbol, UNKNOWN) for symbol in symbols]

    def _rank(self, pair: Pair) -> int:
        return self._ranks.get(pair, len(self._ranks))

    def _unknown_in_word(self, word: str) -> list[str]:
        return [character for character in word if character not in self.ids]

    def to_json(self) -> dict[str, Any]:
        """Return everything that ``tokenizer_from_json`` needs, as plain JSON values."""
        return {**super().to_json(), "merges": [list(pair) for pair in self.merges]}
