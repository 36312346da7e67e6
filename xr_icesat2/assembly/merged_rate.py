"""One rate of some granules: which variables, of which sizes, under which names."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from xr_icesat2.errors import MergeError
from xr_icesat2.products import ALONG, Labels, Rate

from .dask_chunks import rows_per_chunk
from .granule_coordinates import GRANULE_COORDS
from .granule_rate import BeamVariable, GranuleRate
from .request import Request
from .second_dimension_labels import joined_labels, labels_of_size, positions, united_labels
from .unsupported_objects import Reasons
from .variable import DecodeRules

__all__ = ["MergedRate", "common_attrs"]

TRACK_COORDS = ("spot", "pair_track", "profile", "gt", "beam_strength", "n_obs", "source_row")
TAKEN = {*GRANULE_COORDS, *TRACK_COORDS, "cycle"}
"""Names that coordinates of the engine have, or that would be taken for one of them."""


@dataclass(frozen=True)
class MergedRate:
    """Everything of one rate that does not depend on the layout.

    Attributes
    ----------
    granules
        One a granule, in the order of ``gran_idx``.
    """

    rate: Rate
    granules: Sequence[GranuleRate]
    request: Request
    folded: bool
    """Whether all variables share one Dataset: then two of one name are told apart by group."""
    left_out: Reasons = field(default_factory=dict)
    """What the granules lack, because it is left out."""

    @property
    def dim(self) -> str:
        """``spot``, ``gt``, ``pair_track`` or ``profile``."""
        return self.granules[0].selection.dim

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Coordinates along :attr:`dim`: all that were asked for in any granule."""
        return tuple(sorted({n for one in self.granules for n in one.selection.wanted}))

    @cached_property
    def n_obs(self) -> np.ndarray:
        """int64 (granules, numbers): rows."""
        rows = np.zeros((len(self.granules), len(self.numbers)), np.int64)
        for g, one in enumerate(self.granules):
            for number, beam in one.beams.items():
                rows[g, self.numbers.index(number)] = beam.n_obs
        return rows

    @cached_property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Path below the beam → dimensions of the dataset, of every variable of any beam."""
        dims: dict[str, tuple[str, ...]] = {}
        for one, _, path, found in self._datasets():
            if dims.setdefault(path, found.dims) != found.dims:
                msg = (
                    f"{path} has dimensions {found.dims} in {one.granule.url}, but "
                    f"{dims[path]} elsewhere; drop_variables leaves it out"
                )
                raise MergeError(msg)
        return dims

    @cached_property
    def second_sizes(self) -> dict[str, int]:
        """Sizes of all dimensions but the along-track one: all labels, or the largest size."""
        return {
            dim: len(self.labels[dim]) if dim in self.labels else max(sizes)
            for dim, sizes in self._sizes.items()
        }

    @cached_property
    def _sizes(self) -> dict[str, set[int]]:
        """Sizes that each dimension but the along-track one has in any beam."""
        sizes: dict[str, set[int]] = {}
        for _, _, _, found in self._datasets():
            for dim, size in zip(found.dims, found.header.shape, strict=True):
                if dim != ALONG:
                    sizes.setdefault(dim, set()).add(size)
        return sizes

    @cached_property
    def labels(self) -> dict[str, Labels]:
        """Labels of second dimensions: those of any beam, each once."""
        known = {
            dim: joined_labels(dim, sets, self._sizes.get(dim, set()))
            for dim, sets in self.rate.labels.items()
        }
        held = {dim: united_labels(self._held_labels(dim)) for dim in self.rate.label_variables}
        return {dim: labels for dim, labels in (known | held).items() if labels}

    def _held_labels(self, dim: str) -> list[Labels]:
        beams = (beam for one in self.granules for beam in one.beams.values())
        return [beam.labels[dim] for beam in beams if dim in beam.labels]

    def places(self, found: BeamVariable, held: Mapping[str, Labels]) -> dict[int, np.ndarray]:
        """Give the positions along axes of a dataset that has not all labels of a dimension.

        ``held`` are labels that its beam holds itself.
        """
        places: dict[int, np.ndarray] = {}
        for axis, (dim, size) in enumerate(zip(found.dims, found.header.shape, strict=True)):
            if dim in self.labels:
                own = held.get(dim) or labels_of_size(self.rate.labels[dim], size)
                where = positions(self.labels[dim], own)
                if where is not None:
                    places[axis] = where
        return places

    @cached_property
    def names(self) -> dict[str, str]:
        """Path below the beam → name of the variable."""
        names: dict[str, str] = {}
        everywhere = TAKEN | {self.rate.along} | self.labels.keys()
        used: dict[str, set[str]] = defaultdict(set)
        for path in sorted(self.dims, key=self._precedence):
            name = posixpath.basename(path)
            if name in TAKEN:
                name = f"{self.rate.along.removesuffix('_idx')}_{name}"
            outer = posixpath.dirname(path)
            beside = used["" if self.folded else outer]
            while name in everywhere | beside:
                name = f"{posixpath.basename(outer) or self.dim}_{name}"
                outer = posixpath.dirname(outer)
            # Coordinates are in every group of a tree.
            (everywhere if path in self._coordinates else beside).add(name)
            names[path] = name
        return names

    def _precedence(self, path: str) -> tuple[object, ...]:
        """Order in which names are given: where two variables have one, the first keeps it."""
        group = posixpath.dirname(path)
        groups = self.rate.groups
        place = groups.index(group) if group in groups else len(groups)
        return path not in self._coordinates, path.count("/"), place, path

    @cached_property
    def _coordinates(self) -> set[str]:
        """Paths below the beam of what tells the time or the place of a row in any beam."""
        return {
            path
            for one in self.granules
            for beam in one.beams.values()
            for path in beam.coordinates
        }

    def renamed(self, path: str) -> bool:
        """Whether a variable has another name than in the file."""
        return self.names[path] != posixpath.basename(path)

    def parts(self, path: str) -> Iterator[tuple[int, int, GranuleRate, BeamVariable]]:
        """Yield (granule number, position along :attr:`dim`, granule, dataset) by beam."""
        for g, one in enumerate(self.granules):
            for number, beam in one.beams.items():
                if path in beam.variables:
                    yield g, self.numbers.index(number), one, beam.variables[path]

    def group_attrs(self, group: str) -> dict[str, object]:
        """Give the attributes that a group of the rate (its path below the beam) has everywhere."""
        everywhere = [
            beam.attrs[group]
            for one in self.granules
            for beam in one.beams.values()
            if group in beam.attrs
        ]
        return common_attrs(everywhere)

    @property
    def top(self) -> str:
        """The first group of the rate that any beam has."""
        held = {g for one in self.granules for beam in one.beams.values() for g in beam.attrs}
        return next((g for g in self.rate.groups if g in held), self.rate.group)

    def row_attrs(self, long_name: str) -> dict[str, object]:
        """Return attributes of the row coordinate; links find the rate and product in them."""
        attrs: dict[str, object] = {"long_name": long_name, "rate": self.rate.name}
        for name in ("product", "release"):
            values = {getattr(one.identity, name) for one in self.granules}
            if len(values) == 1 and (value := values.pop()) is not None:
                attrs[name] = value
        return attrs

    def is_coordinate(self, path: str) -> bool:
        """Whether a variable tells the time or the place of a row."""
        return self.request.decode_coords and path in self._coordinates

    @property
    def rules(self) -> DecodeRules:
        """How its variables are decoded."""
        return DecodeRules(
            decoders=self.request.decoders,
            decode_coords=self.request.decode_coords,
            ignore_fill=self.rate.ignore_fill,
            pad=self.rate.pad,
        )

    @cached_property
    def rows_per_chunk(self) -> int:
        """Rows of a dask chunk, the same for all variables."""
        return rows_per_chunk((found for *_, found in self._datasets()), len(self.numbers))

    def _datasets(self) -> Iterator[tuple[GranuleRate, int, str, BeamVariable]]:
        for one in self.granules:
            for number, beam in one.beams.items():
                for path, found in beam.variables.items():
                    yield one, number, path, found


def common_attrs(everywhere: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Give the attributes that all have, with one value."""
    if not everywhere:
        return {}
    first, *others = everywhere
    return {
        name: value
        for name, value in first.items()
        if all(name in attrs and np.array_equal(attrs[name], value) for attrs in others)  # type: ignore[arg-type]
    }
