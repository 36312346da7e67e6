"""One HDF5 feature a file, compared with h5py by the engine and by the index."""

import itertools
import json
import logging
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.hdf5_files import RAW, check, create, open_index
from xr_icesat2.bytesource import open_source
from xr_icesat2.errors import CorruptGranuleError, ICESat2Error, NotSupportedError
from xr_icesat2.hdf5.binary import checksum
from xr_icesat2.hdf5.index import GranuleIndex
from xr_icesat2.hdf5.model import BY_H5PY, Chunked, Compact, Contiguous, IndexContents
from xr_icesat2.hdf5.traversal import Traversal
from xr_icesat2.index_cache.codec import decode_index, encode_index
from xr_icesat2.index_cache.directory import IndexDirectory

RNG = np.random.default_rng(20181014)
STEPS = ("deflate", "shuffle", "fletcher32")
PIPELINES = [
    *itertools.chain.from_iterable(itertools.permutations(STEPS, n) for n in range(1, 4)),
    ("deflate", "deflate"),
    ("shuffle", "deflate", "deflate"),
    ("fletcher32", "deflate", "fletcher32"),
    ("shuffle", "shuffle", "deflate"),
    ("deflate", "shuffle", "deflate", "fletcher32", "deflate"),
]
NUMBERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]
OLD, NEW = ("earliest", "v108"), ("v108", "v108")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "feature.h5"


def numbers(*shape, dtype="f4"):
    """Values that look like data: smooth, with noise below."""
    smooth = 1000 * np.sin(np.arange(np.prod(shape)) / 50) + RNG.integers(0, 9, np.prod(shape))
    return smooth.reshape(shape).astype(dtype)


# --- filters ---


@pytest.mark.parametrize("pipeline", PIPELINES, ids="-".join)
def test_filters_in_any_order_and_number(path, pipeline):
    with h5py.File(path, "w") as file:
        create(file, "rows", numbers(1234), filters=pipeline, chunks=(100,))
        create(file, "table", numbers(77, 5, dtype="i2"), filters=pipeline, chunks=(30, 2))
        create(file, "bytes", numbers(500, dtype="i1"), filters=pipeline, chunks=(99,))
    # HDF5 gives the second of two shuffles no element size, and skips it on writing.
    twice = pipeline.count("shuffle") > 1
    check(path, dict.fromkeys(("rows", "table", "bytes"), "filter 2") if twice else {})


def test_shuffle_of_strings_leaves_the_last_bytes_of_a_chunk(path):
    texts = np.array([f"{n:05d}" for n in range(40)], "S5")
    with h5py.File(path, "w") as file:
        create(file, "texts", texts, filters=("shuffle", "deflate"), chunks=(7,))
        # After fletcher32 the length is no multiple of the element size.
        create(file, "odd", numbers(41, dtype="f8"), filters=("fletcher32", "shuffle"), chunks=(9,))
        create(
            file, "deflated", numbers(41, dtype="f8"), filters=("deflate", "shuffle"), chunks=(9,)
        )
    check(path, {})


@pytest.mark.parametrize("mask", range(8))
def test_skipped_filters_are_not_undone(path, mask):
    pipeline = ("shuffle", "deflate", "fletcher32")
    data = numbers(40, dtype="i4")
    with h5py.File(path, "w") as file:
        dataset = create(file, "rows", data, filters=pipeline, chunks=(10,))
        used = tuple(step for n, step in enumerate(pipeline) if not mask >> n & 1)
        other = create(file, "other", data[10:20], filters=used, chunks=(10,))
        _, raw = other.id.read_direct_chunk((0,))
        dataset.id.write_direct_chunk((10,), raw, filter_mask=mask)
    check(path, {})
    table = open_index(path).chunk_tables({"rows": None})["/rows"]
    assert table.masks.tolist() == [0, mask, 0, 0]


# --- chunk tables ---


