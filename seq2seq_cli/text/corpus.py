"""Read sentence pairs: one string names a corpus everywhere.

==================  =======================================================================================
``pairs.tsv``       source, a tab, target; further columns are ignored (as in Anki's exports), and so are columns of
                    numbers (as in Tatoeba's exports, ``id text id text``)
``train.de,train.en``  two aligned files, a sentence per line
``….gz`` and others  either of them, compressed or in UTF-16: any file that ``streams`` recognizes
``builtin:test``    a part of the built-in corpus: train, valid, test, test_everyday or test_long
``-``               standard input, as ``pairs.tsv``, or as one of two aligned files
==================  =======================================================================================

Text is UTF-8. A byte-order mark at the start of a line is dropped. A line ends at LF, CRLF or a lone CR, and nowhere
else.
"""

from __future__ import annotations

import codecs
import random
import warnings
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, zip_longest
from pathlib import Path

from seq2seq_cli.errors import DataNote, UserError
from seq2seq_cli.text.builtin import BUILTIN_PREFIX, builtin_corpus
from seq2seq_cli.text.columns import LARGEST_SAMPLE, SAMPLE, Columns, find_columns
from seq2seq_cli.text.inputs import text_pieces, title
from seq2seq_cli.text.lines import Lines

LONGEST_LINE = 16 << 20
"""Bytes; a file without line ends is not a corpus, and reading it would fill the memory."""


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs.

    Args:
        name: as the user wrote it.
        sources, targets: the two sides, of the same length; no sentence is empty.
        skipped: line numbers of the pairs left out because a side was empty.
        lines: line number of each pair; empty if pair ``k`` is on line ``k + 1``.
        columns: which columns of the file are the sides, in words; empty if they are the first two.
    """

    name: str
    sources: Sequence[str]
    targets: Sequence[str]
    skipped: Sequence[int] = ()
    lines: Sequence[int] = ()
    columns: str = ""

    def __len__(self) -> int:
        return len(self.sources)

    def select(self, chosen: Sequence[int]) -> Corpus:
        """Return the chosen pairs; ``chosen`` has 1 or 0 for each pair of this corpus."""
        sources, targets = (Lines(compress(side, chosen)) for side in (self.sources, self.targets))
        lines = array("q", compress(self._numbers, chosen))
        return replace(self, sources=sources, targets=targets, lines=lines)

    def swapped(self) -> Corpus:
        """Return the pairs of the other direction."""
        return replace(self, sources=self.targets, targets=self.sources)

    def joined(self, other: Corpus) -> Corpus:
        """Return the pairs of both corpora, those of ``other`` last."""
        sources, targets = Lines(chain(self.sources, other.sources)), Lines(chain(self.targets, other.targets))
        lines = array("q", chain(self._numbers, other._numbers))
        skipped = [*self.skipped, *other.skipped]
        return replace(self, sources=sources, targets=targets, skipped=skipped, lines=lines)

    @property
    def _numbers(self) -> Sequence[int]:
        return self.lines or range(1, len(self) + 1)

    def line(self, position: int) -> int:
        """Return the line number of a pair, counted from 1."""
        return self._numbers[position]

    def location(self, line: int) -> str:
        """Return the location of a line in the form ``pairs.tsv:17``; for two files, in the first one."""
        return f"{title(files_of(self.name)[0])}:{line}"


def read_lines(path: str) -> Iterator[str]:
    """Yield the lines of a text file, plain or compressed, or of standard input (``-``), without line ends.

    A line ends at LF, CRLF or a lone CR, and nowhere else. Each is yielded as soon as its end has arrived.

    Raises:
        UserError: if it cannot be read, or at the first line that is not UTF-8.
    """
    name = title(path)
    for number, line in enumerate(_split_lines(text_pieces(path), name), start=1):
        while line.startswith(codecs.BOM_UTF8):  # also where files were joined
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"this line is not UTF-8 (byte {error.start + 1} is 0x{line[error.start]:02x})",
                where=f"{name}, line {number}",
                fix="save the file as UTF-8, for example with: iconv -f WINDOWS-1252 -t UTF-8",
            ) from None


def _split_lines(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the lines of a text that comes in pieces; a CRLF may be divided between two of them."""
    rest, after_cr, number = b"", False, 0
    for piece in pieces:
        if after_cr and piece:
            piece = piece.removeprefix(b"\n")  # of the line that ended with the piece before
            after_cr = False
        if not piece:
            continue
        after_cr = piece.endswith(b"\r")
        lines = piece.splitlines()  # of bytes: at LF, CRLF and CR only
        lines[0] = rest + lines[0]
        rest = b"" if piece.endswith((b"\r", b"\n")) else lines.pop()
        for line in lines:
            number += 1
            _check_length(line, number, name)
            yield line
        _check_length(rest, number + 1, name)
    if rest:
        yield rest


def _check_length(line: bytes, number: int, name: str) -> None:
    if len(line) > LONGEST_LINE:
        raise UserError(
            f"this line is longer than {LONGEST_LINE >> 20} MiB",
            where=f"{name}, line {number}",
            fix="give a text file with one sentence per line",
        )


