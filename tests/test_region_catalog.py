"""What the catalog is asked for contains the region: great circles on a sphere, in numpy."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from tests.region_shapes import CRS, SEEDS, random_polygon, scattered
from xr_icesat2.region import make_region


def unit(lon, lat):
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def inside_ring(ring, lon, lat):
    """Return which points a closed ring of great circles winds around once, counterclockwise."""
    point, corner = unit(lon, lat)[:, None], unit(*ring.T)[None]
    aside = corner - (point * corner).sum(-1, keepdims=True) * point
    first, second = aside[:, :-1], aside[:, 1:]
    angles = np.arctan2((point * np.cross(first, second)).sum(-1), (first * second).sum(-1))
    return np.round(angles.sum(-1) / (2 * np.pi)) == 1


def polygons(region):
    """Return the rings of the parameters."""
    parameters = list(region.cmr_parameters())
    if len(parameters) > 1:
        assert parameters.pop() == ("options[polygon][or]", "true")
    assert {name for name, _ in parameters} == {"polygon[]"}
    rings = [np.array(value.split(","), float).reshape(-1, 2) for _, value in parameters]
    for ring in rings:
        assert 4 <= len(ring) <= 300
        assert np.array_equal(ring[0], ring[-1])
        assert len(np.unique(ring[:-1], axis=0)) == len(ring) - 1
        assert (np.abs(ring) <= (180, 90)).all()
    return rings


def found(region, lon, lat):
    """Return which points are in the area that the catalog is asked for."""
    ((name, value), *_) = region.cmr_parameters()
    if name == "bounding_box":
        return make_region(map(float, value.split(","))).contains(lon, lat)
    return np.any([inside_ring(ring, lon, lat) for ring in polygons(region)], axis=0)


def edges(geometry, crs):
    """Return points on the edges of a geometry, in degrees."""
    size = np.ptp(np.reshape(geometry.bounds, (2, 2)), axis=0).max()
    points = shapely.get_coordinates(shapely.segmentize(geometry, size / 50))
    return pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(*points.T)


def check(geometry, crs, metres=1000):
    """Check that the catalog's polygons contain a region, and little more."""
    region = make_region(gpd.GeoSeries([geometry], crs=crs))
    edge_lon, edge_lat = edges(geometry, crs)
    lon, lat = scattered(region.bounds, 300)
    asked = found(region, np.append(lon, edge_lon), np.append(lat, edge_lat))
    assert asked[lon.size :].all()
    asked = asked[: lon.size]
    assert asked[region.contains(lon, lat)].all()
    filled = gpd.GeoSeries([shapely.union_all(_filled(geometry))], crs=crs)
    assert make_region(filled).contains_within(lon, lat, metres)[asked].all()


def _filled(geometry):
    return [shapely.Polygon(part.exterior) for part in shapely.get_parts(geometry)]


@pytest.mark.parametrize("seed", SEEDS)
def test_polygons_in_degrees_are_contained(seed):
    rng = np.random.default_rng(seed)
    check(random_polygon(rng, rng.uniform((-180, -80), (180, 80)), 10 ** rng.uniform(-2, 1)), 4326)


@pytest.mark.parametrize("code", CRS)
def test_polygons_of_any_crs_are_contained(code):
    x, y, size = CRS[code]
    rng = np.random.default_rng(code)
    for fraction in (1, 0.01):
        check(random_polygon(rng, (x, y), size * fraction), code)


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (shapely.box(-50, -70, -45, -69), 4326),
        (shapely.box(170, 60, 190, 85), 4326),
        (shapely.Polygon([(170, 60), (190, 60), (191, 85), (170, 85)]), 4326),
        (
            shapely.MultiPolygon([shapely.box(170, 60, 180, 70), shapely.box(-180, 60, -170, 70)]),
            4326,
        ),
        (shapely.box(-180, -90, 180, -60), 4326),
        (shapely.box(-180, 10, 180, 60).union(shapely.box(0, 5, 10, 11)), 4326),
        (shapely.Polygon([(-180, -90), (180, -90), (180, -84), (0, -65), (-180, -84)]), 4326),
        (shapely.Point(1e5, 0).buffer(8e5), 3031),
        (shapely.Point(1e5, 0).buffer(8e6), 3031),
        (shapely.Point(0, 0).buffer(3e6).difference(shapely.Point(0, 0).buffer(1e6)), 3413),
        (shapely.box(-1.9e7, -1.5e7, 1.9e7, 1.5e7), 3857),
    ],
)
def test_wide_and_polar_regions_are_contained(geometry, code):
    check(geometry, code, metres=100_000)


def test_many_parts_become_few_polygons_with_few_points():
    rng = np.random.default_rng(0)
    centres = rng.uniform((-60, 60), (-20, 80), (150, 2))
    parts = gpd.GeoSeries([random_polygon(rng, centre, 0.05) for centre in centres], crs=4326)
    region = make_region(parts)
    rings = polygons(region)
    assert len(rings) <= 20
    assert sum(map(len, rings)) <= 300
    assert found(region, *shapely.get_coordinates(parts.values).T).all()


def test_coastline_of_many_vertices_is_contained():
    angle = np.linspace(0, 2 * np.pi, 4_000, endpoint=False)
    radius = 1 + 0.2 * np.sin(7 * angle) + 0.02 * np.sin(300 * angle)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    check(shapely.Polygon(ring * 5e5 + (0, -2e6)), 3413, metres=20_000)


@pytest.mark.parametrize(
    ("box", "written"),
    [
        ((-50.5, 68.9, -48.0, 69.4), "-50.5,68.9,-48,69.4"),
        (np.array([170, -80, -170, -70]), "170,-80,-170,-70"),
        ([-0.00000001, 0, 1e-5, 1], "-0.00000001,0,0.00001,1"),
        ((309.5, 68.9, 312, 69.4), "-50.5,68.9,-48,69.4"),
        ((170, 0, 190, 1), "170,0,-170,1"),
        ((350, 0, 10, 1), "-10,0,10,1"),
        ((10, 0, 350, 1), "10,0,-10,1"),
        ((0, -90, 360, 90), "-180,-90,180,90"),
        ((-10, 0, 350, 1), "-180,0,180,1"),
        ((-180, 0, 180, 1), "-180,0,180,1"),
    ],
)
def test_boxes_stay_boxes(box, written):
    region = make_region(box)
    assert region.cmr_parameters() == [("bounding_box", written)]
    assert make_region(region.geometry).cmr_parameters() == [("bounding_box", written)]
