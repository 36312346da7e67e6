"""Encoded indexes round-trip, and harmful ones are refused."""

import copy
import pickle
import random
import tracemalloc
import zlib

import msgspec
import numpy as np
import pytest

from xr_icesat2.bytesource import open_source
from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.model import (
    Chunked,
    ChunkTable,
    Compact,
    Contiguous,
    DatasetHeader,
    ExternalLink,
    Filter,
    GroupHeader,
    H5pyOnly,
    IndexContents,
    LeftOut,
    Subtree,
)
from xr_icesat2.index_cache.array_values import to_dtype
from xr_icesat2.index_cache.codec import (
    LENGTHS,
    MAGIC,
    MAX_CHUNKS,
    MAX_STRUCTURE_BYTES,
    decode_index,
    encode_index,
)
from xr_icesat2.testing import write_granule

SIZE = 1 << 33
START = len(MAGIC) + LENGTHS.size
STRUCTURE = np.dtype([("a", "<i2"), ("b", ">f8", (2, 3)), ("c", "S5")], align=True)
ATTRIBUTES = {
    "text": "Höhe \udcff über\0Grund",
    "empty": "",
    "number": np.float32(1.5),
    "big-endian": np.arange(3, dtype=">i8"),
    "truth": np.bool_(True),
    "texts": np.array([["a", "bcd"], ["", "é"]]),
    "no texts": np.empty((0, 2), "U3"),
    "bytes": np.array([b"xy", b"z"]),
    "nothing": np.empty((0,), "f4"),
    "scalar array": np.array(5, "u1"),
    "not a number": np.float64("nan"),
    "opaque": np.void(b"1234"),
    "structure": np.zeros(2, STRUCTURE),
    "one structure": np.ones((), STRUCTURE)[()],
    "objects": np.array(["a", "longer"], object),
}


def table(*grid, unread=()):
    n = int(np.prod(grid, dtype=int))
    offsets = np.arange(n, dtype=np.uint64) * np.uint64(1 << 30)
    return ChunkTable(grid, offsets, np.arange(n, dtype="u4"), np.ones(n, "u4"), unread)


def header(dtype, shape, layout, fill, **more):
    return DatasetHeader(np.dtype(dtype), shape, layout, fill, ATTRIBUTES, **more)


CONTENTS = IndexContents(
    {
        "/": GroupHeader(
            {"a": 96, "soft": "/g/b", "by library": -1, "ext": ExternalLink("x.h5", "/a\udcff")},
            ATTRIBUTES,
        ),
        "/g/left out": LeftOut("it contains opaque bytes"),
        "/structure": header(STRUCTURE, (2,), H5pyOnly("class 6"), bytes(STRUCTURE.itemsize)),
        "/chunked": header(
            "<f4", (7, 3), Chunked(800, (2, 3), (Filter(2, 4), Filter(1))), b"1234",
            dimension_list=((96, "/x"), ()), is_scale=True,
        ),
        "/unwritten": header("i1", (5,), Chunked(None, (2,), ()), b"\0"),
        "/compact": header("S3", (2,), Compact(b"abcdef"), b"\0\0\0", null_terminated=True),
        "/contiguous": header(">u2", (0,), Contiguous(None), b"\0\0"),
        "/foreign": header(object, (), H5pyOnly("variable-length strings"), bytes(8)),
    },
    {
        "/chunked": table(4, 1, unread=(Subtree(9), Subtree(5, 1, (2, 0, 0), (4, 0, 0)))),
        "/unwritten": table(3),
    },
    {"/foreign": np.array("006", object), "/release": np.array([b"006"])},
)  # fmt: skip


def assert_same(one, other, where=""):
    """Equal to the type, the bytes and the shape, at any depth."""
    assert type(one) is type(other), where
    if isinstance(one, np.ndarray | np.generic):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), where
        if one.dtype.hasobject or one.dtype.names:  # these have gaps
            assert repr(one.tolist()) == repr(other.tolist()), where
        else:
            assert one.tobytes() == other.tobytes(), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key, value in one.items():
            assert_same(value, other[key], f"{where} {key}")
    elif hasattr(one, "__dataclass_fields__"):
        for name in one.__dataclass_fields__:
            assert_same(getattr(one, name), getattr(other, name), f"{where} {name}")
    else:
        assert one == other, where


