"""Where on the ground a granule lies, read from what CMR tells.

Source: HorizontalSpatialDomain in NASA's UMM-G schema 1.6.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from xr_icesat2.granule.name import parse_name
from xr_icesat2.products import PRODUCTS

from .cmr import CatalogGranule
from .ground_track import Line, OrbitExtent, ground_track

__all__ = ["footprint_lines", "is_track"]


def footprint_lines(granule: CatalogGranule) -> tuple[Line, ...]:
    """Lines that show where a granule lies.

    Returns
    -------
    tuple of Line
        The ground track of the spacecraft where CMR keeps the part of the
        orbit; else the lines, outlines or boxes that it keeps, (longitude,
        latitude) in degrees. Empty where it keeps none of these.
    """
    told = granule.footprint
    if "Orbit" in told:
        name = parse_name(granule.name)
        convention = PRODUCTS.convention(name.product) if name else None
        orbits = convention.orbits if convention else 1
        return (ground_track(_extent(told["Orbit"]), max(orbits, 1)),)
    return tuple(_drawn(told.get("Geometry", {})))


def is_track(granule: CatalogGranule) -> bool:
    """Whether the lines run as the spacecraft flew."""
    return "Orbit" in granule.footprint or "Lines" in granule.footprint.get("Geometry", {})


def _extent(orbit: Mapping[str, Any]) -> OrbitExtent:
    return OrbitExtent(
        crossing=orbit["AscendingCrossing"],
        start_latitude=orbit["StartLatitude"],
        start_ascending=orbit["StartDirection"] == "A",
        end_latitude=orbit["EndLatitude"],
        end_ascending=orbit["EndDirection"] == "A",
    )


def _drawn(geometry: Mapping[str, Any]) -> Iterator[Line]:
    for line in geometry.get("Lines", ()):
        yield _points(line["Points"])
    for polygon in geometry.get("GPolygons", ()):
        yield _points(polygon["Boundary"]["Points"])
    for box in geometry.get("BoundingRectangles", ()):
        west, east = box["WestBoundingCoordinate"], box["EastBoundingCoordinate"]
        south, north = box["SouthBoundingCoordinate"], box["NorthBoundingCoordinate"]
        yield ((west, south), (east, south), (east, north), (west, north), (west, south))
    for point in geometry.get("Points", ()):
        yield _points([point])


def _points(points: list[Mapping[str, float]]) -> Line:
    return tuple((point["Longitude"], point["Latitude"]) for point in points)
