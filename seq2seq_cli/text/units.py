"""The units of a text: words, or characters in a script that is written without spaces between words.

One function, ``count_units``, measures texts for all statistics. Chinese, Japanese, Thai, Lao, Khmer, Burmese and
Tibetan are measured in characters, everything else in words; a text of both has both::

    "I like books."   →   3 words
    "我喜欢iPhone。"    →   3 characters and 1 word
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

HAN, KANA, HANGUL = "Chinese characters", "kana", "Hangul"
_BLOCKS = {
    "Thai": (0x0E00, 0x0E7F),
    "Lao": (0x0E80, 0x0EFF),
    "Tibetan": (0x0F00, 0x0FFF),
    "Burmese": (0x1000, 0x109F),
    "Khmer": (0x1780, 0x17FF),
}
"""Unicode blocks of further scripts whose words are not separated by spaces."""
WORDS, CHARACTERS = "words", "characters"
LONGEST_WORD, LONGEST_SPELLED = 6, 20
"""Characters; for ``is_phrase``."""
KANA_SHARE = 0.05
"""Share of kana among Chinese characters and kana; a text with more is Japanese. Chinese has hardly any."""


def _of_category(block: tuple[int, int], categories: str) -> str:
    """Return the characters of a block whose general category begins with one of these letters."""
    characters = map(chr, range(block[0], block[1] + 1))
    return "".join(character for character in characters if unicodedata.category(character)[0] in categories)


_LETTERS = {
    HAN: "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    KANA: "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    **{name: _of_category(block, "L") for name, block in _BLOCKS.items()},
}
"""Unspaced scripts and their letters, as the inside of a character class."""
_ALL_LETTERS = "".join(_LETTERS.values())
_MARKS = "\u3099\u309a" + "".join(_of_category(block, "M") for block in _BLOCKS.values())
_CHARACTER = re.compile(rf"([{_ALL_LETTERS}][{_MARKS}]*)")
"""A letter of an unspaced script, with its vowel signs and tone marks."""
_HANGUL_WORD = re.compile(r"[^\s\uac00-\ud7a3]*[\uac00-\ud7a3]\S*")
BETWEEN_SPACES = re.compile(r"\S+")
WORD = re.compile(r"\w[^\s'\u2019-]*")
"""A word that ends at a space, apostrophe or hyphen: ``Qu'avez-vous ?`` is three words; punctuation is not a word."""


@cache
def _letter_of(script: str) -> re.Pattern[str]:
    """Return the pattern of a letter of one script, compiled when it is first needed."""
    return re.compile(f"[{_LETTERS[script]}]")


def count_units(text: str, word: re.Pattern[str] = BETWEEN_SPACES) -> int:
    """Return the length of a text: its characters of unspaced scripts, and its words in other scripts.

    Args:
        text: a sentence.
        word: what counts as a word: ``BETWEEN_SPACES`` or ``WORD``. In a text with characters of unspaced scripts,
            ``WORD`` always applies, because punctuation is not between spaces there.

    Example:
        >>> count_units("I like books."), count_units("我喜欢 iPhone。")
        (3, 4)
    """
    if text.isascii():
        return len(word.findall(text))
    rest, characters = _CHARACTER.subn(" ", text)
    return characters + len((WORD if characters else word).findall(rest))


def split_characters(piece: str) -> list[str]:
    """Split a piece of text into its characters of unspaced scripts and what lies between them.

    A piece without such characters is returned as it is; from others, the space at the start is removed.

    Example:
        >>> split_characters(" books"), split_characters(" 用iPhone")
        ([' books'], ['用', 'iPhone'])
    """
    if piece.isascii() or not _CHARACTER.search(piece):
        return [piece]
    return [part for part in _CHARACTER.split(piece.strip(" ")) if part]


def is_phrase(text: str) -> bool:
    """Whether a text of unspaced scripts is longer than words usually are, so that it is no token of a vocabulary.

    Words of Chinese and Japanese have at most ``LONGEST_WORD`` characters, those of alphabets ``LONGEST_SPELLED``.

    Example:
        >>> is_phrase("我的朋友"), is_phrase("我的朋友在家里看书"), is_phrase("internationalization")
        (False, True, False)
    """
    if len(text) <= LONGEST_WORD or text.isascii() or not _CHARACTER.search(text):
        return False
    ideographic = _letter_of(HAN).search(text) or _letter_of(KANA).search(text)
    return len(text.strip(" ")) > (LONGEST_WORD if ideographic else LONGEST_SPELLED)


def script_of(lines: Iterable[str]) -> str:
    """Return the script of a text if it decides how words are counted, else an empty string.

    Args:
        lines: sentences.

    Returns:
        ``HAN``, ``KANA`` (Japanese: kana and Chinese characters), ``HANGUL``, or a name in ``_BLOCKS``, if more than
        half of the units are in that script.
    """
    words, hangul = 0, 0
    counts: Counter[str] = Counter()
    for line in lines:
        if line.isascii():
            words += len(line.split())
            continue
        rest, characters = _CHARACTER.subn(" ", line)
        words += len((WORD if characters else BETWEEN_SPACES).findall(rest))
        hangul += len(_HANGUL_WORD.findall(rest))
        if characters:
            for name in _LETTERS:
                counts[name] += len(_letter_of(name).findall(line))
    if sum(counts.values()) <= words:
        return HANGUL if 2 * hangul > words else ""
    if counts[KANA] > KANA_SHARE * (counts[HAN] + counts[KANA]):
        counts[KANA] += counts.pop(HAN, 0)
    return max(counts, key=lambda name: counts[name])


def unit_of(lines: Iterable[str]) -> str:
    """Return what ``count_units`` mostly counts in a text: ``WORDS`` or ``CHARACTERS``."""
    return CHARACTERS if script_of(lines) in _LETTERS else WORDS
