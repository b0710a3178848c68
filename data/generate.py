"""Rebuild the English-French corpus from its seed: python data/generate.py [--seed N] [--output FOLDER]."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import grammar.constructions  # noqa: F401  (registers the constructions)
from grammar.chooser import Chooser
from grammar.english import contract, expand, spell_out
from grammar.lexicon import Lexicon
from grammar.maker import Maker
from grammar.registry import CONSTRUCTIONS, LONG, Construction
from grammar.tsv import read_tsv
from splits import (
    PHRASES,
    Example,
    HeldOut,
    choose_held_out,
    entry_forms,
    held_out_entries,
    mentions,
    normalize,
    relatives,
    split,
)

HERE = Path(__file__).resolve().parent
SEED = 2024
SET_SIZE = 1000
MAX_WORDS = 17
LONG_WORDS = (20, 30)


class Collector:
    """Makes the sentences of each construction, without duplicates."""

    def __init__(self, seed: int, taken: dict[str, str]) -> None:
        """Prepare the grammar; taken holds the keys that are already in the corpus."""
        self.chooser = Chooser(seed)
        self.lexicon = Lexicon(HERE / "lexicon")
        self.maker = Maker(self.lexicon, self.chooser)
        self.target_of = dict(taken)
        self.forms = {uid: entry_forms(entry) for uid, entry in held_out_entries(self.lexicon).items()}

    def example(self, construction: Construction) -> Example:
        """One sentence, contracted or not."""
        self.chooser.used = []
        pair = construction.build(self.maker)
        shape = contract if self.chooser.chance(0.5) else expand
        words = normalize(expand(pair.en))
        entries = frozenset(uid for uid in self.chooser.used if uid in self.forms and mentions(words, self.forms[uid]))
        return Example(shape(pair.en), pair.fr, construction.name, entries, words)

    def collect(self, constructions: dict[str, Construction], low: int, high: int) -> list[Example]:
        """The wanted number of different sentences of each construction, between two lengths."""
        examples: list[Example] = []
        for construction in constructions.values():
            made = tries = 0
            while made < construction.weight and tries < 40 * construction.weight:
                tries += 1
                example = self.example(construction)
                if example.key in self.target_of or not low <= example.length <= high:
                    continue
                self.target_of[example.key] = example.fr
                examples.append(example)
                made += 1
        return examples


def phrasebook() -> list[Example]:
    """The hand-written pairs."""
    return [
        Example(row["en"], row["fr"], f"phrasebook_{row['topic']}", frozenset(), normalize(spell_out(row["en"])))
        for row in read_tsv(HERE / "phrasebook.tsv")
    ]


def both_spellings(phrases: list[Example]) -> list[Example]:
    """Each phrase, and once more without contractions when it has some."""
    full = [replace(phrase, en=spell_out(phrase.en)) for phrase in phrases]
    return phrases + [other for phrase, other in zip(phrases, full) if other.en != phrase.en]


def build(seed: int) -> tuple[dict[str, list[Example]], list[HeldOut]]:
    """All four splits and the combinations that are held out of the first."""
    phrases = phrasebook()
    collector = Collector(seed, {phrase.key: phrase.fr for phrase in phrases})
    chooser = collector.chooser
    examples = collector.collect(CONSTRUCTIONS, 1, MAX_WORDS)
    long_examples = collector.collect(LONG, *LONG_WORDS)
    held_out = choose_held_out(examples, collector.lexicon, chooser)
    phrase_targets = {phrase.fr for phrase in phrases}
    free = [example for example in examples if example.fr not in phrase_targets]
    train, valid, test = split(free, held_out, chooser, SET_SIZE - PHRASES)
    shared = [phrase for phrase in relatives(phrases) if sum(other.fr == phrase.fr for other in phrases) == 1]
    chooser.shuffle(shared)
    valid += shared[:PHRASES]
    test += shared[PHRASES : 2 * PHRASES]
    evaluated = {phrase.key for phrase in shared[: 2 * PHRASES]}
    hidden = {phrase.fr for phrase in shared[: 2 * PHRASES]}
    train += [example for example in examples if example.fr in phrase_targets and example.fr not in hidden]
    train += both_spellings([phrase for phrase in phrases if phrase.key not in evaluated])
    for examples_of_set in (train, valid, test):
        chooser.shuffle(examples_of_set)
    return {"train": train, "valid": valid, "test": test, "test_long": long_examples}, held_out


def write(path: Path, lines: list[str]) -> None:
    """Write one file in a single step."""
    temporary = path.with_suffix(".part")
    temporary.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))
    temporary.replace(path)


def held_out_lines(held_out: list[HeldOut], test: list[Example]) -> list[str]:
    """A table of the held-out combinations, with the lines of the test set that show each."""
    known = held_out_entries(Lexicon(HERE / "lexicon"))
    lines = ["construction\tkind\tenglish\tfrench\ttest_lines"]
    for item in held_out:
        kind, _, en = item.uid.partition(":")
        entry = known[item.uid]
        fr = entry.masculine if hasattr(entry, "masculine") else entry.fr
        numbers = [
            str(number)
            for number, example in enumerate(test, start=1)
            if example.construction == item.construction and item.uid in example.entries
        ]
        lines.append("\t".join((item.construction, kind, en.partition("/")[0], fr, ",".join(numbers))))
    return lines


def construction_lines(sets: dict[str, list[Example]]) -> list[str]:
    """A table of the constructions: an example of each, and its share of every set."""
    lines = ["construction\texample\ttrain\tvalid\ttest\ttest_long"]
    counts = {name: Counter(item.construction for item in examples) for name, examples in sets.items()}
    for construction in [*CONSTRUCTIONS.values(), *LONG.values()]:
        numbers = [str(counts[name][construction.name]) for name in ("train", "valid", "test", "test_long")]
        lines.append("\t".join((construction.name, construction.example, *numbers)))
    return lines


def main() -> None:
    """Parse the options and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=HERE / "en-fr")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    sets, held_out = build(options.seed)
    for name, examples in sets.items():
        write(options.output / f"{name}.tsv", [f"{item.en}\t{item.fr}\t{item.construction}" for item in examples])
        print(f"{name}: {len(examples)} pairs")
    write(options.output / "held_out.tsv", held_out_lines(held_out, sets["test"]))
    write(options.output / "constructions.tsv", construction_lines(sets))
    print(f"held_out: {len(held_out)} combinations, constructions: {len(CONSTRUCTIONS)}")


if __name__ == "__main__":
    main()
