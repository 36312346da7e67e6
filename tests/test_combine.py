"""xarray's combine functions lose no granule and no row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from xarray.indexes import PandasIndex

from tests.combine_arguments import DOCUMENTED, WAYS
from tests.expected_rates import ATL06
from tests.paths import GRANULES, needs_granules
from tests.tiny import write_tiny
from tests.written_granules import written_granule, written_granules
from xr_icesat2.granule.gran_idx import CYCLES, REGIONS, RGTS, granule_number
from xr_icesat2.reading.lazy_coordinate_index import LazyIndex
from xr_icesat2.testing import write_granule

ROWS = {"spot": "gran_idx", "flat": "segment_idx"}
FEW = ("h_li*", "segment_id", "atl06_quality_summary")
"""Names, and a pattern that matches something in subsets too."""

each_layout = pytest.mark.parametrize("layout", ROWS)
# They are what xarray takes for arguments that are left out; most tests leave none out.
under_both_defaults = pytest.mark.usefixtures("defaults")
each_order = pytest.mark.parametrize("way", ["by coordinates", "nested"])


@pytest.fixture(params=[False, True], ids=["present defaults", "new defaults"])
def defaults(request) -> Iterator[None]:
    with xr.set_options(use_new_combine_kwarg_defaults=request.param):
        yield


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    """Granules of differing length in ascending gran_idx; beams miss in one, are empty in one."""
    return sorted(written_granules(tmp_path_factory).values(), key=gran_idx)


def gran_idx(path: Path) -> int:
    return int(xr.open_dataset(path, engine="icesat2")["gran_idx"].item())


def listed(paths: list[Path], **options: Any) -> xr.Dataset:
    return xr.open_dataset(paths, engine="icesat2", **options)  # type: ignore[arg-type]


@each_order
@pytest.mark.parametrize("rate", ATL06, ids=lambda rate: rate.group)
def test_beams_combine_along_new_dimension(written, way, rate):
    how = dict(WAYS[way]("gran_idx"))
    if rate.per_beam and way != "nested":
        # Granules differ in length, so that xarray combines along the rows too, and would repeat
        # on every row what has no rows.
        how["data_vars"] = "minimal"
    options = {"group": rate.group}
    if rate.group == "land_ice_segments":  # of sixty variables some will do
        options["variables"] = ("[bd]*", "h_li*")
    combined = xr.open_mfdataset(written, engine="icesat2", **options, **how)
    expected = listed(written, **options)
    for name, variable in combined.variables.items():
        assert variable.dtype == expected[name].dtype, name
    xr.testing.assert_equal(combined.compute(), expected.compute())


@pytest.mark.parametrize("way", WAYS)
@under_both_defaults
def test_pad_to_makes_lengths_equal(written, way):
    kw = {"engine": "icesat2", "pad_to": 250, "variables": FEW}
    combined = xr.open_mfdataset(written, **kw, **WAYS[way]("gran_idx"))
    assert combined.sizes["segment_idx"] == 250
    assert combined.chunks["gran_idx"] == (1,) * len(written)
    xr.testing.assert_equal(combined.compute(), xr.open_dataset(written, **kw))


@pytest.mark.parametrize(
    ("way", "backwards"),
    [("by coordinates", False), ("by coordinates", True), ("nested", True), ("parallel", False)],
)
def test_flat_rows_concatenate(written, way, backwards):
    paths = written[::-1] if backwards else written
    options = {"layout": "flat", "variables": FEW}
    how = WAYS[way]("segment_idx")
    combined = xr.open_mfdataset(paths, engine="icesat2", **options, **how)
    # Only on request are granules in the order that was given.
    expected = listed(paths if way == "nested" else written, **options)
    for name, variable in combined.variables.items():
        assert variable.dtype == expected[name].dtype, name
    assert combined.chunks == {"segment_idx": tuple(rows_of(paths, way))}
    xr.testing.assert_equal(combined.compute(), expected.compute())


def rows_of(paths: list[Path], way: str) -> list[int]:
    in_order = paths if way == "nested" else sorted(paths, key=gran_idx)
    return [listed([path], layout="flat").sizes["segment_idx"] for path in in_order]


@under_both_defaults
def test_default_arguments_lose_no_rows(written):
    combined = xr.open_mfdataset(written, engine="icesat2", layout="flat", variables=FEW)
    expected = listed(written, layout="flat", variables=FEW)
    xr.testing.assert_equal(combined.compute(), expected.compute())


@pytest.fixture(scope="module")
def with_a_subset(written, tmp_path_factory) -> list[Path]:
    """The second of three granules lacks a variable."""
    subset = tmp_path_factory.mktemp("subset") / written[1].name
    subset.write_bytes(written[1].read_bytes())
    with h5py.File(subset, "a") as file:
        for beam in (name for name in file if name.startswith("gt")):
            if "land_ice_segments" in file[beam]:
                del file[f"{beam}/land_ice_segments/h_li"]
    return [written[0], subset, written[2]]


@each_layout
@each_order
def test_subset_combines_with_full_granules(with_a_subset, layout, way):
    options = {"layout": layout, "variables": FEW}
    how = WAYS[way](ROWS[layout])
    combined = xr.open_mfdataset(with_a_subset, engine="icesat2", **options, **how)
    assert_same_values(combined, listed(with_a_subset, **options))


def assert_same_values(combined: xr.Dataset, expected: xr.Dataset) -> None:
    """Compare all variables; where xarray padded, types may be wider."""
    assert combined.sizes == expected.sizes
    assert set(combined.variables) == set(expected.variables)
    for name, in_file in expected.variables.items():
        got = combined[name].transpose(*in_file.dims).to_numpy()
        values = in_file.to_numpy()
        if values.dtype.kind in "iu":
            real = ~np.isnan(got.astype(float))
            assert np.count_nonzero(real) >= np.count_nonzero(values != np.iinfo(in_file.dtype).max)
            got, values = got[real].astype(in_file.dtype), values[real]
        np.testing.assert_array_equal(got.astype(in_file.dtype), values, err_msg=str(name))


@needs_granules
@each_layout
def test_real_granules_combine(layout):
    """Subsets of three releases, one of few variables, in descending order."""
    starts = ("processed_ATL06_20190613", "processed_ATL06_20190222", "processed_ATL06_20191106")
    paths = sorted((next(GRANULES.glob(f"{s}*")) for s in starts), key=gran_idx, reverse=True)
    options = {"layout": layout, "variables": (*FEW, "[ds]*")}
    combined = xr.open_mfdataset(paths, engine="icesat2", **options, **DOCUMENTED)
    expected = listed(paths[::-1], allow_mixed_releases=True, **options)
    assert int(expected.h_li.count()) > 10_000
    assert_same_values(combined, expected)


@pytest.fixture(scope="module")
def of_two_products(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("two")
    return [write_granule(folder, product, n_segments=9) for product in ("ATL06", "ATL08")]


@each_layout
def test_two_products_do_not_combine(layout, of_two_products):
    paths = of_two_products
    options = {"engine": "icesat2", "layout": layout, "variables": ("h_*", "latitude")}
    with pytest.raises(xr.MergeError, match="conflicting values for variable 'product'"):
        xr.open_mfdataset(paths, **options, **DOCUMENTED)
    nested = {"combine": "nested", "concat_dim": ROWS[layout]}
    both = xr.open_mfdataset(paths, **options, **nested, **DOCUMENTED)
    # Nothing refuses that, but it shows.
    assert both["product"].dims == (ROWS[layout],)
    assert set(both["product"].values.tolist()) == {"ATL06", "ATL08"}


@each_layout
def test_product_coordinate_is_kept_for_one_and_many(written, layout):
    for paths in (written[0], written[:1], written[:2]):
        ds = xr.open_dataset(paths, engine="icesat2", layout=layout)
        tree = xr.open_datatree(paths, engine="icesat2", layout=layout)
        for holder in (ds, tree, tree["land_ice_segments"], tree["residual_histogram"]):
            assert holder["product"].dims == ()
            assert holder["product"].item() == "ATL06"
    halves = [ds.isel({ROWS[layout]: part}) for part in (slice(1), slice(1, None))]
    xr.testing.assert_equal(xr.concat(halves, ROWS[layout], **DOCUMENTED), ds)
    pieces = [ds[["h_li"]], ds[["segment_id"]]]
    xr.testing.assert_equal(xr.merge(pieces, compat="no_conflicts"), ds[["h_li", "segment_id"]])


def test_two_files_of_one_granule_are_refused(written, tmp_path):
    """xarray would silently keep one of the files of which the first labels are equal."""
    subset = written_granule("all beams", tmp_path, n_segments=50)
    for paths in ([written[0], subset, written[1]], [written[1], subset, written[0]]):
        with pytest.raises(ValueError, match="monotonic global indexes"):
            xr.open_mfdataset(paths, engine="icesat2", layout="flat", **DOCUMENTED)
    with pytest.raises(ValueError, match="any dimension coordinates"):
        xr.open_mfdataset([written[0]] * 2, engine="icesat2", layout="flat", **DOCUMENTED)


@pytest.mark.parametrize(
    "product", ["ATL03", "ATL04", "ATL06", "ATL07", "ATL08", "ATL09", "ATL10", "ATL11", "ATL12",
                "ATL13", "ATL22", "ATL24"],
)  # fmt: skip
def test_highest_row_labels_fit_int64(product):
    numbers = {"rgt": max(RGTS), "cycle_number": max(CYCLES), "granule_region": max(REGIONS)}
    last = granule_number(product, {**numbers, "hemisphere": 2})
    assert last is not None
    assert (last + 1) << 32 <= np.iinfo(np.int64).max


def test_row_labels_identify_the_granule_without_reads(written):
    one = xr.open_dataset(written[0], engine="icesat2", layout="flat")
    many = listed(written, layout="flat")
    for ds in (one, many):
        along = ds["segment_idx"]
        assert along.attrs["rate"] == "land_ice_segments"
        assert along.attrs["product"] == "ATL06"
    assert one.xindexes["segment_idx"].to_pandas_index().memory_usage() < 200
    assert isinstance(many.xindexes["segment_idx"], PandasIndex)
    labels = many["segment_idx"].to_numpy()
    np.testing.assert_array_equal(labels >> 32, many["gran_idx"])
    assert len(np.unique(labels)) == len(labels)
    np.testing.assert_array_equal(labels[: one.sizes["segment_idx"]], one["segment_idx"])
    assert many.sel(segment_idx=labels[-1]).source_row == many.source_row[-1]


def test_labels_of_many_rows_are_not_computed_until_they_are_used(tmp_path):
    rows = 9_000_000
    paths = [tmp_path / f"ATL06_20200101000000_{n:04d}0101_006_01.h5" for n in (1, 2)]
    names = ("delta_time", "latitude", "longitude", "h_li", "h_li_sigma")
    for path in paths:
        write_tiny(path, {"orbit_info/x": [1.0]}, product="ATL06")
        with h5py.File(path, "r+") as file:  # no chunk is stored
            group = file.create_group("gt1l/land_ice_segments")
            for name in names:
                group.create_dataset(name, (rows,), "f8", chunks=(1_000_000,), fillvalue=1.0)
    many = listed(paths, layout="flat")
    assert isinstance(many.xindexes["segment_idx"], LazyIndex)
    few = many.isel(segment_idx=slice(5, 900))
    (few.h_li - few.h_li_sigma).variable.load()
    many.isel(segment_idx=[3, 1]).h_li.variable.load()
    assert "labels" not in vars(many.xindexes["segment_idx"])
    labels = many["segment_idx"].to_numpy()
    assert (np.diff(labels) > 0).all()
    np.testing.assert_array_equal(labels >> 32, many["gran_idx"])
    assert many.sel(segment_idx=labels[-1]).source_row == rows - 1
