"""Where the sun stands, to about a degree."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["background_rate", "solar_position"]

Floats = NDArray[np.float64]

_TILT = 23.44  # of the earth's axis, degrees
_DAY, _YEAR = 86400.0, 365.25
_BRIGHTEST = 1e6  # photons a second
_NIGHT = 0.01  # of it, which stars and detectors make up
_DAYS_FROM_SOLSTICE = 10.0  # December 22 to the epoch, 2018-01-01


def solar_position(time: Floats, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Elevation above the horizon and azimuth east of north, degrees.

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
    """Photons a second that a beam receives from elsewhere than its laser.

    Parameters
    ----------
    elevation
        Of the sun above the horizon, degrees.
    """
    return _BRIGHTEST * np.maximum(np.sin(np.radians(elevation)), _NIGHT)
