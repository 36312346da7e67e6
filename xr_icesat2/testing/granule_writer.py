"""Write the tree, the values and the chunks of a granule into its file."""

import math
import os
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import h5py
from numpy.typing import NDArray

from xr_icesat2.progress import ProgressCallback, progress_bar

from .ancillary_data import beam_attribute_values
from .chunk_order import (
    ChunkedDataset,
    EncodedChunk,
    RateDatasets,
    RowBlock,
    order_by_dataset,
    order_by_time,
)
from .hdf5_objects import (
    StorageLayout,
    as_stored,
    attach_scales,
    create_dataset,
    create_group,
    encode_chunk,
    make_scale,
    write_attributes,
)
from .identity import SyntheticGranule
from .release_storage import ReleaseStorage
from .tree_model import (
    GranuleFact,
    GranuleValues,
    GroupAttributes,
    ProductTree,
    TableVariable,
    TreeRate,
)

__all__ = ["GranuleWriter", "map_in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_THREADS = 8  # each holds a block of rows


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """Apply a function in a pool of threads, and yield the results in order.

    At most one result more than there are threads is kept. This is useful for functions that
    release the GIL, such as those of numpy and zlib.
    """
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="granule") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


_TABLE = 10_000  # values; larger calibrations are compressed, so that small granules stay small
_EVENTS = 16  # rows of a chunk of variables that are stored when they change


@dataclass(frozen=True, slots=True)
class GranuleWriter:
    """Writer of one granule into an open file."""

    file: h5py.File
    """Open for writing and empty."""
    name: str
    """Name of the file when it is complete."""
    granule: SyntheticGranule
    """Identity of the granule."""
    tree: ProductTree
    """Its groups and datasets."""
    values: GranuleValues
    """Values of the datasets."""
    storage: ReleaseStorage
    """How its datasets are stored."""

    def write(self, *, interleave: bool, progress: bool | None) -> None:
        """Write everything; in order of time, or one dataset after another."""
        attribute_values = self._attribute_values()
        write_attributes(self.file["/"], _resolved(self.tree.attributes, attribute_values))
        self._write_once(self.values.constants(), attribute_values)
        rates = [
            self._create_rate(rate, beam)
            for beam in self._create_beams()
            for rate in self.tree.rates
        ]
        total = sum(rate.rows * len(rate.columns) for rate in rates)
        with (
            progress_bar(self.name, " values", shown=progress) as count,
            closing(map_in_order(self._encode, order_by_time(rates))) as blocks,
        ):
            count(0, total)
            chunks = _counted(blocks, count)
            if not interleave:
                chunks = order_by_dataset(chunks, Path(self.file.filename).parent)
            for chunk in chunks:
                chunk.dataset.id.write_direct_chunk(chunk.offsets, chunk.data)

    def _attribute_values(self) -> dict[str, Any]:
        name = self.granule.name
        about = {"title": self.tree.title, "file_name": name, "stem": Path(name).stem}
        return {**self.values.attribute_values(), **about}

    def _write_once(
        self, constants: Mapping[str, Any], attribute_values: Mapping[str, Any]
    ) -> None:
        for group in self.tree.groups:
            parent = create_group(
                self.file, group.path, _resolved(group.attributes, attribute_values)
            )
            for variable in group.variables:
                path = f"{group.path}/{variable.name}".lstrip("/")
                values = as_stored(constants[path], variable)
                layout = self._layout_once(variable, values.shape, group.path)
                dataset = create_dataset(parent, variable, values.shape, layout)
                dataset[...] = values
                write_attributes(dataset, variable.attributes())
        for path in self.tree.scales:
            make_scale(self.file[path])
        for group in self.tree.groups:
            for variable in group.variables:
                dataset = self.file[f"{group.path}/{variable.name}"]
                self._attach(variable, dataset, partial(self.tree.scale, group.path))

    def _layout_once(
        self, variable: TableVariable, shape: tuple[int, ...], group: str
    ) -> StorageLayout:
        grows = {
            n
            for n, dim in enumerate(variable.dims)
            if isinstance(dim, str) and self.tree.scales[self.tree.scale(group, dim)] is None
        }
        if grows:
            chunks = tuple(_EVENTS if n in grows else size for n, size in enumerate(shape))
            return StorageLayout(chunks=chunks, grows=grows)
        if len(shape) > 1 and math.prod(shape) > _TABLE:
            return StorageLayout(chunks=(1, *shape[1:]), packed=True)
        return StorageLayout(compact=self.storage.compact)

    def _attach(
        self, variable: TableVariable, dataset: h5py.Dataset, path_of: Callable[[str], str]
    ) -> None:
        """Attach to a dataset the scales of its dimensions, unless it is one itself."""
        if not variable.is_scale:
            scales = {
                n: self.file[path_of(dim)]
                for n, dim in enumerate(variable.dims)
                if isinstance(dim, str)
            }
            attach_scales(dataset, scales)

    def _create_beams(self) -> Iterator[str]:
        for beam in self.granule.rows:
            attribute_values = beam_attribute_values(self.granule, beam)
            create_group(self.file, beam, _known(self.tree.beam, attribute_values))
            yield beam

    def _create_rate(self, rate: TreeRate, beam: str) -> RateDatasets:
        root = rate.path.format(beam=beam)
        rows = self.values.rows(rate.name, beam)
        created: dict[str, tuple[TableVariable, h5py.Dataset]] = {}
        for group in rate.groups:
            path = f"{root}/{group.path}".rstrip("/")
            parent = create_group(self.file, path, _resolved(group.attributes, {}))
            for variable in group.variables:
                key = f"{group.path}/{variable.name}".lstrip("/")
                dataset = self._create(parent, variable, rows, rate)
                write_attributes(dataset, variable.attributes())
                created[key] = variable, dataset
        self._link_scales(root, created.values())
        for key, values in self.values.fixed(rate.name).items():
            variable, dataset = created.pop(key)
            dataset[...] = as_stored(values, variable)
        columns = {
            key: ChunkedDataset(variable, dataset, dataset.chunks)
            for key, (variable, dataset) in created.items()
        }
        return RateDatasets(rate, beam, rows, self.storage.rows_of_chunk(rate.name), columns)

    def _create(
        self, parent: h5py.Group, variable: TableVariable, rows: int, rate: TreeRate
    ) -> h5py.Dataset:
        sizes = {rate.coordinates[0]: rows, **rate.sizes}
        shape = tuple(dim if isinstance(dim, int) else sizes[dim] for dim in variable.dims)
        if variable.dims[0] != rate.coordinates[0]:
            return create_dataset(
                parent, variable, shape, StorageLayout(compact=self.storage.compact)
            )
        chunks = (self.storage.rows_of_chunk(rate.name), *shape[1:])
        layout = StorageLayout(chunks=chunks, grows=(0,), packed=True)
        return create_dataset(parent, variable, shape, layout)

    def _encode(self, block: RowBlock) -> tuple[RowBlock, list[EncodedChunk]]:
        """Make the values of a block and pack them; on one of several threads."""
        source = block.source
        values = self.values.block(source.rate.name, source.beam, block.start, block.stop)
        return block, [_chunk(block, column, values[key]) for key, column in source.columns.items()]

    def _link_scales(
        self, root: str, variables: Collection[tuple[TableVariable, h5py.Dataset]]
    ) -> None:
        """Link a rate's datasets to the scales in its group, or to those around it."""
        own = [variable.name for variable, _ in variables if variable.is_scale]
        for name in own:
            make_scale(self.file[f"{root}/{name}"])

        def path_of(dim: str) -> str:
            return f"{root}/{dim}" if dim in own else self.tree.scale(root, dim)

        for variable, dataset in variables:
            self._attach(variable, dataset, path_of)


