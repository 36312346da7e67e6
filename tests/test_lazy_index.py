"""Indexes of the file's own dimensions read nothing until they are used, then select as others."""

import copy
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from xarray.indexes import PandasIndex

from tests.counted_link import CountedLink
from tests.laziness import is_loaded
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.reading.lazy_coordinate_index import LazyIndex
from xr_icesat2.testing import write_granule

GROUP = "gt1l/land_ice_segments"
ROWS = 40


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("lazy")
    return [write_granule(folder, cycle_number=c, n_segments=ROWS, chunk_rows=16) for c in (1, 2)]


def opened(path: Path, **options: Any) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", group=GROUP, layout="file", **options)


@pytest.fixture
def ds(paths) -> xr.Dataset:
    return opened(paths[0])


def is_unread(ds: xr.Dataset, name: str = "delta_time") -> bool:
    index = ds.xindexes[name]
    assert isinstance(index, LazyIndex)
    return "labels" not in vars(index) and not is_loaded(ds.variables[name])


def plain(ds: xr.Dataset) -> xr.Dataset:
    """What xarray itself makes of the same arrays, all in memory."""

    def arrays(variables: Mapping[Any, xr.Variable]) -> dict[Any, Any]:
        return {n: (v.dims, v.to_numpy(), v.attrs, v.encoding) for n, v in variables.items()}

    in_memory = xr.Dataset(
        arrays(ds.data_vars.variables),
        arrays(ds.coords.variables),
        ds.attrs,  # type: ignore[attr-defined]
    )
    assert type(in_memory.xindexes["delta_time"]) is PandasIndex
    return in_memory


