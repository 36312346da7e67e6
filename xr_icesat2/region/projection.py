"""Transform longitudes and latitudes to the CRS of a region, and back, with pyproj."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .points import shown
from .region import Bounds

__all__ = ["DEGREES", "Projection", "is_in_degrees", "parse_crs", "transform_points"]

WGS84 = "EPSG:4326"
_DEGREES_OF_WGS84 = {4326, 4979}
"""EPSG codes of WGS 84 in degrees, with two and three dimensions."""

_NETWORK = threading.Lock()


def parse_crs(given: Any) -> Any:
    """Return a :class:`pyproj.crs.CRS`; None for longitude and latitude in WGS 84.

    Raises
    ------
    SelectionError
        It is not a CRS, or has no plane.
    """
    if given is None:
        return None
    pyproj = require("pyproj", "geo", "A region with a CRS")
    try:
        crs = pyproj.CRS.from_user_input(given)
    except pyproj.exceptions.CRSError as error:
        raise SelectionError(
            f"region has the CRS {shown(given)}, which PROJ rejects: {error}"
        ) from (error)
    if crs.is_geocentric or not (crs.is_geographic or crs.is_projected):
        raise SelectionError(
            f"region has the CRS {crs.name!r}, expected a geographic or projected one. Convert it "
            "with to_crs(4326)."
        )
    if crs.is_geographic and (
        crs.to_epsg() in _DEGREES_OF_WGS84 or crs.to_authority() == ("OGC", "CRS84")
    ):
        return None
    code = crs.to_authority(min_confidence=100)
    # The same CRS, read from files of several kinds, has one token.
    return pyproj.CRS.from_authority(*code) if code else crs


def is_in_degrees(crs: Any) -> bool:
    """Return whether coordinates of a CRS are degrees; those of None are."""
    return crs is None or (crs.is_geographic and math.isclose(_turn(crs), 360.0, rel_tol=1e-9))


def _turn(crs: Any) -> float:
    """Return a full turn of longitude in units of a geographic CRS."""
    return float(2 * math.pi / crs.axis_info[0].unit_conversion_factor)


@contextmanager
def without_network(pyproj: Any) -> Iterator[None]:
    """Keep PROJ from loading grids, so that the operation depends on the machine's files only."""
    with _NETWORK:
        enabled = pyproj.network.is_network_enabled()
        if enabled:
            pyproj.network.set_network_enabled(active=False)
        try:
            yield
        finally:
            if enabled:
                pyproj.network.set_network_enabled(active=True)


@dataclass(frozen=True, eq=False)
class Projection:
    """One operation of PROJ between WGS 84 and the CRS of a region; the same for all points."""

    transformer: Any
    """None for degrees of WGS 84, which are compared unmodified."""
    operation: str = ""
    """Description of the operation, with its accuracy."""
    turn: float | None = 360.0
    """A full turn of longitude in units of the CRS; None if it is projected."""

    @classmethod
    def of(cls, crs: Any, bounds: Bounds) -> Projection:
        """Choose the best operation that needs no network for an area.

        Parameters
        ----------
        crs : pyproj.crs.CRS
            CRS of the region.
        bounds
            Smallest and largest coordinates of the region, in that CRS.

        Raises
        ------
        SelectionError
            PROJ has no operation.
        """
        pyproj = require("pyproj", "geo", "A region with a CRS")
        with without_network(pyproj), warnings.catch_warnings():
            # The operation and its accuracy are recorded, whether or not grids are missing.
            warnings.simplefilter("ignore", UserWarning)
            group = pyproj.transformer.TransformerGroup(
                WGS84, crs, always_xy=True, area_of_interest=_area(pyproj, crs, bounds)
            )
        if not group.transformers:
            raise SelectionError(
                f"PROJ cannot transform WGS 84 to the CRS of region, {crs.name!r}. Convert region "
                "with to_crs(4326)."
            )
        best = group.transformers[0]
        accuracy = f"{best.accuracy:g} m" if best.accuracy >= 0 else "unknown"
        turn = _turn(crs) if crs.is_geographic else None
        return cls(best, f"{best.description} (accuracy: {accuracy})", turn)

    def forward(
        self, longitude: NDArray[Any], latitude: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return x and y; infinite where the CRS does not reach."""
        if self.transformer is None:
            return longitude, latitude
        return transform_points(self.transformer, longitude, latitude)

    def inverse(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return longitude and latitude in degrees.

        Raises
        ------
        SelectionError
            A point is outside the domain of the CRS.
        """
        if self.transformer is None:
            return x, y
        lon, lat = transform_points(self.transformer, x, y, "INVERSE")
        lost = ~(np.isfinite(lon) & np.isfinite(lat))
        if lost.any():
            at = int(lost.argmax())
            raise SelectionError(
                f"region has the point ({x[at]:g}, {y[at]:g}), which is not on Earth in its CRS "
                f"({self.operation}). Check the CRS, or set the right one with "
                "set_crs(…, allow_override=True)."
            )
        return lon, lat


DEGREES = Projection(None)
"""Longitude and latitude in WGS 84."""


def _area(pyproj: Any, crs: Any, bounds: Bounds) -> Any:
    """Return the area of interest for the choice of an operation; None if it is unknown."""
    try:
        there = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)
        west, south, east, north = there.transform_bounds(*bounds)
        if not np.isfinite([west, south, east, north]).all():
            return None
        return pyproj.aoi.AreaOfInterest(west, south, east, north)
    except pyproj.exceptions.ProjError:
        return None


def transform_points(
    transformer: Any, x: NDArray[Any], y: NDArray[Any], direction: str = "FORWARD"
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Transform points by a pyproj.Transformer, also a single one."""
    if x.size == 1:  # pyproj takes an array of one for a number, of which numpy may warn
        one = transformer.transform(x.item(), y.item(), direction=direction)
        return np.reshape(one[0], x.shape), np.reshape(one[1], x.shape)
    there = transformer.transform(x, y, direction=direction)
    return np.asarray(there[0]), np.asarray(there[1])
