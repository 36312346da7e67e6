"""Texts of varying length: their lengths are known before the HDF5 library reads them."""

import os
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.test_limits import look_at
from xr_icesat2 import Limits
from xr_icesat2.errors import CorruptGranuleError, NotSupportedError, TooLargeError

RAW = {"engine": "icesat2", "layout": "file", "decode_cf": False}
TEXT = h5py.string_dtype()
COUNT = 100_000
LONG = 1_000_000
"""Bytes of a text to which that many elements refer."""


def compact(file, name, texts):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(texts.shape)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(TEXT, logical=True), space, creation)
    file[name][...] = texts


def texts(shape):
    count = int(np.prod(shape))
    return np.array(["é" * (n % 7) + str(n) for n in range(count)], object).reshape(shape)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("user_block", [0, 512])
def test_texts_of_every_layout_are_read(tmp_path, libver, user_block):
    path = tmp_path / "texts.h5"
    with h5py.File(path, "w", libver=libver, userblock_size=user_block) as file:
        file.create_dataset("scalar", data="one", dtype=TEXT)
        file.create_dataset("contiguous", data=texts((11, 3)), dtype=TEXT)
        compact(file, "compact", texts((7,)))
        chunked = {"chunks": (4, 2), "compression": "gzip", "shuffle": True}
        file.create_dataset("compressed", data=texts((11, 3)), dtype=TEXT, **chunked)
        part = file.create_dataset("part", (11,), TEXT, chunks=(4,))
        part[5] = "five"
        file.create_dataset("nothing", (5,), TEXT)
        file.create_dataset("empty", (0,), TEXT, chunks=(4,), maxshape=(None,))
    with h5py.File(path) as file, xr.open_dataset(path, **RAW) as ds:
        assert {*ds.variables} == {*file}
        for name, found in file.items():
            expected = found.asstr()[()]
            np.testing.assert_array_equal(ds[name].to_numpy(), expected, name)
            if ds[name].ndim:
                np.testing.assert_array_equal(ds[name][2:6].to_numpy(), expected[2:6], name)


def test_texts_in_a_file_of_short_addresses(tmp_path):
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_sizes(4, 4)
    path = tmp_path / "short.h5"
    made = h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, creation)
    with h5py.File(made) as file:
        file["contiguous"] = texts((5,))
        file.create_dataset("chunked", data=texts((5,)), chunks=(2,))
        compact(file, "compact", texts((5,)))
    with xr.open_dataset(path, **RAW) as ds:
        np.testing.assert_array_equal(ds["contiguous"], texts((5,)))
        np.testing.assert_array_equal(ds["chunked"], texts((5,)))
        with pytest.raises(NotSupportedError, match="lengths of values are unknown"):
            ds["compact"].to_numpy()


def with_one_text(path, libver, options):
    """Write a file in which all elements of a dataset refer to one long text."""
    with h5py.File(path, "w", libver=libver) as file:
        file["one"] = np.array(["y" * LONG], object)
        file.create_dataset("many", (COUNT,), TEXT, **options)
        if not options:
            file["many"][...] = "x"
        file["few"] = texts((3,))
        file.flush()
        one, many = file["one"].id.get_offset(), file["many"].id.get_offset()
    data = bytearray(path.read_bytes())
    references = bytes(data[one : one + 16]) * COUNT
    if many is not None:
        data[many : many + len(references)] = references
        path.write_bytes(data)
        return
    with h5py.File(path, "r+", libver=libver) as file:
        found, rows = file["many"].id, file["many"].chunks[0]
        raw = references[: 16 * rows]
        if options.get("compression"):
            raw = zlib.compress(raw)
        for start in range(0, COUNT, rows):
            found.write_direct_chunk((start,), raw)