@pytest.fixture(scope="module")
def of_a_granule(tmp_path_factory):
    """What is known of an ATL06 granule when everything was looked at."""
    path = write_granule(tmp_path_factory.mktemp("packed"), n_segments=300, chunk_rows=100)
    source = open_source(path)
    index = Granule(source, source.file_version()).index
    nodes = index.load_below(["/"])
    chunked = [p for p, n in nodes.items() if isinstance(getattr(n, "layout", None), Chunked)]
    index.chunk_tables(dict.fromkeys(chunked))
    return index.contents


def test_index_round_trips(of_a_granule):
    assert_same(decode_index(encode_index(CONTENTS), SIZE), CONTENTS)
    assert_same(decode_index(encode_index(of_a_granule), SIZE), of_a_granule)
    assert_same(decode_index(encode_index(IndexContents()), SIZE), IndexContents())


def test_invalid_payload_is_refused():
    for value in (np.array([b"x"], object), np.array([None], object)):
        with pytest.raises(TypeError, match="not texts"):
            encode_index(IndexContents(values={"/": value}))
    with pytest.raises(TypeError, match="an attribute of type"):
        encode_index(IndexContents({"/": GroupHeader({}, {"a": {}})}))


def parts(data):
    """The structure of an encoded index as a value, and its columns as bytes."""
    _, length, _ = LENGTHS.unpack_from(data, len(MAGIC))
    body = zlib.decompress(data[START:])
    return msgspec.msgpack.decode(body[:length]), body[length:]