@pytest.mark.parametrize(("shape", "chunks"), [((30_000,), (7,)), ((9_000, 5), (11, 2))])
def test_only_the_needed_part_of_a_chunk_table_is_read(path, shape, chunks):
    with h5py.File(path, "w") as file:
        create(file, "rows", numbers(*shape), chunks=chunks)
    whole = open_index(path).chunk_tables({"rows": None})["/rows"]
    index = open_index(path)
    assert not whole.unread
    across = whole.grid[1:]
    for rows in ([700, 707], [29_995], [0, 8_888], None):
        starts = None if rows is None else np.unique(np.array(rows) // chunks[0] * chunks[0])
        starts = starts if starts is None else starts[starts < shape[0]]
        part = index.chunk_tables({"rows": starts})["/rows"]
        for start in [] if starts is None else starts:
            at = (int(start) // chunks[0],)
            there = part.offsets.reshape(part.grid)[at], whole.offsets.reshape(whole.grid)[at]
            np.testing.assert_array_equal(*there)
            assert part.sizes.reshape(-1, *across)[at].all()
        if rows is not None:
            assert part.unread
            assert part.known < whole.known / 2
    for column in ("offsets", "sizes", "masks"):
        np.testing.assert_array_equal(getattr(part, column), getattr(whole, column))
    assert not part.unread


def test_windows_read_one_after_another_equal_h5py(path):
    with h5py.File(path, "w") as file:
        create(file, "rows", numbers(40_000), chunks=(9,))
    tree = xr.open_dataset(path, cache=False, **RAW)
    with h5py.File(path) as file:
        for start in RNG.integers(0, 39_000, 20).tolist():
            window = slice(start, start + 900)
            np.testing.assert_array_equal(tree["rows"][window].values, file["rows"][window])
        odd = np.array([39_999, 3, 20_000, 3])
        np.testing.assert_array_equal(tree["rows"][odd].values, file["rows"][()][odd])
        np.testing.assert_array_equal(tree["rows"][::-4_001].values, file["rows"][()][::-4_001])


# --- chunks that are not there ---


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", ">u4", "S3"])
@pytest.mark.parametrize("fill", [True, False])
def test_unwritten_chunks_have_the_fill_value(path, dtype, fill):
    value = np.array([b"no" if dtype == "S3" else 97], dtype)[0] if fill else None
    with h5py.File(path, "w") as file:
        file.create_dataset("none", (55,), dtype, chunks=(10,), fillvalue=value)
        some = file.create_dataset("some", (55, 6), dtype, chunks=(10, 4), fillvalue=value)
        some[22:31, 3:5] = np.array(b"abc" if dtype == "S3" else 5, dtype)
        file.create_dataset("contiguous", (4, 5), dtype, fillvalue=value)
        file.create_dataset("scalar", (), dtype, fillvalue=value)
    check(path, {})


@pytest.mark.parametrize("time", [h5py.h5d.FILL_TIME_NEVER, h5py.h5d.FILL_TIME_ALLOC])
@pytest.mark.parametrize("defined", [True, False])
def test_fill_times_are_respected(path, time, defined):
    with h5py.File(path, "w") as file:
        for name, chunks in (("chunked", (10,)), ("contiguous", None)):
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_fill_time(time)
            if defined:
                plist.set_fill_value(np.array(42, "i4"))
            dataset = file.create_dataset(name, (25,), "i4", chunks=chunks, dcpl=plist)
            if chunks:
                dataset[10:12] = 7
    tree = xr.open_dataset(path, **RAW)
    with h5py.File(path) as file:
        for name in file:
            np.testing.assert_array_equal(tree[name].values, file[name][...], err_msg=name)


def test_undefined_fill_value_reads_as_by_h5py(path):
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_fill_time(h5py.h5d.FILL_TIME_IFSET)
        file.create_dataset("rows", (25,), "f8", chunks=(10,), dcpl=plist)
    check(path, {})


# --- numbers ---


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", NUMBERS)
def test_both_byte_orders_are_read(path, order, kind):
    data = numbers(64, 3).astype(kind)
    with h5py.File(path, "w") as file:
        stored = np.dtype(order + kind)
        create(file, "chunked", data, filters=("shuffle", "deflate"), chunks=(20, 2), dtype=stored)
        file.create_dataset("contiguous", data=data, dtype=stored)
        file.create_dataset("compact", data=data, dtype=stored, dcpl=_compact())
        file.create_dataset("scalar", data=data[0, 0], dtype=stored)
        file["chunked"].attrs.create("one", data[:1, 0], dtype=stored)
        file["chunked"].attrs.create("some", data[:2], dtype=stored)
        file["chunked"].attrs.create("scalar", data[5, 1], dtype=stored)
    check(path, {})


def _compact():
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    return plist


def test_special_floats_keep_every_bit(path):
    bits = np.array([0x7FC00001, 0xFFC12345, 0x7F800000, 0x80000000, 1], "u4")
    with h5py.File(path, "w") as file:
        file["floats"] = bits.view("f4")
        file["big"] = bits.view("f4").astype(">f4")
    ds = xr.open_dataset(path, **RAW)
    np.testing.assert_array_equal(ds["floats"].values.view("u4"), bits)
    np.testing.assert_array_equal(ds["big"].values.view("u4"), bits)


def test_integers_of_odd_precision_are_read_by_h5py(path):
    odd = h5py.h5t.STD_I32LE.copy()
    odd.set_precision(20)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((30,))
        created = h5py.h5d.create(file.id, b"odd", odd, space)
        h5py.Dataset(created)[...] = np.arange(30) * 1000
    check(path, {"odd": "integer of 20 bits"})


def test_booleans_and_enumerations_are_read(path):
    colours = h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 42}, basetype="<i2")
    big = h5py.enum_dtype({"LOW": -5, "HIGH": 70000}, basetype=">i4")
    with h5py.File(path, "w") as file:
        flags = numbers(50) > 0
        create(file, "flags", flags, filters=("deflate",), chunks=(20,))
        file["flag"] = np.True_
        file.create_dataset("unwritten", (9,), bool, chunks=(4,))
        file.create_dataset("colours", data=RNG.choice([0, 1, 42], 40), dtype=colours)
        file.create_dataset("big", data=RNG.choice([-5, 70000], 40), dtype=big, chunks=(7,))
        file["flags"].attrs["checked"] = True
        file["flags"].attrs["each"] = np.array([True, False])
        file["flags"].attrs.create("colour", 42, dtype=colours)
    check(path, {})
    assert xr.open_dataset(path, **RAW)["flags"].dtype == bool


# --- where values lie ---


