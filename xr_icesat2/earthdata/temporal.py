"""Parse the period of a search into CMR's parameter ``temporal``."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from xr_icesat2.errors import SelectionError
from xr_icesat2.time_window import TimeBound, parse_time_bound

__all__ = ["Temporal", "TimeBound", "temporal_parameter"]

Temporal = TimeBound | Sequence[TimeBound]

_EXPECTED = (
    "expected a day, month or year ('2019-11-06', '2019-11', '2019'), or the start and end of a "
    "period, as such texts (ISO 8601) or datetimes, or None for an open end. Times without a zone "
    "are UTC."
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
    start, end = (
        parse_time_bound(bound, f"temporal={given!r}", _EXPECTED, last=last)
        for bound, last in zip(ends, (False, True), strict=True)
    )
    if start is None and end is None:
        return None
    if start is not None and end is not None and end < start:
        raise SelectionError(f"temporal={given!r} ends before it starts: {_EXPECTED}")
    return f"{_written(start)},{_written(end)}"


def _written(time: pd.Timestamp | None) -> str:
    # Truncated, not rounded: the last nanosecond of a day is in that day.
    return "" if time is None else time.isoformat(timespec="milliseconds") + "Z"
