"""Reference frames, heights and axes: as pyproj, rioxarray and cf_xarray understand them."""

from pathlib import Path

import cf_xarray  # noqa: F401 - ds.cf
import numpy as np
import pyproj
import pytest
import rioxarray  # noqa: F401 - ds.rio
import xarray as xr

from tests.paths import granule, needs_granules
from tests.tiny import write_tiny
from xr_icesat2 import products
from xr_icesat2.products.reference_frame import ITRF2014, ITRF2020
from xr_icesat2.products.variable_table import known_tables, load_table
from xr_icesat2.testing import write_granule

PASS = {"n_segments": {"gt1l": 12, "gt2r": 7}, "seed": 3}
LAYOUTS = ("spot", "flat")
EPSG = {"006": 7912, "007": 9989}
WRITTEN = {"006": ("ATL03", "ATL06", "ATL08", "ATL13"), "007": ("ATL03", "ATL06")}
TWO_D = {"006": 9000, "007": 9990}
REAL = {
    "ATL03_gt1l.h5": 7912,
    "processed_ATL07-01_20190225115500_09020201_003_02.h5": 7912,
    "processed_ATL10-01_20200228162543_09770601_006_01.nc": 7912,
    "ATL11_078805_0304_02_v002.h5": 7912,
    # Made before the first release; its number says nothing of the frame.
    "ATL06_20181013235645_02340114_209_01.h5": None,
    # The name lacks the release of ATL03.
    "variable_subset_ATL24_data.h5": None,
    "test_atl08.h5": None,
}


