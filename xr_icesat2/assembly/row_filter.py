"""Test rows by place and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xr_icesat2.errors import SelectionError
from xr_icesat2.region import Region, make_region
from xr_icesat2.time_window import TimeWindow, make_time_window

__all__ = ["Places", "RowFilter", "make_row_filter"]

EARTH_RADIUS = 6_371_000.0
"""Metres."""
MAX_APART = 1_000_000.0
"""Metres between two places from which on anything may be between them."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where and when rows were measured; what is not needed is None."""

    longitude: np.ndarray | None
    latitude: np.ndarray | None
    time: np.ndarray | None
    """datetime64, one or more for each row."""

    @property
    def unknown(self) -> np.ndarray:
        """Whether a place or time is missing: bool, one for each row."""
        arrays = [
            array for array in (self.longitude, self.latitude, self.time) if array is not None
        ]
        missing = np.zeros(len(arrays[0]), bool)
        for array in arrays:
            lost = np.isnat(array) if array.dtype.kind == "M" else ~np.isfinite(array)
            missing |= lost.any(axis=tuple(range(1, lost.ndim)))
        return missing

    def at(self, rows: np.ndarray) -> Places:
        """Return the places of some rows."""
        longitude, latitude, time = (
            None if array is None else array[rows]
            for array in (self.longitude, self.latitude, self.time)
        )
        return Places(longitude, latitude, time)


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows are selected: those inside a region, in a window of time, or both."""

    region: Region | None = None
    exact: bool = False
    """Whether photons are tested themselves, and not by their segment."""
    window: TimeWindow | None = None

    def can_test(self, places: Places) -> bool:
        """Return whether there are times, if they decide."""
        time = places.time
        return self.window is None or (time is not None and time.dtype.kind == "M")

    def contains(self, places: Places, metres: float = 0.0, seconds: float = 0.0) -> np.ndarray:
        """Return which rows are inside, or that near: bool, one for each row."""
        inside: np.ndarray | None = None
        if self.region is not None:
            point = places.longitude, places.latitude
            near = metres > 0
            inside = (
                self.region.contains_within(*point, metres)  # type: ignore[arg-type]
                if near
                else self.region.contains(*point)  # type: ignore[arg-type]
            )
        if self.window is not None and places.time is not None:
            now = self.window.contains(places.time, seconds)
            # ATL11 has a time for each cycle.
            now = np.asarray(now.any(axis=tuple(range(1, now.ndim))))
            inside = now if inside is None else inside & now
        if inside is None:
            raise AssertionError("neither a region nor a window")
        return inside

    def crosses(self, one: Places, other: Places, metres: float, seconds: float) -> np.ndarray:
        """Return which stretches of track between two places may be inside.

        It is true of some that are not, and of all where a place is unknown.
        """
        inside: np.ndarray = np.ones(len(_any_of(one)), bool)
        if self.region is not None:
            length = distance(one, other)
            unknown = ~(length < MAX_APART)
            # Few tests with growing distances: each doubles that of the one before.
            steps = np.ceil(np.log2((np.where(unknown, 0, length) + metres) / metres))
            inside = unknown
            for step in np.unique(steps[~unknown]):
                at = np.flatnonzero((steps == step) & ~unknown)
                for end in (one.at(at), other.at(at)):
                    inside[at] |= self.region.contains_within(
                        end.longitude,  # type: ignore[arg-type]
                        end.latitude,  # type: ignore[arg-type]
                        metres * 2.0**step,
                    )
        if self.window is not None and one.time is not None and other.time is not None:
            first, last = np.minimum(one.time, other.time), np.maximum(one.time, other.time)
            inside &= self.window.overlaps(first, last, seconds) | np.isnat(first)
        return inside


def make_row_filter(
    region: Any, exact: Any, time: Any, *, exact_keyword: str = "exact"
) -> RowFilter:
    """Check what a user gives, and return which rows it selects.

    Raises
    ------
    SelectionError
        It is no region, no window, or nothing.
    """
    if not isinstance(exact, bool | np.bool_):
        raise SelectionError(f"{exact_keyword}={exact!r}, expected True or False")
    if region is None and time is None:
        alone = f"{exact_keyword}=True selects no rows alone" if exact else "nothing selects rows"
        raise SelectionError(f"{alone}: pass region= or time=, or both")
    return RowFilter(
        None if region is None else make_region(region),
        bool(exact),
        None if time is None else make_time_window(time),
    )


def distance(one: Places, other: Places) -> np.ndarray:
    """Return great-circle distances in metres; NaN where a place is unknown."""
    if one.longitude is None or one.latitude is None:
        raise AssertionError("no places")
    if other.longitude is None or other.latitude is None:
        raise AssertionError("no places")
    lat, lat2 = np.radians(one.latitude), np.radians(other.latitude)
    d_lon = np.radians(other.longitude) - np.radians(one.longitude)
    half = np.sin((lat2 - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat2) * np.sin(d_lon / 2) ** 2
    found: np.ndarray = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return found


def _any_of(places: Places) -> np.ndarray:
    for array in (places.longitude, places.time):
        if array is not None:
            return array
    raise AssertionError("no places")
