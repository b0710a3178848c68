"""English spelling and verb rules: plurals, tenses, do-support, a/an and contractions."""

from __future__ import annotations

import re
from collections.abc import Mapping

JOINT = "\u203f"
"""Marks a place where two words may be contracted: do + JOINT + not is "do not" or "don't"."""

VOWELS = "aeiou"

_NOT = {
    "do": "don't",
    "does": "doesn't",
    "did": "didn't",
    "is": "isn't",
    "are": "aren't",
    "was": "wasn't",
    "were": "weren't",
    "will": "won't",
    "would": "wouldn't",
    "can": "can't",
    "could": "couldn't",
    "should": "shouldn't",
    "must": "mustn't",
    "have": "haven't",
    "has": "hasn't",
    "had": "hadn't",
}
_AUXILIARY = {
    "am": "'m",
    "is": "'s",
    "are": "'re",
    "will": "'ll",
    "would": "'d",
    "have": "'ve",
    "has": "'s",
    "had": "'d",
}


def plural(noun: str) -> str:
    """The regular plural: box gives boxes, city cities, day days."""
    if re.search("[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    return noun + "s"


def third_person(verb: str) -> str:
    """The he/she form of the present: go gives goes, try tries, eat eats."""
    if verb in ("have", "be"):
        return {"have": "has", "be": "is"}[verb]
    if verb.endswith("o"):
        return verb + "es"
    return plural(verb)


def _doubles(verb: str) -> bool:
    """True for a short vowel between single consonants: stop, run, cut (not eat, fix, play)."""
    return re.fullmatch("[^aeiou]*[aeiou][bdgklmnprt]", verb) is not None


def regular_past(verb: str, doubling: bool = False) -> str:
    """The regular past: stop gives stopped, try tried, like liked."""
    if verb.endswith("e"):
        return verb + "d"
    if re.search("[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    if doubling or _doubles(verb):
        return verb + verb[-1] + "ed"
    return verb + "ed"


def ing(verb: str, doubling: bool = False) -> str:
    """The -ing form: make gives making, run running, lie lying."""
    if verb in ("lie", "die"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return verb[:-1] + "ing"
    if doubling or _doubles(verb):
        return verb + verb[-1] + "ing"
    return verb + "ing"


def graded(adjective: str, degree: str, superlative: bool = False) -> str:
    """The comparative or superlative: taller, nicer, bigger, happier, more expensive, better."""
    if degree.startswith("irr:"):
        return degree.split(":")[2 if superlative else 1]
    ending = "est" if superlative else "er"
    if degree == "more":
        return f"{'most' if superlative else 'more'} {adjective}"
    if adjective.endswith("e"):
        return adjective + ending[1:]
    if adjective.endswith("y") and adjective[-2] not in VOWELS:
        return adjective[:-1] + "i" + ending
    if _doubles(adjective):
        return adjective + adjective[-1] + ending
    return adjective + ending


def a_or_an(following: str) -> str:
    """Choose by sound: an apple, an hour, an honest man, but a university, a useful book."""
    word = following.lower()
    if re.match("(hour|honest|honor)", word):
        return "an"
    if re.match("(uni[^mn]|use|eu|one)", word):
        return "a"
    return "an" if word[0] in VOWELS else "a"


def be(tense: str, person: int, is_plural: bool) -> str:
    """am, is, are, was or were: a person is 1, 2 or 3."""
    if tense == "past":
        return "were" if is_plural or person == 2 else "was"
    if is_plural or person == 2:
        return "are"
    return "am" if person == 1 else "is"


def have(person: int, is_plural: bool) -> str:
    """Have or has."""
    return "has" if person == 3 and not is_plural else "have"


def do(tense: str, person: int, is_plural: bool) -> str:
    """do, does or did."""
    if tense == "past":
        return "did"
    return "does" if person == 3 and not is_plural else "do"


_SPELLED_OUT = (
    ("can't", "cannot"),
    ("won't", "will not"),
    ("shan't", "shall not"),
    ("n't", " not"),
    ("I'm", "I am"),
    ("'re", " are"),
    ("'ve", " have"),
    ("'ll", " will"),
    ("I'd", "I would"),
    ("You'd", "You would"),
    ("you'd", "you would"),
    ("We'd", "We would"),
    ("we'd", "we would"),
    ("It's", "It is"),
    ("it's", "it is"),
    ("That's", "That is"),
    ("that's", "that is"),
    ("What's", "What is"),
    ("what's", "what is"),
    ("Where's", "Where is"),
    ("He's", "He is"),
    ("She's", "She is"),
    ("he's", "he is"),
    ("she's", "she is"),
    ("There's", "There is"),
    ("there's", "there is"),
    ("Here's", "Here is"),
    ("Who's", "Who is"),
    ("How's", "How is"),
    ("how's", "how is"),
    ("Everything's", "Everything is"),
)


def spell_out(text: str) -> str:
    """Undo the contractions of a finished sentence: "I don't know." gives "I do not know."."""
    for short, full in _SPELLED_OUT:
        text = re.sub(rf"{short}\b", full, text)
    return text


def expand(text: str) -> str:
    """Write every joint in full: "can not" is written cannot."""
    return text.replace(f"can{JOINT}not", "cannot").replace(JOINT, " ")


def contract(text: str) -> str:
    """Contract every joint: "do not" gives don't, "I am" I'm, "she is not" she isn't."""
    text = _swap(rf"\b(\w+){JOINT}not\b", _NOT, text)
    text = _swap(rf"{JOINT}(\w+)\b(?!')", _AUXILIARY, text)
    return expand(text)


def _swap(pattern: str, table: Mapping[str, str], text: str) -> str:
    """Replace each match whose first group is in the table, leave the others as they are."""
    return re.sub(pattern, lambda match: table.get(match.group(1), match.group(0)), text)
