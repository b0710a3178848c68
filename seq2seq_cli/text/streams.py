"""Read any file of text as UTF-8 bytes: what it is, its first bytes say, and never its name.

=====================  ====================================================================
first bytes of         are read as
=====================  ====================================================================
gzip, bzip2, xz        the text inside; several streams in a row are one text
ZIP                    its member, if it has exactly one
UTF-16, UTF-32         the same text as UTF-8; a byte-order mark is what they are known by
another kind of file   an error that names the kind: a PDF, a 7-Zip archive, a model file …
=====================  ====================================================================

Everything is streamed in pieces of limited size: a file cannot fill the memory, however far it expands, and the lines
of a pipe can be read as they arrive.
"""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, Any

from seq2seq_cli.errors import DataWarning, UserError

PIECE = 1 << 16
"""Bytes that are read, or expanded, at a time."""
XZ_MEMORY = 256 << 20
"""Bytes; an xz file declares what its dictionary needs, at most 65 MiB for ``xz -9``."""
LARGEST_DIRECTORY = 1 << 20
"""Bytes of the directory of a ZIP archive; one of a single file takes about a hundred."""
NAMED_MEMBERS = 5
GZIP, BZIP2, XZ, ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04"
BZIP2_BLOCKS = b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"
"""Follow ``BZh`` and a digit: the first block, or the end of an empty file."""
ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""By byte-order mark; that of UTF-16 is the start of one of UTF-32."""
OTHER_KINDS = {
    b"%PDF-": "a PDF document",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"\x04\x22\x4d\x18": "an LZ4 file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Word or Excel document",
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"SQLite format 3\x00": "a database",
    b"PK\x05\x06": "an empty ZIP archive",
}
_MAGIC = (GZIP, XZ, ZIP, *ENCODINGS, *OTHER_KINDS, *(BZIP2 + b"9" + block for block in BZIP2_BLOCKS))


def as_text(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the text in an open file as UTF-8 bytes, in pieces; that it is UTF-8 is not checked.

    Bytes behind the end of compressed data are ignored with a ``DataWarning``.

    Args:
        file: a file or a pipe, open for reading.
        name: its name, for errors.

    Raises:
        UserError: if it is damaged, or is not text.
    """
    head, pieces = _peek(_pieces_of(file))
    kind = _compression(head)
    if not kind:
        yield from _decoded(head, pieces, name)
        return
    inside = _unzipped(file, pieces, name) if kind == "ZIP" else _expanded(pieces, kind, name)
    head, inside = _peek(inside)
    twice = _compression(head)
    if twice:
        raise UserError(
            f"this file is compressed twice: {twice} inside of {kind}", where=name, fix="decompress it once yourself"
        )
    yield from _decoded(head, inside, name)


def _pieces_of(file: Any) -> Iterator[bytes]:
    """Yield what a file holds, as it arrives."""
    return iter(lambda: file.read1(PIECE), b"")


