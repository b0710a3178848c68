"""French agreement, articles, elision, contraction and typography."""

from __future__ import annotations

import re

NBSP = "\u00a0"
ASPIRATED: set[str] = {"oui"}
"""Words that begin with a vowel or an h and still refuse elision: le hibou, le yaourt, le onze."""

_VOWELS = "aeiouàâäéèêëîïôöùûüœæh"
_ELIDING = "je|me|te|se|le|la|ne|de|que|jusque|lorsque|puisque"


def register(text: str) -> str:
    """Drop the star that marks an aspirated word in the lexicon, and remember the word."""
    if not text.startswith("*"):
        return text
    word = text[1:]
    ASPIRATED.update((word, plural(word)))
    return word


def starts_with_vowel(text: str) -> bool:
    """True when the first word of the text calls for elision: ami, eau, homme, y, but not hibou."""
    match = re.match(r"[\w-]+", text)
    if match is None:
        return False
    word = match.group(0).lower()
    if word in ASPIRATED:
        return False
    return word in ("y", "yeux") or word[0] in _VOWELS


def plural(word: str) -> str:
    """The regular plural: chat gives chats, gâteau gâteaux, cheval chevaux, souris souris."""
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith(("au", "eu")):
        return word + "x"
    if word.endswith("al"):
        return word[:-2] + "aux"
    return word + "s"


def feminine(word: str) -> str:
    """The regular feminine: petit gives petite, jeune stays jeune."""
    return word if word.endswith("e") else word + "e"


def agree(participle: str, is_feminine: bool, is_plural: bool) -> str:
    """Agree a past participle: allé gives allée, allés, allées; assis stays assis in the plural."""
    word = participle
    if is_feminine:
        word = "due" if word == "dû" else word + "e"
    if is_plural and not word.endswith("s"):
        word += "s"
    return word


def definite(noun: str, is_feminine: bool, is_plural: bool) -> str:
    """le, la, l' or les before the words that follow: l'ami, la maison, le hibou."""
    if is_plural:
        return "les " + noun
    if starts_with_vowel(noun):
        return "l'" + noun
    return ("la " if is_feminine else "le ") + noun


def indefinite(noun: str, is_feminine: bool, is_plural: bool) -> str:
    """un, une or des."""
    if is_plural:
        return "des " + noun
    return ("une " if is_feminine else "un ") + noun


def demonstrative(noun: str, is_feminine: bool, is_plural: bool) -> str:
    """ce, cet, cette or ces: cet arbre, ce hibou."""
    if is_plural:
        return "ces " + noun
    if is_feminine:
        return "cette " + noun
    return ("cet " if starts_with_vowel(noun) else "ce ") + noun


_POSSESSIVES = {
    "mon": ("mon", "ma", "mes"),
    "ton": ("ton", "ta", "tes"),
    "son": ("son", "sa", "ses"),
    "notre": ("notre", "notre", "nos"),
    "votre": ("votre", "votre", "vos"),
    "leur": ("leur", "leur", "leurs"),
}


def possessive(owner: str, noun: str, is_feminine: bool, is_plural: bool) -> str:
    """mon, ma, mes and the others: ma maison, but mon amie and mon école."""
    masculine, feminine_form, plural_form = _POSSESSIVES[owner]
    if is_plural:
        return f"{plural_form} {noun}"
    if is_feminine and not starts_with_vowel(noun):
        return f"{feminine_form} {noun}"
    return f"{masculine} {noun}"


def of(text: str) -> str:
    """De or d' before a noun without article: une tasse de thé, un verre d'eau."""
    return ("d'" if starts_with_vowel(text) else "de ") + text


def to_and_of(preposition: str, noun_phrase: str) -> str:
    """Join a preposition and a noun phrase with the contractions au, aux, du, des.

    The partitive and indefinite plural articles vanish after de: besoin de + de l'eau = besoin d'eau.
    """
    if preposition == "à":
        for article, merged in (("le ", "au "), ("les ", "aux ")):
            if noun_phrase.startswith(article):
                return merged + noun_phrase[len(article) :]
        return "à " + noun_phrase
    if preposition == "de":
        for article in ("de la ", "de l'", "du ", "des "):
            if noun_phrase.startswith(article):
                return of(noun_phrase[len(article) :])
        for article, merged in (("le ", "du "), ("les ", "des ")):
            if noun_phrase.startswith(article):
                return merged + noun_phrase[len(article) :]
        return of(noun_phrase)
    return f"{preposition} {noun_phrase}"


def elide(text: str) -> str:
    """Elide je, me, te, se, le, la, ne, de, que before a vowel, and si before il: j'aime, s'il."""

    def shorten(match: re.Match[str]) -> str:
        rest = text[match.end() :]
        return match.group(1)[:-1] + "'" if starts_with_vowel(rest) else match.group(0)

    previous = ""
    while previous != text:
        previous = text
        text = re.sub(rf"(?<![-\w'])({_ELIDING}) (?=\w)", shorten, text, count=0, flags=re.IGNORECASE)
    return re.sub(r"(?<![-\w'])([Ss])i (?=ils?\b)", r"\1'", text)


def typeset(text: str) -> str:
    """Put a no-break space before ? ! : ; and inside the French quotation marks."""
    text = re.sub(r"\s*([?!:;])", NBSP + r"\1", text)
    text = re.sub(r"«\s*", "«" + NBSP, text)
    return re.sub(r"\s*»", NBSP + "»", text)


def capitalize(text: str) -> str:
    """Put a capital on the first letter only."""
    return text[:1].upper() + text[1:]