def test_contiguous_layout_is_read_by_rows(path):
    data = numbers(5000, 60, dtype="f8")
    with h5py.File(path, "w") as file:
        file["rows"] = data
        file["cube"] = numbers(300, 7, 80, dtype="i4")
        file["line"] = numbers(400_000, dtype="u2")
    check(path, {})
    ds = xr.open_dataset(path, **RAW)
    np.testing.assert_array_equal(ds["rows"][4321:4330].values, data[4321:4330])
    assert isinstance(open_index(path).dataset("rows").layout, Contiguous)


@pytest.mark.parametrize("libver", [OLD, NEW])
def test_compact_layout_is_read(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("rows", data=numbers(90, 4), dcpl=_compact())
        file.create_dataset("texts", data=np.array([b"one", b"three"]), dcpl=_compact())
        file.create_dataset("scalar", data=np.float64(7.5), dcpl=_compact())
        file.create_dataset("none", (0,), "f4", dcpl=_compact())
        file.create_dataset("unwritten", (5,), "i4", dcpl=_compact(), fillvalue=3)
    check(path, {})
    assert isinstance(open_index(path).dataset("rows").layout, Compact)


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [
        ((100, 18), (33, 5)),
        ((7, 5), (7, 5)),
        ((7, 5), (20, 10)),
        ((10, 11, 12), (3, 4, 5)),
        ((2, 3, 4, 5), (1, 2, 3, 4)),
        ((1, 1000), (1, 64)),
        ((13, 1), (1, 1)),
    ],
    ids=str,
)
def test_chunks_beyond_the_shape_are_cropped(path, shape, chunks):
    with h5py.File(path, "w") as file:
        create(
            file,
            "grid",
            numbers(*shape),
            filters=("shuffle", "deflate"),
            chunks=chunks,
            maxshape=(None,) * len(shape),
        )
    check(path, {})


