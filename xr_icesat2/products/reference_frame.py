"""Reference frames of latitude, longitude and ellipsoidal height, by release.

Source: description of ATL03 at NSIDC, version 7 ("Moved from ITRF2014 to ITRF2020"), and the
attribute ``description`` of granules up to release 006 ("ITRF2014 reference frame"). That attribute
of granules of release 007 still says ITRF2014.

The texts are those of the EPSG register, so that opening a granule needs no pyproj;
``tests/test_reference_frame.py`` compares them with pyproj.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["FRAMES_BY_RELEASE", "ITRF2014", "ITRF2020", "FrameSpan", "ReferenceFrame"]

_WKT = (
    'GEOGCRS["{name}",DYNAMIC[FRAMEEPOCH[{epoch}]],'
    'DATUM["{datum}",ELLIPSOID["GRS 1980",6378137,298.257222101,LENGTHUNIT["metre",1]]],'
    'PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,3],'
    'AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],'
    'AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["degree",0.0174532925199433]],'
    'AXIS["ellipsoidal height (h)",up,ORDER[3],LENGTHUNIT["metre",1]],'
    'USAGE[SCOPE["Geodesy."],AREA["World."],BBOX[-90,-180,90,180]],ID["EPSG",{epsg}]]'
)


@dataclass(frozen=True, slots=True)
class ReferenceFrame:
    """A three-dimensional geographic CRS: latitude, longitude and ellipsoidal height."""

    name: str
    datum: str
    epoch: int
    """Year for which the coordinates of the frame's stations are given."""
    epsg: int

    @property
    def wkt(self) -> str:
        """Well-known text (WKT2:2019) of the CRS."""
        return _WKT.format(name=self.name, datum=self.datum, epoch=self.epoch, epsg=self.epsg)

    @property
    def grid_mapping(self) -> dict[str, Any]:
        """Attributes of a CF grid mapping variable."""
        return {
            "grid_mapping_name": "latitude_longitude",
            "crs_wkt": self.wkt,
            "semi_major_axis": 6378137.0,
            "semi_minor_axis": 6356752.314140356,
            "inverse_flattening": 298.257222101,
            "reference_ellipsoid_name": "GRS 1980",
            "longitude_of_prime_meridian": 0.0,
            "prime_meridian_name": "Greenwich",
            "geographic_crs_name": self.name,
            "horizontal_datum_name": self.datum,
        }

    def __str__(self) -> str:
        return f"{self.name} (EPSG:{self.epsg})"


ITRF2014 = ReferenceFrame(
    "ITRF2014", "International Terrestrial Reference Frame 2014", epoch=2010, epsg=7912
)
ITRF2020 = ReferenceFrame(
    "ITRF2020", "International Terrestrial Reference Frame 2020", epoch=2015, epsg=9989
)

FrameSpan: TypeAlias = tuple[str, str, ReferenceFrame]
"""First release, last release, and their frame."""
FRAMES_BY_RELEASE: Sequence[FrameSpan] = (("001", "006", ITRF2014), ("007", "099", ITRF2020))
"""Frames of the releases of ATL03, and of products whose releases have the same numbers. Greater
numbers are those of releases made before the first."""
