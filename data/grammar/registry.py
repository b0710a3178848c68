"""The list of constructions: each is a function from a Maker to a sentence pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grammar.maker import Maker, Pair

Build = Callable[[Maker], Pair]


@dataclass(frozen=True)
class Construction:
    """A named construction, with its share of the corpus and an example."""

    name: str
    weight: int
    example: str
    build: Build


CONSTRUCTIONS: dict[str, Construction] = {}
LONG: dict[str, Construction] = {}


def construction(name: str, weight: int, example: str) -> Callable[[Build], Build]:
    """Register a construction of the corpus; the weight is the number of sentences to make."""

    def register(build: Build) -> Build:
        CONSTRUCTIONS[name] = Construction(name, weight, example, build)
        return build

    return register


def long_construction(name: str, weight: int, example: str) -> Callable[[Build], Build]:
    """Register a construction of the long test set."""

    def register(build: Build) -> Build:
        LONG[name] = Construction(name, weight, example, build)
        return build

    return register
