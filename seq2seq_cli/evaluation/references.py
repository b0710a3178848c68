"""Read what translations are scored against: a test corpus, further reference files, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.evaluation.evaluation import read_test_corpus
from seq2seq_cli.evaluation.metrics import Streams
from seq2seq_cli.text.builtin import SWAPPED
from seq2seq_cli.text.corpus import files_of, read_lines, read_pairs, read_rows, shorten
from seq2seq_cli.text.inputs import title


class Reference(NamedTuple):
    """Sentences with their references.

    Args:
        name: of the files, for the report.
        sources: source sentences; none if there are only reference files.
        references: a list with the first reference of each sentence, a list of the second …; None where there is none.
        skipped: line numbers of sentences without a source or a reference, which were left out.
    """

    name: str
    sources: list[str]
    references: Streams
    skipped: Sequence[int] = ()


def read_references(
    corpus: str | None,
    files: Sequence[str] = (),
    trained_on: Sequence[str] = (),
    swap: bool = False,
    *,
    all_references: bool = False,
    keep_empty: bool = False,
) -> Reference:
    """Read references.

    Args:
        corpus: name of the test corpus; None: only ``files``, or without these the built-in test set.
        files: text files, each with one reference per line, in the order of the corpus; they come after its own.
        trained_on: the corpora of the models.
        swap: whether the sides of the corpus change places.
        all_references: whether every column of the corpus after the source is a reference, not only the first one.
        keep_empty: whether to keep pairs with an empty side, because lines of a file of hypotheses must match them.

    Raises:
        UserError: for a file that cannot be read, files of unequal length, or as for ``read_test_corpus``.
    """
    if corpus is None and files:
        return Reference(", ".join(files), [], _aligned([list(read_lines(file)) for file in files], files))
    if swap and all_references:
        raise usage_error(
            "--all-references takes the columns after the source, and --swap makes the source the second one",
            where="--all-references",
            fix="leave one of them out, or name the references with --references FILE",
        )
    swapped = SWAPPED * swap
    name = ", ".join([(corpus or "the built-in test set") + swapped, *files])
    skipped: Sequence[int] = ()
    lines: Sequence[int]
    if all_references and corpus is not None:
        sources, streams, lines, skipped = _read_columns(corpus, keep_empty)
    elif keep_empty and corpus is not None:
        pairs = list(read_pairs(corpus))
        source, target = (1, 0) if swap else (0, 1)
        sources, streams = [pair[source] for pair in pairs], [[pair[target] for pair in pairs]]
        lines = range(1, len(pairs) + 1)
    else:
        test = read_test_corpus(corpus, trained_on, swap)
        sources, streams, skipped = list(test.sources), [list(test.targets)], list(test.skipped)
        lines = [test.line(k) for k in range(len(test))]
        name = name if corpus is None else ", ".join([test.name + swapped, *files])
    total = len(lines) + len(skipped)
    for file in files:
        further = list(read_lines(file))
        if len(further) != total:
            raise _unequal(total, len(further), [title(corpus or name), file])
        streams.append([further[line - 1] for line in lines])
    return Reference(name, sources, streams, skipped)


def _aligned(streams: list[list[str]], files: Sequence[str]) -> Streams:
    """Return the lines of several files, which must have the same number of them."""
    for file, stream in zip(files, streams):
        if len(stream) != len(streams[0]):
            raise _unequal(len(streams[0]), len(stream), [files[0], file])
    return [list(stream) for stream in streams]


def _unequal(first: int, second: int, files: Sequence[str]) -> UserError:
    return UserError(
        f"the references have different lengths: {first} and {second} lines",
        where=", ".join(files),
        fix="give one reference per line, in the same order",
    )


def _read_columns(name: str, keep_empty: bool) -> tuple[list[str], Streams, list[int], list[int]]:
    """Return sources, references, and the numbers of the lines kept and skipped; an empty column is no reference."""
    sources: list[str] = []
    rows: list[list[str | None]] = []
    lines: list[int] = []
    skipped: list[int] = []
    for number, (source, targets) in enumerate(_columns(name), start=1):
        given: list[str | None] = [target for target in targets if target.strip()]
        if keep_empty or (source.strip() and given):
            sources.append(source)
            rows.append(given or [""])
            lines.append(number)
        else:
            skipped.append(number)
    if not rows:
        raise UserError("this corpus has no references", where=title(name), fix="give at least one sentence pair")
    return sources, [list(stream) for stream in zip_longest(*rows)], lines, skipped


def _columns(name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the source and the further columns of each line."""
    if len(files_of(name)) > 1:
        raise usage_error(
            "--all-references takes the columns of one file, and this corpus is two files",
            where=name,
            fix="name further references with --references FILE",
        )
    columns, rows = read_rows(name)
    if columns.note:
        raise usage_error(
            f"--all-references takes every column after the first one, but {columns.note}",
            where=title(name),
            fix="give a file of source<TAB>reference<TAB>reference…, or leave --all-references out",
        )
    for number, line in enumerate(rows, start=1):
        source, tab, rest = line.partition("\t")
        if not tab and line.strip():
            raise UserError(
                f"this line has no tab between source and target: {shorten(line)}",
                where=f"{title(name)}, line {number}",
                fix="write source<TAB>reference<TAB>reference… on every line",
            )
        yield source, rest.split("\t")
