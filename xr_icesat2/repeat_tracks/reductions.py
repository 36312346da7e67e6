"""One value of the rows in each bin: mean, median, or a function of the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from xr_icesat2.errors import SelectionError

__all__ = ["Reduction", "check_reduction", "reduce_groups"]

Reduction: TypeAlias = Literal["median", "mean"] | Callable[[np.ndarray], Any]
"""Called with the values of a bin that are not missing, float64; returns a number."""
NAMED = ("median", "mean")


def check_reduction(given: Any) -> Reduction:
    """Return how rows of a bin are reduced.

    Raises
    ------
    SelectionError
        It is neither a known name nor a function.
    """
    if given is None:
        return "median"
    if given in NAMED or callable(given):
        checked: Reduction = given
        return checked
    raise SelectionError(
        f"reduce={given!r}, expected 'median', 'mean' or a function of the values of a bin"
    )


def reduce_groups(values: np.ndarray, counts: np.ndarray, reduction: Reduction) -> np.ndarray:
    """Reduce groups of values that follow one another; missing values are ignored.

    Parameters
    ----------
    values
        float64 (n,).
    counts
        int (groups,): values of each group, n in all.
    reduction
        As :func:`check_reduction` returns it.

    Returns
    -------
    ndarray
        float64 (groups,), NaN for groups without a value.
    """
    group = np.repeat(np.arange(len(counts)), counts)
    valid = ~np.isnan(values)
    values, group = values[valid], group[valid]
    sizes = np.bincount(group, minlength=len(counts))
    result = np.full(len(counts), np.nan)
    some = sizes > 0
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    if reduction == "mean":
        # Of differences from the first value, which rounding affects less.
        first = values[starts[some]]
        past = values - np.repeat(first, sizes[some])
        result[some] = first + np.add.reduceat(past, starts[some]) / sizes[some] if len(past) else 0
    elif reduction == "median":
        ordered = values[np.lexsort((values, group))]
        low, high = starts[some] + (sizes[some] - 1) // 2, starts[some] + sizes[some] // 2
        result[some] = (ordered[low] + ordered[high]) / 2
    else:
        for n in np.flatnonzero(some):
            result[n] = reduction(values[starts[n] : starts[n] + sizes[n]])
    return result
