"""True lakes of synthetic ATL13 granules: round ones all over the world.

The world is divided into cells of one degree of latitude and about the same distance eastward.
Every second cell contains a whole lake. Lakes depend on neither granule nor seed.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from .array_types import Floats, Ints
from .random_streams import RandomStreams

__all__ = ["Lakes", "all_lakes", "lake_id", "lake_level"]


_BANDS = 180  # of latitude
_LAST_LATITUDE = 85.0  # beyond, cells are too slender
_KM = 111.19  # kilometres in a degree of latitude
_RADII = (5.0, 40.0)  # km
_FREE = 15.0  # km; maximum distance of the largest lake from the middle of its cell
_SHARE = 0.5  # of the cells that hold a lake
_HIGHEST = 800.0  # metres
_CYCLE_IN_YEARS = 91 / 365.25
_WORLD = RandomStreams((13,))


@dataclass(frozen=True, slots=True)
class Lakes:
    """All cells of the world, south to north and west to east, as arrays."""

    columns: Ints
    """Number of cells in each band of latitude."""
    first: Ints
    """First cell of each band."""
    radius: Floats
    """Radius of the lake, km; 0 where the cell has none."""
    latitude: Floats
    """Its middle, degrees north."""
    longitude: Floats
    """Its middle, degrees east."""
    level: Floats
    """Mean level above the geoid, metres."""
    season: Floats
    """Amplitude of a year, metres."""
    phase: Floats
    """Share of the year at the start of the mission, 0 to 1."""
    trend: Floats
    """Change from one cycle to the next, metres."""
    waves: Floats
    """Deviation of the surface, metres."""

    def cells(self, latitude: Floats, longitude: Floats) -> Ints:
        """Return the cell of the lake at each point; -1 on land."""
        band = np.clip(np.floor(latitude + 90), 0, _BANDS - 1).astype(np.int64)
        width = self.columns[band]
        column = np.clip((longitude + 180) / 360 * width, 0, width - 1).astype(np.int64)
        cell = self.first[band] + column
        north = (latitude - self.latitude[cell]) * _KM
        east = (longitude - self.longitude[cell]) * _KM
        east = east * np.cos(np.radians(self.latitude[cell]))
        return np.where(np.hypot(north, east) < self.radius[cell], cell, -1)


@cache
def all_lakes() -> Lakes:
    """Return all lakes, the same in every process."""
    middle = np.arange(_BANDS) - 89.5
    columns = np.maximum(np.round(360 * np.cos(np.radians(middle))), 1).astype(np.int64)
    first = np.cumsum(columns) - columns
    band = np.repeat(np.arange(_BANDS), columns)
    cells = band.size

    def draw(field: str, low: float, high: float) -> Floats:
        return low + (high - low) * _WORLD.uniform(field, 0, cells)

    here = (draw("lake", 0, 1) < _SHARE) & (np.abs(middle[band]) < _LAST_LATITUDE)
    latitude = middle[band] + draw("north", -_FREE, _FREE) / _KM
    width = 360 / columns[band]
    east = draw("east", -_FREE, _FREE) / (_KM * np.cos(np.radians(latitude)))
    return Lakes(
        columns=columns,
        first=first,
        radius=np.where(here, draw("radius", *_RADII), 0.0),
        latitude=latitude,
        longitude=(np.arange(cells) - first[band] + 0.5) * width - 180 + east,
        level=draw("level", 0, _HIGHEST),
        season=draw("season", 0.1, 1.5),
        phase=draw("phase", 0, 1),
        trend=draw("trend", -0.05, 0.05),
        waves=draw("waves", 0.02, 0.2),
    )


def lake_id(latitude: ArrayLike, longitude: ArrayLike) -> Ints:
    """Return the number of the lake at a point.

    Parameters
    ----------
    latitude, longitude
        Degrees north and east (-180 to 180); any shapes that broadcast.

    Returns
    -------
    ndarray
        ``inland_water_body_id``, from 1, int64; 0 on dry land.
    """
    lat, lon = np.broadcast_arrays(np.asarray(latitude, float), np.asarray(longitude, float))
    return np.asarray(all_lakes().cells(lat, lon) + 1)


def lake_level(latitude: ArrayLike, longitude: ArrayLike, cycle_number: int = 1) -> Floats:
    """Return the level of the lake at a point, with seasons and a trend.

    Parameters
    ----------
    latitude, longitude
        Degrees north and east (-180 to 180); any shapes that broadcast.
    cycle_number
        Repeat cycle, from 1.

    Returns
    -------
    ndarray
        Metres above the geoid (``ht_ortho``; add :func:`geoid_height` for ``ht_water_surf``),
        float64; NaN on dry land.
    """
    lakes, cell = all_lakes(), lake_id(latitude, longitude) - 1
    year = (cycle_number - 1) * _CYCLE_IN_YEARS + lakes.phase[cell]
    season = lakes.season[cell] * np.sin(2 * np.pi * year)
    level = lakes.level[cell] + season + (cycle_number - 1) * lakes.trend[cell]
    return np.where(cell < 0, np.nan, level)
