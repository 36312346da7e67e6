"""B-trees, heaps and object headers that contain themselves, or one block in two places."""

from functools import partial

import h5py
import numpy as np
import pytest
import xarray as xr

from xr_icesat2.errors import CorruptGranuleError
from xr_icesat2.hdf5.binary import checksum

FILE = {"engine": "icesat2", "layout": "file"}
OLD, NEW = "earliest", "latest"
CHUNKS, MEMBERS = {"kind": 1, "key_bytes": 24}, {"kind": 0, "key_bytes": 8}
"""B-trees of version 1."""
LINK_RECORD, ATTRIBUTE_RECORD = 11, 17
"""Bytes of a record in the B-tree of the names of links and of attributes."""


def _word(data, at):
    return int.from_bytes(data[at : at + 8], "little")


def _put(data, at, *words):
    for number, word in enumerate(words):
        data[at + 8 * number : at + 8 * number + 8] = word.to_bytes(8, "little")


def _change_sealed(data, start, change):
    """Change a block that ends with its checksum, and renew that."""
    end = next(
        end
        for end in range(start + 8, len(data) - 3)
        if data[end : end + 4] == checksum(bytes(data[start:end])).to_bytes(4, "little")
    )
    change()
    data[end : end + 4] = checksum(bytes(data[start:end])).to_bytes(4, "little")


# --- version 1 B-trees ---


def _write_chunks(file):
    file.create_dataset("lost", data=np.arange(200), chunks=(1,))


def _write_members(file, count=300, length=1):
    group = file.create_group("lost")
    for number in range(count):
        group[f"{number:04d}{'x' * length}"] = h5py.SoftLink("/sound")


def _children_of_old_root(data, kind, key_bytes):
    root = data.find(b"TREE" + bytes([kind, 1]))
    assert root > 0
    first = root + 24 + key_bytes
    return root, first, first + key_bytes + 8


def _tree_in_itself(data, _, tree):
    root, first, _ = _children_of_old_root(data, **tree)
    _put(data, first, root)


def _child_twice(data, _, tree):
    _, first, second = _children_of_old_root(data, **tree)
    _put(data, second, _word(data, first))


def _symbols_twice(data, _):
    leaf = data.find(b"TREE\x00\x00", data.find(b"TREE\x00\x01"))
    if leaf < 0:
        leaf = _word(data, data.find(b"TREE\x00\x01") + 32)
    _put(data, leaf + 24 + 8 + 16, _word(data, leaf + 24 + 8))


# --- version 2 B-trees ---


def _write_attributes(file):
    file["lost"] = 1
    for number in range(200):
        file["lost"].attrs[f"name {number}"] = number


def _write_deep_names(file):
    _write_members(file, 1500)


def _new_root(data, record, depth):
    """Return the root of the only B-tree, and where its children are named."""
    head = data.find(b"BTHD")
    assert int.from_bytes(data[head + 12 : head + 14], "little") == depth
    root, count = _word(data, head + 16), int.from_bytes(data[head + 24 : head + 26], "little")
    assert data[root : root + 4] == b"BTIN"
    return root, root + 6 + count * record


def _names_in_themselves(data, _):
    root, first = _new_root(data, LINK_RECORD, 2)
    _change_sealed(data, root, lambda: _put(data, first, root))


def _leaf_of_names_twice(data, _):
    root, first = _new_root(data, ATTRIBUTE_RECORD, 1)
    _change_sealed(data, root, lambda: _put(data, first + 9, _word(data, first)))


# --- fractal heaps ---


def _write_large_heap(file):
    _write_members(file, 2200, 400)


def _heap_children(data):
    """Return where the first indirect block of a fractal heap is, and where its children are."""
    heap = data.find(b"FRHP")
    root = _word(data, heap + 132)
    assert data[root : root + 4] == b"FHIB"
    offset_bytes = (int.from_bytes(data[heap + 128 : heap + 130], "little") + 7) // 8
    rows = int.from_bytes(data[heap + 140 : heap + 142], "little")
    return root, root + 13 + offset_bytes, rows


