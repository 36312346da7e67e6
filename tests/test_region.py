"""Regions contain the points that shapely and pyproj find, whatever they were made of."""

import json
import pickle
import sys

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from dask.base import tokenize

from tests.region_shapes import CRS, SEEDS, random_polygon, scattered
from xr_icesat2.errors import MissingExtraError, SelectionError
from xr_icesat2.region import Region, make_region

RING = [(-50.0, -70.0), (-45.0, -70.0), (-44.0, -69.0), (-50.0, -68.5), (-50.0, -70.0)]
HOLE = [(-48.0, -69.5), (-47.0, -69.5), (-47.0, -69.2), (-48.0, -69.5)]
POLYGON = shapely.Polygon(RING)
HOLED = shapely.Polygon(RING, [HOLE])
GEOJSON = {"type": "Polygon", "coordinates": [RING, HOLE]}


@pytest.mark.parametrize(
    ("box", "inside", "outside"),
    [
        ((-50.5, 68.9, -48.0, 69.4), (-49, 69), (-51, 69)),
        ((170, -75, -170, -70), (180, -72), (169, -72)),
        ((170, -75, -170, -70), (-175, -72), (-169, -72)),
        ((170, -75, 190, -70), (-175, -72), (0, -72)),
        ((350, -75, 10, -70), (-5, -75), (11, -70)),
        ((310, -75, 315, -70), (-47, -75), (-51, -70)),
        ((0, -90, 360, -88), (-123, -88), (-123, -87.9)),
        ((-180, -90, 180, -88), (180, -88), (-123, -87.9)),
        ((175, 0, 180, 1), (-180, 0.5), (-179, 0.5)),
    ],
)
def test_boxes_include_their_edges_and_cross_the_antimeridian(box, inside, outside):
    region = make_region(box)
    assert region.contains(*inside)
    assert region.contains(inside[0] + 360, inside[1])
    assert not region.contains(*outside)
    west, south, east, north = region.bounds
    assert region.contains([west, east, east, west], [south, south, north, north]).all()
    assert shapely.intersects_xy(region.geometry, *inside) or (
        shapely.intersects_xy(region.geometry, inside[0] + 360, inside[1])
    )


def test_box_needs_no_other_package(monkeypatch):
    expected = tokenize(make_region((170, -75, -170, -70)))
    for name in ("shapely", "pyproj", "geopandas", "rasterio", "rioxarray"):
        monkeypatch.setitem(sys.modules, name, None)
    region = make_region((170, -75, -170, -70))
    assert region.contains([180, 0], [-72, -72]).tolist() == [True, False]
    assert region.contains_within(169.99, -72, 1000)
    assert region.cmr_parameters() == [("bounding_box", "170,-75,-170,-70")]
    assert (repr(region), tokenize(region)) == (repr(make_region(region.bounds)), expected)
    assert region.operation == ""
    assert len(region.outlines()) == 1
    for needs, name in ((RING, "shapely"), (GEOJSON, "shapely"), ("lake.gpkg", "pyogrio")):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match=rf"needs {name}.*xr-icesat2\[geo\]"):
            make_region(needs)
    with pytest.raises(MissingExtraError, match=r"rasterio.*xr-icesat2\[raster\]"):
        make_region("lake.tif")
    with pytest.raises(MissingExtraError, match=r"pyproj.*xr-icesat2\[geo\]"):
        region.crs  # noqa: B018


def test_points_that_are_not_finite_are_outside():
    nan, inf = np.nan, np.inf
    for given in ((-50, -70, -40, 70), (170, -70, -40, 70), POLYGON):
        region = make_region(given)
        lon, lat = [[nan, -45, -45, inf], [-45, -inf, nan, inf]], [[0, nan, inf, 0], [-69, 0, 0, 0]]
        expected = region.contains(-45, -69)
        assert np.array_equal(region.contains(lon, lat), [[False] * 4, [expected] + [False] * 3])
    assert make_region(POLYGON).contains([], []).shape == (0,)


@pytest.mark.parametrize("seed", SEEDS)
def test_polygons_in_degrees_contain_what_shapely_finds(seed):
    rng = np.random.default_rng(seed)
    centre = rng.uniform((-180, -60), (180, 60))
    polygon = random_polygon(rng, centre, rng.uniform(0.1, 25))
    region = make_region(polygon)
    lon, lat = scattered(polygon.bounds, seed=seed)
    expected = np.zeros(lon.shape, bool)
    for turn in (-360, 0, 360):
        expected |= shapely.intersects_xy(polygon, lon + turn, lat)
    assert 0 < expected.sum() < expected.size
    assert np.array_equal(region.contains(lon, lat), expected)
    assert np.array_equal(region.contains(lon % 360, lat), expected)
    assert np.array_equal(
        region.contains(lon.reshape(40, 50), lat.reshape(40, 50)).ravel(), expected
    )


