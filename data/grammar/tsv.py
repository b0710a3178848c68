"""Read tab-separated files with a header line into plain dictionaries."""

from __future__ import annotations

from pathlib import Path


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Return one dictionary per line, keyed by the names in the header line."""
    lines = path.read_text(encoding="utf-8").split("\n")
    header = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        cells = line.split("\t")
        if len(cells) != len(header):
            raise ValueError(f"{path.name}, line {number}: {len(cells)} columns instead of {len(header)}")
        rows.append(dict(zip(header, cells)))
    return rows
