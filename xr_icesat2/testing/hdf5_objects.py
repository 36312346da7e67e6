"""Create HDF5 objects like those of real granules, with h5py's low-level API.

Groups track the order of links and attributes, strings in attributes have fixed lengths and end in
a zero byte, and objects have times, as in real granules.
"""

import math
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
    for name, value in attributes.items():
        if isinstance(value, str):
            data = np.array(value.encode("ascii"), f"S{len(value) + 1}")
            kind = h5py.h5t.C_S1.copy()
            kind.set_size(len(value) + 1)
        else:
            data = np.asarray(value)
            kind = h5py.h5t.py_create(data.dtype)
        space = h5py.h5s.create_simple(data.shape)
        h5py.h5a.create(target.id, name.encode("ascii"), kind, space).write(data)


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
    space = h5py.h5s.create_simple(shape, limits)
    kind = h5py.h5t.py_create(dtype)
    name = variable.name.encode("ascii")
    return h5py.Dataset(h5py.h5d.create(parent.id, name, kind, space, properties))


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
    packer = zlib.compressobj(_LEVEL if shuffled else _EFFORT)
    filler = np.array(variable.fill or 0, rows.dtype).tobytes()
    padding = math.prod(chunk) - rows.size
    planes = len(filler) if shuffled else 1
    width = len(filler) // planes
    raw = np.ascontiguousarray(rows).view(np.uint8).reshape(rows.size, planes, width)
    packed = []
    for plane in range(planes):
        packed.append(packer.compress(raw[:, plane].tobytes()))
        packed.append(packer.compress(filler[plane * width : (plane + 1) * width] * padding))
    return b"".join((*packed, packer.flush()))
