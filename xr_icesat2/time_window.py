"""Points in time and windows, as users write them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from .errors import SelectionError

__all__ = ["TimeBound", "TimeWindow", "make_time_window", "parse_time_bound"]

TimeBound: TypeAlias = str | dt.date | dt.datetime | np.datetime64 | None
"""A day, month or year, a point in time (texts in ISO 8601), or None for an open end."""

_CALENDAR = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_ISO_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?"
)
_EXPECTED = (
    "expected the start and end of a window, each a datetime, text in ISO 8601 such as "
    "'2019-11-06T10:30:00', '2019-11-06' or '2019-11', or None for an open end. Times without a "
    "zone are UTC."
)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A window of time, both ends included; an end that is None is open."""

    start: np.datetime64 | None
    """datetime64[ns], UTC."""
    end: np.datetime64 | None

    def contains(self, times: np.ndarray, seconds: float = 0.0) -> np.ndarray:
        """Return whether times are inside, or that near; NaT is not.

        Parameters
        ----------
        times
            datetime64, UTC, any shape.
        seconds
            By how much the window is widened on both sides.
        """
        return self.overlaps(times, times, seconds)

    def overlaps(self, first: np.ndarray, last: np.ndarray, seconds: float = 0.0) -> np.ndarray:
        """Return whether spans from ``first`` to ``last`` have a time inside, or that near."""
        wider = np.timedelta64(round(seconds * 1e9), "ns")
        inside: np.ndarray = ~(np.isnat(first) | np.isnat(last))
        if self.start is not None:
            inside &= last >= self.start - wider
        if self.end is not None:
            inside &= first <= self.end + wider
        return inside

    def __str__(self) -> str:
        return f"{'' if self.start is None else self.start}/{'' if self.end is None else self.end}"


def make_time_window(given: Any, keyword: str = "time") -> TimeWindow:
    """Parse the start and end of a window.

    Parameters
    ----------
    given
        Two of :data:`TimeBound`. Both are included: an end such as ``"2019-11"`` or a date is the
        end of the month or day; one with a time of day is that instant.
    keyword
        Its name in messages.

    Raises
    ------
    SelectionError
        It is not two times, or ends before it starts.
    """
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise SelectionError(f"{keyword}={given!r}, {_EXPECTED}{_as_pair(given, keyword)}")
    bounds = [
        parse_time_bound(bound, f"{keyword}={given!r}", _EXPECTED, last=last)
        for bound, last in zip(given, (False, True), strict=True)
    ]
    start, end = (None if bound is None else bound.to_datetime64() for bound in bounds)
    if start is None and end is None:
        raise SelectionError(f"{keyword}={given!r} has no end at all: leave {keyword} out")
    if start is not None and end is not None and end < start:
        raise SelectionError(f"{keyword}={given!r} ends before it starts: swap the two")
    return TimeWindow(start, end)


def _as_pair(given: Any, keyword: str) -> str:
    """Return the advice to write a single time, or a slice, as a pair; "" for anything else."""
    pair = (given.start, given.stop) if isinstance(given, slice) else (given, given)
    try:
        make_time_window(pair, keyword)
    except SelectionError:
        return ""
    return f" Pass {keyword}={pair!r}."


def parse_time_bound(
    bound: TimeBound, given: str, expected: str, *, last: bool
) -> pd.Timestamp | None:
    """Return one end of a window or period, in UTC without a zone.

    Parameters
    ----------
    bound
        As the user wrote it.
    given, expected
        What is given as a whole, and what is expected, for messages.
    last
        Whether a day, month or year means its end.

    Raises
    ------
    SelectionError
        It is not a time, or a text that is not in ISO 8601: pandas would read "06/11/2019" as
        June 11.
    """
    if bound is None:
        return None
    wrong = f"{given}: {bound!r} is not a time"
    if not isinstance(bound, str | dt.date | np.datetime64):  # pandas accepts numbers as times
        raise SelectionError(f"{wrong}; {expected}")
    try:
        if isinstance(bound, dt.date) and not isinstance(bound, dt.datetime):
            bound = bound.isoformat()
        if isinstance(bound, np.datetime64):
            bound = str(bound)
        if isinstance(bound, str) and _CALENDAR.fullmatch(bound.strip()):
            period = pd.Period(bound.strip())
            edge = period.end_time if last else period.start_time
            return edge.as_unit("ns")
        if isinstance(bound, str) and not _ISO_TIME.fullmatch(bound.strip()):
            raise SelectionError(f"{given}: {bound!r} is not a time in ISO 8601; {expected}")
        time = pd.Timestamp(bound)
        if time.tz is not None:
            time = time.tz_convert("UTC").tz_localize(None)
        if not pd.isna(time):
            return time.as_unit("ns")
    except (TypeError, ValueError) as error:
        raise SelectionError(f"{wrong} ({error}); {expected}") from error
    raise SelectionError(f"{wrong}; {expected}")