@pytest.mark.parametrize("code", CRS)
@pytest.mark.parametrize("seed", range(2))
def test_polygons_of_any_crs_contain_what_pyproj_and_shapely_find(code, seed):
    x, y, size = CRS[code]
    polygon = random_polygon(np.random.default_rng(seed), (x, y), size)
    region = make_region(gpd.GeoSeries([polygon], crs=code))
    lon, lat = scattered(region.bounds, seed=seed)
    there = pyproj.Transformer.from_crs(4326, code, always_xy=True)
    expected = shapely.intersects_xy(polygon, *there.transform(lon, lat))
    assert 0 < expected.sum() < expected.size
    assert np.array_equal(region.contains(lon, lat), expected)
    assert region.crs == pyproj.CRS(code)
    assert "accuracy" in region.operation


@pytest.mark.parametrize("code", [4979, 7912, 4269])
def test_degrees_of_other_realizations_are_the_same_within_metres(code):
    lon, lat = scattered(HOLED.bounds)
    region = make_region(gpd.GeoSeries([HOLED], crs=code))
    assert region.contains_within(lon, lat, 10)[make_region(HOLED).contains(lon, lat)].all()
    assert make_region(HOLED).contains_within(lon, lat, 10)[region.contains(lon, lat)].all()


def test_operation_needs_no_network_and_is_that_of_the_area():
    colorado = shapely.box(-108, 38, -107, 39)
    region = make_region(gpd.GeoSeries([colorado], crs=4267))
    assert "NAD27 to WGS 84" in region.operation
    assert "Ballpark" not in region.operation
    enabled = pyproj.network.is_network_enabled()
    try:
        pyproj.network.set_network_enabled(active=True)
        again = make_region(gpd.GeoSeries([colorado], crs=4267))
        assert again.operation == region.operation
        assert pyproj.network.is_network_enabled()
    finally:
        pyproj.network.set_network_enabled(active=enabled)


def test_feet_are_converted():
    polygon = shapely.box(980_000, 190_000, 1_000_000, 220_000)  # New York, US survey feet
    region = make_region(gpd.GeoSeries([polygon], crs=2263))
    west, south, east, north = region.bounds
    assert -74.1 < west < east < -73.9
    assert 40.6 < south < north < 40.8


def same_area():
    frame = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[HOLED, None], crs=4326)
    feature = {"type": "Feature", "geometry": GEOJSON, "properties": {}}
    return {
        "shapely": HOLED,
        "shapely, turned": shapely.Polygon(RING[::-1], [HOLE[1:] + HOLE[1:2]]),
        "shapely, with heights": shapely.force_3d(HOLED, 7.0),
        "one part": shapely.MultiPolygon([HOLED]),
        "geometry": GEOJSON,
        "feature": feature,
        "collection": {"type": "FeatureCollection", "features": [feature]},
        "geometries": {"type": "GeometryCollection", "geometries": [GEOJSON]},
        "named CRS": GEOJSON
        | {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}},
        "frame": frame,
        "series": frame.geometry,
        "rows": gpd.GeoSeries([HOLED, HOLED], crs="OGC:CRS84"),
    }


@pytest.mark.parametrize("name", same_area())
def test_one_area_is_one_region_however_it_is_given(name):
    region = make_region(same_area()[name])
    expected = make_region(HOLED)
    assert region == expected
    assert tokenize(region) == tokenize(expected)
    assert hash(region) == hash(expected)
    assert make_region(region) is region
    other = make_region(POLYGON)
    assert region != other
    assert tokenize(region) != tokenize(other)
    assert region != HOLED


@pytest.mark.parametrize(
    "points",
    [
        RING,
        RING[:-1],
        np.array(RING),
        zip(*np.array(RING).T, strict=True),
        [{"lon": lon, "lat": lat} for lon, lat in RING],
        [{"latitude": lat, "longitude": lon} for lon, lat in RING],
        [number for point in RING for number in point],
        [str(number) for point in RING for number in point],
        [(lon, lat, 100.0) for lon, lat in RING],
        [point for point in RING for _ in range(2)],
    ],
)
def test_points_make_a_polygon(points):
    assert make_region(points) == make_region(POLYGON)


