"""Sentences longer than any in the training set, made of three or more clauses."""

from __future__ import annotations

from grammar import french
from grammar.constructions.complex import (
    because_pair,
    before_pair,
    contrast_pair,
    ending,
    if_pair,
    that_pair,
    that_phrase,
    two_actions_pair,
    two_people,
    when_pair,
    when_past_pair,
    who_phrase,
)
from grammar.constructions.states import quality
from grammar.maker import Maker, Pair, sentence
from grammar.registry import long_construction


@long_construction("long_and_because", 100, "Three actions and a reason.")
def long_and_because(maker: Maker) -> Pair:
    """S1 did two things, but S2 did something because of a reason."""
    first, second = two_people(maker)
    left = two_actions_pair(maker, first, "past")
    right = because_pair(maker, second, "past")
    en, fr = maker.adverbial("pastlight")
    return sentence(Pair(f"{french.capitalize(en)}, {left.en}, but {right.en}", f"{fr}, {left.fr}, mais {right.fr}"))


@long_construction("long_relative", 100, "Two relative clauses.")
def long_relative(maker: Maker) -> Pair:
    """The man who … is my uncle, and the car that … is red."""
    left = ending(maker, who_phrase(maker), maker.chooser.one(["kin", "quality"]))
    thing = that_phrase(maker)
    assert thing.noun is not None
    adjectives = [item for item in maker.lexicon.adjectives if thing.noun.has(item.predicative)]
    right = maker.clause(thing, quality(maker.chooser.pick(adjectives), thing), "present")
    third = contrast_pair(maker) if maker.chooser.chance(0.3) else None
    whole = Pair(f"{left.en}, and {right.en}", f"{left.fr}, et {right.fr}")
    if third is not None:
        whole = Pair(f"{left.en}, {third.en}, and {right.en}", f"{left.fr}, {third.fr}, et {right.fr}")
    return sentence(whole)


@long_construction("long_that", 100, "A thought, then a reason.")
def long_that(maker: Maker) -> Pair:
    """A thought, then an action and its reason."""
    left = that_pair(maker)
    right = because_pair(maker, maker.person(0.2), maker.chooser.one(["going to", "past"]))
    return sentence(Pair(f"{left.en}, but {right.en}", f"{left.fr}, mais {right.fr}"))


@long_construction("long_when", 100, "An action in progress and what came next.")
def long_when(maker: Maker) -> Pair:
    """An action in progress, then what two other people did."""
    left = when_past_pair(maker)
    person = maker.person(0.0)
    right = two_actions_pair(maker, person, "past")
    before = before_pair(maker, maker.person(0.0), "past")
    return sentence(Pair(f"{left.en}, {right.en}, and {before.en}", f"{left.fr}, {right.fr}, et {before.fr}"))


@long_construction("long_if", 100, "A condition and a plan.")
def long_if(maker: Maker) -> Pair:
    """A condition and its consequence, then a habit."""
    left = if_pair(maker, maker.person(), "present", "future")
    right = when_pair(maker, maker.person(0.2))
    return sentence(Pair(f"{left.en}, but {right.en}", f"{left.fr}, mais {right.fr}"))
