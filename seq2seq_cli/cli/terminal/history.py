"""The history of the prompt: each line is saved when it is entered, so that a closed terminal loses nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

HISTORY_LENGTH = 1000
"""Maximum lines of history that are kept between sessions."""


def history_file() -> Path:
    """Return the path of the history: ``seq2seq/history`` in ``$XDG_STATE_HOME``, or in ``~/.local/state``."""
    folder = os.environ.get("XDG_STATE_HOME", "")
    state = Path(folder) if Path(folder).is_absolute() else Path("~/.local/state").expanduser()
    return state / "seq2seq" / "history"


class History:
    """The history in its file; if it cannot be read or written, or without readline, it lasts as long as the session.

    Several prompts may add to the file at the same time.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._saved = 0
        try:
            import readline
        except ImportError:  # Windows, whose console has its own line editing
            return
        readline.set_history_length(HISTORY_LENGTH)
        with suppress(OSError, RuntimeError, ValueError):  # no home folder, no permission, or not a history file
            path = history_file()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))  # the history is private
            readline.read_history_file(path)
            self._path = path
        self._saved = readline.get_current_history_length()

    def save(self) -> None:
        """Add the lines that were entered since the last time to the file, and keep its latest ``HISTORY_LENGTH``."""
        if self._path is None:
            return
        import readline

        entered = readline.get_current_history_length() - self._saved
        self._saved += entered
        if entered > 0:
            with suppress(OSError, ValueError):
                readline.append_history_file(entered, self._path)