def put_together(structure, columns, **lengths):
    """What somebody who knows the format can write."""
    raw = structure if isinstance(structure, bytes) else msgspec.msgpack.encode(structure)
    said = {"structure": len(raw), "chunks": len(columns) // 16, **lengths}
    lengths = LENGTHS.pack(0, said["structure"], said["chunks"])[4:]
    return sealed(lengths + zlib.compress(raw + columns))


def sealed(rest):
    return MAGIC + zlib.crc32(rest).to_bytes(4, "little") + rest


def places(value, path=()):
    """Every place in a value of msgpack."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


ODD = [
    None, True, False, -1, 0, 1, 2**31, 2**63, 2**64 - 1, 0.5, "", "/", "x" * 100, b"AAAA", "|O",
    "\0surrogates\0\xff", "\0surrogates\0\u0100",
    "<f8", "|V999999999", "<U999999999", [], [0], [[]], {}, [2, "|O", [2]],
    [1, 16, [["a", "|O", 0]]], [1, 4, [["a", "<f8", 0]]], [1, 0, []], [1, "|O", [10**9], []],
    [1, "<U1", [1], b"\xff\xff\xff\xff"], [2, [1, "<f8", [1], bytes(8)]], [1, "<f8", [1], [""]],
    [2, [2, "<f8", [10**6]], [10**6]], [3, 0, [0], []], [3, 0, [1], [[1, 0]] * 33],
]  # fmt: skip


@pytest.mark.parametrize("text", ["<U999999999", "<U536870912", "<U1073741825", "|i2", "f8", "U"])
def test_invalid_dtype_is_refused(text):
    """Some releases of numpy take the first three, for types of other lengths."""
    with pytest.raises((TypeError, ValueError)):
        to_dtype(text)


@pytest.fixture
def peak():
    """Tells the peak of bytes in memory so far."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_crafted_text_is_refused_safely(peak):
    """Each value replaced by others, or lost: an index, or an error; and never much memory."""
    text, columns = parts(encode_index(CONTENTS))
    chance = random.Random(3)
    refused = taken = 0
    for path in list(places(text)):
        for odd in chance.sample(ODD, 6):
            changed = copy.deepcopy(text)
            at = changed
            for key in path[:-1]:
                at = at[key]
            if path:
                at[path[-1]] = odd
            else:
                changed = odd
            try:
                contents = decode_index(put_together(changed, columns), SIZE)
            except Exception:  # noqa: BLE001 - any will do: it is caught where indexes are loaded
                refused += 1
            else:
                taken += 1
                assert isinstance(contents, IndexContents)
                use(contents)
    assert peak() < 30e6
    assert refused > 500
    assert taken > 50


def use(contents):
    """Do with an index what opening and reading does."""
    for node in contents.nodes.values():
        if isinstance(node, LeftOut):
            assert isinstance(node.reason, str)
            continue
        for value in node.attrs.values():
            repr(value)
        if isinstance(node, DatasetHeader) and not node.dtype.hasobject:
            np.frombuffer(node.fill, node.dtype)
    for path, one in contents.tables.items():
        layout = contents.nodes[path].layout
        assert len(one.grid) == len(layout.chunk_shape)
        assert len(one.offsets) == len(one.sizes) == len(one.masks) == np.prod(one.grid, dtype=int)
        assert all(o + s <= SIZE for o, s in zip(one.offsets, one.sizes, strict=True) if s)
        for subtree in one.unread:
            subtree.may_hold(np.array([0, 2]))


def test_mutated_bytes_are_refused_safely(of_a_granule):
    """Flipped, cut, doubled and shifted bytes, with a checksum that says they are right."""
    data = encode_index(of_a_granule)
    structure, columns = parts(data)
    raw = msgspec.msgpack.encode(structure)
    chance = random.Random(5)
    for _ in range(150):
        if chance.random() < 0.5:
            mutated = sealed(mutate(data[len(MAGIC) + 4 :], chance))
        else:
            mutated = put_together(mutate(raw, chance), mutate(columns, chance))
        try:
            use(decode_index(mutated, SIZE))
        except Exception:  # noqa: BLE001, S112 - as above
            continue


def mutate(data, chance):
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, to = sorted(chance.randrange(len(data)) for _ in range(2))
        kind = chance.choice(["flip", "flip", "cut", "double", "zero"])
        if kind == "flip":
            data[at] ^= 1 << chance.randrange(8)
        elif kind == "cut":
            del data[at : min(to, at + 20)]
        elif kind == "double":
            data[at:at] = data[at : min(to, at + 50)]
        else:
            data[at : at + 8] = bytes(8)
    return bytes(data)


def test_decompression_bomb_takes_little_memory(peak):
    bomb = zlib.compress(bytes(1 << 28), 9)
    deep = put_together(b"\x91" * MAX_STRUCTURE_BYTES, b"")
    sets = (
        b"\x96\xdd"
        + (MAX_STRUCTURE_BYTES - 99).to_bytes(4, "big")
        + b"\x80" * (MAX_STRUCTURE_BYTES - 99)
    )
    tracemalloc.reset_peak()
    for text, chunks in (
        (100, 3),
        (MAX_STRUCTURE_BYTES, 0),
        (MAX_STRUCTURE_BYTES + 1, 0),
        (0, MAX_CHUNKS + 1),
    ):
        with pytest.raises(ValueError, match=r"length|too many"):
            decode_index(sealed(LENGTHS.pack(0, text, chunks)[4:] + bomb), SIZE)
    for crafted in (deep, put_together(sets, b"")):
        with pytest.raises((RecursionError, msgspec.ValidationError)):
            decode_index(crafted, SIZE)
    assert peak() < 4 * MAX_STRUCTURE_BYTES


@pytest.mark.parametrize("rest", [b"", b"\x80\x05", bytes(12), zlib.compress(b"{}")])
def test_short_or_foreign_bytes_are_refused(rest):
    for data in (rest, MAGIC + rest, MAGIC[:-2] + b"2\n" + rest, sealed(rest), pickle.dumps(rest)):
        with pytest.raises((ValueError, zlib.error)):
            decode_index(data, SIZE)


def test_chunks_beyond_the_end_of_the_granule_are_refused():
    assert decode_index(encode_index(CONTENTS), (3 << 30) + 3).tables
    with pytest.raises(ValueError, match="beyond the end"):
        decode_index(encode_index(CONTENTS), (3 << 30) + 2)


def test_overlapping_datasets_are_refused():
    one = header("<f4", (4,), Contiguous(100), bytes(4))
    for offset in (100, 116, 84, 104, 112, 0):
        nodes = {"/a": one, "/b": header("<f4", (4,), Contiguous(offset), bytes(4))}
        if offset in {100, 116, 84}:  # the same, behind it, before it
            assert (
                decode_index(encode_index(IndexContents(nodes)), SIZE).nodes.keys() == nodes.keys()
            )
        else:
            with pytest.raises(ValueError, match="in one place"):
                decode_index(encode_index(IndexContents(nodes)), SIZE)
