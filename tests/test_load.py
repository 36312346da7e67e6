"""``ds.icesat2.load`` returns what ``Dataset.load`` returns, in one plan."""

import numpy as np
import pytest
import xarray as xr

from tests.laziness import is_loaded
from tests.written_granules import written_granules
from xr_icesat2.errors import SelectionError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return list(written_granules(tmp_path_factory).values())


@pytest.mark.parametrize("layout", ["spot", "flat", "file"])
@pytest.mark.parametrize("chunks", [None, {}])
def test_dataset_loads(written, layout, chunks):
    group = "gt2l/land_ice_segments" if layout == "file" else None
    kw = {"engine": "icesat2", "layout": layout, "chunks": chunks, "group": group}
    ds = xr.open_dataset(written[0], **kw)
    assert ds.icesat2.load() is ds
    assert all(is_loaded(v) for n, v in ds.variables.items() if n not in ds.dims)
    xr.testing.assert_identical(ds, xr.open_dataset(written[0], **kw).load())


def test_selection_of_a_list_loads(written):
    chosen = {"segment_idx": [5, 3, 90], "spot": slice(None, None, 2), "gran_idx": 1}
    one, other = (xr.open_dataset(written, engine="icesat2").isel(chosen) for _ in range(2))
    xr.testing.assert_identical(one.icesat2.load(), other.load())


def test_named_variables_load(written):
    ds = xr.open_dataset(written[0], engine="icesat2")
    ds.icesat2.load("h_li", "latitude")
    in_memory = {name for name, v in ds.variables.items() if is_loaded(v)}
    assert {"h_li", "latitude"} <= in_memory
    assert not {"h_li_sigma", "longitude"} & in_memory


@pytest.mark.parametrize("opener", [xr.open_dataset, xr.open_datatree])
@pytest.mark.parametrize("names", [["h_il"], ["h_li", "h_il"], [["h_il", "h_li"]]])
def test_unknown_name_is_an_error(written, opener, names):
    opened = opener(written[0], engine="icesat2")
    with pytest.raises(
        SelectionError, match=r"'h_il'\. Did you mean 'h_li'\? The variables are: .*h_li"
    ):
        opened.icesat2.load(*names)
    node = opened if opener is xr.open_dataset else opened["land_ice_segments"]
    assert not is_loaded(node["h_li"])
    for wrong in (3, [3], None):
        with pytest.raises(SelectionError, match="is not a name"):
            opened.icesat2.load(wrong)


def test_names_may_be_a_list(written):
    ds = xr.open_dataset(written[0], engine="icesat2")
    assert ds.icesat2.load([]) is ds
    ds.icesat2.load(["h_li"], "latitude")
    in_memory = {name for name, v in ds.variables.items() if is_loaded(v)}
    assert {"h_li", "latitude"} <= in_memory
    assert not {"h_li_sigma", "longitude"} & in_memory


def test_tree_with_shared_coordinates_loads(written):
    tree, other = (xr.open_datatree(written[0], engine="icesat2") for _ in range(2))
    assert tree.icesat2.load() is tree
    xr.testing.assert_identical(tree, other.load())
    tree["land_ice_segments"].latitude.values[...] = 0
    assert tree["land_ice_segments/fit_statistics"].latitude.values.any()


def test_similar_selections_are_told_apart(written):
    ds = xr.open_dataset(written[0], engine="icesat2", cache=False)
    array, rows = ds["h_li"].variable, ds.sizes["segment_idx"]
    ends = np.arange(5), np.arange(rows - 5, rows)
    chosen = {
        name: np.concatenate([ends[0], np.resize(middle, 1200), ends[1]])
        for name, middle in (("a", np.arange(10, 40)), ("b", np.arange(60, 90)))
    }
    two = xr.Dataset({name: array.isel(segment_idx=rows) for name, rows in chosen.items()})
    two.icesat2.load()
    whole = ds["h_li"].values
    for name, positions in chosen.items():
        np.testing.assert_array_equal(two[name].values, whole[..., positions])


def test_shared_dask_tasks_are_computed_once(written):
    ds = xr.open_dataset(written[0], engine="icesat2", chunks={})[["h_li"]].reset_coords(drop=True)
    calls = []

    def counted(block):
        calls.append(block.shape)
        return block

    shared = ds["h_li"].copy(data=ds["h_li"].data.map_blocks(counted, dtype="f4", meta=np.empty(0)))
    two = xr.Dataset({"one": shared + 1, "two": shared + 2})
    two.icesat2.load()
    assert len(calls) == np.prod([len(sizes) for sizes in ds["h_li"].data.chunks])
