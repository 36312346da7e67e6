"""Maps: points are where pyproj puts them, in the colour of their value."""

import sys
from itertools import pairwise

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr
from matplotlib.collections import PathCollection

from tests.paths import granule
from tests.plot_fixtures import opened
from xr_icesat2.errors import MissingExtraError, RateError, SelectionError
from xr_icesat2.testing import write_granule

pytestmark = pytest.mark.usefixtures("figures_are_closed")

BEAMS = ("gt1l", "gt3r")
LABEL = "Land Ice height, h_li\n(m above the WGS 84 ellipsoid)"
ROWS = {"n_segments": dict.fromkeys(BEAMS, 60)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("map")


@pytest.fixture(scope="module")
def path(folder):
    return write_granule(folder, **ROWS)


def points(axes):
    return {one.get_label(): one for one in axes.collections if isinstance(one, PathCollection)}


def ticks(axes):
    found = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    return {text.get_text() for text in found if text.get_text()}


def rows_of(path):
    """Longitude, latitude and height of all rows, by h5py."""
    names = ("longitude", "latitude", "h_li")
    with h5py.File(path) as file:
        groups = [file[f"{beam}/land_ice_segments"] for beam in BEAMS]
        return [np.concatenate([group[name][:] for group in groups]) for name in names]


def wide_box(path):
    """A box about the rows that is too wide for north to be up everywhere."""
    longitude, latitude, _ = rows_of(path)
    middle, south = longitude.mean(), latitude.min()
    return (middle - 11, south - 1, middle + 11, south + 1)


@pytest.mark.parametrize(
    ("layout", "granule_region", "crs"), [("spot", 3, 3413), ("flat", 11, 3031)]
)
def test_polar_points_are_where_pyproj_puts_them(folder, layout, granule_region, crs):
    path = write_granule(folder, granule_region=granule_region, **ROWS)
    longitude, latitude, height = rows_of(path)
    axes = opened(path, layout=layout).icesat2.plot.map(region=wide_box(path), robust=False)
    transformer = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
    expected = np.stack(transformer.transform(longitude, latitude), axis=-1)
    valid = height < 1e30
    [of_value] = (one for one in points(axes).values() if one.get_array() is not None)
    order = np.lexsort(expected[valid].T)
    drawn = np.asarray(of_value.get_offsets())
    np.testing.assert_allclose(drawn[np.lexsort(drawn.T)], expected[valid][order], atol=1e-3)
    np.testing.assert_array_equal(of_value.get_array()[np.lexsort(drawn.T)], height[valid][order])
    without_value = points(axes).get("no value")
    assert (0 if without_value is None else len(without_value.get_offsets())) == (~valid).sum()
    assert f"EPSG:{crs}" in axes.get_xlabel()
    assert axes.figure.axes[-1].get_ylabel() == LABEL
    assert "RGT 658, cycle 1, 20" in axes.get_title(loc="left")
    assert any(label.endswith(("°N", "°S")) for label in ticks(axes))


@pytest.mark.parametrize("granule_region", [3, 11])
def test_north_is_up_where_rows_are_close_together(tmp_path, granule_region):
    path = write_granule(tmp_path, granule_region=granule_region, **ROWS)
    axes = opened(path, layout="flat").icesat2.plot.map("segment_id")
    longitude, latitude, _ = rows_of(path)
    many = np.ones(len(longitude))
    geod = pyproj.Geod(ellps="WGS84")
    start = longitude.mean() * many, latitude.mean() * many
    azimuth, _, metres = geod.inv(*start, longitude, latitude)
    expected = metres[:, None] * np.stack(
        [np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))], axis=-1
    )
    drawn = np.asarray(next(iter(points(axes).values())).get_offsets())
    assert np.ptp(latitude) < 1
    assert np.abs(latitude).min() > 60
    np.testing.assert_allclose(
        drawn[np.lexsort(drawn.T)], expected[np.lexsort(expected.T)], atol=10
    )
    assert "equal-area" in axes.get_xlabel()


def test_labels_of_meridians_do_not_touch(tmp_path):
    rows = {"n_segments": {"gt1r": 300, "gt2r": 300}}
    path = write_granule(tmp_path, rgt=533, cycle_number=7, **rows)
    axes = opened(path).icesat2.plot.map(region=(26.49, 62.09, 26.57, 62.14))
    axes.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert len(boxes) > 1
    assert all(one.x1 + one.height < other.x0 for one, other in pairwise(boxes))


@pytest.mark.parametrize("longitude", [0.0, 179.9])
def test_rows_near_a_pole_are_polar_stereographic(path, longitude):
    ds = opened(path, layout="flat")
    lon = (ds.longitude - ds.longitude.mean() + longitude + 180) % 360 - 180
    for latitude, name in ((83.0, "equal-area"), (85.0, "EPSG:3413"), (-85.0, "EPSG:3031")):
        moved = ds.assign_coords(
            longitude=lon, latitude=ds.latitude - ds.latitude.mean() + latitude
        )
        assert name in moved.icesat2.plot.map().get_xlabel()


def test_flags_without_meanings_have_those_of_the_specification():
    ds = opened(granule("clip_ATL03_VegR.h5"), layout="flat").isel(surface_type=0)
    found = points(ds.icesat2.plot.map("signal_conf_ph"))
    assert {"noise", "buffer", "low"} <= set(found)
    assert set(found) <= {"noise", "not considered", "possible tep", "buffer", "low", "no value"}


