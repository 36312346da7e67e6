"""Tables of rows in pandas: each equals an independent table made with h5py."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.expected_rates import RATES, Rate
from tests.laziness import is_loaded
from tests.oracle_rates import all_parts, flat_layout, second_labels
from tests.paths import ALL_GRANULES, needs_granules
from xr_icesat2 import links
from xr_icesat2.errors import NotSupportedError, RateError, SelectionError
from xr_icesat2.testing import write_granule

IDENTITY = {"gran_idx", "rgt", "cycle_number", "spot", "gt", "source_row"}
# One granule of each product, and of each unusual structure; tests/test_rate_values.py opens all.
CHOSEN = (
    "ATL03_gt1l", "clip_ATL03", "processed_ATL06_20190613", "processed_ATL06_20191106",
    "processed_ATL07-01_20190225", "processed_ATL08", "processed_ATL10", "ATL11",
)  # fmt: skip
REAL = [
    pytest.param(path, rate, id=f"{path.name.removeprefix('processed_')[:26]}-{rate.group}")
    for path in ALL_GRANULES
    if path.name.startswith(CHOSEN)
    for product, rates in RATES.items()
    if product in path.name
    # All rates of two small granules, and the main one of each of the others.
    for rate in (rates if path.name.startswith(("ATL03_gt1l", "processed_ATL08")) else rates[:1])
]


FEW = {"variables": ["h_li", "segment_id", "atl06_quality_summary", "n_fit_photons"]}
"""For what does not depend on the variables: opening all 60 takes longer."""


@pytest.fixture(scope="module")
def atl06(tmp_path_factory) -> list[Path]:
    """Two cycles; the second is backward and lacks beams, a variable of one, and rows."""
    folder = tmp_path_factory.mktemp("atl06")
    beams = {"gt1l": 30, "gt2l": 50, "gt2r": 0}
    paths = [
        write_granule(folder, n_segments=40, cycle_number=5),
        write_granule(folder, n_segments=beams, beams=list(beams), cycle_number=6, sc_orient=0),
    ]
    with h5py.File(paths[1], "r+") as file:
        del file["gt1l/land_ice_segments/fit_statistics/n_fit_photons"]
        file["gt2l/land_ice_segments/h_li"][3:7] = np.finfo("f4").max
        file["gt2l/land_ice_segments/fit_statistics/n_fit_photons"][5] = 2**31 - 1
    return paths


@pytest.fixture(scope="module")
def atl03(tmp_path_factory) -> Path:
    return write_granule(tmp_path_factory.mktemp("atl03"), "ATL03", n_segments=6)


def opened(paths, **keywords) -> xr.Dataset:
    return xr.open_dataset(paths, engine="icesat2", **keywords)


def columns_of(name: str, values: np.ndarray, dims, labels) -> dict[str, np.ndarray]:
    """The columns of a variable of the oracle, by name."""
    if values.ndim == 1:
        return {name: values}
    own = labels.get(dims[1], range(values.shape[1]))
    return {f"{name}_{label}": values[:, n] for n, label in enumerate(own)}


def check_frame(frame: pd.DataFrame, paths: list[Path], rate: Rate, only=None) -> int:
    """Compare all columns with h5py, or those of some variables; return how many there are."""
    found = all_parts(paths, rate)
    labels = second_labels(found, rate)
    compared = 0
    for name, (dims, values) in flat_layout(paths, rate).items():
        if dims[0] != rate.dim or (only and name not in {*only, *rate.coordinates}):
            assert name not in frame
            continue
        stored = next(p.variables[name].dtype for p in found if name in p.variables)
        for column, expected in columns_of(name, values, dims, labels).items():
            table = frame[column]
            if expected.dtype.kind == "M":
                np.testing.assert_array_equal(table.to_numpy(), expected)
            else:
                numbers = table.to_numpy(np.float64, na_value=np.nan)
                np.testing.assert_array_equal(numbers, expected.astype(np.float64))
                dtype = getattr(table.dtype, "numpy_dtype", table.dtype)
                assert dtype == stored.newbyteorder("="), column
            compared += 1
    rows = np.concatenate([np.arange(p.n_obs) for p in found]) if found else []
    np.testing.assert_array_equal(frame["source_row"], rows)
    if "spot" in frame:
        spots = np.repeat([p.spot for p in found], [p.n_obs for p in found])
        np.testing.assert_array_equal(frame["spot"].astype(int), spots)
    return compared


@needs_granules
@pytest.mark.parametrize(("path", "rate"), REAL)
def test_table_of_real_granule_equals_h5py(path, rate):
    if not all_parts([path], rate):
        pytest.skip("the granule lacks this rate")
    with opened(path, group=rate.group) as ds:
        frame = ds.icesat2.to_dataframe()
    assert check_frame(frame, [path], rate) > 0
    with opened(path, group=rate.group, layout="flat") as ds:
        pd.testing.assert_frame_equal(ds.icesat2.to_dataframe(), frame)


@pytest.mark.parametrize("layout", ["spot", "flat"])
@pytest.mark.parametrize("how", ["lazy", "loaded", "dask", "raw"])
def test_table_of_list_equals_h5py(atl06, layout, how):
    keywords = {} if how == "lazy" else dict(FEW)
    if how == "dask":
        keywords["chunks"] = {}
    ds = opened(atl06, layout=layout, mask_and_scale=how != "raw", **keywords)
    if how == "loaded":
        ds.load()
    frame = ds.icesat2.to_dataframe()
    only = keywords.get("variables")
    assert check_frame(frame, atl06, RATES["ATL06"][0], only) == (7 if only else 63)
    assert set(frame["cycle_number"].cat.categories) == {5, 6}
    assert len(frame) == 6 * 40 + 30 + 50
    assert is_loaded(ds["h_li"]) == (how == "loaded")
    ds.close()


def test_raw_table_is_the_decoded_one(atl06):
    frames = [
        opened(atl06, mask_and_scale=masked, **FEW).icesat2.to_dataframe()
        for masked in (True, False)
    ]
    pd.testing.assert_frame_equal(*frames)


def test_fill_values_are_missing(atl06):
    frame = opened(atl06, **FEW).icesat2.to_dataframe(["h_li", "n_fit_photons"])
    second = frame[frame["cycle_number"] == 6]
    left = second[second["gt"] == "gt2l"]
    with h5py.File(atl06[1]) as file:
        group = file["gt2l/land_ice_segments"]
        lost = group["h_li"][...] == np.finfo("f4").max
        uncounted = group["fit_statistics/n_fit_photons"][...] == 2**31 - 1
    assert lost[3:7].all()
    assert uncounted[5]
    np.testing.assert_array_equal(left["h_li"].isna(), lost)
    np.testing.assert_array_equal(left["n_fit_photons"].isna(), uncounted)
    assert second.loc[second["gt"] == "gt1l", "n_fit_photons"].isna().all()
    assert frame["n_fit_photons"].dtype == "Int32"


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_selected_rows(atl06, layout):
    ds = opened(atl06, layout=layout, **FEW)
    whole = ds.icesat2.to_dataframe()
    along = slice(5, None, 3)
    if layout == "flat":
        part, expected = ds.isel(segment_idx=along), whole.iloc[along]
    else:
        part = ds.isel(segment_idx=along).sel(spot=[5, 1])
        rows = whole["source_row"].isin(range(5, 50, 3)) & whole["spot"].isin([1, 5])
        order = whole[rows].sort_values(
            ["gran_idx", "spot"], key=lambda c: c.map({5: -1}).fillna(0) if c.name == "spot" else c,
            kind="stable",
        )  # fmt: skip
        expected = order
    frame = part.icesat2.to_dataframe()
    assert len(frame) == len(expected) > 0
    for name in ("h_li", "delta_time", "source_row", "segment_id"):
        np.testing.assert_array_equal(frame[name], expected[name])
    np.testing.assert_array_equal(frame["spot"].astype(int), expected["spot"].astype(int))


def test_one_beam_and_reordered_rows(atl06):
    ds = opened(atl06, **FEW)
    beam = ds.isel(gran_idx=1).sel(spot=3)  # gt2l, backward
    frame = beam.icesat2.to_dataframe(["h_li"])
    with h5py.File(atl06[1]) as file:
        heights = file["gt2l/land_ice_segments/h_li"][...]
    expected = np.where(heights == np.finfo("f4").max, np.nan, heights)
    np.testing.assert_array_equal(frame["h_li"], expected)
    assert (frame["spot"] == 3).all()
    assert (frame["gt"] == "gt2l").all()
    backward = beam.isel(segment_idx=slice(None, None, -1)).icesat2.to_dataframe(["h_li"])
    np.testing.assert_array_equal(backward["h_li"], expected[::-1])
    np.testing.assert_array_equal(backward["source_row"], np.arange(len(expected))[::-1])


def test_through_open_mfdataset(atl06):
    with xr.open_mfdataset(
        atl06, engine="icesat2", join="outer", combine="nested", concat_dim="gran_idx",
        data_vars="all", coords="different", compat="no_conflicts",
    ) as ds:  # fmt: skip
        assert check_frame(ds.icesat2.to_dataframe(), atl06, RATES["ATL06"][0]) > 50


def test_second_dimensions_are_columns_or_lists(atl03):
    ds = opened(atl03, layout="flat")
    with h5py.File(atl03) as file:
        spots = [f"{gt}/heights/signal_conf_ph" for gt in ds["gt"].to_series().unique()]
        stored = np.concatenate([file[name][...] for name in spots])
    wide = ds.icesat2.to_dataframe("signal_conf_ph")
    names = ["land", "ocean", "seaice", "landice", "inland_water"]
    for position, name in enumerate(names):
        np.testing.assert_array_equal(wide[f"signal_conf_ph_{name}"], stored[:, position])
        assert wide[f"signal_conf_ph_{name}"].dtype == stored.dtype
    lists = ds.icesat2.to_dataframe("signal_conf_ph", second_dims="lists")
    np.testing.assert_array_equal(np.stack(lists["signal_conf_ph"]), stored)
    one = ds.sel(surface_type="land").icesat2.to_dataframe(["signal_conf_ph"])
    np.testing.assert_array_equal(one["signal_conf_ph"], stored[:, 0])


def test_identity_is_compact(atl03):
    frame = opened(atl03, layout="flat").icesat2.to_dataframe(["h_ph"])
    assert [n for n in frame if n in IDENTITY] == list(frame)[-6:]
    for name in IDENTITY - {"source_row"}:
        assert frame[name].dtype == "category", name
        assert frame[name].memory_usage(index=False, deep=True) < 1.1 * len(frame) + 2000
    assert frame["spot"].cat.ordered
    assert frame["spot"].max() == 6
    assert (frame["spot"] < 3).sum() == frame["spot"].isin([1, 2]).sum()


def test_columns_of_granules_and_attached_columns(atl03):
    heights = opened(atl03, layout="spot")
    segments = opened(atl03, group="geolocation")
    joined = links.attach(heights, segments, ["segment_id", "solar_elevation"])
    frame = joined.icesat2.to_dataframe(["h_ph", "segment_id", "solar_elevation", "release"])
    assert frame["segment_id"].dtype == np.int32
    assert set(frame["release"]) == {"006"}
    with h5py.File(atl03) as file:
        for gt in ("gt1l", "gt3r"):
            counts = file[f"{gt}/geolocation/segment_ph_cnt"][...]
            ids = np.repeat(file[f"{gt}/geolocation/segment_id"][...], counts)
            np.testing.assert_array_equal(frame.loc[frame["gt"] == gt, "segment_id"], ids)


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_rows_of_a_region(atl06, layout):
    whole = opened(atl06, **FEW).icesat2.to_dataframe(["h_li", "n_fit_photons"])
    south, north = whole["latitude"].quantile([0.3, 0.6])
    inside = whole[whole["latitude"].between(south, north)]
    ds = opened(atl06, layout=layout, region=(-180, south, 180, north), **FEW)
    frame = ds.icesat2.to_dataframe(["h_li", "n_fit_photons"])
    assert 0 < len(frame) < len(whole)
    for name in frame:
        assert frame[name].astype(str).tolist() == inside[name].astype(str).tolist(), name
    nowhere = opened(atl06, layout=layout, region=(0, 0, 1, 1), **FEW).icesat2.to_dataframe()
    assert nowhere.empty


def test_columns_attached_by_name(tmp_path):
    beams = {"cycle_number": 2, "n_segments": {"gt1l": 9, "gt1r": 14}}
    path = write_granule(tmp_path, "ATL03", **beams)
    write_granule(tmp_path, "ATL08", **beams)
    names = ["segment_id", "solar_elevation", "atl08_class", "h_above_ground", "surf_type"]
    frames = [
        opened(path, layout=layout, attach=names).icesat2.to_dataframe(["h_ph", *names])
        for layout in ("spot", "flat")
    ]
    pd.testing.assert_frame_equal(*frames)
    assert frames[0]["segment_id"].dtype == np.int32
    assert frames[0]["atl08_class"].dtype == np.int8
    with h5py.File(path) as file:
        for gt in ("gt1l", "gt1r"):
            counts = file[f"{gt}/geolocation/segment_ph_cnt"][...]
            ids = np.repeat(file[f"{gt}/geolocation/segment_id"][...], counts)
            found = frames[0].loc[frames[0]["gt"] == gt, "segment_id"]
            np.testing.assert_array_equal(found, ids)


def test_computed_variables_keep_their_type(atl06):
    ds = opened(atl06, **FEW)
    ds["half"] = ds["segment_id"] / 2
    ds["segment_id"] = ds["segment_id"] + 0.5
    frame = ds.icesat2.to_dataframe(["half", "segment_id"])
    whole = opened(atl06, **FEW).icesat2.to_dataframe("segment_id")["segment_id"]
    assert frame["segment_id"].dtype == np.float64
    np.testing.assert_array_equal(frame["segment_id"], whole + 0.5)
    np.testing.assert_array_equal(frame["half"], whole / 2)


def test_values_written_into_a_variable_are_not_rounded(atl06):
    ds = opened(atl06, **FEW).load()
    ds["segment_id"][0, 0, 0] = 0.5
    with pytest.raises(SelectionError, match="segment_id has other values than int32"):
        ds.icesat2.to_dataframe("segment_id")


def test_node_of_tree(atl06):
    tree = xr.open_datatree(atl06[0], engine="icesat2")
    node = tree["land_ice_segments"]
    frame = node.icesat2.to_dataframe()
    whole = opened(atl06[0]).icesat2.to_dataframe()
    pd.testing.assert_frame_equal(frame, whole[list(frame)])
    with pytest.raises(RateError, match="rows of one rate"):
        tree.icesat2.to_dataframe()


def test_variable_of_a_node_below_is_located(tmp_path):
    tree = xr.open_datatree(write_granule(tmp_path, "ATL08", n_segments=8), engine="icesat2")
    for name in ("h_canopy", "canopy/h_canopy"):
        with pytest.raises(SelectionError, match=r"'h_canopy' to tree\['land_segments/canopy'\]"):
            tree["land_segments"].icesat2.to_dataframe([name])
    assert "h_canopy" in tree["land_segments/canopy"].icesat2.to_dataframe(["h_canopy"])


def test_granule_without_rows(tmp_path):
    path = write_granule(tmp_path, n_segments=0)
    for layout in ("spot", "flat"):
        frame = opened(path, layout=layout, **FEW).icesat2.to_dataframe(["h_li", "segment_id"])
        assert frame.empty
        assert frame["segment_id"].dtype == np.int32


def test_unknown_spots_are_missing(tmp_path):
    path = write_granule(tmp_path, n_segments=4, sc_orient=2)
    known = write_granule(tmp_path, n_segments=4, cycle_number=9)
    frame = opened([path, known], layout="flat", **FEW).icesat2.to_dataframe("h_li")
    unknown = frame["cycle_number"] != 9
    assert frame.loc[unknown, "spot"].isna().all()
    assert frame.loc[~unknown, "spot"].astype(int).isin(range(1, 7)).all()
    assert frame["spot"].cat.categories.dtype.kind == "i"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": ["h_lli"]}, r"'h_lli'.*Did you mean 'h_li'"),
        ({"columns": [3]}, r"3 is not a name"),
        ({"columns": ["bckgrd_idx"]}, r"no variable 'bckgrd_idx'"),
        ({"second_dims": "rows"}, r"second_dims='rows'.*'columns' or 'lists'"),
    ],
)
def test_impossible_arguments(atl06, arguments, message):
    with pytest.raises(SelectionError, match=message):
        opened(atl06, **FEW).icesat2.to_dataframe(**arguments)


def test_two_columns_of_one_name_are_refused(atl03):
    ds = opened(atl03, layout="flat")
    ds["signal_conf_ph_land"] = ds["quality_ph"]
    with pytest.raises(SelectionError, match=r"two columns would be named 'signal_conf_ph_land'"):
        ds.icesat2.to_dataframe()


def test_rows_that_may_be_padding_are_refused(atl06):
    with pytest.raises(RateError, match=r"source_row and n_obs"):
        opened(atl06, **FEW).drop_vars("n_obs").icesat2.to_dataframe()


def test_objects_are_refused(atl06):
    ds = opened(atl06[0]).load()
    ds["odd"] = ds["h_li"].astype(object)
    with pytest.raises(NotSupportedError, match="odd has objects"):
        ds.icesat2.to_dataframe("odd")
    ds["odd"] = ds["h_li"].astype(complex)
    with pytest.raises(NotSupportedError, match="odd is of type complex128"):
        ds.icesat2.to_dataframe("odd")


def test_whole_numbers_beyond_exact_floats_are_refused(tmp_path):
    path = write_granule(tmp_path, n_segments=4)
    with h5py.File(path, "r+") as file:
        for gt in file:
            if gt.startswith("gt"):
                file[f"{gt}/land_ice_segments"]["large"] = np.full(4, 2**53 + 1)
                scale = file[f"{gt}/land_ice_segments/delta_time"]
                file[f"{gt}/land_ice_segments/large"].dims[0].attach_scale(scale)
    with pytest.raises(SelectionError, match=r"beyond 2\*\*53.*layout='flat'"):
        opened(path).icesat2.to_dataframe("large")
    frame = opened(path, layout="flat").icesat2.to_dataframe("large")
    assert (frame["large"] == 2**53 + 1).all()
