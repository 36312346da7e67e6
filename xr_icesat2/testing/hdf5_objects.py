"""Create HDF5 objects like those of real granules, with h5py's low-level API.

Groups track the order of links and attributes, strings in attributes have fixed lengths and end in
a zero byte, and objects have times, as in real granules.
"""

import math
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .tree_model import TableVariable

__all__ = [
    "StorageLayout",
    "as_stored",
    "attach_scales",
    "create_dataset",
    "create_group",
    "encode_chunk",
    "make_scale",
    "write_attributes",
]

_COMPACT_LIMIT = 65_000  # bytes; an object header has at most 64 KiB
_LEVEL = 6  # deflate level that the file declares
_ZLIB_HEADER, _LAST_BLOCK = b"\x78\x01", b"\x03\x00"
_EFFORT = 1  # deflate level of floats: as small as level 6 for noise, and many times as fast


def create_group(parent: h5py.Group, path: str, attributes: Mapping[str, Any]) -> h5py.Group:
    """Create a group and those above it; the path ``""`` is the parent itself."""
    group = parent
    for name in filter(None, path.split("/")):
        group = group[name] if name in group else _create_child(group, name)
    write_attributes(group, attributes)
    return group


def _create_child(parent: h5py.Group, name: str) -> h5py.Group:
    ordered = h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED
    properties = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    properties.set_link_creation_order(ordered)
    properties.set_attr_creation_order(ordered)
    return h5py.Group(h5py.h5g.create(parent.id, name.encode("ascii"), gcpl=properties))


def write_attributes(target: h5py.Group | h5py.Dataset, attributes: Mapping[str, Any]) -> None:
    """Write texts as fixed-length strings, numbers and arrays as they are."""
    place = target.id
    for name, value in attributes.items():
        if isinstance(value, str):
            data = np.array(value.encode("ascii"), f"S{len(value) + 1}")
            kind = _text_type(len(value) + 1)
        else:
            data = np.asarray(value)
            kind = _type(data.dtype)
        h5py.h5a.create(place, name.encode("ascii"), kind, _space(data.shape)).write(data, kind)


# HDF5 copies types and spaces into what is created; making them takes as long as an attribute.
@lru_cache(maxsize=1 << 10)
def _text_type(nbytes: int) -> h5py.h5t.TypeStringID:
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(nbytes)
    return kind


@lru_cache(maxsize=1 << 10)
def _type(dtype: np.dtype[Any]) -> h5py.h5t.TypeID:
    return h5py.h5t.py_create(dtype)


@lru_cache(maxsize=1 << 10)
def _space(shape: tuple[int, ...], limits: tuple[int, ...] | None = None) -> h5py.h5s.SpaceID:
    return h5py.h5s.create_simple(shape, limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageLayout:
    """How a dataset is stored."""

    chunks: tuple[int, ...] | None = None
    """Shape of a chunk; without, the dataset is contiguous."""
    grows: Collection[int] = ()
    """Which dimensions of a chunked dataset are unlimited."""
    packed: bool = False
    """Whether chunks are deflated, integers shuffled first."""
    compact: bool = False
    """Whether a dataset without chunks is stored in its object header, unless it is a scale or
    too long."""


def create_dataset(
    parent: h5py.Group, variable: TableVariable, shape: tuple[int, ...], layout: StorageLayout
) -> h5py.Dataset:
    """Create an empty dataset with the name, dtype and fill value of a variable."""
    dtype = np.dtype(variable.dtype)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_obj_track_times(True)
    limits = shape
    if variable.fill is not None:
        properties.set_fill_value(np.array(variable.fill, dtype))
    if layout.chunks:
        limits = tuple(
            h5py.h5s.UNLIMITED if n in layout.grows else size for n, size in enumerate(shape)
        )
        properties.set_chunk(layout.chunks)
        if layout.packed and dtype.kind in "iu":
            properties.set_shuffle()
        if layout.packed:
            properties.set_deflate(_LEVEL)
    elif layout.compact and not variable.is_scale and _is_short(dtype, shape):
        properties.set_layout(h5py.h5d.COMPACT)
    space, name = _space(shape, limits), variable.name.encode("ascii")
    return h5py.Dataset(h5py.h5d.create(parent.id, name, _type(dtype), space, properties))


def _is_short(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    return dtype.itemsize * math.prod(shape) < _COMPACT_LIMIT


def make_scale(dataset: h5py.Dataset) -> None:
    """Turn a dataset into the dimension scale of its own name."""
    name = dataset.name.rpartition("/")[2]
    h5py.h5ds.set_scale(dataset.id, name.encode("ascii"))


def attach_scales(dataset: h5py.Dataset, scales: Mapping[int, h5py.Dataset]) -> None:
    """Attach a scale to each of the given dimensions."""
    for dimension, scale in scales.items():
        h5py.h5ds.attach_scale(dataset.id, scale.id, dimension)


def as_stored(values: NDArray[Any], variable: TableVariable) -> NDArray[Any]:
    """Return values as stored in the file, with the fill value instead of NaN."""
    if variable.fill is not None and values.dtype.kind == "f":
        values = np.where(np.isnan(values), variable.fill, values)
    return values.astype(variable.dtype)


def encode_chunk(rows: NDArray[Any], variable: TableVariable, chunk: tuple[int, ...]) -> bytes:
    """Return the bytes of a chunk: padded with the fill value, shuffled, deflated."""
    shuffled = rows.dtype.kind in "iu"
    level = _LEVEL if shuffled else _EFFORT
    filler = np.array(variable.fill or 0, rows.dtype).tobytes()
    padding = math.prod(chunk) - rows.size
    planes = len(filler) if shuffled else 1
    width = len(filler) // planes
    raw = np.ascontiguousarray(rows).view(np.uint8).reshape(rows.size, planes, width)
    pieces = [raw[:, plane].tobytes() for plane in range(planes)]
    if not padding:
        return zlib.compress(b"".join(pieces), level)
    packed, checksum = [_ZLIB_HEADER], 1
    for plane, piece in enumerate(pieces):
        own = filler[plane * width : (plane + 1) * width]
        checksum = zlib.adler32(own * padding, zlib.adler32(piece, checksum))
        packed += [_deflate(piece, level), _deflate_padding(own, padding, level)]
    return b"".join((*packed, _LAST_BLOCK, checksum.to_bytes(4, "big")))


def _deflate(data: bytes, level: int) -> bytes:
    """Return blocks of a deflate stream that any others may follow."""
    packer = zlib.compressobj(level, wbits=-15)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


@lru_cache(maxsize=1 << 8)
def _deflate_padding(filler: bytes, count: int, level: int) -> bytes:
    """Compress padding once: in short granules it is most of what there is to compress."""
    return _deflate(filler * count, level)
