"""Where a model file comes from: the version of the program that wrote it, the date, and the size of its corpus."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from seq2seq_cli import __version__


@dataclass(frozen=True)
class Origin:
    """Where a model file comes from.

    Args:
        version: of the program that wrote it; empty if it is unknown, as in files of earlier versions.
        date: when it was written, in UTC, as ``2026-01-31T12:00:00Z``; empty if it is unknown.
        pairs: number of training pairs; 0 if it is unknown.
    """

    version: str = ""
    date: str = ""
    pairs: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a file that this program writes now."""
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return {"version": __version__, "date": date, "pairs": self.pairs}

    @classmethod
    def of(cls, config: Any) -> Origin:
        """Return the origin in the configuration of a file; what is missing or has another type is unknown."""
        values = config.get("origin") if isinstance(config, dict) else {}
        values = values if isinstance(values, dict) else {}
        texts = {name: values.get(name) for name in ("version", "date")}
        pairs = values.get("pairs")
        return cls(
            **{name: text if isinstance(text, str) and len(text) < 100 else "" for name, text in texts.items()},
            pairs=pairs if type(pairs) is int and pairs >= 0 else 0,
        )

    @property
    def is_later(self) -> bool:
        """Whether a later version of this program wrote the file."""
        return _numbers(self.version) > _numbers(__version__)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version for comparison: (0, 1, 0) for ``0.1.0``; () if it is not one."""
    found = re.match(r"\d{1,9}(\.\d{1,9})*", version, re.ASCII)
    return tuple(map(int, found[0].split("."))) if found else ()