def _chunk(block: RowBlock, column: ChunkedDataset, values: NDArray[Any]) -> EncodedChunk:
    expected = (block.stop - block.start, *column.chunk[1:])
    if values.shape != expected:
        raise ValueError(
            f"{column.dataset.name}, rows {block.start} to {block.stop}: values of shape "
            f"{values.shape}; its tree has {expected}"
        )
    data = encode_chunk(as_stored(values, column.variable), column.variable, column.chunk)
    return EncodedChunk(column.dataset, (block.start, *(0 for _ in column.chunk[1:])), data)


def _counted(
    blocks: Iterable[tuple[RowBlock, list[EncodedChunk]]], count: ProgressCallback
) -> Iterator[EncodedChunk]:
    """Take the chunks of finished blocks, counting values."""
    for block, chunks in blocks:
        yield from chunks
        count((block.stop - block.start) * len(chunks), 0)


def _resolved(attributes: GroupAttributes, attribute_values: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes with the granule's values inserted."""
    return {
        name: attribute_values[value.name]
        if isinstance(value, GranuleFact)
        else value.format_map(attribute_values)
        if isinstance(value, str)
        else value
        for name, value in attributes.items()
    }


def _known(attributes: GroupAttributes, attribute_values: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes with the granule's values inserted, without unknown ones."""
    known: dict[str, Any] = {}
    for name, value in attributes.items():
        with suppress(KeyError):
            known |= _resolved({name: value}, attribute_values)
    return known
