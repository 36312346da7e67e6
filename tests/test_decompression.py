"""Chunks that decompress to more than they should, where only the HDF5 library reads them."""

import struct
import zlib

import h5py
import numpy as np
import pytest
import xarray as xr
from h5py.h5z import FILTER_NBIT, FILTER_SCALEOFFSET
from numcodecs.fletcher32 import Fletcher32

from tests.test_limits import look_at
from xr_icesat2 import Limits
from xr_icesat2.errors import CorruptGranuleError

RAW = {"engine": "icesat2", "layout": "file", "decode_cf": False}
VAST = 1 << 30
ROWS = 1000


def deflated(size: int) -> bytes:
    """A deflate stream of zeros."""
    packer = zlib.compressobj(9)
    first, again = (
        packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    end = zlib.compressobj(9, wbits=-15).flush()
    checksum = (size % 65521 << 16) + 1
    return first + again * ((size >> 20) - 1) + end + checksum.to_bytes(4, "big")


def with_checksum(stored: bytes) -> bytes:
    """The same behind fletcher32."""
    return bytes(Fletcher32().encode(np.frombuffer(stored, np.uint8)))


BOMB = deflated(VAST)
BOMBS = {
    "deflate": ({"compression": "gzip"}, BOMB),
    "shuffled": ({"compression": "gzip", "shuffle": True}, BOMB),
    "summed": ({"compression": "gzip", "fletcher32": True}, with_checksum(BOMB)),
    "lzf": ({"compression": "lzf"}, b"\x00\x00" + b"\xe0\xff\x00" * (VAST // 264)),
    "szip": ({"compression": "szip"}, VAST.to_bytes(4, "little") + bytes(1 << 16)),
}


def write_bomb(path, options, stored):
    """Write a sound chunk, and one of 4,000 bytes that decompresses to a gigabyte."""
    with h5py.File(path, "w", libver="latest") as file:
        made = file.create_dataset("x", (3 * ROWS,), "i4", chunks=(ROWS,), **options)
        made[:ROWS] = np.arange(ROWS)
        made.id.write_direct_chunk((ROWS,), stored)
        layout = h5py.VirtualLayout((3 * ROWS,), "i4")
        layout[:] = h5py.VirtualSource(made)
        file.create_virtual_dataset("virtual", layout)


def write_declaring(path, code):
    """Write a chunk whose filter has the number of elements to write as a parameter."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((ROWS,))
    if code == FILTER_SCALEOFFSET:
        properties.set_scaleoffset(h5py.h5z.SO_INT, 0)
    else:
        properties.set_filter(code, h5py.h5z.FLAG_OPTIONAL, ())
    with h5py.File(path, "w", libver="earliest") as file:
        kind = h5py.h5t.STD_I32LE.copy()
        kind.set_precision(20)
        space = h5py.h5s.create_simple((ROWS,))
        made = h5py.h5d.create(file.id, b"x", kind, space, properties)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.full(ROWS, 7, "i4"))
    data = bytearray(path.read_bytes())
    name = b"nbit" if code == FILTER_NBIT else b"scaleoffset"
    at = data.index(ROWS.to_bytes(4, "little"), data.index(name))
    data[at : at + 4] = (VAST // 4 - 1).to_bytes(4, "little")
    path.write_bytes(data)


def test_a_chunk_that_becomes_a_gigabyte_is_refused(tmp_path):
    paths = [tmp_path / f"{name}.h5" for name in BOMBS]
    for path in paths:
        write_bomb(path, *BOMBS[path.stem])
    declaring = [tmp_path / f"{code}.h5" for code in (FILTER_NBIT, FILTER_SCALEOFFSET)]
    for path in declaring:
        write_declaring(path, int(path.stem))
    *found, one, other = look_at(*paths, *declaring)
    for bomb in found:
        assert bomb["refused"] == dict.fromkeys(("/virtual", "/x"), "CorruptGranuleError")
    assert one["refused"] == other["refused"] == {"/x": "CorruptGranuleError"}
    for path in paths:
        with xr.open_dataset(path, **RAW) as ds:
            np.testing.assert_array_equal(ds["x"][:ROWS], np.arange(ROWS))
            assert not ds["x"][2 * ROWS :].any()


def test_chunks_that_share_their_bytes_are_refused(tmp_path):
    """A long chunk that many refer to would be decompressed for each of them."""
    path = tmp_path / "shared.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        made = file.create_dataset("x", (100,), "i4", chunks=(1,), compression="lzf")
        for number in range(100):
            made.id.write_direct_chunk((number,), bytes((1 << 16) - 1 if number == 0 else 4))
        chunks = [made.id.get_chunk_info(number) for number in range(100)]
    data, first = path.read_bytes(), chunks[0]
    for number, one in enumerate(chunks):
        entry = struct.pack("<IIQQQ", one.size, 0, number, 0, one.byte_offset)
        assert entry in data
        data = data.replace(
            entry, struct.pack("<IIQQQ", first.size, 0, number, 0, first.byte_offset)
        )
    path.write_bytes(data)
    with xr.open_dataset(path, **RAW) as ds:
        assert ds["x"][:1].shape == (1,)
        with pytest.raises(CorruptGranuleError, match="more bytes than the file"):
            ds["x"].to_numpy()


def test_large_chunks_are_read(tmp_path):
    """Chunks whose bound is too high are sized first, and read if they are sound."""
    path = tmp_path / "large.h5"
    rows = np.random.default_rng(1).integers(0, 100, 3 << 20).astype("u1")
    with h5py.File(path, "w", libver="latest") as file:
        for name, options in (
            ("deflate", {"compression": "gzip", "fletcher32": True}),
            ("lzf", {"compression": "lzf", "fletcher32": True}),
            ("szip", {"compression": "szip", "shuffle": True, "fletcher32": True}),
            ("scaled", {"scaleoffset": 0, "compression": "gzip"}),
        ):
            file.create_dataset(name, data=rows, chunks=(len(rows),), **options)
    with xr.open_dataset(path, **RAW) as ds:
        for name in ds.variables:
            np.testing.assert_array_equal(ds[name], rows, name)


@pytest.mark.parametrize("most", [16, 30])
def test_values_behind_soft_links_are_limited_as_their_header_is(tmp_path, most):
    path = tmp_path / "links.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("link0", data=np.arange(9), chunks=(2,), compression="gzip")
        for number in range(20):
            file[f"link{number + 1}"] = h5py.SoftLink(f"link{number}")
    with xr.open_dataset(path, limits=Limits(soft_links=most), **RAW) as ds:
        assert ("link20" in ds) == (most > 20)
        for name in ds.variables:
            np.testing.assert_array_equal(ds[name], np.arange(9))
