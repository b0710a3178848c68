"""Scores that keep a model's score honest: copy the source, and the translation of the nearest training sentence.

The nearest training sentence is the one whose set of words (letters, lower-cased) has the largest share in common with
the sentence's own, intersection over union; the first of equals. Run from the top of the checkout::

    python -m tests.benchmarks.baselines data/en-fr/train.tsv data/en-fr/test.tsv
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict

from seq2seq_cli.evaluation import corpus_scores
from seq2seq_cli.text.corpus import Corpus, read_corpus


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def nearest_translations(train: Corpus, sources: list[str]) -> list[str]:
    """The target of the most similar training source, for each source."""
    sets = [words(source) for source in train.sources]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for k, known in enumerate(sets):
        for word in known:
            places[word].append(k)
    found = []
    for source in sources:
        own = words(source)
        common = Counter(k for word in own for k in places[word])
        best = max(common, key=lambda k: (common[k] / len(own | sets[k]), -k), default=0)
        found.append(train.targets[best])
    return found


def main(train_name: str, test_name: str) -> None:
    train, test = read_corpus(train_name), read_corpus(test_name)
    rows = {"copy the source": test.sources, "nearest training sentence": nearest_translations(train, test.sources)}
    results = {}
    for name, hypotheses in rows.items():
        scores = corpus_scores(hypotheses, test.targets)
        results[name] = scores.values
        print(f"{name:<26} BLEU {scores.values['bleu']:5.2f}  chrF2 {scores.values['chrf']:5.2f}")
    print(scores.signatures["bleu"])
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:3])
