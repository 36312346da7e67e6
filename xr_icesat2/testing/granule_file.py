"""A granule's file: a tree, its values, and the order of its chunks."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py

from xr_icesat2.granule.name import parse_name
from xr_icesat2.testing.facts import beam_facts
from xr_icesat2.testing.granule import Granule
from xr_icesat2.testing.hdf5 import (
    attach_scales,
    create_dataset,
    create_group,
    encode_chunk,
    make_scale,
    to_dtype,
    write_attributes,
)
from xr_icesat2.testing.tree import Attributes, Fact, Group, Product, Rate, Values, Variable

__all__ = ["GranuleFile"]

_EVENT_CHUNK = (16,)  # of the few rows in orbit_info


@dataclass(frozen=True, slots=True)
class _Beam:
    """The datasets along one rate of one beam."""

    rate: Rate
    beam: str
    rows: int
    datasets: Mapping[str, tuple[Variable, h5py.Dataset]]


@dataclass(frozen=True, slots=True)
class _Chunk:
    dataset: h5py.Dataset
    offsets: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class GranuleFile:
    """An open file that becomes a granule."""

    file: h5py.File
    """Open for writing and empty."""
    granule: Granule
    """What it says it is."""
    tree: Product
    """Its groups and datasets."""
    values: Values
    """What they hold."""
    chunk_rows: int
    """Rows of a chunk."""

    def write(self, *, interleave: bool) -> None:
        """Write everything; in order of time, or one dataset after another."""
        facts = self._facts()
        write_attributes(self.file["/"], _resolved(self.tree.attributes, facts))
        constants = self.values.constants()
        for group in self.tree.groups:
            self._write_once(group, constants, facts)
        beams = [
            self._create_rate(rate, beam)
            for beam in self._create_beams()
            for rate in self.tree.rates
        ]
        chunks = self._chunks(beams)
        for chunk in chunks if interleave else _dataset_by_dataset(chunks):
            chunk.dataset.id.write_direct_chunk(chunk.offsets, chunk.data)

    def _facts(self) -> dict[str, Any]:
        name = Path(self.file.filename).name
        said = parse_name(name)
        mine = parse_name(self.granule.name)
        # A granule written under the name of another says in its metadata which it is.
        if said is None or mine is None or replace(said, start=mine.start) != mine:
            name = self.granule.name
        about = {"title": self.tree.title, "file_name": name, "stem": Path(name).stem}
        return {**self.values.facts(), **about}

    def _write_once(
        self, group: Group, constants: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> None:
        parent = create_group(self.file, group.path, _resolved(group.attributes, facts))
        for variable in group.variables:
            values = to_dtype(constants[f"{group.path}/{variable.name}"], variable)
            scale = isinstance(variable.dims[0], str)
            chunks = _EVENT_CHUNK if scale else None
            dataset = create_dataset(parent, variable, values.shape, chunks=chunks, packed=False)
            dataset[...] = values
            write_attributes(dataset, variable.attributes())
        _link_scales(parent, [(variable, parent[variable.name]) for variable in group.variables])

    def _create_beams(self) -> Iterator[str]:
        for beam in self.granule.rows:
            facts = beam_facts(self.granule, beam)
            create_group(self.file, beam, _known(self.tree.beam, facts))
            yield beam

    def _create_rate(self, rate: Rate, beam: str) -> _Beam:
        root = rate.path.format(beam=beam)
        rows = self.values.rows(rate.name, beam)
        sizes = {rate.coordinates[0]: rows, **rate.sizes}
        fixed = self.values.fixed(rate.name)
        created: dict[str, tuple[Variable, h5py.Dataset]] = {}
        for group in rate.groups:
            path = f"{root}/{group.path}".rstrip("/")
            parent = create_group(self.file, path, _resolved(group.attributes, {}))
            for variable in group.variables:
                key = f"{group.path}/{variable.name}".lstrip("/")
                created[key] = variable, self._create(parent, variable, sizes, rate)
                write_attributes(created[key][1], variable.attributes())
        _link_scales(self.file[root], created.values())
        for key, values in fixed.items():
            variable, dataset = created.pop(key)
            dataset[...] = to_dtype(values, variable)
        return _Beam(rate, beam, rows, created)

    def _create(
        self, parent: h5py.Group, variable: Variable, sizes: Mapping[str, int], rate: Rate
    ) -> h5py.Dataset:
        shape = tuple(sizes[str(dim)] for dim in variable.dims)
        along = variable.dims[0] == rate.coordinates[0]
        chunks = (self.chunk_rows, *shape[1:]) if along else None
        return create_dataset(parent, variable, shape, chunks=chunks, packed=True)

    def _chunks(self, beams: Iterable[_Beam]) -> Iterator[_Chunk]:
        """Yield the chunks of all datasets as time goes on: every beam spans the same time."""
        blocks = [
            (start / beam.rows, index, start, beam)
            for index, beam in enumerate(beams)
            for start in range(0, beam.rows, self.chunk_rows)
        ]
        for _, _, start, beam in sorted(blocks, key=lambda block: block[:2]):
            stop = min(start + self.chunk_rows, beam.rows)
            block = self.values.block(beam.rate.name, beam.beam, start, stop)
            for key, (variable, dataset) in beam.datasets.items():
                data = encode_chunk(to_dtype(block[key], variable), variable, dataset.chunks)
                yield _Chunk(dataset, (start, *(0 for _ in dataset.shape[1:])), data)


def _dataset_by_dataset(chunks: Iterable[_Chunk]) -> Iterator[_Chunk]:
    """Put chunks in the order of their datasets, by way of a file: memory stays bounded."""
    with tempfile.TemporaryFile() as spool:
        places: list[tuple[str, int, int, _Chunk]] = []
        for chunk in chunks:
            place = replace(chunk, data=b"")
            places.append((chunk.dataset.name, spool.tell(), len(chunk.data), place))
            spool.write(chunk.data)
        for _, offset, size, chunk in sorted(places, key=lambda place: place[:2]):
            spool.seek(offset)
            yield replace(chunk, data=spool.read(size))


def _link_scales(group: h5py.Group, variables: Iterable[tuple[Variable, h5py.Dataset]]) -> None:
    """Make scales of those variables that are their own dimension, and attach them to all."""
    variables = list(variables)
    scales = {
        variable.name: group[variable.name]
        for variable, _ in variables
        if variable.dims == (variable.name,)
    }
    for dataset in scales.values():
        make_scale(dataset)
    for variable, dataset in variables:
        if variable.name not in variable.dims:
            named = {n: scales[dim] for n, dim in enumerate(variable.dims) if isinstance(dim, str)}
            attach_scales(dataset, named)


def _resolved(attributes: Attributes, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with the facts in place."""
    return {
        name: facts[value.name]
        if isinstance(value, Fact)
        else value.format_map(facts)
        if isinstance(value, str)
        else value
        for name, value in attributes.items()
    }


def _known(attributes: Attributes, facts: Mapping[str, str]) -> dict[str, Any]:
    """Attributes with the facts in place; those of which nothing is known are left out."""
    known: dict[str, Any] = {}
    for name, value in attributes.items():
        with suppress(KeyError):
            known |= _resolved({name: value}, facts)
    return known
