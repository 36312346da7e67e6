"""A box of longitudes and latitudes: the only region that needs no other package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .points import LATITUDES, LONGITUDES, SWAPPED, shown
from .region import Bounds, Outline, PointTest, Region

__all__ = ["METRES_PER_DEGREE", "BoxRegion", "in_bounds", "make_box", "widened", "wrapped"]

METRES_PER_DEGREE = 110_500.0
"""Less than the length of a degree of latitude anywhere (110 574 m at the equator)."""


@dataclass(frozen=True, eq=False, repr=False)
class BoxRegion(Region):
    """An area between two meridians and two parallels."""

    west: float
    """Degrees from -180 to 180; exceeds east across the antimeridian."""
    south: float
    east: float
    north: float

    @property
    def _bounds(self) -> Bounds:
        return (self.west, self.south, self.east, self.north)

    @property
    def _geometry(self) -> Any:
        shapely = require("shapely", "geo", "The geometry of a box")
        east = self.east if self.east > self.west else self.east + 360
        box = shapely.box(self.west, self.south, east, self.north)
        # An edge of more than half a turn would be ambiguous.
        return shapely.segmentize(box, 90) if east - self.west > 180 else box

    def _cmr_parameters(self) -> Sequence[tuple[str, str]]:
        written = (np.format_float_positional(number, trim="-") for number in self.bounds)
        return [("bounding_box", ",".join(written))]

    def _outlines(self) -> Sequence[Outline]:
        west, south, east, north = self.bounds
        return [((west, south), (east, south), (east, north), (west, north), (west, south))]

    def _contains(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        return in_bounds(self.bounds, x, y)

    def _near(self, metres: float) -> PointTest:
        bounds = widened(self.bounds, metres)
        return lambda x, y: in_bounds(bounds, x, y)

    def _identity(self) -> tuple[Any, ...]:
        return ("box", *self.bounds)

    def _summary(self) -> str:
        west, south, east, north = self.bounds
        return f"box from {west:g}, {south:g} to {east:g}, {north:g} (longitude, latitude)"


def in_bounds(bounds: Bounds, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which longitudes and latitudes are within bounds, the edges included."""
    west, south, east, north = bounds
    inside: NDArray[np.bool_] = (y >= south) & (y <= north)
    if east - west >= 360 or not inside.any():
        return inside
    x = np.where(x > 180, x - 360, x)
    if west <= east:
        inside &= (x >= west) & (x <= east)
        if west == -180 or east == 180:  # one meridian with two names
            inside |= (np.abs(x) == 180) & (y >= south) & (y <= north)
    else:
        inside &= (x >= west) | (x <= east)
    return inside


def widened(bounds: Bounds, metres: float) -> Bounds:
    """Return bounds that also contain all points within a distance."""
    west, south, east, north = bounds
    degrees = metres / METRES_PER_DEGREE
    farthest = max(abs(south), abs(north))
    south, north = max(-90.0, south - degrees), min(90.0, north + degrees)
    width = (east - west) % 360 if east - west < 360 else 360.0
    if farthest + degrees >= 90:
        return (-180.0, south, 180.0, north)
    # A circle about a point reaches this far east and west.
    aside = math.sin(math.radians(degrees)) / math.cos(math.radians(farthest))
    aside = math.degrees(math.asin(min(1.0, aside)))
    if width + 2 * aside >= 360:
        return (-180.0, south, 180.0, north)
    return (wrapped(west - aside), south, wrapped(east + aside), north)


def make_box(given: Any, keyword: str = "region") -> BoxRegion:
    """Parse west, south, east, north.

    Raises
    ------
    SelectionError
        These are not four numbers in degrees, or the box has no area.
    """
    try:
        west, south, east, north = (float(number) for number in given)
    except (TypeError, ValueError):
        raise SelectionError(
            f"{keyword}={shown(given)}, expected west, south, east, north"
        ) from None
    if not _is_box(west, south, east, north):
        hint = _hint(west, south, east, north)
        raise SelectionError(
            f"{keyword}={shown(given)}, expected west, south, east, north in degrees: "
            f"{LONGITUDES}, {LATITUDES}, south below north{hint}"
        )
    if south == north or west == east or (west, east) == (180, -180):
        raise SelectionError(
            f"{keyword}={shown(given)} covers no area, expected south below north and two "
            "different longitudes. Widen the box by the distance that is near enough for you."
        )
    if east - west >= 360:
        return BoxRegion(-180.0, south, 180.0, north)
    return BoxRegion(wrapped(west), south, wrapped(east), north)


def _is_box(west: float, south: float, east: float, north: float) -> bool:
    return all(-180 <= lon <= 360 for lon in (west, east)) and -90 <= south <= north <= 90


def _hint(west: float, south: float, east: float, north: float) -> str:
    """Return what seems to be wrong with numbers that are no box."""
    if _is_box(west, north, east, south):
        return f". South ({south:g}) is north of north ({north:g}): exchange them"
    if _is_box(south, west, north, east):
        return SWAPPED
    if max(abs(west), abs(south), abs(east), abs(north)) > 1000:
        return (
            ". These are no degrees: pass the GeoDataFrame itself (region=frame), or "
            "frame.to_crs(4326).total_bounds"
        )
    return ""


def wrapped(longitude: float) -> float:
    """Return the same longitude from -180 to 180."""
    if longitude > 180:
        return longitude - 360
    return longitude + 360 if longitude < -180 else longitude
