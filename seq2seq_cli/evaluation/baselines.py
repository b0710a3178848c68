"""What one gets without a model, as a scale for a model's score: the nearest training sentence's translation."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from seq2seq_cli.text.corpus import Corpus


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


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))