@pytest.fixture(scope="module")
def amplifying(tmp_path_factory):
    """Files in which 100,000 elements refer to a text of 1 MB."""
    layouts = {
        "contiguous": {},
        "chunked": {"chunks": (7000,)},
        "compressed": {"chunks": (7000,), "compression": "gzip"},
    }
    paths = []
    for libver in ("earliest", "latest"):
        for name, options in layouts.items():
            paths.append(tmp_path_factory.mktemp("texts") / f"{name}_{libver}.h5")
            with_one_text(paths[-1], libver, options)
    return paths


def test_a_long_text_that_many_elements_refer_to(amplifying):
    for one in look_at(*amplifying):
        assert one["refused"] == {"/many": "CorruptGranuleError"}
        assert sorted(one["variables"]) == ["/few", "/many", "/one"]


def test_what_is_wrong_with_it_is_said_and_less_is_read(amplifying):
    for path in amplifying:
        with xr.open_dataset(path, **RAW) as ds:
            with pytest.raises(CorruptGranuleError, match=r"/many .* refer to the same text"):
                ds["many"].to_numpy()
            assert [len(text) for text in ds["many"][5:6].to_numpy()] == [LONG]


def test_long_texts_are_too_large(tmp_path):
    path = tmp_path / "long.h5"
    with h5py.File(path, "w") as file:
        file["long"] = np.array(["x" * 500, "y"], object)
    with xr.open_dataset(path, limits=Limits(string_bytes=499), **RAW) as ds:
        assert ds["long"][1:].to_numpy() == ["y"]
        with pytest.raises(TooLargeError, match=r"/long: .*500 bytes.*Limits\(string_bytes="):
            ds["long"].to_numpy()


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="available memory is unknown here")
def test_texts_that_need_more_than_the_memory_are_too_large(tmp_path):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:  # no element is stored
        file.create_dataset("many", (memory // LONG,), TEXT, fillvalue="x" * LONG)
    os.truncate(path, 2 * memory)  # sparse, and long enough for so many texts
    with xr.open_dataset(path, **RAW) as ds:
        assert ds["many"][-1:].to_numpy() == ["x" * LONG]
        with pytest.raises(TooLargeError, match=r"/many: its texts need .* Select less of it"):
            ds["many"].to_numpy()


def test_virtual_datasets_of_texts_are_refused(tmp_path):
    path = tmp_path / "virtual.h5"
    with h5py.File(path, "w") as file:
        file["source"] = texts((3,))
        layout = h5py.VirtualLayout((3,), TEXT)
        layout[:] = h5py.VirtualSource(".", "source", (3,))
        file.create_virtual_dataset("virtual", layout)
    with xr.open_dataset(path, **RAW) as ds:
        np.testing.assert_array_equal(ds["source"], texts((3,)))
        with pytest.raises(NotSupportedError, match="lengths of values are unknown"):
            ds["virtual"].to_numpy()


def test_heaps_that_overlap_are_not_walked_again_and_again(tmp_path):
    count = 3_000
    path = tmp_path / "overlap.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("many", (count,), TEXT)
        file["many"][...] = "x"
        file["rows"] = np.zeros(count * 32 + 64, "u1")
        file.flush()
        many, rows = file["many"].id.get_offset(), file["rows"].id.get_offset()
    data = bytearray(path.read_bytes())
    end = rows + count * 32 + 64
    free = end - 48  # behind the last object
    data[free : free + 16] = bytes(8) + (48).to_bytes(8, "little")
    for number in range(count):
        # Each object of the heap contains the head of the next one, which ends where it does.
        at = rows + 32 * number
        data[at : at + 16] = b"GCOL\1\0\0\0" + (end - at).to_bytes(8, "little")
        data[at + 16 : at + 32] = (1).to_bytes(8, "little") + (16).to_bytes(8, "little")
        reference = (
            (16).to_bytes(4, "little") + at.to_bytes(8, "little") + (1).to_bytes(4, "little")
        )
        data[many + 16 * number : many + 16 * number + 16] = reference
    path.write_bytes(data)
    with (
        xr.open_dataset(path, **RAW) as ds,
        pytest.raises(CorruptGranuleError, match="global heaps that overlap"),
    ):
        ds["many"].to_numpy()
