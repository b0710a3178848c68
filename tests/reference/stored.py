"""PyTorch's stored results (see ``make_reference.py``)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tests.reference import PATH

REBUILD = "rebuild it with: python -m tests.reference.make_reference (needs torch==2.13.0)"


@lru_cache(maxsize=1)
def reference() -> dict[str, np.ndarray]:
    with np.load(PATH, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def below(prefix: str) -> dict[str, np.ndarray]:
    found = {name[len(prefix) :]: array for name, array in reference().items() if name.startswith(prefix)}
    assert found, f"{PATH.name} has nothing under {prefix}: {REBUILD}"
    return found
