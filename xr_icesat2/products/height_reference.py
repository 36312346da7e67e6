"""The surfaces that heights are measured from.

Source of the names: CF Standard Name Table, versions 79 and later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = [
    "ABOVE_EGM2008",
    "ABOVE_ELLIPSOID",
    "ABOVE_MEAN_SEA_SURFACE",
    "ABOVE_SEA_SURFACE",
    "ABOVE_TERRAIN",
    "GEOID_ABOVE_ELLIPSOID",
    "MEAN_SEA_SURFACE_ABOVE_ELLIPSOID",
    "HeightReference",
]

_UP = {"positive": "up"}


@dataclass(frozen=True, slots=True)
class HeightReference:
    """What a height is above, and the CF attributes of such a height."""

    surface: str
    """Name of the surface, the attribute ``vertical_datum``."""
    attrs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


ABOVE_ELLIPSOID = HeightReference(
    "WGS 84 ellipsoid", {"standard_name": "height_above_reference_ellipsoid", **_UP}
)
ABOVE_EGM2008 = HeightReference(
    "EGM2008 geoid", {"standard_name": "altitude", "geoid_name": "EGM2008", **_UP}
)
ABOVE_MEAN_SEA_SURFACE = HeightReference("mean sea surface", _UP)
ABOVE_SEA_SURFACE = HeightReference("sea surface nearby")
ABOVE_TERRAIN = HeightReference("terrain")
GEOID_ABOVE_ELLIPSOID = HeightReference(
    "WGS 84 ellipsoid", {"standard_name": "geoid_height_above_reference_ellipsoid"}
)
MEAN_SEA_SURFACE_ABOVE_ELLIPSOID = HeightReference("WGS 84 ellipsoid")
