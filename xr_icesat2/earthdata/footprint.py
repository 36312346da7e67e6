"""Footprint of a granule on the ground, from CMR's record.

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
    """Return lines that show where on the ground a granule is.

    Returns
    -------
    tuple of Line
        The ground track of the spacecraft where CMR has the part of the orbit; else CMR's lines,
        outlines or boxes, (longitude, latitude) in degrees. Empty where CMR has none of these.
    """
    domain = granule.footprint
    if "Orbit" in domain:
        name = parse_name(granule.name)
        convention = PRODUCTS.convention(name.product) if name else None
        orbits = convention.orbits if convention else 1
        return (ground_track(_extent(domain["Orbit"]), max(orbits, 1)),)
    return tuple(_lines_of_geometry(domain.get("Geometry", {})))


def is_track(granule: CatalogGranule) -> bool:
    """Return whether the lines follow the flight of the spacecraft."""
    return "Orbit" in granule.footprint or "Lines" in granule.footprint.get("Geometry", {})


def _extent(orbit: Mapping[str, Any]) -> OrbitExtent:
    return OrbitExtent(
        crossing=orbit["AscendingCrossing"],
        start_latitude=orbit["StartLatitude"],
        start_ascending=orbit["StartDirection"] == "A",
        end_latitude=orbit["EndLatitude"],
        end_ascending=orbit["EndDirection"] == "A",
    )


def _lines_of_geometry(geometry: Mapping[str, Any]) -> Iterator[Line]:
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
