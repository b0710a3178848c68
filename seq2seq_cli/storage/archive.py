"""Read and write ``.npz`` files: nothing in a file that is read is trusted.

Pickles are never loaded, and everything is checked before memory is allocated for it: the directory, the members'
names, sizes, types and shapes; then their content against its checksum. So no file can execute code or fill the memory.

A file is what ``numpy.savez`` writes, uncompressed. A member is an array of numbers, or one string, a JSON text. The
member ``checksums``, JSON, has the CRC-32 of every other member's content by name; a file made by hand may lack it.
"""

from __future__ import annotations

import io
import json
import math
import stat
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.errors import UserError, explain_os_errors, usage_error
from seq2seq_cli.storage.files import atomic_file
from seq2seq_cli.text.inputs import STDIO

LARGEST_TEXT = 1 << 20
"""Bytes of a small JSON member, and of the archive's directory."""


def json_member(value: Any) -> npt.NDArray[np.str_]:
    """Return the member that holds a JSON value."""
    return np.array(json.dumps(value, ensure_ascii=False))


def write_archive(path: Path, members: dict[str, npt.NDArray[Any]]) -> None:
    """Write members and their checksums, whole or not at all (see ``files.atomic_file``)."""
    checksums = {name: zlib.crc32(array.tobytes()) for name, array in members.items()}
    everything = {**members, "checksums": json_member(checksums)}
    with atomic_file(path) as file:
        np.savez(file, **everything)  # type: ignore[arg-type]


