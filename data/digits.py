"""A language of ten words: the corpus of the exercises in ``seq2seq_cli/nn/README.md``.

A sentence is a row of digits, spelled out: ``three one four`` is ``trois un quatre``. Only the order matters, so a
model shows within seconds how much of a sentence its context can represent. Run it in any folder::

    python data/digits.py        # writes digits.tsv, digits-valid.tsv and digits-test.tsv to the current folder
"""

from __future__ import annotations

import random
from pathlib import Path

ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
FRENCH = ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]
SHORTEST, LONGEST = 1, 12
"""Digits of a sentence."""


def pairs(count: int, seed: int) -> list[str]:
    """Return ``count`` lines of ``source<TAB>target``, with all lengths in turn."""
    generator = random.Random(seed)
    lines = []
    for k in range(count):
        length = SHORTEST + k % (LONGEST - SHORTEST + 1)
        digits = [int(10 * generator.random()) for _ in range(length)]
        lines.append("\t".join(" ".join(words[digit] for digit in digits) for words in (ENGLISH, FRENCH)))
    return lines


def main() -> None:
    """Write the files."""
    for name, count, seed in (("digits", 6000, 1), ("digits-valid", 120, 2), ("digits-test", 360, 3)):
        path = Path(f"{name}.tsv")
        path.write_text("\n".join(pairs(count, seed)) + "\n", encoding="utf-8", newline="\n")
        print(f"{path}: {count} pairs")


if __name__ == "__main__":
    main()