@pytest.mark.parametrize(
    "given",
    [
        (170, -75, -170, -70),
        HOLED,
        gpd.GeoSeries([HOLED], crs=4326).to_crs(3031),
        gpd.GeoSeries([HOLED], crs="+proj=laea +lat_0=-70 +lon_0=-47"),
    ],
)
def test_regions_are_pickled_without_what_they_cached(given):
    region = make_region(given)
    size = len(pickle.dumps(region))
    lon, lat = scattered(region.bounds)
    expected = region.contains(lon, lat)
    assert isinstance(region, Region)
    assert len(pickle.dumps(region)) == size
    again = pickle.loads(pickle.dumps(region))  # noqa: S301 - our own
    assert again == region
    assert tokenize(again) == tokenize(region)
    assert repr(again) == repr(region)
    assert np.array_equal(again.contains(lon, lat), expected)
    with pytest.raises((AttributeError, TypeError)):
        region.bounds = (0, 0, 1, 1)


@pytest.mark.parametrize("metres", [0, 30, 20_000])
@pytest.mark.parametrize(
    "given",
    [
        (170, -75, -170, -70),
        (-50, 70, -45, 85),
        HOLED,
        shapely.Polygon([(170, 60), (190, 60), (190, 80), (170, 70)]),
        gpd.GeoSeries([HOLED], crs=4326).to_crs(3031),
        gpd.GeoSeries([HOLED], crs=4326).to_crs(3857),
        gpd.GeoSeries([shapely.box(980_000, 190_000, 1_000_000, 220_000)], crs=2263),
        gpd.GeoSeries([shapely.Point(2e5, 2e5).buffer(5e5)], crs=3413),
    ],
)
def test_all_points_within_a_distance_are_found(given, metres):
    region = make_region(given)
    lon, lat = scattered(region.bounds, 3000)
    inside = region.contains(lon, lat)
    geod = pyproj.Geod(ellps="WGS84")
    azimuth = np.random.default_rng(1).uniform(0, 360, inside.sum())
    near_lon, near_lat, _ = geod.fwd(
        lon[inside], lat[inside], azimuth, np.full(inside.sum(), 0.9999 * metres)
    )
    assert region.contains_within(lon, lat, metres)[inside].all()
    assert region.contains_within(near_lon, near_lat, metres).all()
    west, south, _, north = region.bounds
    far = min(north + 1, 90) if north < 89 else south - 3
    assert not region.contains_within(west, far, metres)


def test_distances_are_checked():
    for metres in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="distance from 0"):
            make_region((0, 0, 1, 1)).contains_within(0, 0, metres)


BOWTIE = [(0, 0), (2, 2), (2, 0), (0, 2)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (7, "expected a box"),
        (None, "expected a box"),
        ([], "0 numbers"),
        ([0, 0], "2 numbers"),
        ([0, 0, 1, 0, 1], "5 numbers"),
        ((0, 10, 1, 5), "south below north"),
        ((0, np.nan, 1, 5), "latitudes from -90"),
        ((68.9, -50.5, 69.4, 148.0), "seem to be swapped"),
        ((-34.8, 66.6, -34.72, 66.5), r"South \(66.6\) is north of north \(66.5\)"),
        (np.array([4e5, -8e6, 5e5, -7e6]), r"=\[400000.0, .*no degrees.*region=frame.*to_crs\("),
        ((5, 5, 5, 6), "covers no area"),
        ((180, 5, -180, 6), "covers no area"),
        ([(0, 0), (1, 1)], "2 points"),
        ([(0, 0), (1, 1), (2, 2)], "on one line"),
        ([(0, 0), (1, "north"), (2, 2)], "invalid point.*north"),
        ([(0, 0), 1, (2, 2)], "invalid point"),
        ([(0, 0), (np.nan, 1), (2, 2)], "before latitude"),
        ([(0, 0, 1, 1), (0, 0, 1, 1)], "is not a pair"),
        ([{"lon": 0, "lat": 0}, {"lon": 1}, {"lon": 1, "lat": 1}], "no lon and lat"),
        ([(68.9, -150.5), (69.4, -148), (69.4, -150.5)], "seem to be swapped"),
        (BOWTIE, r"Self-intersection.*make_valid"),
        (shapely.Point(0, 0), "'Point', which covers no area.*buffer"),
        (shapely.LineString([(0, 0), (1, 1)]), "'LineString', which covers no area.*buffer"),
        (shapely.GeometryCollection([POLYGON, shapely.Point(0, 0)]), "'Point'.*buffer"),
        (shapely.Polygon(), "empty"),
        (shapely.GeometryCollection(), "empty"),
        (shapely.box(4e5, 7e6, 5e5, 8e6), r"no degrees.*GeoSeries.*crs="),
        (shapely.Polygon([(x, y) for y, x in [(100, 10), (120, 10), (120, 20)]]), "swapped"),
        (shapely.Polygon([(0, 0), (np.inf, 1), (2, 2)]), "finite"),
        (gpd.GeoSeries([POLYGON]), r"without a CRS.*set_crs"),
        (gpd.GeoDataFrame({"name": ["a"]}), "without geometries.*set_geometry"),
        (np.eye(3, dtype=bool), "without a place.*write_crs"),
        (gpd.GeoSeries([], crs=4326), "empty"),
        (gpd.GeoSeries([None], crs=4326), "empty"),
        (gpd.GeoSeries([shapely.Point(0, 0)], crs=3031), "'Point'.*buffer"),
        (gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=4978), "to_crs"),
        (gpd.GeoSeries([shapely.box(1e8, 1e8, 1.1e8, 1.1e8)], crs=32633), r"not on Earth.*set_crs"),
        ({"type": "Polygon"}, "not valid GeoJSON"),
        ({"type": "FeatureCollection", "features": []}, "empty"),
        ({"type": "Topology"}, "'Topology'"),
        ({}, "None, which is not one of"),
        (GEOJSON | {"crs": {"type": "link"}}, "has crs=.*3413"),
        (GEOJSON | {"crs": {"type": "name", "properties": {"name": "EPSG:0"}}}, "PROJ rejects"),
        (shapely.Polygon([(179, 0), (-179, 0), (-179, 5), (179, 5)]), r"either way.*181 for -179"),
        (shapely.box(-170, -80, 170, -60), r"either way.*segmentize"),
        (gpd.GeoSeries([shapely.box(-170, -80, 170, -60)], crs=4269), r"either way.*segmentize"),
        ([(lon, 80) for lon in range(-180, 180, 30)], r"round a pole.*3413.*\(-180, 80, 180, 90\)"),
        ([(lon, -70 + lon / 60) for lon in range(-180, 181, 30)], r"round a pole.*to_crs\(3031\)"),
        (shapely.box(-300, 0, 100, 10), "at most 360"),
    ],
)  # fmt: skip
def test_impossible_regions_are_refused_with_the_way_out(given, says):
    with pytest.raises(SelectionError, match=says):
        make_region(given)