class Archive:
    """An ``.npz`` file, open for reading in a ``with`` block, whose members are checked one by one.

    ``path`` is its name in messages, ``names`` are those of its members except the checksums, ``size`` is in bytes.

    Args:
        path: the file.

    Raises:
        UserError: if it cannot be read, is not such a file, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        if str(path) == STDIO:
            raise usage_error(
                "a model cannot come from standard input: it is not read from beginning to end",
                where=STDIO,
                fix="save it to a file, and name that",
            )
        self.path = str(path)
        with explain_os_errors(path, "read"):
            self._file = self._open_file(path)
        try:
            self._read_directory()
        except BaseException:
            self._file.close()
            raise

    def _open_file(self, path: Path) -> IO[bytes]:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # it may never end, and never even open
            raise self.damaged("it is a device or a pipe, not a file")
        return path.open("rb")

    def _read_directory(self) -> None:
        """Read the directory: everything that can be refused without reading a member is refused here."""
        try:
            self.size, entries = _check_directory(self._file)
            self._zip = zipfile.ZipFile(self._file)
            members = self._zip.infolist()
            if len(members) != entries:  # zipfile does not check it
                raise ValueError(f"it has {len(members)} members instead of {entries}")
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError, EOFError) as error:
            raise self.damaged(f"it is not an .npz file ({error})") from None
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        self.names = set(self._members) - {"checksums"}
        if len(self._members) != len(members):
            raise self.damaged("two of its members have the same name")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
                raise self.damaged(f"'{member.filename}' is compressed")  # a few bytes could ask for any memory
            if member.header_offset + member.file_size > self.size:
                raise self.damaged(f"'{member.filename}' declares {member.file_size} bytes, more than the file has")
        self._checksums: dict[str, Any] = {}
        checksums = self.json("checksums") if "checksums" in self._members else {}
        if not isinstance(checksums, dict):
            raise self.damaged("'checksums' is not a JSON object")
        if checksums and checksums.keys() != self.names:
            raise self.damaged(f"'{min(checksums.keys() ^ self.names)}' was not saved with it, or is missing")
        self._checksums = checksums

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def damaged(self, what: str) -> UserError:
        """Return the error for a file that is not what it should be."""
        return UserError(
            f"this is not a model file, or it is damaged: {what}",
            where=self.path,
            fix="give a file that 'seq2seq train' wrote, or train again",
        )

    def check_names(self, expected: set[str]) -> None:
        """Raise unless exactly these members are there."""
        if self.names - expected:
            names = ", ".join(map(repr, sorted(self.names - expected)[:3]))
            raise self.damaged(f"it has unknown members: {names}")
        if expected - self.names:
            raise self.damaged(f"it has no member '{min(expected - self.names)}'")

    def check_size(self, name: str, content: int) -> None:
        """Raise unless the member is there and declares to be as large as its content and a header."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        declared = self._members[name].file_size
        if not content <= declared <= content + (1 << 16):
            raise self.damaged(f"'{name}' declares {declared} bytes where about {content} were expected")

    def json(self, name: str, most: int = LARGEST_TEXT) -> Any:
        """Return the value of a JSON member of at most ``most`` bytes."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        if self._members[name].file_size > most:
            raise self.damaged(f"'{name}' declares {self._members[name].file_size} bytes")
        data, dtype = self._read(name, ())
        if dtype.kind != "U":
            raise self.damaged(f"'{name}' is not text")
        try:
            return json.loads(str(np.frombuffer(data, dtype)[0]))
        except (ValueError, RecursionError, IndexError) as error:
            raise self.damaged(f"'{name}' is not JSON ({error})") from None

    def array(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """Return a float32 member of exactly this shape, every value finite."""
        values: npt.NDArray[np.float32] = self._values(name, shape, np.float32)
        if not np.isfinite(values).all():
            raise self.damaged(f"'{name}' holds values that are not finite numbers")
        return values

    def indices(self, name: str, shape: tuple[int, ...], limit: int) -> npt.NDArray[np.int32]:
        """Return an int32 member of exactly this shape, every value from 0 to below ``limit``."""
        values: npt.NDArray[np.int32] = self._values(name, shape, np.int32)
        if values.size and not 0 <= values.min() <= values.max() < limit:
            raise self.damaged(f"'{name}' holds indices that are not from 0 to {limit - 1}")
        return values

    def table(self, name: str, columns: int) -> npt.NDArray[np.int32]:
        """Return an int32 member of that many columns and of as many rows as it declares, which are in the file."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        try:
            with self._zip.open(self._members[name]) as file:
                shape, _, _ = _read_header(file)
        except Exception as error:  # see _read
            raise self.damaged(f"'{name}' cannot be read ({error or type(error).__name__})") from None
        if len(shape) != 2 or shape[1] != columns:
            raise self.damaged(f"'{name}' has shape {shape}, not {columns} columns")
        return self._values(name, shape, np.int32)

    def _values(self, name: str, shape: tuple[int, ...], kind: type[np.number[Any]]) -> npt.NDArray[Any]:
        """Return a member of exactly this shape and type, which has four bytes a value."""
        self.check_size(name, 4 * math.prod(shape))
        data, dtype = self._read(name, shape)
        if dtype != kind:
            raise self.damaged(f"'{name}' is {dtype}, not {np.dtype(kind)}")
        return np.frombuffer(data, dtype).reshape(shape)

    def _read(self, name: str, shape: tuple[int, ...]) -> tuple[bytes, np.dtype[Any]]:
        """Return a member's bytes and dtype; never more bytes than it declares, nor more than the shape says."""
        try:
            with self._zip.open(self._members[name]) as file:
                found, fortran, dtype = _read_header(file)
                if found != shape or fortran or dtype.hasobject:
                    raise self.damaged(f"'{name}' has shape {found} and type {dtype}, not shape {shape}")
                expected = dtype.itemsize * math.prod(shape)
                if expected > self._members[name].file_size:
                    raise self.damaged(f"'{name}' is shorter than its header says")
                data = file.read(expected)
                if len(data) != expected or file.read(1):
                    raise self.damaged(f"'{name}' is not as long as its header says")
                if name in self._checksums and self._checksums[name] != zlib.crc32(data):
                    raise self.damaged(f"'{name}' is not what was saved under that name")
                return data, dtype
        except (UserError, MemoryError):
            raise
        except Exception as error:  # zipfile and numpy raise many kinds for a damaged file
            raise self.damaged(f"'{name}' cannot be read ({error or type(error).__name__})") from None


def _check_directory(file: IO[bytes]) -> tuple[int, int]:
    """Return the file's size and the number of members; refuse a directory that would fill the memory when read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 42))
    tail = file.read()
    signature, _, _, _, entries, length, _, comment = struct.unpack("<4s4H2LH", tail[-22:])
    if signature != b"PK\5\6" or comment:
        raise ValueError("it does not end like one")
    large = tail[:4] == b"PK\6\7"  # what files above 2 GiB need; a smaller one could hide another length in it
    if length > LARGEST_TEXT or (large and size < 1 << 31):
        raise ValueError("its directory is too large")
    return size, entries


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype of an array in numpy's format; no data is read."""
    version = np.lib.format.read_magic(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy warns of headers that only other programs write
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"array format {version}")