def test_other_points_keep_their_areas():
    ds = opened(granule("processed_ATL08_20200821122613_08730802_004_01.h5"), layout="flat")
    axes = ds.icesat2.plot.map()
    drawn = np.asarray(next(iter(points(axes).values())).get_offsets())
    geod = pyproj.Geod(ellps="WGS84")
    lon, lat = ds.longitude.values.astype(float), ds.latitude.values.astype(float)
    metres = geod.inv(*np.broadcast_arrays(lon[0], lat[0], lon, lat))[2]
    np.testing.assert_allclose(np.hypot(*(drawn - drawn[0]).T), metres, rtol=1e-3, atol=0.2)
    assert "equal-area" in axes.get_xlabel()


def test_scale_bar_has_its_length_on_the_ground(path):
    axes = opened(path).icesat2.plot.map(region=wide_box(path))
    [bar] = (one for one in axes.artists if hasattr(one, "size_bar"))
    rectangle = bar.size_bar.get_children()[0]
    number, unit = bar.txt_label.get_text().split()
    left, bottom, top = axes.get_xlim()[0], *axes.get_ylim()
    ends = ([left, left + rectangle.get_width()], [(bottom + top) / 2] * 2)
    inverse = pyproj.Transformer.from_crs(3413, 4326, always_xy=True)
    (lon, lat) = inverse.transform(*ends)
    metres = pyproj.Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[2]
    assert metres == pytest.approx(float(number) * {"km": 1000, "m": 1}[unit], rel=0.01)


def test_beams_and_cycles_have_colours(path):
    axes = opened(path, layout="flat").icesat2.plot.map("spot")
    spots = {str(spot) for spot in np.unique(opened(path, layout="flat").spot)}
    assert set(points(axes)) == spots
    assert len(spots) == len({tuple(one.get_facecolor()[0]) for one in points(axes).values()}) == 2
    by_track = opened(path).icesat2.plot.map("gt")
    assert set(points(by_track)) == set(BEAMS)
    one = opened(path).icesat2.plot.map("gt", spots="gt1l")
    assert "gt1l" in one.get_title(loc="left")


def test_flags_have_their_meanings(path):
    axes = opened(path).icesat2.plot.map("atl06_quality_summary")
    assert "best quality" in points(axes)
    [legend] = axes.figure.legends
    assert "atl06_quality_summary" in legend.get_title().get_text()


def test_region_is_drawn_and_shown_whole(path):
    longitude, latitude, _ = rows_of(path)
    box = (longitude.min() - 21, latitude.min() - 0.5, longitude.max(), latitude.max())
    axes = opened(path).icesat2.plot.map(region=box)
    [outline] = axes.lines
    x, y = np.array(outline.get_data())
    to_degrees = pyproj.Transformer.from_crs(3413, 4326, always_xy=True)
    drawn = shapely.Polygon(np.stack(to_degrees.transform(x, y), axis=-1))
    assert drawn.symmetric_difference(shapely.box(*box)).area < 1e-9
    assert axes.get_xlim()[0] < x.min() < x.max() < axes.get_xlim()[1]
    assert axes.get_ylim()[0] < y.min() < y.max() < axes.get_ylim()[1]
    with pytest.raises(SelectionError, match="region"):
        opened(path).icesat2.plot.map(region=(1, 2, 3))


def test_antimeridian_is_crossed_without_a_jump(monkeypatch):
    ds = opened(granule("processed_ATL08_20200821122613_08730802_004_01.h5"), layout="flat")
    east = ds.longitude - ds.longitude.mean()
    ds = ds.assign_coords(longitude=(east + 360) % 360 - 180)
    assert ds.longitude.min() < -179 < 179 < ds.longitude.max()
    axes = ds.icesat2.plot.map()
    assert np.ptp(axes.get_xlim()) < 20_000
    assert {"180°"} <= ticks(axes)
    monkeypatch.setitem(sys.modules, "pyproj", None)
    in_degrees = ds.icesat2.plot.map()
    assert in_degrees.get_xlabel() == "degrees"
    assert np.ptp(in_degrees.get_xlim()) < 0.2
    assert any(label.endswith("°W") for label in ticks(in_degrees))


def test_nothing_to_draw_and_impossible_requests(path):
    ds = opened(path)
    assert "no rows" in ds.isel(segment_idx=[]).icesat2.plot.map().texts[0].get_text()
    empty = ds.assign(h_li=ds.h_li * np.nan).icesat2.plot.map()
    assert len(points(empty)["no value"].get_offsets()) == 120
    plt.close("all")
    with pytest.raises(SelectionError, match="Did you mean 'h_li'"):
        ds.icesat2.plot.map("h_lii")
    land = opened(granule("processed_ATL08_20200821122613_08730802_004_01.h5"))
    with pytest.raises(SelectionError, match=r"isel\(surface_type=0\)"):
        land.icesat2.plot.map("surf_type")
    with pytest.raises(RateError, match="icesat2"):
        xr.Dataset().icesat2.plot.map()
    assert plt.get_fignums() == []


def test_given_axes_are_drawn_in(path):
    figure, axes = plt.subplots()
    assert opened(path).icesat2.plot.map(ax=axes) is axes
    assert plt.get_fignums() == [figure.number]


def test_missing_matplotlib_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"plot.map needs matplotlib.*\[map\]"):
        opened(path).icesat2.plot.map()
