"""The CPU quota of a control group: a container on Linux may use fewer cores than it sees.

Version 2 keeps quota and period in ``cpu.max`` (``max 100000``: no limit); version 1 in ``cpu.cfs_quota_us`` (-1: no
limit) and ``cpu.cfs_period_us``. A group is also limited by all groups above it.

Source:
    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu and
    https://docs.kernel.org/scheduler/sched-bwc.html
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")


def quota_cores(root: Path = ROOT) -> int | None:
    """Return the number of cores that the quota allows, rounded up, or None if there is no quota.

    Args:
        root: where ``/proc`` and ``/sys`` are.

    Example:
        A container started with ``docker run --cpus 1.5`` gets 2.
    """
    quotas = [math.ceil(cores) for cores in _quotas(root)]
    return max(1, min(quotas)) if quotas else None


def _quotas(root: Path) -> Iterator[float]:
    """Yield the quota of every group that limits this process, in cores."""
    mount = root / "sys/fs/cgroup"
    for group in _lines(root / "proc/self/cgroup"):
        _, _, rest = group.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            for folder in _folders(mount, path):
                words = " ".join(_lines(folder / "cpu.max")).split()
                yield from _cores(*words[:2])
        elif "cpu" in controllers.split(","):
            for name in dict.fromkeys(("cpu", controllers)):  # the usual link, and the folder itself
                for folder in _folders(mount / name, path):
                    files = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
                    yield from _cores(*(" ".join(_lines(file)) for file in files))


def _folders(mount: Path, path: str) -> Iterator[Path]:
    """Yield the folder of a group and those above it; inside a container, only some of them exist."""
    group = PurePosixPath("/", path)
    for part in (group, *group.parents):
        yield mount / part.relative_to("/")


def _cores(quota: str = "", period: str = "") -> Iterator[float]:
    with contextlib.suppress(ValueError, ZeroDivisionError):  # "max", or a file that is not there
        cores = int(quota) / int(period)
        if cores > 0:
            yield cores


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
