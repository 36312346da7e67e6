"""Tiny HDF5 files for tests, and their comparison with h5py: values, structure, chunk tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from tests.comparison import assert_array, assert_attributes, random_indexers, taken
from tests.oracle import attributes, values, walk
from xr_icesat2.bytesource import open_source
from xr_icesat2.hdf5.index import GranuleIndex
from xr_icesat2.hdf5.model import (
    Chunked,
    Compact,
    Contiguous,
    DatasetHeader,
    H5pyOnly,
    IndexContents,
)

RAW = {"engine": "icesat2", "layout": "file", "decode_cf": False}
FILTER_IDS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
LAYOUTS = {
    h5py.h5d.COMPACT: Compact,
    h5py.h5d.CONTIGUOUS: Contiguous,
    h5py.h5d.CHUNKED: Chunked,
}


def open_index(path: Path) -> GranuleIndex:
    """The structure of a file, nothing read yet."""
    source = open_source(path)
    return GranuleIndex(source, source.file_version().size, IndexContents())


def create(
    file: h5py.File,
    name: str,
    data: np.ndarray | None = None,
    *,
    filters: tuple[str, ...] = (),
    **create: Any,
) -> h5py.Dataset:
    """Create a dataset with any pipeline, in the order given; ``create`` is what h5py takes."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    for step in filters:
        {
            "deflate": lambda: plist.set_deflate(4),
            "shuffle": plist.set_shuffle,
            "fletcher32": plist.set_fletcher32,
        }[step]()
    return file.create_dataset(name, data=data, dcpl=plist, **create)


def overwrite_chunks(path: Path) -> int:
    """Overwrite every chunk of every beam with zeros, which cannot be inflated; return how many."""
    chunks: list[tuple[int, int]] = []

    def visit(name: str, found: h5py.Group | h5py.Dataset) -> None:
        if name.startswith("gt") and isinstance(found, h5py.Dataset) and found.chunks:
            found.id.chunk_iter(lambda chunk: chunks.append((chunk.byte_offset, chunk.size)))

    with h5py.File(path) as file:
        file.visititems(visit)
    with path.open("r+b") as file:
        for offset, size in chunks:
            file.seek(offset)
            file.write(bytes(size))
    return len(chunks)


def check(path: Path, foreign: Mapping[str, str] | None = None) -> None:
    """Compare every object of a file with h5py: through the engine, and through the index.

    Parameters
    ----------
    path
        The file.
    foreign
        Datasets that the HDF5 library has to read, and a word of the reason; None if all have
        to be read by it.
    """
    tree = xr.open_datatree(path, **RAW)
    index = open_index(path)
    for name, found in walk(path):
        if isinstance(found, h5py.Group):
            assert_attributes(tree[name].attrs, attributes(found), name)
            assert sorted(index.group(name).links) == sorted(found)
            assert {*tree[name].children, *tree[name].variables} >= set(found)
        else:
            group, _, short = name.rpartition("/")
            check_variable(tree[group or "/"].variables[short], found)
            if foreign is not None:
                check_header(index, name, found, foreign.get(name.strip("/")))
    index.close()
    tree.close()


def check_variable(variable: xr.Variable, dataset: h5py.Dataset) -> None:
    """Compare values, whole and in part, and attributes."""
    expected = np.asarray(values(dataset))
    expected = expected.astype(expected.dtype.newbyteorder("="))
    rng = np.random.default_rng(dataset.id.get_offset() or 1)
    for _ in range(4):
        indexers = random_indexers(rng, dict(zip(variable.dims, variable.shape, strict=True)))
        part = variable.isel(indexers).to_numpy()
        cut = np.asarray(taken(expected, variable.dims, indexers), expected.dtype)
        assert_array(part, cut, str(indexers))
    assert_array(variable.to_numpy(), np.asarray(expected), dataset.name)
    assert_attributes(variable.attrs, attributes(dataset), dataset.name)


def check_header(index: GranuleIndex, name: str, dataset: h5py.Dataset, reason: str | None) -> None:
    """Compare what the index says of a dataset with what h5py says."""
    header = index.dataset(name)
    if reason is not None:
        assert isinstance(header.layout, H5pyOnly), name
        assert reason in header.layout.reason
        return
    assert header.shape == dataset.shape
    assert header.dtype == dataset.dtype
    assert header.fill == np.asarray(dataset.fillvalue, dataset.dtype).tobytes()
    plist = dataset.id.get_create_plist()
    assert isinstance(header.layout, LAYOUTS[plist.get_layout()]), name
    if isinstance(header.layout, Chunked):
        assert header.layout.chunk_shape == dataset.chunks
        pipeline = [plist.get_filter(n)[0] for n in range(plist.get_nfilters())]
        assert [step.id for step in header.layout.filters] == pipeline
        check_chunk_table(index, name, dataset, header)
    elif isinstance(header.layout, Contiguous):
        # Behind a user block the HDF5 library gives an offset for what was never written too.
        written = dataset.id.get_storage_size() > 0
        assert header.layout.offset == (dataset.id.get_offset() if written else None)


def check_chunk_table(
    index: GranuleIndex, name: str, dataset: h5py.Dataset, header: DatasetHeader
) -> None:
    """Compare place, size and filter mask of every chunk."""
    table = index.chunk_tables({name: None})[f"/{name.strip('/')}"]
    expected: dict[tuple[int, ...], tuple[int, int, int]] = {}
    dataset.id.chunk_iter(
        lambda chunk: expected.update(
            {chunk.chunk_offset: (chunk.byte_offset, chunk.size, chunk.filter_mask)}
        )
    )
    got = {}
    for number in np.flatnonzero(table.sizes):
        position = np.unravel_index(number, table.grid)
        start = tuple(int(p) * c for p, c in zip(position, dataset.chunks, strict=True))
        got[start] = tuple(int(a[number]) for a in (table.offsets, table.sizes, table.masks))
    inside = {
        s: e
        for s, e in expected.items()
        if all(a < n for a, n in zip(s, header.shape, strict=False))
    }
    assert got == inside
