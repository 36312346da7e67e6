"""Which rows a region selects, from numpy, shapely and pyproj alone.

The rules are written down a second time, as a reader of the documentation would.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import rioxarray  # noqa: F401 - adds the accessor
import shapely
import shapely.affinity
import xarray as xr

from tests.expected_rates import RATES, Rate
from tests.oracle_rates import decoded, parts

Inside = Callable[[np.ndarray, np.ndarray], np.ndarray]
SECONDS = {"ATL03": 0.01}
"""How long before and after the time of a segment its photons are measured."""


@dataclass(frozen=True)
class Case:
    """What is passed as ``region``, and an independent test of longitude and latitude."""

    kind: str
    given: Any
    inside: Inside


def finite(test: Inside) -> Inside:
    """Points without a place are outside."""

    def inside(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        known = np.isfinite(lon) & np.isfinite(lat)
        found = np.zeros(lon.shape, bool)
        found[known] = test(lon[known].astype(float), lat[known].astype(float))
        return found

    return inside


def box(lon: float, lat: float, width: float, height: float, rng: np.random.Generator) -> Case:
    """Degrees, perhaps across the antimeridian."""
    south, north = max(-90.0, lat - height), min(90.0, lat + height)
    west, east = ((x + 180) % 360 - 180 for x in (lon - width, lon + width))

    def inside(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        between = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
        return between & (lat >= south) & (lat <= north)

    return Case("box", (west, south, east, north), finite(inside))


def blob(x: float, y: float, width: float, height: float, rng: np.random.Generator) -> Any:
    """A star-shaped polygon with a hole, round a point."""
    turns = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 14)))
    turns = np.linspace(0, 2 * np.pi, len(turns), endpoint=False) + 0.2 * rng.random(len(turns))
    reach = rng.uniform(0.4, 1, len(turns))
    ring = np.stack(
        [x + width * reach * np.cos(turns), y + height * reach * np.sin(turns)], axis=-1
    )
    whole = shapely.Polygon(ring)
    hole = shapely.affinity.scale(whole, 0.3, 0.3)
    return whole.difference(hole) if rng.random() < 0.6 else whole


def polygon(lon: float, lat: float, width: float, height: float, rng: np.random.Generator) -> Case:
    """In degrees, with holes, perhaps of several parts."""
    shape = blob(lon, lat, width, height, rng)
    if rng.random() < 0.4:
        other = blob(lon, lat + 2.5 * height, width, height, rng)
        shape = shapely.union_all([shape, other])

    def inside(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        near = shape.centroid.x + (lon - shape.centroid.x + 180) % 360 - 180
        return shapely.intersects_xy(shape, near, lat)

    given = shape if rng.random() < 0.5 else shapely.geometry.mapping(shape)
    return Case("polygon", given, finite(inside))


def projected_crs(lon: float, lat: float) -> int:
    """Polar stereographic, or UTM."""
    if abs(lat) > 60:
        return 3413 if lat > 0 else 3031
    return (32600 if lat >= 0 else 32700) + int((lon + 180) // 6) + 1


def projected(
    lon: float, lat: float, width: float, height: float, rng: np.random.Generator
) -> Case:
    """A GeoSeries in metres: polar stereographic, or UTM."""
    epsg = projected_crs(lon, lat)
    to_metres = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    x, y = to_metres.transform(lon, lat)
    shape = blob(x, y, width * 111_000, height * 111_000, rng)

    def inside(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        return shapely.intersects_xy(shape, *to_metres.transform(lon, lat))

    return Case("projected", gpd.GeoSeries([shape], crs=epsg), finite(inside))


def raster(lon: float, lat: float, width: float, height: float, rng: np.random.Generator) -> Case:
    """Squares of a boolean grid in metres."""
    epsg = projected_crs(lon, lat)
    to_metres = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    x, y = to_metres.transform(lon, lat)
    step, n = height * 111_000 / 8, 16
    west, north = x - step * rng.uniform(4, 12), y + step * rng.uniform(4, 12)
    mask = rng.random((n, n)) < 0.6
    centres = (np.arange(n) + 0.5) * step
    grid = xr.DataArray(mask, {"y": north - centres, "x": west + centres}, ("y", "x"))

    def inside(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        x, y = to_metres.transform(lon, lat)
        column, row = np.floor((x - west) / step), np.floor((north - y) / step)
        within = (column >= 0) & (column < n) & (row >= 0) & (row < n)
        found = np.zeros(lon.shape, bool)
        found[within] = mask[row[within].astype(int), column[within].astype(int)]
        return found

    return Case("raster", grid.rio.write_crs(epsg), finite(inside))


KINDS = (box, polygon, projected, raster)


@dataclass(frozen=True)
class Beam:
    """One beam of one rate: its raw variables, and where its rows are."""

    gt: str
    n_obs: int
    values: Mapping[str, np.ndarray]

    def __contains__(self, name: str) -> bool:
        return name in self.values


def beams_of(path: Path, rate: Rate, names: Sequence[str]) -> dict[str, Beam]:
    """Decoded coordinates and raw indices of the beams of a file."""
    found = {}
    for part in parts(path, rate):
        values = {
            name: decoded(name, part.variables[name], masked=True, times=True)
            if name not in rate.voided
            else part.variables[name].values
            for name in names
            if name in part.variables
        }
        found[part.gt] = Beam(part.gt, part.n_obs, values)
    return found


def place_names(rate: Rate) -> tuple[str, ...]:
    return rate.located_by


def own_rows(beam: Beam, rate: Rate, inside: Inside) -> np.ndarray | None:
    """Rows of a beam inside by their own place."""
    lat, lon = place_names(rate)
    if lat not in beam or lon not in beam:
        return None if beam.n_obs else np.empty(0, int)
    return np.flatnonzero(inside(beam.values[lon], beam.values[lat]))


def selected_rows(
    path: Path, product: str, rate: Rate, inside: Inside, *, exact: bool = False
) -> dict[str, np.ndarray] | None:
    """Rows of the file that a region selects, by beam; None if they cannot be located."""
    if product == "ATL03":
        return photon_product_rows(path, rate, inside, exact=exact)
    if not rate.located_by:
        return None
    found = {
        gt: own_rows(beam, rate, inside)
        for gt, beam in beams_of(path, rate, rate.located_by).items()
    }
    return None if any(rows is None for rows in found.values()) else found  # type: ignore[return-value]


HEIGHTS, GEOLOCATION = RATES["ATL03"][:2]
SEGMENTED = (*GEOLOCATION.located_by, "delta_time", "ph_index_beg", "segment_ph_cnt")


def photon_product_rows(
    path: Path, rate: Rate, inside: Inside, *, exact: bool
) -> dict[str, np.ndarray] | None:
    segments = beams_of(path, GEOLOCATION, SEGMENTED)
    photons = beams_of(path, HEIGHTS, (*HEIGHTS.located_by, "delta_time"))
    own = beams_of(path, rate, ("delta_time",))
    found = {}
    for gt in own:
        of_segments, of_photons, times = _beam_rows(
            segments.get(gt), photons.get(gt), inside, exact=exact
        )
        if rate.group == "heights":
            found[gt] = of_photons
        elif rate.group == "geolocation":
            found[gt] = of_segments
        else:
            found[gt] = _valid_at(own[gt].values["delta_time"], times, SECONDS["ATL03"])
    return found


def _beam_rows(
    segments: Beam | None, photons: Beam | None, inside: Inside, *, exact: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments and photons that are selected, and times at which they were measured."""
    nothing = np.empty(0, int)
    of_segments = nothing if segments is None else own_rows(segments, GEOLOCATION, inside)
    if of_segments is None:
        of_segments = nothing
    times = [] if segments is None else [segments.values["delta_time"][of_segments]]
    if photons is None:
        return of_segments, nothing, np.concatenate(times)
    owner = None if segments is None else segment_of_photons(segments, photons.n_obs)
    if owner is not None and not exact:
        return of_segments, np.flatnonzero(np.isin(owner, of_segments)), np.concatenate(times)
    of_photons = own_rows(photons, HEIGHTS, inside)
    if owner is not None:
        of_segments = np.union1d(of_segments, owner[of_photons])
        times = [segments.values["delta_time"][of_segments]]
    times.append(photons.values["delta_time"][of_photons])
    return of_segments, of_photons, np.concatenate(times)


def segment_of_photons(segments: Beam, n_photons: int) -> np.ndarray | None:
    """Number of the segment of each photon; None if indices and counts disagree."""
    if not {"ph_index_beg", "segment_ph_cnt"} <= segments.values.keys():
        return None
    owner = []
    first, count = segments.values["ph_index_beg"], segments.values["segment_ph_cnt"]
    for segment in range(len(count)):
        if count[segment] and first[segment] - 1 != len(owner):
            return None
        owner += [segment] * int(count[segment])
    return np.array(owner, int) if len(owner) == n_photons else None


def _valid_at(begins: np.ndarray, times: np.ndarray, seconds: float) -> np.ndarray:
    """Rows that are valid at some time within some seconds of any of the times."""
    wider = np.timedelta64(round(seconds * 1e9), "ns")
    ends = np.append(begins[1:], np.datetime64("2200-01-01", "ns"))
    kept = np.zeros(len(begins), bool)
    for time in times:
        kept |= (begins <= time + wider) & (ends > time - wider)
    return np.flatnonzero(kept)