def _peek(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, as many as are needed to recognize a file, and all pieces from the start."""
    rest, head = iter(pieces), b""
    for piece in rest:
        head += piece
        if not any(len(head) < len(magic) and magic.startswith(_as_level_9(head)) for magic in _MAGIC):
            break
    return head, chain([head] if head else [], rest)


def _as_level_9(head: bytes) -> bytes:
    """Return the head with the level of bzip2, a digit, replaced by 9."""
    return BZIP2 + b"9" + head[4:] if head.startswith(BZIP2) and head[3:4].isdigit() else head


def _compression(head: bytes) -> str:
    """Return the kind of compression, or nothing."""
    kinds = {GZIP: "gzip", XZ: "xz", ZIP: "ZIP"}
    for magic, kind in kinds.items():
        if head.startswith(magic):
            return kind
    return "bzip2" if head.startswith(BZIP2) and head[3:4].isdigit() and head[4:10] in BZIP2_BLOCKS else ""


class _Gunzip:
    """zlib's decompressor with the attributes of those of ``bz2`` and ``lzma``; it checks the checksum, too."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data


def _decompressor(kind: str) -> _Gunzip | bz2.BZ2Decompressor | lzma.LZMADecompressor:
    if kind == "gzip":
        return _Gunzip()
    return bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor(memlimit=XZ_MEMORY)


def _expanded(pieces: Iterator[bytes], kind: str, name: str) -> Iterator[bytes]:
    """Yield the content of compressed streams, one after another, with zeros between them (as ``tar`` pads them)."""
    stream = _decompressor(kind)
    try:
        for piece in pieces:
            data = piece
            while True:
                if stream.eof:
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    data = _at_least(10, data, pieces)
                    if _compression(data) != kind:
                        _warn_of_rest(data, pieces, kind, name)
                        return
                    stream = _decompressor(kind)
                expanded = stream.decompress(data, PIECE)
                data = b""
                yield expanded
                if stream.eof:
                    data = stream.unused_data
                elif len(expanded) < PIECE:  # it needs more
                    break
        if not stream.eof:
            raise EOFError("it ends in the middle")
    except (zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # bz2 raises one without a number
            raise
        raise UserError(
            f"this {kind} file is truncated or damaged: {error}", where=name, fix="download or compress it again"
        ) from None


def _at_least(count: int, data: bytes, pieces: Iterator[bytes]) -> bytes:
    """Return the data and as many of the pieces as make it that many bytes, if there are so many."""
    while len(data) < count and (following := next(pieces, b"")):
        data += following
    return data


def _warn_of_rest(data: bytes, pieces: Iterator[bytes], kind: str, name: str) -> None:
    count = len(data) + sum(map(len, pieces))
    counted = f"{count:,} byte{'s' * (count != 1)} behind the end of the {kind} data"
    warnings.warn(
        f"{name}: {counted} {'are' if count != 1 else 'is'} ignored; check that the file is complete",
        DataWarning,
        stacklevel=2,
    )


def _unzipped(file: IO[bytes], pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the content of the only member of a ZIP archive, whose directory is at its end."""
    with tempfile.TemporaryFile() as copy:
        if not file.seekable():
            for piece in pieces:
                copy.write(piece)
            file = copy
        try:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive, archive.open(_only_member(archive, name)) as member:
                yield from _pieces_of(member)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise UserError(
                f"this ZIP archive is truncated or damaged: {error}", where=name, fix="download or compress it again"
            ) from None


def _check_directory(file: IO[bytes]) -> None:
    """Raise if the directory of an archive is so large that reading it could fill the memory."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0:
        raise zipfile.BadZipFile("its end is missing")
    if int.from_bytes(tail[end + 12 : end + 16], "little") > LARGEST_DIRECTORY:
        raise zipfile.BadZipFile("its directory is too large")


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return the member of an archive that has one; folders and what macOS adds do not count."""
    members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    names = [each.filename for each in members]
    what, fix = "", "extract its text, and name that file"
    if "[Content_Types].xml" in names:
        what, fix = "this is a Word, Excel or PowerPoint document, not text", "save it as text (UTF-8)"
    elif any(each.endswith(".npy") for each in names):
        what, fix = "this is a model file or another .npz file, not text", "give a file of text"
    elif len(members) != 1:
        listed = ", ".join(names[:NAMED_MEMBERS]) + " …" * (len(names) > NAMED_MEMBERS)
        what = f"this ZIP archive has {len(members)} files instead of one" + (f": {listed}" if listed else "")
        fix = "extract the one that you want, and name it"
    elif members[0].flag_bits & 1:
        what = "this ZIP archive is encrypted"
    elif members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        what = "this ZIP archive uses a compression that is not supported"
    if what:
        raise UserError(what, where=name, fix=fix)
    return members[0]


def _decoded(head: bytes, pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield text in any Unicode encoding that has a byte-order mark as UTF-8."""
    for magic, kind in OTHER_KINDS.items():
        if head.startswith(magic):
            raise UserError(f"this is {kind}, not text", where=name, fix="give a file of text (UTF-8)")
    encoding = next((ENCODINGS[mark] for mark in ENCODINGS if head.startswith(mark)), "")
    if not encoding:
        _refuse_utf16_without_mark(head, name)
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        reason = getattr(error, "reason", error)
        raise UserError(
            f"this {encoding.upper()} text is truncated or damaged: {reason}", where=name, fix="save the file as UTF-8"
        ) from None


def _refuse_utf16_without_mark(head: bytes, name: str) -> None:
    """Raise if every other byte is zero, as in UTF-16 of a European language."""
    for order, zeros, others in (("LE", head[1::2], head[::2]), ("BE", head[::2], head[1::2])):
        if len(zeros) > 1 and zeros.count(0) > 0.8 * len(zeros) and not others.count(0):
            raise UserError(
                "this looks like UTF-16 without a byte-order mark",
                where=name,
                fix=f"save the file as UTF-8, for example with: iconv -f UTF-16{order} -t UTF-8",
            )
