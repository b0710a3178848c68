"""Finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

EPSILON = 1e-3


def numeric_gradient(function: Callable[[], float], x: np.ndarray) -> np.ndarray:
    """∂function/∂x by the five-point rule, whose error is O(ε⁴); ``x`` is changed in place and put back."""
    assert x.dtype == np.float64
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        total = 0.0
        for step, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            x[index] = value + step * EPSILON
            total += weight * function()
        x[index] = value
        gradient[index] = total / (12 * EPSILON)
    return gradient


def worst_relative_error(analytic: np.ndarray, numeric: np.ndarray) -> float:
    """The largest |a − n| / max(|a|, |n|); differences below rounding (10⁻¹¹) count as none."""
    difference = np.abs(analytic - numeric)
    difference[difference < 1e-11] = 0.0
    return float((difference / np.maximum(np.maximum(np.abs(analytic), np.abs(numeric)), 1e-30)).max())
