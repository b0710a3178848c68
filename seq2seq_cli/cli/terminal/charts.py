"""Text charts: bars and sparklines, with an ASCII fallback for encodings without block characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import IO, Any

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.:-=+*#"


def can_draw(stream: IO[Any] | None) -> bool:
    """Whether a text stream's encoding has the block characters."""
    try:
        BLOCKS.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def bar(share: float, width: int, blocks: bool = True) -> str:
    """Return a bar whose length is this share of the width; a share above zero has at least one block."""
    return (BLOCKS[-1] if blocks else PLAIN[-1]) * max(round(share * width), 1 if share > 0 else 0)


def sparkline(values: Sequence[float], width: int, blocks: bool = True) -> str:
    """Return one character per value; more than ``width`` values are averaged in groups.

    The lowest value has the lowest block, and the highest value has the highest block.

    Example:
        >>> sparkline([3.0, 2.0, 1.5, 1.0], width=40)
        '█▅▃▁'
    """
    characters = BLOCKS if blocks else PLAIN
    count = min(width, len(values))
    borders = [k * len(values) // count for k in range(count + 1)] if count > 0 else [0]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(borders)]
    low, high = min(means, default=0.0), max(means, default=0.0)
    steps = len(characters) - 1
    return "".join(characters[round((value - low) / (high - low) * steps) if high > low else 0] for value in means)
