"""Parse the period of a search into CMR's parameter ``temporal``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from xr_icesat2.errors import SelectionError

__all__ = ["Temporal", "TimeBound", "temporal_parameter"]

TimeBound = str | dt.date | dt.datetime | np.datetime64 | None
Temporal = TimeBound | Sequence[TimeBound]

_CALENDAR = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_EXPECTED = (
    "expected a day, month or year ('2019-11-06', '2019-11', '2019'), or the start and end of a "
    "period, as such texts or datetimes, or None for an open end. Times without a zone are UTC."
)


def temporal_parameter(given: Temporal) -> str | None:
    """Return a period as CMR's parameter ``temporal``.

    Parameters
    ----------
    given
        A day, month or year, or (start, end); either end may be None. Both ends are included: an
        end such as ``"2019-11"`` is the end of the month.

    Returns
    -------
    str or None
        ``start,end`` in UTC, milliseconds; None for all times.

    Raises
    ------
    SelectionError
        It is not a time, or ends before it starts.
    """
    if given is None:
        return None
    ends = tuple(given) if isinstance(given, list | tuple) else (given, given)
    if len(ends) != 2:
        raise SelectionError(f"temporal={given!r}, {_EXPECTED}")
    start, end = _edge(ends[0], given, last=False), _edge(ends[1], given, last=True)
    if start is None and end is None:
        return None
    if start is not None and end is not None and end < start:
        raise SelectionError(f"temporal={given!r} ends before it starts: {_EXPECTED}")
    return f"{_written(start)},{_written(end)}"


def _edge(edge: TimeBound, given: Any, *, last: bool) -> pd.Timestamp | None:
    if edge is None:
        return None
    if not isinstance(edge, str | dt.date | np.datetime64):  # pandas accepts numbers as times
        raise SelectionError(f"temporal={given!r}: {edge!r} is not a time; {_EXPECTED}")
    try:
        if isinstance(edge, dt.date) and not isinstance(edge, dt.datetime):
            edge = edge.isoformat()
        if isinstance(edge, np.datetime64):
            edge = str(edge)
        if isinstance(edge, str) and _CALENDAR.fullmatch(edge.strip()):
            period = pd.Period(edge.strip())
            return period.end_time if last else period.start_time
        time = pd.Timestamp(edge)
    except (TypeError, ValueError) as error:
        raise SelectionError(
            f"temporal={given!r}: {edge!r} is not a time ({error}); {_EXPECTED}"
        ) from error
    if pd.isna(time):
        raise SelectionError(f"temporal={given!r}: {edge!r} is not a time; {_EXPECTED}")
    return time if time.tz is None else time.tz_convert("UTC").tz_localize(None)


def _written(time: pd.Timestamp | None) -> str:
    # Truncated, not rounded: the last nanosecond of a day is in that day.
    return "" if time is None else time.isoformat(timespec="milliseconds") + "Z"
