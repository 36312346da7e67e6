"""Lists of many granules read no values at open, and scale."""

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.combine_arguments import WAYS
from tests.hdf5_files import overwrite_chunks
from tests.written_granules import numbered_copies, written_granule, written_granules
from xr_icesat2.errors import ICESat2Error

each_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    """Granules of differing length in ascending gran_idx; beams miss in one, are empty in one."""
    return sorted(written_granules(tmp_path_factory).values(), key=gran_idx)


def gran_idx(path: Path) -> int:
    ds = xr.open_dataset(path, engine="icesat2")
    return int(ds["gran_idx"].item())


@pytest.fixture(scope="module")
def without_values(tmp_path_factory) -> list[Path]:
    """Granules whose along-track values cannot be inflated: to read one is to fail."""
    directory = tmp_path_factory.mktemp("without_values")
    stored = written_granules(tmp_path_factory).values()
    paths = [Path(shutil.copy(path, directory)) for path in stored]
    for path in paths:
        assert overwrite_chunks(path) > 100
    return sorted(paths, key=gran_idx)


@each_way
def test_open_and_concat_read_no_values(without_values, way):
    combined = xr.open_mfdataset(without_values, engine="icesat2", **WAYS[way]("gran_idx"))
    assert combined.sizes["gran_idx"] == len(without_values)
    with pytest.raises(ICESat2Error):
        combined["h_li"].load()


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_list_reads_no_values(without_values, layout):
    ds = xr.open_dataset(without_values, engine="icesat2", layout=layout)
    tree = xr.open_datatree(without_values, engine="icesat2", layout=layout)
    with pytest.raises(ICESat2Error):
        ds["h_li"].load()
    with pytest.raises(ICESat2Error):
        tree["land_ice_segments/h_li"].load()


def small_granules(template: Path, directory: Path, count: int) -> Iterator[Path]:
    """Copies of one beam of a granule, each with a reference track of its own."""
    small = directory / "small.h5"
    kept = ("METADATA", "orbit_info", "ancillary_data")
    with h5py.File(template) as full, h5py.File(small, "w") as file:
        for name in kept:
            full.copy(name, file)
        for name, value in full.attrs.items():
            file.attrs[name] = value
        group = file.create_group("gt1l/land_ice_segments")
        for name, value in full["gt1l"].attrs.items():
            file["gt1l"].attrs[name] = value
        for name in ("delta_time", "latitude", "longitude", "h_li"):
            full.copy(f"gt1l/land_ice_segments/{name}", group)
            scaling = {"DIMENSION_LIST", "REFERENCE_LIST"} & set(group[name].attrs)
            for attribute in scaling:  # they point into the file that was copied from
                del group[name].attrs[attribute]
            if name != "delta_time":
                group[name].dims[0].attach_scale(group["delta_time"])
    yield from numbered_copies(small, template.name, count)


@pytest.fixture(scope="module")
def thousand(tmp_path_factory) -> list[Path]:
    directory = tmp_path_factory.mktemp("thousand")
    template = written_granule("all beams", directory, rgt=658, n_segments=20)
    copies = directory / "copies"
    copies.mkdir()
    return list(small_granules(template, copies, 1000))


def listed(paths: list[Path]) -> xr.Dataset:
    return xr.open_dataset(paths, engine="icesat2", chunks={})


@pytest.fixture(scope="module")
def of_thousand(thousand) -> Iterator[xr.Dataset]:
    """All of them as one: it takes seconds."""
    with listed(thousand) as ds:
        yield ds


def blocks(array: xr.DataArray) -> int:
    return int(np.prod([len(sizes) for sizes in array.chunks or ()]))


def test_thousand_granules_make_one_task_per_block(thousand, of_thousand):
    few, many = listed(thousand[:10])["h_li"], of_thousand["h_li"]
    expected = np.arange(1, 1001) * 10_000 + 503
    np.testing.assert_array_equal(many["gran_idx"], expected)
    extra = len(few.data.__dask_graph__()) - blocks(few)
    assert 0 <= extra <= 2
    assert len(many.data.__dask_graph__()) - blocks(many) == extra
    assert blocks(many) <= 100 * blocks(few)


def test_thousand_granules_have_their_own_values(thousand, of_thousand):
    for position in (0, 499, 999):
        with h5py.File(thousand[position]) as file:
            expected = file["gt1l/land_ice_segments/latitude"][...]
        got = of_thousand["latitude"][position, 5].values  # gt1l flying forward
        np.testing.assert_array_equal(got, expected)


def test_variable_of_a_thousand_granules_pickles_small(thousand):
    few, many = (
        len(pickle.dumps(xr.open_dataset(paths, engine="icesat2")["h_li"].variable))
        for paths in (thousand[:10], thousand)
    )
    assert (many - few) / 990 <= 1024
