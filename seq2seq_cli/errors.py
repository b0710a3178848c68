"""The one error type that a user sees: what happened, where, and how to fix it."""

from __future__ import annotations


class UserError(Exception):
    """A problem that the person at the keyboard can solve.

    Every module below the command line raises it for bad input, bad files and bad settings; the command line prints
    it as three lines (``error``, ``where``, ``fix``) and exits with ``exit_code``.

    Args:
        what: one sentence that says what is wrong, with the values that made it so.
        where: the file (and line) or the flag that it concerns.
        fix: one sentence that says what to do about it.
        exit_code: 1 when the data, the model or the machine said no; 2 for wrong usage.
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


def usage_error(what: str, *, where: str, fix: str = "") -> UserError:
    """Return the error for a setting or flag that cannot be (exit code 2)."""
    return UserError(what, where=where, fix=fix, exit_code=2)