@pytest.mark.parametrize("libver", [OLD, NEW])
@pytest.mark.parametrize(
    ("shape", "chunks"), [((9000,), (2,)), ((90, 70), (1, 2)), ((20, 20, 20), (2, 1, 3))], ids=str
)
def test_chunk_btrees_of_several_levels_are_read(path, libver, shape, chunks):
    with h5py.File(path, "w", libver=libver) as file:
        dataset = file.create_dataset(
            "rows", shape, "i2", chunks=chunks, maxshape=(None,) * len(shape)
        )
        # Not written in order, so that the nodes of the tree are split in the middle.
        data = numbers(*shape, dtype="i2")
        for part in RNG.permutation(shape[0] // 2):
            dataset[2 * part : 2 * part + 2] = data[2 * part : 2 * part + 2]
    check(path, {})


def test_chunk_btree_with_gaps_is_read(path):
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("rows", (5000, 9), "f4", chunks=(1, 3), fillvalue=-9)
        for row in RNG.choice(5000, 400, replace=False):
            dataset[row, 3:6] = row
    check(path, {})


# --- shapes that are nothing or change ---


@pytest.mark.parametrize("libver", [OLD, NEW])
def test_resized_datasets_are_read(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        for name, size in (("shrunk", 33), ("emptied", 0), ("grown", 300), ("regrown", 0)):
            data = numbers(100, 4)
            dataset = create(
                file, name, data, filters=("deflate",), chunks=(10, 3), maxshape=(None, None)
            )
            dataset.resize((size, 4))
        file["regrown"].resize((45, 7))
        file["grown"][290:] = 5
    check(path, {})


def test_empty_datasets_are_read(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("rows", (0,), "f8", chunks=(10,), maxshape=(None,))
        file.create_dataset("table", (0, 18), "f4", chunks=(10, 18), maxshape=(None, 18))
        file.create_dataset("columns", (18, 0), "f4", chunks=(10, 3), maxshape=(None, None))
        file.create_dataset("contiguous", (0,), "i2")
        file.create_dataset("texts", (0,), "S8")
    check(path, {})


def test_dataset_with_a_null_dataspace_is_left_out(path):
    with h5py.File(path, "w") as file:
        file["nothing"] = h5py.Empty("f4")
        file["something"] = numbers(10)
        file["something"].attrs["nothing"] = h5py.Empty("f4")
        file["something"].attrs["no text"] = h5py.Empty("S3")
    ds = xr.open_dataset(path, **RAW)
    assert list(ds.variables) == ["something"]
    assert ds["something"].attrs["nothing"].shape == (0,)
    assert ds["something"].attrs["no text"] == ""


# --- scalars and strings ---


@pytest.mark.parametrize("libver", [OLD, NEW])
def test_scalars_have_no_dimensions(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        file["number"] = 3.25
        file["text"] = np.bytes_(b"abc")
        file["varying"] = "so much"
        file["one"] = np.array([3.25])
        file.attrs["scalar"] = 1
        file.attrs["array"] = np.array([1])
    check(path, {"varying": "variable-length strings"})
    tree = xr.open_dataset(path, **RAW)
    assert tree["number"].shape == tree["text"].shape == tree["varying"].shape == ()
    assert tree["varying"].item() == "so much"


PADDINGS = [h5py.h5t.STR_NULLTERM, h5py.h5t.STR_NULLPAD, h5py.h5t.STR_SPACEPAD]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("chunks", [None, (2,)])
def test_fixed_length_strings_are_read(path, padding, chunks):
    stored = h5py.h5t.C_S1.copy()
    stored.set_size(8)
    stored.set_strpad(padding)
    lying = [b"plain", b"blank   ", b"zero\0\0\0\0", b"in\0side", b"eight888", b"", b"  lead", b" "]
    raw = np.array([text.ljust(8, b"\0") for text in lying], "V8")
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        if chunks:
            plist.set_chunk(chunks)
        space = h5py.h5s.create_simple((8,))
        created = h5py.h5d.create(file.id, b"texts", stored, space, plist)
        created.write(h5py.h5s.ALL, h5py.h5s.ALL, raw, stored)
        for n, text in enumerate(raw):
            attribute = h5py.h5a.create(
                file.id, b"text %d" % n, stored, h5py.h5s.create(h5py.h5s.SCALAR)
            )
            attribute.write(np.array(text), stored)
    blanks = padding == h5py.h5t.STR_SPACEPAD
    check(path, {"texts": "padded with blanks"} if blanks else {})


@pytest.mark.parametrize("libver", [OLD, NEW])
def test_variable_length_strings_are_read(path, libver, caplog):
    texts = ["one", "", "Grüße", "a much longer text " * 30]
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("utf8", data=texts, dtype=h5py.string_dtype())
        file.create_dataset("ascii", data=[b"a", b"bc"], dtype=h5py.string_dtype("ascii"))
        file.create_dataset("chunked", (9,), h5py.string_dtype(), chunks=(4,))[2:6] = texts
        file.attrs["text"] = texts[2]
        file.attrs["empty"] = ""
        file.attrs["texts"] = texts
        file.attrs.create(
            "square", np.array(texts, object).reshape(2, 2), dtype=h5py.string_dtype()
        )
    reason = "variable-length strings"
    check(path, {"utf8": reason, "ascii": reason, "chunked": reason})
    caplog.clear()
    with caplog.at_level(logging.INFO, "xr_icesat2"):
        xr.open_dataset(path, **RAW).load()
    (said,) = caplog.records
    assert said.levelno == logging.INFO, "a line for all small texts of a granule"


def test_text_that_is_not_utf8_is_kept(path):
    with h5py.File(path, "w") as file:
        file.attrs["fixed"] = np.bytes_(b"h\xf6he")
        file["rows"] = np.array([b"h\xf6he"])
    ds = xr.open_dataset(path, **RAW)
    assert ds.attrs["fixed"].encode("utf-8", "surrogateescape") == b"h\xf6he"
    assert ds["rows"].values.tolist() == [b"h\xf6he"]


# --- groups ---


@pytest.mark.parametrize("track_order", [False, True])
@pytest.mark.parametrize("libver", [OLD, NEW], ids=str)
@pytest.mark.parametrize("count", [0, 5, 9, 60, 700])
def test_groups_of_any_size_are_listed(path, libver, track_order, count):
    with h5py.File(path, "w", libver=libver) as file:
        group = file.create_group("group", track_order=track_order)
        for number in RNG.permutation(count):
            group[f"{'long' * (number % 7)} name {number}"] = np.int16(number)
    index = open_index(path)
    with h5py.File(path) as file:
        names = list(file["group"])
        addresses = {n: h5py.h5o.get_info(file.id, f"group/{n}".encode()).addr for n in names}
    assert dict(index.group("group").links) == addresses
    if count < 100:
        check(path, {})


@pytest.mark.parametrize("libver", [OLD, NEW], ids=str)
def test_removed_links_are_not_listed(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        for number in range(300):
            file[f"name {number}"] = np.int16(number)
        for number in RNG.permutation(300)[:250]:
            del file[f"name {number}"]
    check(path, {})


@pytest.mark.parametrize("libver", [OLD, NEW], ids=str)
def test_soft_links_are_followed(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        file["data/rows"] = numbers(20)
        file["data/other"] = h5py.SoftLink("rows")
        file["absolute"] = h5py.SoftLink("/data/rows")
        file["chain"] = h5py.SoftLink("absolute")
        file["group"] = h5py.SoftLink("data")
        file["through"] = h5py.SoftLink("group/other")
        file["nowhere"] = h5py.SoftLink("/not/there")
        file["round"] = h5py.SoftLink("round")
    index = open_index(path)
    with h5py.File(path) as file:
        expected = file["data/rows"][...]
    for name in ("data/rows", "data/other", "absolute", "chain", "through", "group/rows"):
        assert index.dataset(name).shape == (20,), name
    ds = xr.open_dataset(path, **RAW)
    for name in ("absolute", "chain", "through"):
        np.testing.assert_array_equal(ds[name].values, expected)
    assert "nowhere" not in ds
    assert "round" not in ds
    linked = xr.open_dataset(path, group="group", **RAW)
    np.testing.assert_array_equal(linked["other"].values, expected)


def test_hard_links_show_the_same_object(path):
    with h5py.File(path, "w") as file:
        file["rows"] = numbers(20)
        file["group/same"] = file["rows"]
        file["group/again"] = file["rows"]
    check(path, {})


def test_group_that_contains_itself_ends(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("group")
        group["rows"] = numbers(20)
        group["inner"] = group
        group["top"] = h5py.SoftLink("/")
    tree = xr.open_datatree(path, **RAW)
    assert [node.path for node in tree.subtree] == ["/", "/group"]
    assert tree.icesat2.left_out == {
        "/group/inner": "it is a link back to /group, which contains it",
        "/group/top": "it is a link back to /, which contains it",
    }
    ds = xr.open_dataset(path, group="group", drop_variables=["inner", "top"], **RAW)
    assert ds["rows"].shape == (20,)


def test_external_link_is_left_out(path):
    with h5py.File(path, "w") as file:
        file["rows"] = numbers(5)
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/rows")
    ds = xr.open_dataset(path, drop_variables="elsewhere", **RAW)
    assert ds["rows"].shape == (5,)


# --- attributes ---


@pytest.mark.parametrize("libver", [OLD, NEW], ids=str)
@pytest.mark.parametrize("track_order", [False, True])
@pytest.mark.parametrize("count", [3, 9, 400])
def test_any_number_of_attributes_is_read(path, libver, track_order, count):
    with h5py.File(path, "w", libver=libver, track_order=track_order) as file:
        dataset = file.create_dataset("rows", data=numbers(3), track_order=track_order)
        for number in RNG.permutation(count):
            dataset.attrs[f"name {number}"] = f"text of {number}" * (number % 9)
            file.attrs[f"name {number}"] = numbers(number % 5)
    check(path, {})


def test_large_attributes_are_read(path):
    with h5py.File(path, "w", libver=NEW) as file:
        dataset = file.create_dataset("rows", data=numbers(3))
        for number in range(12):
            dataset.attrs[f"small {number}"] = number
        for number in range(5):
            dataset.attrs[f"large {number}"] = numbers(9_000 * (number + 1), dtype="f8")
    check(path, {})


@pytest.mark.parametrize("libver", [OLD, NEW], ids=str)
def test_similar_attributes_are_told_apart(path, libver):
    """What many say to the letter is parsed once: each has its own all the same."""
    with h5py.File(path, "w", libver=libver) as file:
        for number in range(40):
            dataset = file.create_dataset(f"group {number % 3}/rows {number}", data=numbers(3))
            dataset.attrs["units"] = "meters"
            dataset.attrs["valid_max"] = np.float32(number // 20)
            dataset.attrs["long_name"] = ("short", "a text of one granule " * 200)[number % 2]
            dataset.attrs["varying"] = np.array(["varying", str(number // 8)], object)
            if number % 5 == 0:
                # They begin like attributes that refer to other objects.
                dataset.attrs["DIMENSION_LISTING"] = number
                dataset.attrs["REFERENCE_LISTS"] = "none"
        for group in file.values():
            group.attrs["units"] = "meters"
    check(path, {})


@pytest.mark.parametrize("size", [20, 5000])
def test_scales_are_recognised_by_class_of_any_length(path, size):
    with h5py.File(path, "w") as file:
        file["rows"], file["scale"] = numbers(3), numbers(3)
        file["scale"].make_scale("scale")
        file["rows"].dims[0].attach_scale(file["scale"])
        file["scale"].attrs.create("CLASS", b"DIMENSION_SCALE", dtype=f"S{size}")
        file["scale"].attrs["units"] = "meters"
    index = open_index(path)
    assert index.dataset("scale").is_scale
    assert not index.dataset("rows").is_scale
    assert dict(index.dataset("scale").attrs) == {"units": "meters"}


@pytest.mark.parametrize("libver", [OLD, NEW], ids=str)
def test_replaced_and_removed_attributes_are_read(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        dataset = file.create_dataset("rows", data=numbers(3))
        for number in range(30):
            dataset.attrs[f"name {number}"] = number
        for number in range(0, 30, 2):
            del dataset.attrs[f"name {number}"]
            dataset.attrs[f"name {number + 1}"] = "changed" * number
    check(path, {})


def test_attributes_with_references_are_left_out(path):
    with h5py.File(path, "w") as file:
        file["rows"] = numbers(3)
        file["scale"] = numbers(3)
        file["scale"].make_scale("scale")
        file["rows"].dims[0].attach_scale(file["scale"])
        file["rows"].attrs["reference"] = file["scale"].ref
        file["rows"].attrs["kept"] = 1
    ds = xr.open_dataset(path, **RAW)
    assert ds["rows"].dims == ("scale",)
    assert set(ds["rows"].attrs) == {"kept"}
    assert not ds["scale"].attrs


def test_region_references_are_left_out(path):
    with h5py.File(path, "w") as file:
        rows = file["rows"] = numbers(30)
        file["rows"].attrs["region"] = file["rows"].regionref[3:9]
        file["rows"].attrs["kept"] = 1
        file.create_dataset("regions", (2,), h5py.regionref_dtype)
    index = open_index(path)
    assert isinstance(index.dataset("rows").layout, Contiguous)
    ds = xr.open_dataset(path, **RAW)
    np.testing.assert_array_equal(ds["rows"], rows)
    assert set(ds["rows"].attrs) == {"kept"}
    assert "references" in ds.icesat2.left_out["/regions"]


def _virtual(path):
    """A virtual dataset of the file itself, the bytes, and where the list of its sources is."""
    with h5py.File(path, "w", libver="latest") as file:
        file["rows"] = numbers(30)
        layout = h5py.VirtualLayout((30,), "f4")
        layout[:] = h5py.VirtualSource(".", "rows", (30,))
        file.create_virtual_dataset("virtual", layout)
    data = bytearray(path.read_bytes())
    return data, data.index(b"GCOL") + 16


@pytest.mark.parametrize(("at", "stored"), [(8, 0), (8, 1 << 40), (0, 7)])
def test_virtual_dataset_with_damaged_sources_is_an_error(path, at, stored):
    data, heap_object = _virtual(path)
    data[heap_object + at : heap_object + 8 + at // 8 * 8] = stored.to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(CorruptGranuleError, match="global heap"):
        open_index(path).node("virtual")
    assert open_index(path).dataset("rows").shape == (30,)


def test_virtual_dataset_with_too_many_sources_is_refused(path):
    data, heap_object = _virtual(path)
    data[heap_object + 17 : heap_object + 25] = (1 << 40).to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(NotSupportedError, match="sources"):
        open_index(path).node("virtual")


def test_missing_scales_are_searched_once(path, monkeypatch):
    with h5py.File(path, "w") as file:
        for name in ("lost", "elsewhere/kept"):
            file[name] = numbers(3)
            file[name].make_scale(name)
        for number in range(20):
            file[f"group/rows {number}"] = numbers(3)
            scale = file["elsewhere/kept" if number % 2 else "lost"]
            file[f"group/rows {number}"].dims[0].attach_scale(scale)
        del file["lost"]
    walks = []
    below = Traversal.load_below

    def counted(traversal, paths):
        walks.append(paths)
        return below(traversal, paths)

    monkeypatch.setattr(Traversal, "load_below", counted)
    ds = xr.open_dataset(path, **RAW, group="group")
    assert len(walks) == 1
    assert ds["rows 1"].dims == ("kept",)
    assert ds["rows 2"].dims != ("kept",)


# --- user blocks ---


def _write_every_layout(file):
    rows = create(
        file, "group/rows", numbers(120, 3), filters=("shuffle", "deflate"), chunks=(9, 2)
    )
    file["group/scale"] = np.arange(120.0)
    file["group/scale"].make_scale("scale")
    rows.dims[0].attach_scale(file["group/scale"])
    for number in range(12):
        rows.attrs[f"name {number}"] = "text" * number
    file["contiguous"] = numbers(50)
    create(file, "unwritten", shape=(4,), dtype="f4", fillvalue=3.0)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.COMPACT)
    file.create_dataset("compact", data=numbers(7), dcpl=properties)
    file["link"] = h5py.SoftLink("/group/rows")
    file["text"] = "varying"
    file.attrs["title"] = "text"


@pytest.mark.parametrize("libver", ["earliest", ("v108", "v108"), "latest"], ids=str)
@pytest.mark.parametrize("block", [512, 1024, 2048, 4096])
def test_user_blocks_are_skipped(path, libver, block):
    with h5py.File(path, "w", userblock_size=block, libver=libver) as file:
        _write_every_layout(file)
    foreign = {"text": "strings"}
    if libver == "latest":
        foreign["group/rows"] = "data layout version"
    check(path, foreign)


@pytest.mark.parametrize("block", [0, 512])
def test_superblock_version_1_is_read(path, block):
    with h5py.File(path, "w", userblock_size=block) as file:
        _write_every_layout(file)
    data = path.read_bytes()
    user, old = data[:block], data[block : block + 96]
    # The rank of chunk B-trees is before the addresses, and of the root group nothing is
    # cached: so what follows, 4 bytes earlier than it could be, is ignored.
    new = old[:8] + b"\1" + old[9:24] + b"\x20\0\0\0" + old[24:72] + bytes(16)
    path.write_bytes(user + new.ljust(96, b"\0") + data[block + 96 :])
    check(path, {"text": "strings"})


@pytest.mark.parametrize("libver", ["earliest", ("v108", "v108")], ids=str)
def test_user_block_added_later_is_skipped(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        _write_every_layout(file)
    path.write_bytes(b"any text".ljust(1024) + path.read_bytes())
    check(path, {"text": "strings"})


def test_truncated_file_read_by_h5py_asks_to_download_again_once(path):
    with h5py.File(path, "w") as file:
        _write_every_layout(file)
    path.write_bytes(path.read_bytes()[:1500])
    source = open_source(str(path))
    index = GranuleIndex(source, 1500, IndexContents(root=BY_H5PY))
    with pytest.raises(CorruptGranuleError, match="truncated") as caught:
        index.node("/")
    assert str(caught.value).count("Download it again.") == 1


@pytest.mark.parametrize("libver", ["earliest", ("v108", "v108")], ids=str)
def test_truncated_file_with_a_user_block_is_an_error(path, libver):
    with h5py.File(path, "w", userblock_size=512, libver=libver) as file:
        _write_every_layout(file)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ICESat2Error, match="truncated"):
        xr.open_dataset(path, **RAW)


def test_cached_index_keeps_the_user_block(path, tmp_path):
    with h5py.File(path, "w", userblock_size=2048) as file:
        _write_every_layout(file)
    cache = {"index_cache": str(tmp_path / "cache")}
    with xr.open_dataset(path, **RAW, **cache) as ds:
        ds.load()
    source = open_source(path)
    kept = IndexDirectory(cache["index_cache"]).load(source.url, source.file_version())
    contents = decode_index(encode_index(kept), 1 << 20)
    assert contents.base == 2048
    # Structure that was not read before, and values by an index that was.
    index = GranuleIndex(
        source, source.file_version().size, IndexContents(root=contents.root, base=2048)
    )
    assert index.dataset("group/rows").shape == (120, 3)
    with xr.open_datatree(path, **RAW, **cache) as tree, h5py.File(path) as file:
        np.testing.assert_array_equal(tree["group/rows"], file["group/rows"])
        np.testing.assert_array_equal(tree["contiguous"], file["contiguous"])


# --- what the HDF5 library reads for us ---


@pytest.mark.parametrize("block", [0, 8192])
def test_metadata_cache_image_is_refused(path, block):
    with h5py.File(
        path, "w", userblock_size=block, libver=("v110", "v110"), fs_strategy="page"
    ) as file:
        _write_every_layout(file)
    data = bytearray(path.read_bytes())
    extension = block + int.from_bytes(data[block + 20 : block + 28], "little")
    flags = data[extension + 5]
    assert data[extension : extension + 5] == b"OHDR\2"
    assert not flags & ~0x23
    first = extension + (22 if flags & 0x20 else 6)
    size = int.from_bytes(data[first : first + (1 << (flags & 3))], "little")
    messages = first + (1 << (flags & 3))
    # What says how the file lays out its space now says where a cache image is.
    at = data.index(b"\x17", messages, messages + size)
    data[at] = 0x18
    check_at = messages + size
    data[check_at : check_at + 4] = checksum(bytes(data[extension:check_at])).to_bytes(4, "little")
    path.write_bytes(data)
    for url in (str(path), f"simplecache::file://{path}"):
        with pytest.raises(NotSupportedError, match="metadata cache image"):
            xr.open_datatree(url, **RAW)


def test_files_with_4_byte_offsets_are_read_by_h5py(path, caplog):
    properties = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    properties.set_sizes(4, 4)
    with h5py.File(h5py.h5f.create(bytes(path), fcpl=properties)) as file:
        file["group/rows"] = numbers(20)
        file.attrs["title"] = "text"
        file.attrs["number"] = 5
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        tree = xr.open_datatree(path, **RAW)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(tree["group/rows"], file["group/rows"])
    assert tree.attrs == {"number": 5}
    assert "offsets and lengths of (4, 4) bytes" in caplog.text
    assert "the lengths of values are unknown" in tree.icesat2.left_out["/@title"]


def _not_closed(data):
    """Mark a file as one that a program writes to: the HDF5 library reads all of it."""
    data[11] = 1
    data[44:48] = checksum(bytes(data[:44])).to_bytes(4, "little")


def _with_damaged_heap(path, texts, stored):
    """A file that the HDF5 library reads, with an object of another size in its heap."""
    with h5py.File(path, "w", libver="latest") as file:
        file["scale"] = numbers(3)
        file["scale"].make_scale("scale")
        file["odd"] = numbers(3)
        file["odd"].dims[0].attach_scale(file["scale"])
        if texts:
            file["odd"].attrs["text"] = "varying"
        file["rows"] = numbers(3)
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL")
    data[at + 24 : at + 32] = stored.to_bytes(8, "little")
    _not_closed(data)
    path.write_bytes(data)


WRAPS = (1 << 64) - 16
"""The HDF5 library loops for ever on an object of this size."""


def _opened_elsewhere(paths):
    """Open files in a process that a crash or a loop of the HDF5 library may end."""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.limits_worker", str(1 << 30), *map(str, paths)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _with_damaged_values(path, width, stored):
    """A file of texts of varying length, with an object of another size in their heap."""
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_sizes(width, width)
    made = h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, creation)
    with h5py.File(made) as file:
        file["texts"] = np.array(["one", "another"], object)
        file["rows"] = numbers(3)
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 24
    data[at : at + width] = (stored % (1 << 8 * width)).to_bytes(width, "little")
    path.write_bytes(data)


def test_damaged_heaps_do_not_reach_h5py(tmp_path):
    """Those of attributes and of values, in files with short lengths too."""
    of_attributes = [tmp_path / f"attributes_{n}.h5" for n in range(6)]
    cases = itertools.product([False, True], [0, 1 << 40, WRAPS])
    for path, (texts, stored) in zip(of_attributes, cases, strict=True):
        _with_damaged_heap(path, texts, stored)
    of_values = [tmp_path / f"values_{n}.h5" for n in range(4)]
    cases = itertools.product([4, 8], [0x7FFFFFF0, WRAPS])
    for path, (width, stored) in zip(of_values, cases, strict=True):
        _with_damaged_values(path, width, stored)
    found = _opened_elsewhere(of_attributes + of_values)
    for one in found[:6]:
        assert "/rows" in one["variables"]
        assert list(one["left_out"]) == ["/odd"]
        assert "damaged" in one["left_out"]["/odd"]
        assert "global heap" in one["left_out"]["/odd"]
    for one in found[6:]:
        assert sorted(one["variables"]) == ["/rows", "/texts"]
        assert one["refused"] == {"/texts": "CorruptGranuleError"}


@pytest.mark.parametrize("not_closed", [False, True])
def test_variables_read_by_h5py_have_dimensions(path, not_closed):
    """Of one dataset, and of a file that was not closed."""
    with h5py.File(path, "w", libver="latest") as file:
        for name in "xy":
            file[f"scales/{name}"] = numbers(3)
            file[f"scales/{name}"].make_scale(name)
        odd = file.create_dataset("group/odd", data=np.zeros((3, 3), [("a", "f4"), ("b", "i4")]))
        odd.dims[0].attach_scale(file["scales/y"])
        odd.dims[1].attach_scale(file["scales/x"])
        odd.attrs["texts"] = ["one", "another"]
    data = bytearray(path.read_bytes())
    if not_closed:
        _not_closed(data)
    path.write_bytes(data)
    found = xr.open_datatree(path, **RAW)["group/odd"]
    assert found.dims == ("y", "x")
    assert list(found.attrs["texts"]) == ["one", "another"]


@pytest.mark.parametrize("libver", [("latest", "latest"), ("v110", "v110")], ids=str)
def test_superblock_3_layouts_are_read_by_h5py(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        create(file, "group/rows", numbers(50, 3), filters=("shuffle", "deflate"), chunks=(9, 2))
        file["group/text"] = "varying"
        file["group"].attrs["units"] = "metres"
        file["scale"] = np.arange(50.0)
        file["scale"].make_scale("scale")
        file["group/rows"].dims[0].attach_scale(file["scale"])
    check(path, {"group/rows": "data layout version", "group/text": "strings"})


def test_unclosed_file_is_read_by_h5py(path, caplog):
    with h5py.File(path, "w", libver="latest") as file:
        rows = file["rows"] = numbers(50)
    data = bytearray(path.read_bytes())
    assert data[8] == 3
    _not_closed(data)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        np.testing.assert_array_equal(xr.open_dataset(path, **RAW)["rows"], rows)
    assert "is being written" in caplog.text


def _check_by_library(path, caplog, reason):
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        check(path, None)
    said = [record.getMessage() for record in caplog.records]
    assert any(str(path) in line and "HDF5 library" in line and reason in line for line in said)


@pytest.mark.parametrize("step", ["lzf", "szip", "scaleoffset", "nbit"])
def test_rare_filters_are_read_by_h5py(path, caplog, step):
    with h5py.File(path, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        if step == "lzf":
            plist.set_filter(h5py.h5z.FILTER_LZF, h5py.h5z.FLAG_OPTIONAL)
        elif step == "szip":
            if not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
                pytest.skip("this HDF5 library writes no szip")
            plist.set_szip(h5py.h5z.SZIP_NN_OPTION_MASK, 8)
        elif step == "scaleoffset":
            plist.set_scaleoffset(h5py.h5z.SO_INT, 0)
        else:
            plist.set_filter(h5py.h5z.FILTER_NBIT)
        file.create_dataset("rows", data=numbers(64, dtype="i4"), chunks=(16,), dcpl=plist)
        file["plain"] = numbers(5)
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        check(path, {"rows": "filter "})
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"{path}: /rows is read through the HDF5 library" in said
    assert "filter " in said


def test_external_storage_is_left_out(path, tmp_path):
    (tmp_path / "values.bin").write_bytes(numbers(20).tobytes())
    with h5py.File(path, "w") as file:
        file.create_dataset("rows", (20,), "f4", external=[("values.bin", 0, 80)])
        file["plain"] = numbers(5)
    assert xr.open_dataset(path, drop_variables="rows", **RAW)["plain"].shape == (5,)


def test_compound_values_are_read_by_h5py(path):
    with h5py.File(path, "w") as file:
        file["pairs"] = np.array([(1, 2.5), (3, 4.5)], [("a", "i4"), ("b", "f8")])
        file["plain"] = numbers(5)
    assert xr.open_dataset(path, drop_variables="pairs", **RAW)["plain"].shape == (5,)


# --- damage that must be noticed ---


def _with_chunk(path, raw, filters):
    with h5py.File(path, "w") as file:
        dataset = create(file, "rows", shape=(10,), dtype="i4", filters=filters, chunks=(10,))
        dataset.id.write_direct_chunk((0,), raw)
    return xr.open_dataset(path, **RAW)["rows"]


@pytest.mark.parametrize(
    ("raw", "filters"),
    [
        (b"not deflate", ("deflate",)),
        (zlib.compress(bytes(40))[:-3], ("deflate",)),
        (zlib.compress(bytes(39)), ("deflate",)),
        (zlib.compress(bytes(10_000_000)), ("deflate",)),
        (bytes(40) + b"\1\2\3\4", ("fletcher32",)),
        (b"abc", ("fletcher32",)),
        (bytes(36), ("shuffle",)),
        (bytes(41), ()),
    ],
)
def test_damaged_chunk_is_named(path, raw, filters):
    rows = _with_chunk(path, raw, filters)
    with pytest.raises(ICESat2Error, match=r"feature\.h5: /rows: the chunk at byte \d+ is damaged"):
        rows.load()


def test_storage_layout_is_reported(path):
    with h5py.File(path, "w") as file:
        create(file, "rows", numbers(30), filters=("shuffle", "deflate"), chunks=(10,))
    layout = open_index(path).dataset("rows").layout
    assert isinstance(layout, Chunked)
    assert [(f.id, f.element_size) for f in layout.filters] == [(2, 4), (1, 0)]
