"""Read a line that is not written like the training text as if it were: case, final mark, unfamiliar characters.

::

    where is the station      →   Where is the station?
    WHERE IS THE STATION?     →   Where is the station?
    Hello 😀                  →   Hello.
    i dont know               →   I don't know.

Every rule is learned from the training sources (see ``source_style``), and a line that is written like them is read as
it is written:

1. In a line without the capital or the mark of rule 4, a word that the training text does not have is read as the
   frequent word of which it lacks only the apostrophe. (In other lines, ``shell`` is no ``she'll``.)
2. A word in capitals that the training text does not write so is read in its most frequent form; so is a word in lower
   case, such as ``paul``, that the training text always writes with a capital.
3. A character that is out of vocabulary is read as a known form of it (``é`` as ``e``, ``—`` as ``-``). A symbol or
   mark without one is left out; a letter without one becomes ``<unk>``.
4. If nearly all training sources begin with a capital letter, so does every line; if nearly all end with a mark, a line
   without one gets the mark that most sources with this beginning have.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from seq2seq_cli.text.pieces import APOSTROPHES, split_word
from seq2seq_cli.text.source_style import final_mark
from seq2seq_cli.text.tokenizer import SPECIALS, Tokenizer
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary

SIMILAR = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u00ab\u00bb\u2039\u203a\u201c\u201d\u201e\u201f\u300c\u300d", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032", "'"),
    "\u3002": ".",
    "\u3001": ",",
}
"""Marks that may stand for each other where one is out of vocabulary."""


_WORD_ALONE = re.compile(rf"(?<![\w{APOSTROPHES}])[^\W\d_]+(?![\w{APOSTROPHES}])")
"""A run of letters without an apostrophe on either side."""


class Reading(NamedTuple):
    """How a line is read: the ``text``, whether it is spelled differently, and the characters that are left out."""

    text: str
    respelled: bool = False
    left_out: tuple[str, ...] = ()


class SourceReader:
    """Reads lines for a model.

    Args:
        tokenizer: of the source.
        vocabulary: of the training sources; it holds their style.
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary: TrainingVocabulary) -> None:
        self.tokenizer = tokenizer
        self.words = vocabulary.words
        self.style = vocabulary.style
        self.characters = set("".join(tokenizer.vocabulary[len(SPECIALS) :]))

    def read(self, text: str) -> Reading:
        """Return how a line is read."""
        normalized = self.tokenizer.normalize(text)
        read, left_out = self._known_characters(self._capitals(self.with_apostrophes(normalized)))
        if not read:  # nothing would be left
            return Reading(normalized)
        if any(map(str.isalpha, read)):
            read = self._first_letter(read)
            if self.style.mark and not final_mark(read):
                read += self.style.mark_of(read)
        return Reading(read, read != normalized, left_out)

    def _known_characters(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return the text with a known form of every character, and the characters that are left out."""
        unknown = set(text) - self.characters - {" "}
        if not unknown:
            return text, ()
        forms = {character: self._known_form(character) for character in unknown}
        left_out = tuple(dict.fromkeys(character for character in text if forms.get(character) == ""))
        parts = [forms.get(each, each) for each in text]
        for k in range(1, len(text) - 1):
            symbol = not parts[k] and unicodedata.category(text[k])[0] in "PS" and text[k] not in APOSTROPHES
            if symbol and text[k - 1].isalnum() and text[k + 1].isalnum():
                parts[k] = " "  # without it, 5/6 would be read as 56
        return self.tokenizer.normalize("".join(parts)), left_out

    def _known_form(self, character: str) -> str:
        """Return the known form of an unknown character; empty if it is a symbol, itself if it is a letter."""
        folded = unicodedata.normalize("NFKC", character)
        base = "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
        digit = str(unicodedata.digit(character, ""))
        other_case = character.lower() if character != character.lower() else character.upper()
        for form in (folded, SIMILAR.get(character, ""), base, digit, other_case):
            if form and self.characters.issuperset(form):
                return form
        return character if unicodedata.category(character)[0] in "LN" else ""

    def with_apostrophes(self, text: str) -> str:
        """Return a carelessly typed text with the apostrophes that were left out: ``dont`` becomes ``don't``."""
        careless = (self.style.capital and text[:1].islower()) or (self.style.mark and not final_mark(text))
        return _WORD_ALONE.sub(self._contraction, text) if careless and self.style.contractions else text

    def _contraction(self, match: re.Match[str]) -> str:
        word = match.group()
        form = self.style.contractions.get(word.casefold())
        if form is None or word.casefold() in self.words:
            return word
        if word == word.upper() and len(word) > 1:
            return form.upper()
        return form if word[0].islower() else form[0].upper() + form[1:]

    def _capitals(self, text: str) -> str:
        """Return the text with its words in the case in which the training text has them."""
        if not self.style.forms:
            return text
        in_capitals = " " in text and text == text.upper() != text.lower()
        in_lower_case = self.style.capital and text[:1].islower()
        parts = []
        for part in text.split(" "):
            for piece in split_word(part) if part else ():
                word = piece.strip(f" {APOSTROPHES}\u00a0\u202f")
                if word[:1].isalpha():
                    form = self._usual_form(word) if in_capitals else self._form(word, in_lower_case)
                    piece = piece.replace(word, form)
                parts.append(piece)
        return "".join(parts).removeprefix(" ")

    def _usual_form(self, word: str) -> str:
        """Return the most frequent form of a word."""
        return self.style.forms.get(word.casefold(), [word.lower()])[0]

    def _form(self, word: str, in_lower_case: bool) -> str:
        """Return a word as it is, or its usual form if the training text does not have it as it is.

        Args:
            word: the word.
            in_lower_case: whether the line begins in lower case where the training text has a capital: then a word that
                occurs only at the start of sentences has a capital everywhere.
        """
        key, lower = word.casefold(), word.lower()
        forms = self.style.forms.get(key, [])
        if word in forms or word == self.style.starts.get(key):
            return word
        if word != lower:
            in_capitals = len(word) > 1 and word == word.upper()
            return self._usual_form(word) if in_capitals and (key in self.words or forms) else word
        if not forms and in_lower_case:
            return self.style.starts.get(key, word)
        return forms[0] if forms else word

    def _first_letter(self, text: str) -> str:
        """Return the text with a capital first, if the training text has one and the first word is in lower case."""
        word = text.partition(" ")[0]
        first = text[:1].upper()
        if not self.style.capital or not text[:1].islower() or word != word.lower() or len(first) != 1:
            return text
        return first + text[1:]
