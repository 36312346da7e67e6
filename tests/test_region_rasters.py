"""Masks contain the points whose pixel is True."""

import pickle

import numpy as np
import pyproj
import pytest
import rasterio
import rioxarray  # noqa: F401 - the accessor
import xarray as xr
from dask.base import tokenize

from tests.region_shapes import scattered
from tests.test_region_catalog import found
from xr_icesat2.errors import SelectionError
from xr_icesat2.region import make_region

PLACES = {
    4326: (rasterio.Affine(0.05, 0, 170.0, 0, -0.02, 80.0), (150, 400)),
    3031: (rasterio.Affine(2000, 0, -3e5, 0, -2000, 3e5), (300, 300)),
    32622: (rasterio.Affine(90, 30, 4e5, 30, -90, 7.7e6), (200, 300)),  # turned
    2263: (rasterio.Affine(100, 0, 9.8e5, 0, -100, 2.2e5), (300, 200)),  # feet
}


def blobs(shape, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.random((shape[0] // 20 + 1, shape[1] // 20 + 1)) < 0.3
    return np.kron(coarse, np.ones((20, 20), bool))[: shape[0], : shape[1]]


def data_array(code):
    affine, shape = PLACES[code]
    mask = xr.DataArray(blobs(shape), dims=("y", "x"))
    return mask.rio.write_crs(code).rio.write_transform(affine)


@pytest.mark.parametrize("code", PLACES)
def test_masks_contain_what_rasterio_finds(code, tmp_path):
    affine, shape = PLACES[code]
    mask = blobs(shape)
    region = make_region(data_array(code))
    lon, lat = scattered(region.bounds, 5000)
    there = pyproj.Transformer.from_crs(4326, code, always_xy=True)
    x, y = there.transform(lon % 360 if code == 4326 else lon, lat)
    column, row = (np.floor(each).astype(int) for each in ~affine * (x, y))
    on = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    expected = np.zeros(lon.shape, bool)
    expected[on] = mask[row[on], column[on]]
    assert 0 < expected.sum() < expected.size
    assert np.array_equal(region.contains(lon, lat), expected)
    assert region.contains_within(lon, lat, 0)[expected].all()
    assert region.contains_within(lon, lat, 1000)[expected].all()
    assert found(region, lon[expected], lat[expected]).all()
    assert region.crs == pyproj.CRS(code)
    assert region.geometry is None
    path = tmp_path / "mask.tif"
    with rasterio.open(
        path, "w", "GTiff", *shape[::-1], 1, crs=code, transform=affine, dtype="uint8"
    ) as file:
        file.write(mask.astype("uint8"), 1)
    for same in (make_region(path), pickle.loads(pickle.dumps(region))):  # noqa: S301 - our own
        assert same == region
        assert tokenize(same) == tokenize(region)
    assert "pixels" in repr(region)
    assert region.outlines()


def test_distance_from_a_mask_is_a_superset():
    region = make_region(data_array(3031))
    lon, lat = scattered(region.bounds, 3000)
    inside = region.contains(lon, lat)
    azimuth = np.random.default_rng(0).uniform(0, 360, inside.sum())
    geod = pyproj.Geod(ellps="WGS84")
    near = geod.fwd(lon[inside], lat[inside], azimuth, np.full(inside.sum(), 4999.0))
    assert region.contains_within(near[0], near[1], 5000).all()


def test_coordinates_count_after_slicing():
    # rioxarray keeps the transform of the whole raster as an attribute.
    affine, shape = PLACES[3031]
    whole = xr.DataArray(
        blobs(shape),
        coords={
            "y": affine.f + affine.e * (np.arange(shape[0]) + 0.5),
            "x": affine.c + affine.a * (np.arange(shape[1]) + 0.5),
        },
        dims=("y", "x"),
    )
    whole = whole.rio.write_crs(3031).rio.write_transform(affine)
    part = make_region(whole.isel(x=slice(100, 200), y=slice(50, 250)))
    lon, lat = scattered(part.bounds, 2000)
    expected = make_region(whole).contains(lon, lat)
    x, y = pyproj.Transformer.from_crs(4326, 3031, always_xy=True).transform(lon, lat)
    column, row = ~affine * (x, y)
    expected &= (column >= 100) & (column < 200) & (row >= 50) & (row < 250)
    assert expected.any()
    assert np.array_equal(part.contains(lon, lat), expected)
    turned = whole.isel(y=slice(None, None, -1)).transpose("x", "y").expand_dims("band")
    assert np.array_equal(
        make_region(turned).contains(lon, lat), make_region(whole).contains(lon, lat)
    )


def bare(**coords):
    return xr.DataArray(np.eye(4, dtype=bool), dims=("y", "x"), coords=coords)


STEPS = np.arange(4.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (bare(x=STEPS, y=STEPS), r"no CRS.*write_crs"),
        (bare().rio.write_crs(3031), r"no place.*write_transform"),
        (bare(x=STEPS**2, y=STEPS).rio.write_crs(3031), "uneven coordinates 'x'"),
        (bare(x=STEPS, y=STEPS).rename(x="a", y="b"), "none is x or y"),
        (bare(x=STEPS, y=STEPS).expand_dims(band=2).rio.write_crs(3031), "2 bands"),
        (
            (2 * bare(x=STEPS, y=STEPS)).rio.write_crs(3031),
            r"value 2, expected booleans.*raster > 0",
        ),
        ((bare(x=STEPS, y=STEPS) & False).rio.write_crs(3031), "no pixel is True"),
        (bare(x=STEPS * 1e9, y=STEPS * 1e9).rio.write_crs(32633), "not on Earth"),
    ],
)
def test_impossible_rasters_are_refused(given, says):
    with pytest.raises(SelectionError, match=says):
        make_region(given)


def test_missing_values_of_a_raster_are_outside(tmp_path):
    values = np.array([[1, 0, 255], [255, 1, 0]], dtype="uint8")
    coords = {"x": [0.0, 1.0, 2.0], "y": [1.0, 0.0]}
    raster = xr.DataArray(values, dims=("y", "x"), coords=coords).rio.write_crs(4326)
    raster = raster.rio.write_nodata(255)
    expected = make_region(xr.DataArray(values == 1, coords, ("y", "x")).rio.write_crs(4326))
    assert make_region(raster) == expected
    assert make_region(raster.where(raster != 255)) == expected
    raster.rio.to_raster(tmp_path / "mask.tif")
    assert make_region(tmp_path / "mask.tif") == expected
    raster.rio.write_crs(4326).drop_vars("spatial_ref").rio.to_raster(tmp_path / "bare.tif")
    with pytest.raises(SelectionError, match=r"no CRS.*write_crs"):
        make_region(tmp_path / "bare.tif")
