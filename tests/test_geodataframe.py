"""Rows with points in geopandas."""

import sys

import geopandas as gpd
import h5py
import numpy as np
import pandas as pd
import pyproj
import pytest
import xarray as xr

from xr_icesat2.errors import MissingExtraError, RateError, SelectionError
from xr_icesat2.testing import write_granule

GNOMONIC = "+proj=gnom +lat_0=-90 +lon_0=0 +type=crs"
"""It shows half of the Earth, the southern one."""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = write_granule(tmp_path_factory.mktemp("points"), n_segments=12)
    with h5py.File(path, "r+") as file:
        file["gt1l/land_ice_segments/latitude"][2] = np.finfo("f8").max
        file["gt1l/land_ice_segments/h_li"][4] = np.finfo("f4").max
    return path


@pytest.fixture(scope="module")
def ds(path):
    return xr.open_dataset(path, engine="icesat2", variables=["h_li", "segment_id"])


def test_points_are_those_of_geopandas(ds):
    points = ds.icesat2.to_geodataframe(z="h_li")
    table = ds.icesat2.to_dataframe()
    pd.testing.assert_frame_equal(pd.DataFrame(points).drop(columns="geometry"), table)
    placed, high = (table[name].notna().to_numpy() for name in ("latitude", "h_li"))
    assert not placed.all()
    assert not high.all()
    low = gpd.points_from_xy(table["longitude"], table["latitude"])
    above = gpd.points_from_xy(table["longitude"], table["latitude"], table["h_li"])
    expected = np.where(high, above, low)[placed]
    assert points.geometry[placed].to_wkb().tolist() == gpd.GeoSeries(expected).to_wkb().tolist()
    assert points.geometry[~placed].isna().all()
    assert points.crs == "EPSG:4326"
    # PROJ makes infinities of all coordinates if one is NaN.
    assert np.isfinite(points.geometry.to_crs(3413)[placed].x).all()


def test_points_in_another_crs_are_those_of_pyproj(ds):
    points = ds.icesat2.to_geodataframe(["segment_id"], crs=3413)
    assert points.crs == "EPSG:3413"
    placed = points.geometry.notna().to_numpy()
    there = pyproj.Transformer.from_crs(4326, 3413, always_xy=True)
    x, y = there.transform(points["longitude"][placed], points["latitude"][placed])
    np.testing.assert_allclose(points.geometry[placed].x, x, rtol=0, atol=1e-6)
    np.testing.assert_allclose(points.geometry[placed].y, y, rtol=0, atol=1e-6)
    assert "(accuracy: 0 m)" in points.attrs["transformation"]
    assert not points.geometry[placed].has_z.any()


def test_datum_of_the_mission_keeps_the_degrees(ds):
    points = ds.icesat2.to_geodataframe(z="h_li", crs="EPSG:7912")
    plain = ds.icesat2.to_geodataframe(z="h_li")
    placed = points.geometry.notna()
    np.testing.assert_array_equal(points.geometry[placed].x, plain.geometry[placed].x)
    assert points.crs == "EPSG:7912"


def test_other_datum_is_transformed_by_one_operation(ds):
    points = ds.icesat2.to_geodataframe(["segment_id"], crs="EPSG:3035")
    group = pyproj.transformer.TransformerGroup("EPSG:4326", "EPSG:3035", always_xy=True)
    placed = points.geometry.notna().to_numpy()
    lon, lat = points["longitude"][placed], points["latitude"][placed]
    x, y = group.transformers[0].transform(lon, lat)
    np.testing.assert_allclose(points.geometry[placed].x, x, rtol=0, atol=1e-6)
    np.testing.assert_allclose(points.geometry[placed].y, y, rtol=0, atol=1e-6)
    assert "ETRS89 to WGS 84" in points.attrs["transformation"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"z": "h_l"}, SelectionError, r"z='h_l' is not a column"),
        ({"crs": "EPSG:1"}, SelectionError, r"crs='EPSG:1' is not known to PROJ"),
        ({"crs": "EPSG:5773"}, SelectionError, r"Heights are not transformed"),
        ({"crs": "EPSG:9518"}, SelectionError, r"Heights are not transformed"),
        ({"crs": "EPSG:4978"}, SelectionError, r"geographic or projected"),
        ({"crs": GNOMONIC}, SelectionError, r"does not reach \d+ rows, such as longitude -45"),
    ],
)
def test_impossible_arguments(ds, arguments, error, message):
    with pytest.raises(error, match=message):
        ds.icesat2.to_geodataframe(**arguments)


def test_rows_without_a_place(path, ds):
    with pytest.raises(RateError, match="latitude"):
        ds.drop_vars("latitude").icesat2.to_geodataframe()


def test_missing_package_is_named(ds, monkeypatch):
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(
        MissingExtraError, match=r"to_geodataframe needs geopandas.*xr-icesat2\[geo\]"
    ):
        ds.icesat2.to_geodataframe()
