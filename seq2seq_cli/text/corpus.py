"""Read sentence pairs: one string names a corpus everywhere.

==================  =======================================================================================
``pairs.tsv``       source, a tab, target; further columns are ignored (Tatoeba and Anki exports work as they come)
``train.de,train.en``  two aligned files, a sentence per line
``….gz``            either of them, compressed
``builtin:test``    a part of the built-in corpus: train, valid, test, test_everyday or test_long
``-``               standard input, as ``pairs.tsv``, or as one of two aligned files
==================  =======================================================================================

Text is UTF-8. A byte-order mark at the start of a file is dropped. A line ends at LF or CRLF and nowhere else.
"""

from __future__ import annotations

import gzip
import random
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, zip_longest
from pathlib import Path
from typing import IO, cast

from seq2seq_cli.errors import UserError, explain_os_errors
from seq2seq_cli.text.builtin import BUILTIN_PREFIX, builtin_corpus
from seq2seq_cli.text.inputs import STDIO, standard_input, title
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
    """

    name: str
    sources: Sequence[str]
    targets: Sequence[str]
    skipped: Sequence[int] = ()
    lines: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.sources)

    def select(self, chosen: Sequence[int]) -> Corpus:
        """Return the chosen pairs; ``chosen`` has 1 or 0 for each pair of this corpus."""
        sources, targets = (Lines(compress(side, chosen)) for side in (self.sources, self.targets))
        return Corpus(self.name, sources, targets, self.skipped, array("q", compress(self._numbers, chosen)))

    def swapped(self) -> Corpus:
        """Return the pairs of the other direction."""
        return replace(self, sources=self.targets, targets=self.sources)

    def joined(self, other: Corpus) -> Corpus:
        """Return the pairs of both corpora, those of ``other`` last."""
        sources, targets = Lines(chain(self.sources, other.sources)), Lines(chain(self.targets, other.targets))
        lines = array("q", chain(self._numbers, other._numbers))
        return Corpus(self.name, sources, targets, [*self.skipped, *other.skipped], lines)

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

    Raises:
        UserError: if it cannot be read, or at the first line that is not UTF-8.
    """
    name = title(path)
    with explain_os_errors(name, "read"):
        if path == STDIO:
            yield from decode_lines(standard_input(), name)
        elif path.endswith(".gz"):
            try:
                with gzip.open(path, "rb") as file:
                    yield from decode_lines(cast(IO[bytes], file), name)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise UserError(
                    f"this gzip file is truncated or damaged: {error}", where=name, fix="download or compress it again"
                ) from None
        else:
            with Path(path).open("rb") as file:
                yield from decode_lines(file, name)


def decode_lines(file: IO[bytes], name: str) -> Iterator[str]:
    """Yield the text of each line of an open file, checked to be UTF-8."""
    for number, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), start=1):
        if len(raw) > LONGEST_LINE:
            raise UserError(
                f"this line is longer than {LONGEST_LINE >> 20} MiB",
                where=f"{name}, line {number}",
                fix="give a text file with one sentence per line",
            )
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"this line is not UTF-8 (byte {error.start + 1} is 0x{line[error.start]:02x})",
                where=f"{name}, line {number}",
                fix="save the file as UTF-8, for example with: iconv -f WINDOWS-1252 -t UTF-8",
            ) from None


def read_corpus(name: str) -> Corpus:
    """Read a corpus.

    Args:
        name: ``pairs.tsv``, ``source,target`` or ``-``; an existing file whose name contains a comma is one file.

    Raises:
        UserError: for a file that is missing, empty or not UTF-8, a line without a tab, or sides of unequal length.
    """
    sources, targets = Lines(), Lines()
    skipped, lines = array("q"), array("q")
    for number, (source, target) in enumerate(read_pairs(name), start=1):
        if source.strip() and target.strip():
            sources.append(source)
            targets.append(target)
            lines.append(number)
        else:
            skipped.append(number)
    if not sources:
        what = "every line has an empty side" if skipped else "this corpus is empty"
        raise UserError(what, where=title(name), fix="give at least one sentence pair")
    return Corpus(name, sources, targets, skipped, lines if skipped else ())


def read_pairs(name: str) -> Iterator[tuple[str, str]]:
    """Yield the pair of every line, empty sides included; arguments and errors as for ``read_corpus``."""
    files = files_of(name)
    if len(files) > 2 or not all(files):
        raise UserError(
            "a corpus is one file, or two with one comma between them",
            where=name or "the name of the corpus is empty",
            fix="write pairs.tsv, or source.txt,target.txt",
        )
    return _read_tsv(files[0]) if len(files) == 1 else _read_two_files(files)


def files_of(name: str) -> list[str]:
    """Return the one or two files that a corpus name stands for; ``builtin:test`` is a part of the built-in corpus."""
    if name.startswith(BUILTIN_PREFIX):
        return [builtin_corpus(name.removeprefix(BUILTIN_PREFIX))]
    return [name] if "," not in name or Path(name).exists() else name.split(",")


def _read_tsv(name: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(read_lines(name), start=1):
        source, tab, rest = line.partition("\t")
        if not tab and line.strip():
            raise UserError(
                f"this line has no tab between source and target: {shorten(line)}",
                where=f"{title(name)}, line {number}",
                fix="write source<TAB>target on every line, or name two files: source.txt,target.txt",
            )
        yield source, rest.partition("\t")[0]


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