def _heap_block_twice(data, _):
    root, first, _ = _heap_children(data)
    _change_sealed(data, root, lambda: _put(data, first + 8, _word(data, first)))


def _heap_in_itself(data, _):
    root, first, rows = _heap_children(data)
    places = range(first, first + 8 * 4 * rows, 8)
    blocks = {
        at: bytes(data[_word(data, at) :][:4]) for at in places if _word(data, at) + 1 < 1 << 64
    }
    indirect = next(at for at, signature in blocks.items() if signature == b"FHIB")
    _change_sealed(data, root, lambda: _put(data, indirect, root))


# --- continuations of object headers ---


def _write_continued(file):
    file["lost"], file["other"] = 1, 2
    for number in range(5):  # which do not fit the first block
        file["lost"].attrs[f"name {number}"] = np.arange(9)


def _continuation(data, address):
    """Return where a header names its first continuation: after type 16 and size 16."""
    new = data[address : address + 4] == b"OHDR"
    at = data.find(b"\x10\x10\x00" if new else b"\x10\x00\x10\x00", address)
    assert 0 < at - address < 300
    return at + (4 if new else 8)


def _old_header_in_itself(data, address):
    size = int.from_bytes(data[address + 8 : address + 12], "little")
    _put(data, _continuation(data, address), address + 16, size)


def _old_continuation_in_itself(data, address):
    named = _continuation(data, address)
    block, length = _word(data, named), _word(data, named + 8)
    data[block : block + 2] = b"\x10\x00"
    _put(data, block + 8, block, length)


def _new_continuation_in_itself(data, address):
    named = _continuation(data, address)
    block, length = _word(data, named), _word(data, named + 8)
    assert data[block : block + 4] == b"OCHK"

    def change():
        data[block + 4] = 0x10
        _put(data, block + 8, block, length)

    _change_sealed(data, block, change)


TWICE = "node in two places"
CASES = {
    "chunks in themselves": (OLD, _write_chunks, partial(_tree_in_itself, tree=CHUNKS), TWICE),
    "chunks twice": (OLD, _write_chunks, partial(_child_twice, tree=CHUNKS), TWICE),
    "members in themselves": (OLD, _write_members, partial(_tree_in_itself, tree=MEMBERS), TWICE),
    "members twice": (OLD, _write_members, partial(_child_twice, tree=MEMBERS), TWICE),
    "symbols twice": (OLD, _write_members, _symbols_twice, TWICE),
    "names in themselves": (NEW, _write_deep_names, _names_in_themselves, TWICE),
    "attributes twice": (NEW, _write_attributes, _leaf_of_names_twice, TWICE),
    "heap block twice": (NEW, _write_members, _heap_block_twice, "block in two places"),
    "heap in itself": (NEW, _write_large_heap, _heap_in_itself, "block in two places"),
    "old header": (OLD, _write_continued, _old_header_in_itself, "or one that contains itself"),
    "old continuation": (
        OLD,
        _write_continued,
        _old_continuation_in_itself,
        "or one that contains itself",
    ),
    "new continuation": (
        NEW,
        _write_continued,
        _new_continuation_in_itself,
        "or one that contains itself",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_structure_that_contains_itself_is_damage(tmp_path, case):
    libver, write, damage, message = CASES[case]
    path = tmp_path / "loop.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file["sound"] = np.arange(3.0)
        write(file)
        address = h5py.h5o.get_info(file["lost"].id).addr
        is_group = isinstance(file["lost"], h5py.Group)
    data = bytearray(path.read_bytes())
    damage(data, address)
    path.write_bytes(data)
    asked = {"group": "lost"} if is_group else {"variables": ["lost"]}
    with pytest.raises(CorruptGranuleError, match=message) as caught:
        xr.open_dataset(path, **FILE, **asked).load()
    assert "/lost" in str(caught.value)
    with xr.open_datatree(path, **FILE) as tree:
        assert tree["sound"].values.tolist() == [0, 1, 2]
        if case.startswith("chunks"):  # whose tables are read with the values
            assert tree["lost"].shape == (200,)
        else:
            assert tree.icesat2.left_out.keys() == {"/lost"}
            assert "damaged" in tree.icesat2.left_out["/lost"]
