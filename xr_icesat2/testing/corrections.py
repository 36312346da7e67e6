"""What models say of a place: tides, geoid, elevation; smooth functions, not real models."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["dem_source", "geoid_height", "neutral_delay", "tides"]

Floats = NDArray[np.float64]

_ARCTIC_DEM, _REMA, _MERIT = 1, 4, 2
_SEA = 100.0  # metres; the ocean's tides reach no higher ground
_LUNAR_DAY = 44714.0  # seconds between tides


def tides(time: Floats, latitude: Floats, longitude: Floats, height: Floats) -> dict[str, Floats]:
    """Tides and the answer of the sea to the weather, metres; NaN for those of the sea on land.

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
    """Geoid above the ellipsoid, tide-free, and what makes it a mean-tide one; metres."""
    undulation = np.sin(np.radians(3 * latitude)) * np.cos(np.radians(2 * longitude))
    return 40 + 25 * undulation, -0.15 + 0.1 * np.sin(np.radians(latitude)) ** 2


def dem_source(latitude: Floats) -> NDArray[Any]:
    """Flag of the elevation model that covers a place."""
    polar = np.where(latitude < 0, _REMA, _ARCTIC_DEM)
    return np.where(np.abs(latitude) < 60, _MERIT, polar)


def neutral_delay(height: Floats) -> Floats:
    """Delay of light in the atmosphere above a surface, metres."""
    return 2.3 - height * 2.4e-4