def test_millions_of_vertices_are_refused_with_the_way_out():
    angle = np.linspace(0, 2 * np.pi, 100_000)
    circle = shapely.Polygon(np.stack([np.cos(angle), np.sin(angle)], axis=-1))
    with pytest.raises(SelectionError, match=r"5\d{6} vertices.*at most 5000000.*simplify"):
        make_region(gpd.GeoSeries([circle] * 51, crs=4326))


def test_wide_polygons_in_degrees_are_literal():
    antarctica = shapely.Polygon([(-180, -90), (180, -90), (180, -84), (0, -65), (-180, -84)])
    for polygon in (antarctica, shapely.box(-180, -80, 180, -60)):
        region = make_region(polygon)
        assert region.bounds == polygon.bounds
        lon, lat = scattered((-180, -90, 180, -50))
        assert np.array_equal(region.contains(lon, lat), shapely.intersects_xy(polygon, lon, lat))


def test_parts_on_both_sides_of_the_antimeridian_have_narrow_bounds():
    parts = shapely.MultiPolygon([shapely.box(170, 60, 180, 70), shapely.box(-180, 60, -170, 70)])
    region = make_region(parts)
    assert region.bounds == (170, 60, -170, 70)
    assert region.contains([175, -175, 180, -180, 0], [65] * 5).tolist() == [True] * 4 + [False]
    assert make_region(shapely.box(170, 60, 190, 70)).bounds == (170, 60, -170, 70)
    assert make_region(shapely.box(350, 60, 360, 70)).bounds == (-10, 60, 0, 70)


def test_polar_regions_contain_their_pole():
    for code, latitude in ((3031, -90), (3413, 90)):
        region = make_region(gpd.GeoSeries([shapely.Point(1e5, 0).buffer(8e5)], crs=code))
        assert region.contains(123, latitude)
        assert region.contains(0, np.sign(latitude) * 88)
        west, south, east, north = region.bounds
        assert (west, east) == (-180, 180)
        assert latitude in (south, north)
        assert 70 < min(abs(south), abs(north)) < 85


def test_unreadable_crs_of_geojson_shows_the_form_that_is_expected():
    with pytest.raises(SelectionError) as error:
        make_region(GEOJSON | {"crs": {"type": "link"}})
    expected = str(error.value).partition("expected ")[2].partition(", or none")[0]
    metres = {"type": "Polygon", "coordinates": [[(0, 0), (9e3, 0), (9e3, 9e3), (0, 0)]]}
    assert make_region(metres | {"crs": json.loads(expected)}).crs.to_epsg() == 3413