def opened(path, layout: str = "spot", **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", layout=layout, **keywords)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    folder = tmp_path_factory.mktemp("frames")
    return {
        release: {
            product: write_granule(
                folder, product, release=release, cycle_number=int(release), **PASS
            )
            for product in WRITTEN[release]
        }
        for release in EPSG
    }


@pytest.mark.parametrize("frame", [ITRF2014, ITRF2020], ids=str)
def test_frames_are_those_of_the_register(frame):
    registered = pyproj.CRS.from_epsg(frame.epsg)
    stored = pyproj.CRS.from_wkt(frame.wkt)
    assert stored == registered
    assert stored.to_epsg() == frame.epsg
    assert (stored.name, stored.datum.name) == (frame.name, frame.datum)
    assert [axis.direction for axis in stored.axis_info] == ["north", "east", "up"]
    expected = registered.to_cf()
    del expected["crs_wkt"]  # its wording depends on the version of PROJ
    assert frame.grid_mapping == {**expected, "crs_wkt": frame.wkt}
    assert pyproj.CRS.from_cf(frame.grid_mapping) == registered
    wgs84 = pyproj.CRS.from_epsg(4979).ellipsoid
    for axis in ("semi_major_metre", "semi_minor_metre"):
        assert abs(getattr(stored.ellipsoid, axis) - getattr(wgs84, axis)) < 0.0002


HEIGHT = {"ATL03": "h_ph", "ATL06": "h_li", "ATL08": "dem_h", "ATL13": "ht_ortho"}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("release", EPSG)
def test_rioxarray_finds_the_crs_of_every_product(written, release, layout):
    for product, path in written[release].items():
        ds = opened(path, layout, variables=[HEIGHT[product]])
        assert ds["spatial_ref"].item() == EPSG[release]
        assert ds.rio.crs.to_epsg() == EPSG[release], product
        assert ds.cf.grid_mapping_names == {"latitude_longitude": ["spatial_ref"]}
        assert ds[HEIGHT[product]].rio.crs.to_epsg() == EPSG[release]
    crs = pyproj.CRS.from_wkt(ds["spatial_ref"].attrs["crs_wkt"])
    assert crs.to_2d().to_epsg() == TWO_D[release]


def test_rioxarray_replaces_the_crs(written):
    ds = opened(written["006"]["ATL06"], variables=["h_li"])
    assert ds.rio.write_crs(3413).rio.crs.to_epsg() == 3413


def test_every_rate_of_a_tree_has_the_frame(written):
    tree = xr.open_datatree(written["007"]["ATL03"], engine="icesat2")
    for name in ("heights", "geolocation", "geophys_corr", "bckgrd_atlas"):
        node = tree[name].to_dataset()
        assert node.rio.crs.to_epsg() == 9989
        assert "crs_wkt" in node["spatial_ref"].attrs
    # Rows without a position have no grid mapping.
    assert "grid_mapping" in tree["geophys_corr/dem_h"].attrs
    assert "grid_mapping" not in tree["bckgrd_atlas/bckgrd_rate"].attrs


@needs_granules
@pytest.mark.parametrize("name", REAL)
def test_frames_of_real_granules(name):
    keywords = {"beams": ["gt1l"]} if REAL[name] is None and "ATL06" not in name else {}
    ds = opened(granule(name), **keywords)
    crs = ds.rio.crs
    assert (crs and crs.to_epsg()) == REAL[name]
    mapped = [name for name in ds.data_vars if "grid_mapping" in ds[name].attrs]
    if REAL[name] is None:
        assert "unknown" in ds["spatial_ref"].attrs["comment"]
        assert not mapped
    else:
        assert mapped


def test_granules_of_mixed_releases_have_no_single_frame(written):
    both = [written[release]["ATL06"] for release in EPSG]
    for layout in LAYOUTS:
        ds = opened(both, layout, allow_mixed_releases=True)
        assert ds.rio.crs is None
        comment = ds["spatial_ref"].attrs["comment"]
        assert "006 is in ITRF2014 (EPSG:7912); release 007 is in ITRF2020 (EPSG:9989)" in comment
        assert not [name for name in ds.data_vars if "grid_mapping" in ds[name].attrs]
    first, second = (opened(path) for path in both)
    with pytest.raises(xr.MergeError, match="spatial_ref"):
        xr.merge([first[["h_li"]], second[["h_li"]]], compat="no_conflicts", join="outer")


@pytest.mark.parametrize(("source", "epsg"), [("006", 7912), ("007", 9989), ("099", 9989)])
def test_frame_of_atl24_is_that_of_its_atl03(tmp_path, source, epsg):
    rows = {
        f"gt1l/{name}": np.arange(3.0) for name in ("delta_time", "lat_ph", "lon_ph", "ortho_h")
    }
    path = write_tiny(tmp_path / f"ATL24_20190704150943_01000403_{source}_01_001_01.h5", rows)
    ds = opened(path, beams=["gt1l"])
    assert ds.rio.crs.to_epsg() == epsg
    assert ds["ortho_h"].attrs["standard_name"] == "altitude"


def test_frames_of_other_releases_are_unknown():
    assert products["ATL06"].frame("099") is ITRF2020
    assert products["ATL06"].frame("100") is None
    assert products["ATL06"].frame(None) is None
    assert products["ATL22"].frame("003") is ITRF2014
    assert products["ATL22"].frame("004") is None


@pytest.mark.parametrize(
    ("layout", "how"),
    [("spot", "netcdf4"), ("spot", "zarr"), ("flat", "h5netcdf"), ("flat", "zarr")],
)
def test_frame_survives_writing(written, tmp_path, layout, how):
    ds = opened(written["007"]["ATL06"], layout, variables=["h_li", "dem_h"])
    place = tmp_path / "written"
    if how == "zarr":
        ds.to_zarr(place, zarr_format=2)
        how_to_open = {"engine": "zarr"}
    else:
        ds.to_netcdf(place, engine=how)
        how_to_open = {"engine": how}
    with xr.open_dataset(place, **how_to_open) as plain:
        assert plain.rio.crs.to_epsg() == 9989
        assert plain["h_li"].attrs == ds["h_li"].attrs
        assert plain["spatial_ref"].attrs == ds["spatial_ref"].attrs
        assert "spatial_ref" in plain.coords
    with xr.open_dataset(place, decode_coords="all", **how_to_open) as decoded:
        assert decoded["h_li"].rio.crs.to_epsg() == 9989
        assert "h_li" in decoded.set_coords("h_li").cf.axes["Z"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("product", "vertical", "others"),
    [
        ("ATL03", "h_ph", []),
        ("ATL06", "h_li", ["dem_h", "h_mean"]),
        ("ATL08", "h_te_best_fit", ["h_canopy_abs", "h_te_mean"]),
        ("ATL13", "ht_water_surf", ["ht_ortho"]),
    ],
)
def test_cf_xarray_finds_axes_and_heights(written, product, vertical, others, layout):
    ds = opened(written["006"][product], layout)
    rate = next(r for r in products[product].rates if r.group == products[product].main[0])
    for key, name in (("latitude", rate.latitude), ("Y", rate.latitude), ("X", rate.longitude)):
        assert ds.cf[key].name == name
    assert ds.cf["T"].name == ds.cf["time"].name == rate.time
    # cf_xarray looks for vertical coordinates among the coordinates only.
    assert ds.set_coords(vertical).cf["vertical"].name == vertical
    heights = ds.set_coords([vertical, *others])
    assert heights.cf["Z"].name == vertical
    assert set(heights.cf.coordinates["vertical"]) == {vertical, *others}
    names = ds.cf.standard_names
    if product != "ATL03":  # whose file says standard_name="height"
        assert vertical in names["height_above_reference_ellipsoid"]
    if product == "ATL13":
        assert names["altitude"] == ["ht_ortho"]
        assert ds["ht_ortho"].attrs["vertical_datum"] == "EGM2008 geoid"
        assert ds["ht_ortho"].attrs["geoid_name"] == "EGM2008"


def test_attributes_of_the_file_come_first(written):
    ds = opened(written["006"]["ATL03"])
    assert ds["h_ph"].attrs["standard_name"] == "height"
    assert ds["h_ph"].attrs["positive"] == "up"
    assert ds["h_ph"].attrs["vertical_datum"] == "WGS 84 ellipsoid"
    land = opened(written["006"]["ATL08"])
    assert land["latitude"].attrs["units"] == "degrees"
    assert land["h_canopy"].attrs["vertical_datum"] == "terrain"
    assert "positive" not in land["h_canopy"].attrs


@needs_granules
def test_datasets_without_attributes_are_found():
    ds = opened(granule("clip_ATL03_VegR.h5"), beams=["gt1r"])
    assert ds.cf["latitude"].name == "lat_ph"
    assert ds.cf["X"].name == "lon_ph"
    assert ds["lon_ph"].attrs["units"] == "degrees_east"


def test_unmerged_groups_are_unmodified(written):
    path = written["006"]["ATL06"]
    ds = opened(path, group="gt1l/land_ice_segments")
    assert "spatial_ref" not in ds.variables
    tree = xr.open_datatree(path, engine="icesat2", layout="file")
    for found in (ds["h_li"], tree["gt1l/land_ice_segments/h_li"]):
        assert not {"grid_mapping", "vertical_datum", "positive", "axis"} & found.attrs.keys()


def test_undecoded_coordinates_have_no_grid_mapping(written):
    ds = opened(written["006"]["ATL06"], decode_coords=False)
    assert "grid_mapping" not in ds["h_li"].attrs
    assert ds["latitude"].attrs["axis"] == "Y"


def test_specified_heights_exist():
    for product in known_tables():
        paths = {
            variable.path.removeprefix("{beam}/") for variable in load_table(product).variables
        }
        for rate in products[product].rates:
            for name in rate.heights:
                places = {f"{group}/{name}".lstrip("/") for group in rate.groups}
                assert places & paths, (product, rate.name, name)
