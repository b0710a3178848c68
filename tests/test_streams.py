"""Files are recognized by their first bytes, whatever their name, and are read in pieces."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import zipfile

import pytest

from seq2seq_cli.errors import DataWarning, UserError
from seq2seq_cli.text import streams
from seq2seq_cli.text.corpus import read_corpus, read_lines
from seq2seq_cli.text.inputs import read_text
from tests.conftest import environment

TEXT = "Où ?\tWhere?\nÇa va.\tI'm fine.\n" * 3000
PAIRS = [("Où ?", "Where?"), ("Ça va.", "I'm fine.")] * 3000


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


UTF8 = TEXT.encode()
KINDS = {
    "plain": UTF8,
    "BOM": codecs.BOM_UTF8 + UTF8,
    "gzip": gzip.compress(UTF8),
    "gzip in several streams": gzip.compress(UTF8[:5000]) + gzip.compress(b"") + gzip.compress(UTF8[5000:]),
    "gzip padded with zeros": gzip.compress(UTF8) + bytes(512),
    "bzip2": bz2.compress(UTF8),
    "bzip2, level 1, in two streams": bz2.compress(UTF8[:5000], 1) + bz2.compress(UTF8[5000:], 1),
    "xz": lzma.compress(UTF8),
    "xz in two streams": lzma.compress(UTF8[:5000]) + lzma.compress(UTF8[5000:]),
    "ZIP": zipped(("pairs.tsv", UTF8)),
    "ZIP, stored, in a folder": zipped(
        ("p/", ""), ("p/pairs.tsv", UTF8), ("__MACOSX/._x", "x"), method=zipfile.ZIP_STORED
    ),
    "UTF-16 LE": codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
    "UTF-16 BE": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "UTF-16 in gzip": gzip.compress(TEXT.encode("utf-16")),
    "UTF-16 in ZIP": zipped(("pairs.txt", TEXT.encode("utf-16"))),
}


class Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time, and cannot seek."""

    def __init__(self, content, size):
        self.rest, self.size = content, size

    def read1(self, _):
        piece, self.rest = self.rest[: self.size], self.rest[self.size :]
        return piece

    def seekable(self):
        return False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.tsv.gz", "pairs.zip"])
def test_a_file_is_read_by_its_bytes_whatever_its_name(kind, name, tmp_path):
    (tmp_path / name).write_bytes(KINDS[kind])
    corpus = read_corpus(str(tmp_path / name))
    assert list(zip(corpus.sources, corpus.targets)) == PAIRS
    assert read_text(tmp_path / name, 1 << 20) == TEXT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_pipe_is_read_the_same_in_any_pieces(kind, size):
    read = b"".join(streams.as_text(Dribble(KINDS[kind], size), "x"))
    assert read.removeprefix(codecs.BOM_UTF8).decode() == TEXT


@pytest.mark.parametrize(
    "empty",
    [b"", gzip.compress(b""), bz2.compress(b""), lzma.compress(b""), zipped(("a", ""))],
    ids=["plain", "gzip", "bz2", "xz", "ZIP"],  # the bytes of gzip differ from second to second
)
def test_an_empty_file_has_no_lines(empty, tmp_path):
    (tmp_path / "t").write_bytes(empty)
    assert list(read_lines(str(tmp_path / "t"))) == []


@pytest.mark.parametrize("text", ["B", "BZ", "BZh", "BZh9", "BZh91AY&S", "P", "PK", "%PDF", "7z", "Rar!", "BZh is\n"])
def test_a_text_that_starts_like_another_kind_of_file_is_text(text, tmp_path):
    (tmp_path / "t").write_text(text)
    assert list(read_lines(str(tmp_path / "t"))) == [text.rstrip("\n")]


