"""What h5coro 1.0.7 reads wrongly, loses or refuses, one test each: here it is read correctly.

We use h5coro's interpretation of header messages; these are the reasons why the walk, the links,
the attributes and the values are read by other means.
"""

import logging
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_attributes
from tests.hdf5_files import RAW, check, create, open_index
from tests.oracle import attributes, walk
from tests.paths import granule, needs_granules
from xr_icesat2.errors import CorruptGranuleError

PHANTOM = "ATL06_20181013235645_02340114_209_01.h5"
ORIGINAL = "ATL06_20181014001049_02350102_003_01.h5"
SUBSET = "processed_ATL06_20191106230008_06270503_006_01.h5"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.h5"


@pytest.mark.parametrize("kind", [h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT])
def test_rows_from_the_middle_of_an_unchunked_dataset(path, kind):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(kind)
    data = np.arange(200, dtype="i4").reshape(40, 5)
    with h5py.File(path, "w") as file:
        file.create_dataset("rows", data=data, dcpl=plist)
    rows = xr.open_dataset(path, **RAW)["rows"]
    np.testing.assert_array_equal(rows[17:23].values, data[17:23])
    np.testing.assert_array_equal(rows[39].values, data[39])


def test_big_endian_numbers_are_read(path):
    with h5py.File(path, "w") as file:
        create(file, "floats", np.linspace(0, 1, 50), dtype=">f4", chunks=(9,))
        file.create_dataset("integers", data=np.arange(50), dtype=">i8")
    check(path, {})


def test_children_are_complete_in_every_thread(path):
    with h5py.File(path, "w", libver=("earliest", "v108")) as file:
        for group in "abcdefgh":
            for number in range(20):
                file[f"{group}/name {number}"] = number
    index = open_index(path)
    groups = list("abcdefgh") * 8
    with ThreadPoolExecutor(16) as pool:
        links = list(pool.map(lambda name: set(index.group(name).links), groups))
    assert links == [{f"name {number}" for number in range(20)}] * len(groups)


@needs_granules
@pytest.mark.parametrize("name", [PHANTOM, "processed_ATL08_20200821122613_08730802_004_01.h5"])
def test_children_are_not_invented(name):
    path = granule(name)
    index = open_index(path)
    for where, found in walk(path):
        if isinstance(found, h5py.Group):
            assert set(index.group(where).links) == set(found), where
    assert "gtx" not in index.group("/").links


@needs_granules
@pytest.mark.parametrize("name", [SUBSET, ORIGINAL])
def test_attributes_of_subsets_and_the_root_are_kept(name):
    path = granule(name)
    with h5py.File(path) as file:
        assert len(file.attrs) > 20
        beam = next(name for name in file if name.startswith("gt"))
        group = file[f"{beam}/land_ice_segments"]
        assert_attributes(open_index(path).group("/").attrs, attributes(file), "/")
        ds = xr.open_dataset(path, group=group.name, **RAW)
        assert_attributes(ds.attrs, attributes(group), group.name)
        assert_attributes(ds["h_li"].attrs, attributes(group["h_li"]), "h_li")


def test_unwritten_dataset_has_its_fill_value(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("rows", (25, 2), "f4", chunks=(10, 2), fillvalue=3.5)
    rows = xr.open_dataset(path, **RAW)["rows"].load()
    np.testing.assert_array_equal(rows, np.full((25, 2), 3.5, "f4"))


def test_booleans_are_read(path):
    flags = np.array([True, False, True])
    with h5py.File(path, "w") as file:
        file["flags"] = flags
        file.attrs["flag"] = True
    ds = xr.open_dataset(path, **RAW)
    assert ds["flags"].dtype == bool
    assert ds["flags"].values.tolist() == flags.tolist()
    assert ds.attrs["flag"].dtype == bool


def test_errors_are_raised(path):
    with h5py.File(path, "w") as file:
        create(file, "rows", np.arange(100), filters=("deflate",), chunks=(50,))
        place = file["rows"].id.get_chunk_info(1).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 2 : place + 20] = bytes(18)
    path.write_bytes(content)
    rows = xr.open_dataset(path, **RAW)["rows"]
    assert rows[:50].values.tolist() == list(range(50))
    with pytest.raises(CorruptGranuleError, match=f"/rows: the chunk at byte {place} is damaged"):
        rows.load()


def test_strings_are_read_as_strings(path):
    with h5py.File(path, "w") as file:
        file["fixed"] = np.array([b"2018-10-14T00:10:49Z"])
        file["varying"] = "2018-10-14T00:10:49Z"
        file.attrs["fixed"] = np.bytes_("text")
        file.attrs["varying"] = "text"
    ds = xr.open_dataset(path, **RAW)
    assert ds["fixed"].values.tolist() == [b"2018-10-14T00:10:49Z"]
    assert ds["varying"].item() == "2018-10-14T00:10:49Z"
    assert ds.attrs == {"fixed": "text", "varying": "text"}


def test_scalars_and_arrays_of_one_differ(path):
    with h5py.File(path, "w") as file:
        file["scalar"] = 7
        file["one"] = [7]
    ds = xr.open_dataset(path, **RAW)
    assert ds["scalar"].shape == ()
    assert ds["one"].shape == (1,)


@pytest.mark.parametrize("newer", ["superblock", "layout"])
def test_newer_files_are_read_by_h5py_and_logged(path, caplog, newer):
    if newer == "layout":
        # Superblock 2, and one dataset of a later version.
        with h5py.File(path, "w", libver=("v108", "v108")) as file:
            file["old"] = np.arange(5)
    with h5py.File(path, "a", libver=("v110", "v110")) as file:
        create(file, "rows", np.arange(50.0), filters=("shuffle", "deflate"), chunks=(9,))
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        check(path, {"rows": "data layout version 4"})
    (said,) = {record.getMessage() for record in caplog.records}
    assert f"{path}: /rows is read through the HDF5 library" in said
    assert "layout version 4" in said


def test_two_deflate_filters_are_undone(path):
    with h5py.File(path, "w") as file:
        create(file, "rows", np.arange(500), filters=("deflate", "deflate"), chunks=(90,))
    check(path, {})