def read_corpus(name: str) -> Corpus:
    """Read a corpus.

    Args:
        name: ``pairs.tsv``, ``source,target`` or ``-``; an existing file whose name contains a comma is one file.

    Raises:
        UserError: for a file that is missing, empty or not UTF-8, a line without a tab, or sides of unequal length.
    """
    sources, targets = Lines(), Lines()
    skipped, lines = array("q"), array("q")
    columns, pairs = _open(name)
    for number, (source, target) in enumerate(pairs, start=1):
        if source.strip() and target.strip():
            sources.append(source)
            targets.append(target)
            lines.append(number)
        else:
            skipped.append(number)
    if not sources:
        what = "every line has an empty side" if skipped else "this corpus is empty"
        raise UserError(what, where=title(name), fix="give at least one sentence pair")
    return Corpus(name, sources, targets, skipped, lines if skipped else (), columns.note)


def read_pairs(name: str) -> Iterator[tuple[str, str]]:
    """Return the pair of every line, empty sides included; arguments and errors as for ``read_corpus``."""
    return _open(name)[1]


def _open(name: str) -> tuple[Columns, Iterator[tuple[str, str]]]:
    """Return the columns of a corpus, and an iterator over all of its pairs."""
    files = files_of(name)
    if len(files) > 2 or not all(files):
        raise UserError(
            "a corpus is one file, or two with one comma between them",
            where=name or "the name of the corpus is empty",
            fix="write pairs.tsv, or source.txt,target.txt",
        )
    if len(files) == 2:
        return Columns(), _read_two_files(files)
    columns, lines = read_rows(files[0])
    if columns.note:
        warnings.warn(f"{title(name)}: {columns.note}", DataNote, stacklevel=3)
    return columns, _read_tsv(name, lines, columns)


def read_rows(path: str) -> tuple[Columns, Iterator[str]]:
    """Return the columns of source and target in a file with columns, and an iterator over all of its lines."""
    lines, first = read_lines(path), []
    characters = 0
    for line in lines:
        first.append(line)
        characters += len(line)
        if len(first) == SAMPLE or characters > LARGEST_SAMPLE:
            break
    return find_columns(first, title(path)), chain(first, lines)


def files_of(name: str) -> list[str]:
    """Return the one or two files that a corpus name stands for; ``builtin:test`` is a part of the built-in corpus."""
    if name.startswith(BUILTIN_PREFIX):
        return [builtin_corpus(name.removeprefix(BUILTIN_PREFIX))]
    return [name] if "," not in name or Path(name).exists() else name.split(",")


def _read_tsv(name: str, lines: Iterable[str], columns: Columns) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, start=1):
        source, tab, rest = line.partition("\t")
        where = f"{title(name)}, line {number}"
        if not tab and line.strip():
            raise UserError(
                f"this line has no tab between source and target: {shorten(line)}",
                where=where,
                fix="write source<TAB>target on every line, or name two files: source.txt,target.txt",
            )
        yield columns.pair(line, where) if tab and columns.note else (source, rest.partition("\t")[0])


def _read_two_files(names: list[str]) -> Iterator[tuple[str, str]]:
    sides = [read_lines(name) for name in names]
    for number, (source, target) in enumerate(zip_longest(*sides), start=1):
        if source is None or target is None:
            shorter, longer = number - 1, number + sum(1 for side in sides for _ in side)
            counts = (shorter, longer) if source is None else (longer, shorter)
            raise UserError(
                f"the two sides have different lengths: {counts[0]} and {counts[1]} lines",
                where=", ".join(names),
                fix="give both files one sentence per line, in the same order",
            )
        yield source, target


def shorten(text: str, limit: int = 60) -> str:
    """Return the text in quotes for an error message, truncated if it is long."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def hold_out(corpus: Corpus, seed: int, share: float = 0.05, max_pairs: int = 1000) -> tuple[Corpus, Corpus]:
    """Hold out a random part of the pairs for validation, so that no source sentence is in both parts.

    Args:
        corpus: at least one pair.
        seed: determines which pairs are held out.
        share: fraction of the pairs.
        max_pairs: maximum number of pairs drawn; pairs with the same source are added to them.

    Returns:
        Training and validation pairs, both in the order of the corpus; skipped lines are counted with the training
        pairs. If all pairs have the same source, nothing can be held out, and both are the whole corpus.
    """
    import numpy as np

    from seq2seq_cli.text.duplicates import repeated

    wanted = min(max_pairs, max(1, round(share * len(corpus))))
    distinct = np.delete(np.arange(len(corpus)), repeated(corpus.sources, len(corpus)))  # first of equal sources
    if len(distinct) < 2:
        return corpus, corpus
    sample = distinct[random.Random(seed).sample(range(len(distinct)), min(wanted, len(distinct) - 1))]
    chosen = {corpus.sources[k] for k in np.sort(sample)}
    held_out = bytearray(source in chosen for source in corpus.sources)
    kept = bytearray(not held for held in held_out)
    return corpus.select(kept), replace(corpus.select(held_out), skipped=())
