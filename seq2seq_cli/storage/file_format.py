"""The format of a file: its name and version, and errors for files of a later version of this program."""

from __future__ import annotations

from typing import Any

from seq2seq_cli import __version__
from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.archive import Archive
from seq2seq_cli.storage.origin import Origin

MODEL_FORMAT = "seq2seq model"
STATE_FORMAT = "seq2seq training state"
VERSIONS = (1, 2, 3)
"""A file has the lowest version that can hold it, so an older program can read all files without newer settings."""


def format_name(archive: Archive) -> Any:
    """Return the name of a file's format."""
    if "format" not in archive.names:
        raise archive.damaged("it has no 'format'")
    found = archive.json("format")
    return found.get("name") if isinstance(found, dict) else found


def check_format(archive: Archive, expected: str) -> None:
    """Raise unless a file has this format, in a version that this program reads."""
    name = format_name(archive)
    if name != expected:
        raise UserError(
            f"this is not a {expected}, but {name!r}",
            where=archive.path,
            fix="give a file that 'seq2seq train' wrote",
        )
    found = archive.json("format")
    if found.get("version") not in VERSIONS:
        raise UserError(
            f"this file has format version {found.get('version')!r}; this program reads versions 1 to {VERSIONS[-1]}",
            where=archive.path,
            fix="install a newer version of seq2seq-cli",
        )


def later_version(archive: Archive, origin: Origin, what: str) -> UserError:
    """Return the error for a file of a later version; ``what`` is what this version does not know in it."""
    writer = f"version {origin.version}" if origin.is_later else "a later version"
    return UserError(
        f"this file was written by {writer} of seq2seq-cli, and this is version {__version__}: {what}",
        where=archive.path,
        fix="install a newer version of seq2seq-cli",
    )
