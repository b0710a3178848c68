"""Read and write ``.npz`` files; the content of a file is never trusted.

Pickles are never loaded, and everything is checked before memory is allocated for it: the directory, and the names,
sizes, types and shapes of the members; then their content against its checksum. So no file can execute code or fill the
memory.

The format is that of ``numpy.savez``, uncompressed. A member is an array of numbers, or one string of JSON. The member
``checksums`` is JSON with the CRC-32 of the content of every other member, by name; a file made by hand may lack it.
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
"""Maximum bytes of a small JSON member, and of the directory of the archive."""


def json_member(value: Any) -> npt.NDArray[np.str_]:
    """Return the member that holds a JSON value."""
    return np.array(json.dumps(value, ensure_ascii=False))


def write_archive(path: Path, members: dict[str, npt.NDArray[Any]]) -> None:
    """Write members and their checksums atomically (see ``files.atomic_file``)."""
    checksums = {name: zlib.crc32(array.tobytes()) for name, array in members.items()}
    with_checksums = {**members, "checksums": json_member(checksums)}
    with atomic_file(path) as file:
        np.savez(file, **with_checksums)  # type: ignore[arg-type]


class Archive:
    """An ``.npz`` file, open for reading in a ``with`` block; each member is checked when it is read.

    ``path`` is its name in messages, ``names`` are those of its members without ``checksums``, ``size`` is in bytes.

    Args:
        path: the file.

    Raises:
        UserError: if it cannot be read, is not an ``.npz`` file, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        if str(path) == STDIO:
            raise usage_error(
                "a model cannot be read from standard input, because its file is not read from start to end",
                where=STDIO,
                fix="save it to a file, and name the file",
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
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening or reading it might never return
            raise self.damaged("it is a device or a pipe, not a file")
        return path.open("rb")

    def _read_directory(self) -> None:
        """Read the directory, and refuse here whatever can be refused without reading a member."""
        try:
            self.size, entries = _check_directory(self._file)
            self._zip = zipfile.ZipFile(self._file)
            members = self._zip.infolist()
            if len(members) != entries:  # zipfile does not check this
                raise ValueError(f"it has {len(members)} members instead of {entries}")
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError, EOFError) as error:
            raise self.damaged(f"it is not an .npz file ({error})") from None
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        self.names = set(self._members) - {"checksums"}
        if len(self._members) != len(members):
            raise self.damaged("two of its members have the same name")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
                raise self.damaged(f"'{member.filename}' is compressed")  # it could expand to any size
            if member.header_offset + member.file_size > self.size:
                raise self.damaged(f"'{member.filename}' declares {member.file_size} bytes, more than the file has")
        self._checksums: dict[str, Any] = {}
        checksums = self.json("checksums") if "checksums" in self._members else {}
        if not isinstance(checksums, dict):
            raise self.damaged("'checksums' is not a JSON object")
        if checksums and checksums.keys() != self.names:
            raise self.damaged(f"'{min(checksums.keys() ^ self.names)}' has no checksum, or is missing")
        self._checksums = checksums

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def damaged(self, what: str) -> UserError:
        """Return the error for a file that is not a valid model file."""
        return UserError(
            f"this is not a model file, or it is damaged: {what}",
            where=self.path,
            fix="give a file that 'seq2seq train' wrote, or train again",
        )

    def check_names(self, expected: set[str]) -> None:
        """Raise unless the file has exactly these members."""
        if self.names - expected:
            names = ", ".join(map(repr, sorted(self.names - expected)[:3]))
            raise self.damaged(f"it has unknown members: {names}")
        if expected - self.names:
            raise self.damaged(f"it has no member '{min(expected - self.names)}'")

    def check_size(self, name: str, content: int) -> None:
        """Raise unless the member exists and its declared size is that of its content and a header."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        declared = self._members[name].file_size
        if not content <= declared <= content + (1 << 16):
            raise self.damaged(f"'{name}' declares {declared} bytes where about {content} were expected")

    def json(self, name: str, limit: int = LARGEST_TEXT) -> Any:
        """Return the value of a JSON member of at most ``limit`` bytes."""
        if name not in self._members:
            raise self.damaged(f"it has no member '{name}'")
        if self._members[name].file_size > limit:
            raise self.damaged(f"'{name}' declares {self._members[name].file_size} bytes, more than {limit}")
        data, dtype = self._read(name, ())
        if dtype.kind != "U":
            raise self.damaged(f"'{name}' is not text")
        try:
            return json.loads(str(np.frombuffer(data, dtype)[0]))
        except (ValueError, RecursionError, IndexError) as error:
            raise self.damaged(f"'{name}' is not JSON ({error})") from None

    def array(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """Return a float32 member of exactly this shape; every value is finite."""
        values: npt.NDArray[np.float32] = self._values(name, shape, np.float32)
        if not np.isfinite(values).all():
            raise self.damaged(f"'{name}' holds values that are not finite numbers")
        return values

    def indices(self, name: str, shape: tuple[int, ...], limit: int) -> npt.NDArray[np.int32]:
        """Return an int32 member of exactly this shape; every value is from 0 to below ``limit``."""
        values: npt.NDArray[np.int32] = self._values(name, shape, np.int32)
        if values.size and not 0 <= values.min() <= values.max() < limit:
            raise self.damaged(f"'{name}' holds indices outside of 0 to {limit - 1}")
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
        """Return a member of exactly this shape and type, a type of four bytes per value."""
        self.check_size(name, 4 * math.prod(shape))
        data, dtype = self._read(name, shape)
        if dtype != kind:
            raise self.damaged(f"'{name}' is {dtype}, not {np.dtype(kind)}")
        return np.frombuffer(data, dtype).reshape(shape)

    def _read(self, name: str, shape: tuple[int, ...]) -> tuple[bytes, np.dtype[Any]]:
        """Return the bytes and the dtype of a member; never more bytes than its size and its shape declare."""
        try:
            with self._zip.open(self._members[name]) as file:
                stored, fortran, dtype = _read_header(file)
                if stored != shape or fortran or dtype.hasobject:
                    raise self.damaged(f"'{name}' has shape {stored} and type {dtype}, not shape {shape}")
                expected = dtype.itemsize * math.prod(shape)
                if expected > self._members[name].file_size:
                    raise self.damaged(f"'{name}' is shorter than its header says")
                data = file.read(expected)
                if len(data) != expected or file.read(1):
                    raise self.damaged(f"'{name}' is not as long as its header says")
                if name in self._checksums and self._checksums[name] != zlib.crc32(data):
                    raise self.damaged(f"the content of '{name}' does not match its checksum")
                return data, dtype
        except (UserError, MemoryError):
            raise
        except Exception as error:  # zipfile and numpy raise many kinds of exceptions for a damaged file
            raise self.damaged(f"'{name}' cannot be read ({error or type(error).__name__})") from None


def _check_directory(file: IO[bytes]) -> tuple[int, int]:
    """Return the size of the file and its number of members; refuse a directory that is too large to read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 42))
    tail = file.read()
    signature, _, _, _, entries, length, _, comment = struct.unpack("<4s4H2LH", tail[-22:])
    if signature != b"PK\5\6" or comment:
        raise ValueError("its end-of-directory record is missing")
    large = tail[:4] == b"PK\6\7"  # files above 2 GiB need it; in a smaller file it could hide another length
    if length > LARGEST_TEXT or (large and size < 1 << 31):
        raise ValueError("its directory is too large")
    return size, entries


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype of an array in NumPy's format, without reading its data."""
    version = np.lib.format.read_magic(file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy warns of headers that it does not write itself
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"array format {version}")
