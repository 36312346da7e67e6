"""Sun, tides, geoid and elevation models: smooth functions, not real models."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .array_types import Floats

__all__ = [
    "background_rate",
    "dem_source",
    "geoid_height",
    "neutral_delay",
    "solar_position",
    "tides",
]


_ARCTIC_DEM, _REMA, _MERIT = 1, 4, 2
_SEA = 100.0  # metres; the ocean's tides reach no higher ground
_LUNAR_DAY = 44714.0  # seconds between tides


def tides(time: Floats, latitude: Floats, longitude: Floats, height: Floats) -> dict[str, Floats]:
    """Return tides and the inverted barometer, metres; ocean tides are NaN on land.

    Parameters
    ----------
    time
        Seconds since 2018-01-01.
    latitude, longitude
        Degrees north and east.
    height
        Of the surface, metres.
    """
    tide = np.sin(2 * np.pi * time / _LUNAR_DAY + np.radians(2 * longitude))
    sea = np.where(height < _SEA, tide, np.nan)
    return {
        "dac": -0.1 + 0.01 * tide,
        "tide_earth": 0.15 * tide,
        "tide_earth_free2mean": 0.06 - 0.18 * np.sin(np.radians(latitude)) ** 2,
        "tide_equilibrium": 0.02 * sea,
        "tide_load": -0.02 * tide,
        "tide_ocean": 0.8 * sea,
        "tide_pole": np.full(time.shape, 0.003),
    }


def geoid_height(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Return the tide-free geoid, and its difference to the mean-tide one, metres."""
    undulation = np.sin(np.radians(3 * latitude)) * np.cos(np.radians(2 * longitude))
    return 40 + 25 * undulation, -0.15 + 0.1 * np.sin(np.radians(latitude)) ** 2


def dem_source(latitude: Floats) -> NDArray[Any]:
    """Return the flag of the elevation model at a position."""
    polar = np.where(latitude < 0, _REMA, _ARCTIC_DEM)
    return np.where(np.abs(latitude) < 60, _MERIT, polar)


def neutral_delay(height: Floats) -> Floats:
    """Return the delay of light in the atmosphere above a surface, metres."""
    return 2.3 - height * 2.4e-4


_TILT = 23.44  # of the earth's axis, degrees
_DAY, _YEAR = 86400.0, 365.25
_BRIGHTEST = 1e6  # photons a second
_NIGHT = 0.01  # of it, which stars and detectors make up
_DAYS_FROM_SOLSTICE = 10.0  # December 22 to the epoch, 2018-01-01


def solar_position(time: Floats, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Return the sun's elevation above the horizon and azimuth, degrees.

    Parameters
    ----------
    time
        Seconds since 2018-01-01, UTC.
    latitude, longitude
        Degrees north and east.
    """
    days = time / _DAY
    year_angle = 2 * np.pi * (days + _DAYS_FROM_SOLSTICE) / _YEAR
    declination = np.radians(-_TILT * np.cos(year_angle))
    hour = 2 * np.pi * (days % 1 - 0.5) + np.radians(longitude)
    lat = np.radians(latitude)
    up = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour)
    north = np.cos(lat) * np.sin(declination) - np.sin(lat) * np.cos(declination) * np.cos(hour)
    east = -np.cos(declination) * np.sin(hour)
    return np.degrees(np.arcsin(up)), np.degrees(np.arctan2(east, north))


def background_rate(elevation: Floats) -> Floats:
    """Return the photons a second that a beam receives without its laser.

    Parameters
    ----------
    elevation
        Of the sun above the horizon, degrees.
    """
    return _BRIGHTEST * np.maximum(np.sin(np.radians(elevation)), _NIGHT)
