"""Baselines for the score of a model: copy the source, and the translation of the nearest training sentence.

The same as ``seq2seq eval --baselines``, without a model. Run from the top of the checkout::

    python -m tests.benchmarks.baselines data/en-fr/train.tsv data/en-fr/test.tsv
"""

from __future__ import annotations

import json
import sys

from seq2seq_cli.evaluation.baselines import nearest_translations
from seq2seq_cli.evaluation.scores import corpus_scores
from seq2seq_cli.text.corpus import read_corpus


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
