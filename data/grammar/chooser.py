"""Random choices that spread evenly over the lexicon and do not depend on the Python version."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar


class Entry(Protocol):
    """Anything with a stable name."""

    @property
    def uid(self) -> str:
        """The name under which uses are counted."""


EntryType = TypeVar("EntryType", bound=Entry)
Item = TypeVar("Item")


class Chooser:
    """Draws with random() only, and remembers which entries the current sentence uses."""

    def __init__(self, seed: int) -> None:
        """Start a reproducible sequence."""
        self._random = random.Random(seed)
        self.counts: dict[str, int] = {}
        self.used: list[str] = []

    def index(self, size: int) -> int:
        """A number from 0 to size - 1."""
        return int(self._random.random() * size)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random.random() < probability

    def one(self, items: Sequence[Item]) -> Item:
        """One item, all equally likely."""
        return items[self.index(len(items))]

    def weighted(self, items: Sequence[tuple[Item, float]]) -> Item:
        """One item of (item, weight) couples."""
        mark = self._random.random() * sum(weight for _, weight in items)
        for item, weight in items:
            mark -= weight
            if mark < 0:
                return item
        return items[-1][0]

    def pick(self, entries: Sequence[EntryType]) -> EntryType:
        """The least used of three entries drawn at random; the use is counted."""
        best = self.one(entries)
        for _ in range(2):
            other = self.one(entries)
            if self.counts.get(other.uid, 0) < self.counts.get(best.uid, 0):
                best = other
        return self.use(best)

    def use(self, entry: EntryType) -> EntryType:
        """Count a use of this entry in the current sentence."""
        self.counts[entry.uid] = self.counts.get(entry.uid, 0) + 1
        self.used.append(entry.uid)
        return entry

    def shuffle(self, items: list[Item]) -> None:
        """Shuffle a list in place (Fisher and Yates)."""
        for last in range(len(items) - 1, 0, -1):
            other = self.index(last + 1)
            items[last], items[other] = items[other], items[last]
