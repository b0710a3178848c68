"""Text normalization: variants of the same text, such as ``don't`` and ``don’t``, become one form.

A normalizer is learned from the text that a tokenizer is trained on: of the variants of an apostrophe, a quotation mark
or the space before a mark, it keeps the form that this text has most often. So the source is read the same however it
was typed, and the target follows the convention of its corpus. What it does, in this order:

1. Unicode NFC.
2. Invisible characters are removed (soft hyphens, zero-width characters, BOMs, marks of direction); zero-width spaces
   and joiners are kept where at least one line in a hundred of the training text has them (Khmer, Persian).
3. Full-width forms, half-width kana and ligatures become ordinary characters; a full-width mark that the training text
   has more often than the ASCII one (Chinese, Japanese) is kept, and the ASCII one becomes full-width, except beside
   ASCII letters and digits.
4. Apostrophes, ellipses and double quotation marks become the most frequent form; hyphens become ``-``.
5. No-break and thin spaces become plain ones; then the space before ``? ! ; : . , … » % €``, after ``«`` and inside of
   numbers becomes the most frequent form, which may be none.

Source:
    Koehn et al. 2007, "Moses" (``normalize-punctuation.perl``, whose conventions are fixed, by language).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from itertools import cycle, islice
from typing import Any

from seq2seq_cli.text.pieces import compose

NAME = "typographic"
APOSTROPHES = "'\u2019\u02bc"
"""The forms from which the convention is chosen; the others below always become the chosen one."""
OTHER_APOSTROPHES = "\u2032\u201b"
OPENING_APOSTROPHE = "\u2018"
QUOTES = '"\u201c\u201d\u201e\u201f'
HYPHENS = "\u2010\u2011\u2212"
ELLIPSES = "...", "\u2026"
SPACES = " \u00a0\u202f"
JOINERS = "\u200b\u200c\u200d"
INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff"
)
FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
"""Full-width form → ASCII character."""
COMPATIBILITY = [chr(code) for code in (*range(0xFB00, 0xFB07), *range(0xFF5F, 0xFFEF))]
"""Ligatures such as U+FB01, half-width kana and Hangul, full-width signs: their NFKC form means the same."""
MADE_FULL_WIDTH = "?!,:;()"
FEW = 0.01
"""Share of lines with a zero-width space or joiner below which it is removed."""
MAX_LINES = 200_000
"""Lines from which a convention is learned, the first ones."""

_MARKS = "?!;:.,\u2026\u00bb%\u20ac"
_SPACE = r"[^\S\n]"
_AFTER_MARK = r'(?:[;:](?=\s|$)|[^;:](?=[?!;:.,\u2026\u00bb"\u201d%]{0,3}(?:\s|$)|[)\]]))'
_BEFORE = re.compile(rf"(?<=[^\s{_MARKS}])({_SPACE}?)(?=[{_MARKS}])(?={_AFTER_MARK})")
_AFTER = re.compile(rf"(?<=\u00ab)({_SPACE}?)(?=[^\s])")
_IN_NUMBER = re.compile(rf"(?<=\d)({_SPACE})(?=\d{{3}}(?!\d))")
_SPACE_RUN = re.compile(r"\s+")
_ACCENT_AS_APOSTROPHE = re.compile(r"(?<=[^\W\d_])[\u00b4`](?=[^\W\d_])")
_NOT_IN_ASCII = re.compile(rf"(?<![0-9A-Za-z])[{re.escape(MADE_FULL_WIDTH)}](?![0-9A-Za-z])")
_ELLIPSIS = re.compile(r"(?<!\.)\.\.\.(?!\.)")


@dataclass(frozen=True)
class Normalizer:
    """The convention of a text; without one, everything has its ASCII form, and no mark has a space before it.

    Args:
        apostrophe: the most frequent apostrophe.
        quotes: the opening and the closing double quotation mark.
        ellipsis: three periods, or one character.
        full_width: full-width forms that the text has more often than the ASCII character.
        joiners: zero-width characters that are kept.
        spacing: mark → the space before it; ``«`` → the space after it; ``0`` → the space inside of a number.

    Example:
        >>> Normalizer.learn(["Où est la gare\\u00a0?", "C'est ici."]).apply("Où est l’ami ?")
        "Où est l'ami\\xa0?"
    """

    apostrophe: str = "'"
    quotes: str = '""'
    ellipsis: str = "..."
    full_width: str = ""
    joiners: str = ""
    spacing: dict[str, str] = field(default_factory=dict)

    @classmethod
    def learn(cls, lines: Iterable[str]) -> Normalizer:
        """Return the convention of a text: the most frequent form of each variant."""
        characters: Counter[str] = Counter()
        lines_with: Counter[str] = Counter()
        opening: Counter[str] = Counter()
        closing: Counter[str] = Counter()
        spaces: defaultdict[str, Counter[str]] = defaultdict(Counter)
        number = ellipses = 0
        for line in islice(lines, MAX_LINES):
            number += 1
            text = compose(line)
            characters.update(text)
            if not text.isascii():
                lines_with.update(character for character in JOINERS if character in text)
            ellipses += len(_ELLIPSIS.findall(text))
            quotes = [character for character in text if character in QUOTES]
            opening.update(quotes[::2])
            closing.update(quotes[1::2])
            for pattern, key in ((_BEFORE, ""), (_AFTER, "\u00ab"), (_IN_NUMBER, "0")):
                for match in pattern.finditer(text):
                    spaces[key or text[match.end()]][match[1] if match[1] in SPACES else " "] += 1
        curly = sum(characters[quote] for quote in QUOTES[1:]) > characters['"']
        return cls(
            apostrophe=max(APOSTROPHES, key=characters.__getitem__),
            quotes="".join(_most_frequent(side) for side in (opening, closing)) if curly else '""',
            ellipsis=ELLIPSES[characters[ELLIPSES[1]] > ellipses],
            full_width="".join(wide for wide, ascii_ in FULL_WIDTH.items() if characters[wide] > characters[ascii_]),
            joiners="".join(each for each in JOINERS if lines_with[each] >= max(1, FEW * number)),
            spacing={key: form for key, counts in sorted(spaces.items()) if (form := _most_frequent(counts))},
        )

    @cached_property
    def _table(self) -> dict[int, str]:
        """What every single character becomes; whatever is missing stays as it is."""
        table = {form: unicodedata.normalize("NFKC", form) for form in COMPATIBILITY}
        table |= {wide: ascii_ for wide, ascii_ in FULL_WIDTH.items() if wide not in self.full_width}
        table |= dict.fromkeys(set(INVISIBLE) - set(self.joiners), "")
        table |= dict.fromkeys(HYPHENS, "-")
        table |= dict.fromkeys(APOSTROPHES + OTHER_APOSTROPHES, self.apostrophe)
        if self.apostrophe == "'":
            table[OPENING_APOSTROPHE] = "'"
        if "\uff07" not in self.full_width:
            table["\uff07"] = self.apostrophe
        if self.quotes == '""':
            table |= dict.fromkeys(QUOTES, '"')
        return {ord(character): form for character, form in table.items() if character != form}

    def apply(self, text: str, lowercase: bool = False) -> str:
        """Return the text in this convention; applying it again changes nothing.

        Args:
            text: a line of text.
            lowercase: whether it will be converted to lower case: then the Turkish ``İ`` becomes one letter, ``i``.
        """
        text = compose(text)
        if not text.isascii():
            text = compose(text.translate(self._table))
        if lowercase:
            text = text.replace("\u0130", "i")
        text = _SPACE_RUN.sub(" ", text).strip(" ")
        if "`" in text or "\u00b4" in text:
            text = _ACCENT_AS_APOSTROPHE.sub(self.apostrophe, text)
        if self.apostrophe != "'":
            text = text.replace("'", self.apostrophe)
        if self.full_width:
            text = _NOT_IN_ASCII.sub(self._widen, text)
        if self.ellipsis == ELLIPSES[0]:
            text = text.replace(ELLIPSES[1], ELLIPSES[0])
        else:
            text = _ELLIPSIS.sub(self.ellipsis, text)
        if self.quotes != '""' and '"' in text:
            sides = cycle(self.quotes)  # curly quotes that are there already take their turn
            turns = ((character, next(sides) if character in QUOTES else "") for character in text)
            text = "".join(side if character == '"' else character for character, side in turns)
        text = _BEFORE.sub(lambda match: self.spacing.get(match.string[match.end()], ""), text)
        text = _AFTER.sub(self.spacing.get("\u00ab", ""), text) if "\u00ab" in text else text
        return _IN_NUMBER.sub(self.spacing.get("0", " "), text)

    def _widen(self, match: re.Match[str]) -> str:
        wide = chr(ord(match.group()) + 0xFEE0)
        return wide if wide in self.full_width else match.group()

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON values."""
        return {"name": NAME, **asdict(self)}

    @classmethod
    def from_json(cls, value: Any) -> Normalizer:
        """Return the normalizer of a JSON value from ``to_json``.

        Raises:
            ValueError: if the value does not have that form.
        """
        if not isinstance(value, dict) or value.get("name") != NAME:
            raise ValueError(f"the tokenizer's normalization is not {NAME!r}")
        if value.keys() != {"name", *(each.name for each in fields(cls))}:
            raise ValueError("the tokenizer's normalization lacks a part, or has an unknown one")
        spacing = value["spacing"]
        texts = {name: text for name, text in value.items() if name not in ("name", "spacing")}
        well_formed = (
            all(isinstance(text, str) for text in texts.values())
            and texts["apostrophe"] in tuple(APOSTROPHES)
            and texts["ellipsis"] in ELLIPSES
            and len(texts["quotes"]) == 2
            and set(texts["quotes"]) <= set(QUOTES)
            and set(texts["full_width"]) <= FULL_WIDTH.keys()
            and set(texts["joiners"]) <= set(JOINERS)
            and isinstance(spacing, dict)
            and all(key in (*_MARKS, "\u00ab", "0") and space in ("", *SPACES) for key, space in spacing.items())
        )
        if not well_formed:
            raise ValueError("the tokenizer's normalization holds a value that it cannot have")
        return cls(**texts, spacing=spacing)


def _most_frequent(counts: Counter[str]) -> str:
    """Return the most frequent key; of equal counts, the first in alphabetical order."""
    return min(counts, key=lambda key: (-counts[key], key), default="")