ERRORS = {
    "two members": (zipped(("a.txt", "a"), ("b.txt", "b")), "2 files instead of one: a.txt, b.txt"),
    "many members": (zipped(*((f"{k}.txt", "a") for k in range(9))), "0.txt, 1.txt, 2.txt, 3.txt, 4.txt …"),
    "no member": (zipped(), "an empty ZIP archive"),
    "only a folder": (zipped(("p/", "")), "0 files instead of one"),
    "Word": (zipped(("[Content_Types].xml", "<x/>"), ("word/document.xml", "<x/>")), "Word, Excel or PowerPoint"),
    "npz": (zipped(("a.npy", "x")), "a model file or another .npz file"),
    "LZMA in ZIP": (zipped(("a", UTF8), method=zipfile.ZIP_LZMA), "compression that is not supported"),
    "truncated ZIP": (KINDS["ZIP"][:-30], "ZIP archive is truncated or damaged"),
    "ZIP with a damaged member": (KINDS["ZIP"][:60] + b"????" + KINDS["ZIP"][64:], "ZIP archive is truncated or"),
    "truncated gzip": (KINDS["gzip"][:-9], "gzip file is truncated or damaged"),
    "gzip with a wrong checksum": (KINDS["gzip"][:-8] + b"????" + KINDS["gzip"][-4:], "gzip file is truncated or"),
    "truncated bzip2": (KINDS["bzip2"][:-9], "bzip2 file is truncated or damaged"),
    "damaged bzip2": (KINDS["bzip2"][:50] + b"????" + KINDS["bzip2"][54:], "bzip2 file is truncated or damaged"),
    "truncated xz": (KINDS["xz"][:-9], "xz file is truncated or damaged"),
    "twice": (gzip.compress(KINDS["xz"]), "compressed twice: xz inside of gzip"),
    "odd UTF-16": (KINDS["UTF-16 LE"][:-1], "UTF-16 text is truncated or damaged"),
    "half a surrogate pair": ("a".encode("utf-16") + b"\x00\xd8a\x00", "UTF-16 text is truncated or damaged"),
    "UTF-16 LE without BOM": ("Hello.\n".encode("utf-16-le"), "UTF-16 without a byte-order mark"),
    "UTF-16 BE without BOM": ("Hello.\n".encode("utf-16-be"), "UTF-16 without a byte-order mark"),
    "PDF": (b"%PDF-1.7\n", "this is a PDF document, not text"),
    "Zstandard": (b"\x28\xb5\x2f\xfd....", "a Zstandard file"),
    "PDF in gzip": (gzip.compress(b"%PDF-1.7\n"), "this is a PDF document, not text"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_a_file_that_is_not_read_is_named_rightly(kind, tmp_path):
    content, what = ERRORS[kind]
    (tmp_path / "pairs.tsv").write_bytes(content)
    with pytest.raises(UserError) as caught:
        list(read_lines(str(tmp_path / "pairs.tsv")))
    assert what in caught.value.what
    assert caught.value.where == str(tmp_path / "pairs.tsv")
    assert caught.value.fix


def test_an_encrypted_archive_is_named(tmp_path):
    content = bytearray(zipped(("a.txt", "a")))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "t.zip").write_bytes(content)
    with pytest.raises(UserError, match="encrypted"):
        list(read_lines(str(tmp_path / "t.zip")))


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
@pytest.mark.parametrize("rest", [b"x", b"rubbish" * 40_000, b"\0\0rubbish"])
def test_bytes_behind_compressed_data_are_ignored_with_a_warning(kind, rest, tmp_path):
    (tmp_path / "t").write_bytes(KINDS[kind] + rest)
    with pytest.warns(DataWarning, match=f"{len(rest.lstrip(bytes(1))):,} bytes? behind the end of the {kind} data"):
        assert len(list(read_lines(str(tmp_path / "t")))) == len(PAIRS)


def test_what_is_whole_is_read_without_a_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind, content in KINDS.items():
            (tmp_path / "t").write_bytes(content)
            assert len(list(read_lines(str(tmp_path / "t")))) == len(PAIRS), kind


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, lambda data: zipped(("a", data))])
@pytest.mark.parametrize("content", [bytes(1 << 27), b"a\tb\n" * (1 << 22)], ids=["one line", "many lines"])
def test_a_file_that_expands_far_does_not_fill_the_memory(compress, content, tmp_path):
    (tmp_path / "bomb").write_bytes(compress(content))
    lines = read_lines(str(tmp_path / "bomb"))
    tracemalloc.start()
    try:
        if content[0]:
            for _ in range(1 << 16):
                assert next(lines) == "a\tb"
        else:
            with pytest.raises(UserError, match="longer than 16 MiB"):
                next(lines)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_an_xz_file_that_declares_a_large_dictionary_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "XZ_MEMORY", 1 << 20)
    (tmp_path / "t.xz").write_bytes(KINDS["xz"])
    with pytest.raises(UserError, match="Memory usage limit"):
        list(read_lines(str(tmp_path / "t.xz")))


def test_an_archive_with_a_huge_directory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "LARGEST_DIRECTORY", 1000)
    (tmp_path / "t.zip").write_bytes(zipped(*((f"{k}", "") for k in range(100))))
    with pytest.raises(UserError, match="directory is too large"):
        list(read_lines(str(tmp_path / "t.zip")))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("kind", ["plain", "gzip", "ZIP", "UTF-16 LE"])
def test_a_named_pipe_is_read_too(kind, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(KINDS[kind]))
    writer.start()
    assert len(list(read_lines(str(tmp_path / "pipe")))) == len(PAIRS)
    writer.join()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_line_of_a_pipe_is_read_as_soon_as_it_ends(end):
    code = "from seq2seq_cli.text.corpus import read_lines\nfor line in read_lines('-'): print(repr(line), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        for line in (b"B", b"one", b"", b"two"):
            process.stdin.write(line + end)
            process.stdin.flush()
            assert process.stdout.readline().decode().strip() == repr(line.decode())
            time.sleep(0.05)  # so that the two bytes of CRLF never decide
        process.stdin.write(b"last")
        process.stdin.close()
        assert process.stdout.readline().decode().strip() == "'last'"
        assert process.wait() == 0
