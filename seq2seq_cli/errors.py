"""The one error type that a user sees: what happened, where, and how to fix it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path


class UserError(Exception):
    """A problem that the user can solve.

    Every module below the command line raises it for bad input, bad files and bad settings; the command line prints
    it as three lines (``error``, ``where``, ``fix``) and exits with ``exit_code``.

    Args:
        what: one sentence that says what is wrong, with the values that made it so.
        where: the file (and line) or the flag concerned.
        fix: one sentence that says how to fix it.
        exit_code: 1 for a problem with the data, the model or the machine; 2 for wrong usage.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "", exit_code: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.exit_code = exit_code

    def __str__(self) -> str:
        lines = [f"error: {self.what}"]
        if self.where:
            lines.append(f"where: {self.where}")
        if self.fix:
            lines.append(f"fix:   {self.fix}")
        return "\n".join(lines)


class DataWarning(UserWarning):
    """A warning about a file that is read all the same; the command line shows it on stderr."""


class DataNote(DataWarning):
    """A note on how a file is read, which needs no action."""


def usage_error(what: str, *, where: str, fix: str = "") -> UserError:
    """Return the error for an invalid setting or flag (exit code 2)."""
    return UserError(what, where=where, fix=fix, exit_code=2)


def choice_error(flag: str, value: object, choices: Iterable[str]) -> UserError:
    """Return the usage error for a value that is not one of the choices; it lists them."""
    listed = ", ".join(choices)
    return usage_error(f"{flag} must be one of {listed}, not {value!r}", where=flag, fix=f"choose from {listed}")


@contextlib.contextmanager
def explain_os_errors(path: str | Path, doing: str) -> Iterator[None]:
    """Turn errors of the operating system into user errors that name the file and a fix.

    Args:
        path: the file concerned.
        doing: ``read`` or ``write``.
    """
    try:
        yield
    except FileNotFoundError:
        missing = "no such file" if doing == "read" else "no such folder"
        raise UserError(missing, where=str(path), fix="check the spelling of the path") from None
    except IsADirectoryError:
        raise UserError("this is a folder, not a file", where=str(path), fix="give the path of a file") from None
    except NotADirectoryError:
        raise UserError("a part of this path is a file, not a folder", where=str(path), fix="check the path") from None
    except PermissionError:
        raise UserError(f"no permission to {doing} this file", where=str(path), fix="check its permissions") from None
    except OSError as error:
        reason = error.strerror or str(error)
        fix = (
            "free some space, or write to another disk" if "space" in reason else "check the path, or use another place"
        )
        raise UserError(f"cannot {doing} this file: {reason}", where=str(path), fix=fix) from None
    except ValueError as error:  # a path with a NUL character
        if "null" not in str(error):
            raise
        raise UserError(
            "this is not a valid path: it contains a NUL character", where=repr(str(path)), fix="check the path"
        ) from None