def later(ds: xr.Dataset) -> xr.Dataset:
    """Labels of which some are those of the other."""
    return ds.isel(delta_time=slice(ROWS // 2, None))


def pickled(ds: xr.Dataset) -> xr.Dataset:
    return pickle.loads(pickle.dumps(ds))  # noqa: S301 - our own


def indexed(ds: xr.Dataset) -> xr.Dataset:
    """Make its index one of pandas, as the documentation says."""
    return ds.drop_indexes("delta_time").set_xindex("delta_time")


ALONE: dict[str, Callable[[xr.Dataset], Any]] = {
    "sel one": lambda a: a.sel(delta_time=a.delta_time[7]),
    "sel some": lambda a: a.sel(delta_time=a.delta_time[[7, 3]]),
    "sel slice": lambda a: a.sel(delta_time=slice(a.delta_time[3], a.delta_time[9])),
    "sel nearest": lambda a: a.sel(
        delta_time=a.delta_time[7] + np.timedelta64(1, "us"), method="nearest"
    ),
    "isel": lambda a: a.isel(delta_time=slice(5, 30, 3)),
    "isel positions": lambda a: a.isel(delta_time=[5, 2, -1]),
    "isel mask": lambda a: a.isel(delta_time=(a.h_li > a.h_li.mean()).to_numpy()),
    "isel one": lambda a: a.isel(delta_time=-1),
    "isel points": lambda a: a.isel(delta_time=xr.DataArray([3, 1], dims="point")),
    "isel along itself": lambda a: a.isel(delta_time=xr.DataArray([3, 1], dims="delta_time")),
    "isel twice": lambda a: a.isel(delta_time=slice(5, 30)).isel(delta_time=slice(None, None, -2)),
    "no row": lambda a: a.isel(delta_time=slice(0, 0)),
    "head": lambda a: a.delta_time[:3],
    "coordinate alone": lambda a: a.delta_time,
    "reindex": lambda a: indexed(a).reindex(delta_time=a.delta_time.to_numpy()[::-2]),
    "reindex to others": lambda a: indexed(a).reindex(
        delta_time=a.delta_time.to_numpy() + np.timedelta64(1, "us"), method="nearest"
    ),
    "roll": lambda a: a.roll(delta_time=3, roll_coords=True),
    "shift": lambda a: a[["h_li"]].shift(delta_time=3),
    "rename": lambda a: a.rename(delta_time="time"),
    "rename variable": lambda a: a.rename_vars(delta_time="time"),
    "rename dimension": lambda a: a.rename_dims(delta_time="row"),
    "swap": lambda a: a.swap_dims(delta_time="segment_id"),
    "stack": lambda a: a.expand_dims(spot=[1, 2]).stack(row=("spot", "delta_time")),  # noqa: PD013
    "stack alone": lambda a: a[["h_li"]].stack(row=["delta_time"]),  # noqa: PD013
    "to array": lambda a: a[["h_li", "h_li_sigma"]].to_dataarray(),
    "sort": lambda a: a.sortby("delta_time", ascending=False),
    "group": lambda a: a.h_li.groupby(a.delta_time.dt.microsecond // 100_000).mean(),
    "resample": lambda a: a.h_li.resample(delta_time="10ms").mean(),
    "table": lambda a: a.to_dataframe().to_xarray(),
    "deep copy": lambda a: a.copy(deep=True),
    "copy": copy.copy,
    "index copied": lambda a: xr.Dataset(
        coords=xr.Coordinates.from_xindex(a.xindexes["delta_time"].copy())
    ),
    "loaded": lambda a: a.load(),
    "computed": lambda a: a.compute(),
    "chunked": lambda a: a.chunk(delta_time=7),
    "no index": lambda a: a.drop_indexes("delta_time"),
    "index reset": lambda a: a.reset_index("delta_time"),
    "index set": lambda a: a.reset_index("delta_time").set_index(delta_time="delta_time"),
    "pickled": pickled,
    "pickled after use": lambda a: pickled(a.sel(delta_time=a.delta_time)),
}
TOGETHER: dict[str, Callable[[xr.Dataset, xr.Dataset], Any]] = {
    "concat": lambda a, b: xr.concat([a, b], dim="delta_time"),
    "concat along a new dimension": lambda a, b: xr.concat([a, b], dim="cycle", join="outer"),
    "combine": lambda a, b: xr.combine_by_coords([b, a], combine_attrs="override"),
    "combine nested": lambda a, b: xr.combine_nested([b, a], concat_dim="delta_time"),
    "merge": lambda a, b: xr.merge(
        [a[["h_li"]], b[["segment_id"]]], join="outer", compat="override"
    ),
    "assign": lambda a, b: a.assign(other=b.h_li),
    "where": lambda a, b: a.h_li.where(b.h_li > b.h_li.mean()),
    "reindex like": lambda a, b: a.reindex_like(b),
    "difference": lambda a, b: a.h_li - b.h_li,
    "combine first": lambda a, b: a.combine_first(b),
    "broadcast": lambda a, b: xr.broadcast(a.h_li, b.h_li)[0],
    "sel by other": lambda a, b: a.sel(delta_time=b.delta_time, method="nearest"),
    **{
        f"align {join}": lambda a, b, join=join: xr.align(a, b, join=join)[0]
        for join in ("inner", "outer", "left", "right")
    },
    "override": lambda a, b: xr.align(a.isel(delta_time=slice(len(b.h_li))), b, join="override")[1],
}


def result(function: Callable[..., Any], *given: xr.Dataset) -> Any:
    """Return the result, which may be an error."""
    try:
        return function(*given)
    except Exception as error:  # noqa: BLE001 - whatever xarray raises, it raises for both
        return error


def without_indexes(a: Any) -> Any:
    return a.drop_indexes(list(a.xindexes))


def check(got: Any, expected: Any) -> None:
    if isinstance(expected, Exception):
        assert type(got) is type(expected), got
        assert str(got) == str(expected)
        return
    got, expected = got.load(), expected.load()
    assert got.xindexes.keys() == expected.xindexes.keys()
    xr.testing.assert_identical(without_indexes(got), without_indexes(expected))
    for name, index in expected.indexes.items():
        pd.testing.assert_index_equal(got.indexes[name], index)


def test_opening_reads_no_label(ds):
    assert is_unread(ds)
    assert "LazyIndex" in repr(ds)
    assert is_unread(ds)


@pytest.mark.parametrize("chunks", [None, {"delta_time": 9}], ids=str)
@pytest.mark.parametrize("name", ALONE)
def test_lazy_index_behaves_like_a_pandas_index(paths, name, chunks):
    ds, expected = opened(paths[0], chunks=chunks), plain(opened(paths[0]))
    if chunks is not None:
        expected = expected.chunk(chunks)
    check(result(ALONE[name], ds), result(ALONE[name], expected))


@pytest.mark.parametrize("labels", ["others", "some", "same"])
@pytest.mark.parametrize("name", TOGETHER)
def test_lazy_index_combines_with_other_indexes(paths, name, labels):
    def pair() -> tuple[xr.Dataset, xr.Dataset]:
        first, second = opened(paths[0]), opened(paths[labels == "others"])
        return first, later(second) if labels == "some" else second

    function = TOGETHER[name]
    a, b = pair()
    expected = result(function, plain(a), plain(b))
    check(result(function, *pair()), expected)
    check(result(function, pair()[0].load(), pair()[1]), expected)
    check(result(function, indexed(pair()[0]), plain(b)), expected)
    check(result(function, plain(a), indexed(pair()[1])), expected)


@pytest.mark.parametrize(
    "name",
    ["isel", "isel positions", "isel twice", "no row", "deep copy", "copy", "pickled", "head"],
)
def test_positional_operations_read_no_label(ds, name):
    got = ALONE[name](ds)
    assert is_unread(ds)
    assert is_unread(got if isinstance(got, xr.Dataset) else got.to_dataset(name="x"))


def test_renaming_reads_no_label(ds):
    renamed = ds.rename(delta_time="time")
    assert is_unread(renamed, "time")
    assert is_unread(ds)


@pytest.mark.parametrize(
    "use",
    [
        lambda ds: ds.delta_time.to_numpy(),
        lambda ds: ds.load(),
        lambda ds: ds.indexes["delta_time"],
        lambda ds: ds.sel(delta_time=ds.delta_time[2]),
        lambda ds: ds.equals(plain(ds)),
        lambda ds: ds.icesat2.load(),
        lambda ds: ds.copy().load(),
    ],
)
def test_labels_are_read_once(ds, paths, use):
    use(ds)
    copied = ds.copy()
    paths[0].rename(paths[0].with_suffix(".away"))
    try:
        ds.close()
        assert copied.indexes["delta_time"].size == ds.delta_time.to_numpy().size == ROWS
    finally:
        paths[0].with_suffix(".away").rename(paths[0])


def test_tree_labels_load_in_one_burst_with_data(paths, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    source = CountedLink(paths[0], RequestCost(latency=0.06, bandwidth=200e6))
    with xr.open_datatree(source, engine="icesat2", layout="file") as tree:
        source.reset()
        tree.icesat2.load()
        assert source.bursts == 1
        assert tree[GROUP].indexes["delta_time"].size == ROWS
        assert source.bursts == 1


def test_lazy_indexes_of_equal_labels_are_equal(paths):
    (index,) = opened(paths[0]).xindexes.values()
    for path, equal in zip(paths, (True, False), strict=True):
        (other,) = opened(path).xindexes.values()
        assert index.equals(other) is equal
        assert not index.equals(indexed(opened(path)).xindexes["delta_time"])


def test_pandas_index_of_the_same_name_conflicts_until_the_lazy_one_is_replaced(paths):
    lazy, read = opened(paths[0]), later(plain(opened(paths[0])))
    same_length = plain(opened(paths[0])).isel(delta_time=slice(None, None, -1))
    for other in (read, same_length):
        with pytest.raises(xr.AlignmentError, match="conflicting indexes"):
            lazy.h_li - other.h_li
    xr.testing.assert_identical(indexed(lazy).h_li - read.h_li, read.h_li - read.h_li)
    both = xr.concat([lazy, read], dim="delta_time")
    assert both.sizes["delta_time"] == ROWS + ROWS // 2


@pytest.mark.parametrize("chunks", [None, {}, {"delta_time": 9}], ids=str)
def test_saved_dataset_is_identical(paths, chunks, tmp_path):
    ds = opened(paths[0], chunks=chunks)
    ds.to_netcdf(tmp_path / "x.nc")
    with xr.open_dataset(tmp_path / "x.nc", decode_timedelta=False) as again:
        xr.testing.assert_equal(again, indexed(ds))
        kept = indexed(ds)[["h_li"]].drop_attrs()
        assert kept.identical(again[["h_li"]].drop_attrs())


def test_file_groups_of_many_granules_combine(paths):
    options = {"engine": "icesat2", "group": GROUP, "layout": "file"}
    expected = xr.concat([plain(opened(path)) for path in paths], dim="delta_time")
    with xr.open_mfdataset(paths, **options, combine_attrs="override") as many:
        check(many, expected)


def test_tree_nodes_concatenate(paths):
    trees = [xr.open_datatree(path, engine="icesat2", layout="file") for path in paths]
    got = xr.concat([tree[GROUP].to_dataset() for tree in trees], dim="delta_time")
    expected = xr.concat([plain(opened(path)) for path in paths], dim="delta_time")
    check(got, expected)
