"""Statistics of groups of values of different sizes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .array_types import Floats, Ints

__all__ = ["GroupedValues"]


@dataclass(frozen=True, slots=True)
class GroupedValues:
    """Assignment of values to groups; statistics of empty groups are NaN."""

    labels: Ints
    """Number of each value's group, from 0."""
    n: int
    """Number of groups."""

    @property
    def counts(self) -> Ints:
        """Number of values in each group."""
        return np.bincount(self.labels, minlength=self.n)

    def mean(self, values: Floats) -> Floats:
        """Return the mean of each group."""
        sums = np.bincount(self.labels, values, self.n)
        counts = self.counts
        return _ratio(sums, counts)

    def deviation(self, values: Floats) -> Floats:
        """Calculate the standard deviation of each group."""
        return np.sqrt(self.mean((values - self.mean(values)[self.labels]) ** 2))

    def skewness(self, values: Floats) -> Floats:
        """Return the skewness of each group; NaN also where all values are equal."""
        cubed = self.mean((values - self.mean(values)[self.labels]) ** 3)
        spread = self.deviation(values) ** 3
        return _ratio(cubed, spread)

    def percentiles(self, values: Floats, percents: tuple[float, ...]) -> Floats:
        """Return percentiles of each group, linear between values."""
        result = np.full((self.n, len(percents)), np.nan)
        counts = self.counts
        some = np.flatnonzero(counts)
        if not some.size:
            return result
        ordered = values[np.lexsort((values, self.labels))]
        first = (np.cumsum(counts) - counts)[some, None]
        last = first + counts[some, None] - 1
        steps = np.asarray(percents) / 100 * (last - first)
        whole = steps.astype(np.int64)
        below, above = first + whole, np.minimum(first + whole + 1, last)
        result[some] = ordered[below] + (steps - whole) * (ordered[above] - ordered[below])
        return result


def _ratio(values: NDArray[Any], of: NDArray[Any]) -> Floats:
    """Divide; NaN where the divisor is 0."""
    result = np.full(of.shape, np.nan)
    np.divide(values, of, out=result, where=of > 0)
    return result
