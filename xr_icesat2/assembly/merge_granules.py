"""Merge one rate of granules along ``gran_idx`` and beams: dimensions, names."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from xr_icesat2.errors import MergeError
from xr_icesat2.products import ALONG, Labels, Rate, ReferenceFrame
from xr_icesat2.reading.row_ranges import RowRanges

from .dask_chunks import rows_per_chunk
from .granule_coordinates import GRANULE_COORDS
from .rate_headers import BeamVariable, GranuleRate
from .reference_frames import SPATIAL_REF, common_frame
from .request import Request
from .second_dimension_labels import (
    label_positions,
    labels_of_size,
    merge_specified_labels,
    merge_stored_labels,
)
from .unsupported_objects import Reasons
from .variable import DecodeRules

__all__ = ["MergedRate", "common_attrs"]

TRACK_COORDS = (
    "spot",
    "pair_track",
    "profile",
    "gt",
    "beam_strength",
    "n_obs",
    "n_rows",
    "source_row",
    SPATIAL_REF,
)
RESERVED_NAMES = {*GRANULE_COORDS, *TRACK_COORDS, "cycle"}
"""Names that variables may not have: coordinates, and a name that could be mistaken for one."""


@dataclass(frozen=True)
class MergedRate:
    """One rate of all granules, independent of the layout.

    Attributes
    ----------
    granules
        One element for each granule, in the order of ``gran_idx``.
    """

    rate: Rate
    granules: Sequence[GranuleRate]
    request: Request
    folded: bool
    """Whether all groups become one Dataset: then two variables of one name are prefixed."""
    left_out: Reasons = field(default_factory=dict)
    """Objects that are left out, by URL and path."""

    @property
    def dim(self) -> str:
        """``spot``, ``gt``, ``pair_track`` or ``profile``."""
        return self.granules[0].selection.dim

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Numbers along :attr:`dim`: all that are selected in any granule."""
        return tuple(sorted({n for one in self.granules for n in one.selection.wanted}))

    @cached_property
    def n_obs(self) -> np.ndarray:
        """Rows of each beam: int64, (granules, :attr:`numbers`)."""
        rows = np.zeros((len(self.granules), len(self.numbers)), np.int64)
        for g, one in enumerate(self.granules):
            for number, beam in one.beams.items():
                rows[g, self.numbers.index(number)] = beam.n_obs
        return rows

    @cached_property
    def n_rows(self) -> np.ndarray:
        """Selected rows of each beam, as :attr:`n_obs`."""
        rows = np.zeros_like(self.n_obs)
        for g, one in enumerate(self.granules):
            for number, beam in one.beams.items():
                rows[g, self.numbers.index(number)] = beam.n_rows
        return rows

    def kept(self, beam: tuple[int, int]) -> RowRanges:
        """Return the selected rows of a beam: (granule number, position along :attr:`dim`)."""
        found = self.granules[beam[0]].beams.get(self.numbers[beam[1]])
        if found is not None and found.kept is not None:
            return found.kept
        return RowRanges.of_range(0, int(self.n_obs[beam]))

    @property
    def is_cut(self) -> bool:
        """Whether rows were selected by place or time."""
        return self.request.selects_rows

    @cached_property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of every variable of any beam, by path below the beam."""
        dims: dict[str, tuple[str, ...]] = {}
        for one, _, path, found in self._datasets():
            if dims.setdefault(path, found.dims) != found.dims:
                msg = (
                    f"{path} has the dimensions {found.dims} in {one.granule.url}, but "
                    f"{dims[path]} in other beams or granules. Exclude it with drop_variables."
                )
                raise MergeError(msg)
        return dims

    @cached_property
    def second_sizes(self) -> dict[str, int]:
        """Sizes of second dimensions: the number of all labels, or the largest size."""
        return {
            dim: len(self.labels[dim]) if dim in self.labels else max(sizes)
            for dim, sizes in self._sizes.items()
        }

    @cached_property
    def _sizes(self) -> dict[str, set[int]]:
        """Sizes that each second dimension has in any beam."""
        sizes: dict[str, set[int]] = {}
        for _, _, _, found in self._datasets():
            for dim, size in zip(found.dims, found.header.shape, strict=True):
                if dim != ALONG:
                    sizes.setdefault(dim, set()).add(size)
        return sizes

    @cached_property
    def labels(self) -> dict[str, Labels]:
        """Labels of second dimensions: the union of those of all beams."""
        known = {
            dim: merge_specified_labels(dim, sets, self._sizes.get(dim, set()))
            for dim, sets in self.rate.labels.items()
        }
        stored = {
            dim: merge_stored_labels(self._stored_labels(dim)) for dim in self.rate.label_variables
        }
        return {dim: labels for dim, labels in (known | stored).items() if labels}

    def _stored_labels(self, dim: str) -> list[Labels]:
        beams = (beam for one in self.granules for beam in one.beams.values())
        return [beam.labels[dim] for beam in beams if dim in beam.labels]

    def label_positions(
        self, found: BeamVariable, stored: Mapping[str, Labels]
    ) -> dict[int, np.ndarray]:
        """Return positions along each axis on which a dataset lacks some labels.

        ``stored`` are the labels that its beam stores.
        """
        found_positions: dict[int, np.ndarray] = {}
        for axis, (dim, size) in enumerate(zip(found.dims, found.header.shape, strict=True)):
            if dim in self.labels:
                own = stored.get(dim) or labels_of_size(self.rate.labels[dim], size)
                positions = label_positions(self.labels[dim], own)
                if positions is not None:
                    found_positions[axis] = positions
        return found_positions

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of the variables, by path below the beam."""
        names: dict[str, str] = {}
        everywhere = RESERVED_NAMES | {self.rate.along} | self.labels.keys()
        used: dict[str, set[str]] = defaultdict(set)
        for path in sorted(self.dims, key=self._precedence):
            name = posixpath.basename(path)
            if name in RESERVED_NAMES:
                name = f"{self.rate.along.removesuffix('_idx')}_{name}"
            outer = posixpath.dirname(path)
            in_group = used["" if self.folded else outer]
            while name in everywhere | in_group:
                name = f"{posixpath.basename(outer) or self.dim}_{name}"
                outer = posixpath.dirname(outer)
            # Coordinates are in every group of a tree.
            (everywhere if path in self._coordinates else in_group).add(name)
            names[path] = name
        return names

    def _precedence(self, path: str) -> tuple[object, ...]:
        """Return the order of naming: of two variables with one name, the first keeps it."""
        group = posixpath.dirname(path)
        groups = self.rate.groups
        place = groups.index(group) if group in groups else len(groups)
        return path not in self._coordinates, path.count("/"), place, path

    @cached_property
    def _coordinates(self) -> set[str]:
        """Paths below the beam of the time and the position of a row, in any beam."""
        return {
            path
            for one in self.granules
            for beam in one.beams.values()
            for path in beam.coordinates
        }

    def is_renamed(self, path: str) -> bool:
        """Return whether the name of a variable differs from that in the file."""
        return self.names[path] != posixpath.basename(path)

    def parts(self, path: str) -> Iterator[tuple[int, int, GranuleRate, BeamVariable]]:
        """Yield (granule number, position along :attr:`dim`, granule, dataset) by beam."""
        for g, one in enumerate(self.granules):
            for number, beam in one.beams.items():
                if path in beam.variables:
                    yield g, self.numbers.index(number), one, beam.variables[path]

    def group_attrs(self, group: str) -> dict[str, object]:
        """Return the attributes of a group (by path below the beam) that all beams share."""
        everywhere = [
            beam.attrs[group]
            for one in self.granules
            for beam in one.beams.values()
            if group in beam.attrs
        ]
        return common_attrs(everywhere)

    @property
    def first_group(self) -> str:
        """The first group of the rate that any beam has."""
        present = {g for one in self.granules for beam in one.beams.values() for g in beam.attrs}
        return next((g for g in self.rate.groups if g in present), self.rate.group)

    def row_attrs(self, long_name: str) -> dict[str, object]:
        """Return attributes of the row coordinate; links read rate and product there."""
        attrs: dict[str, object] = {"long_name": long_name, "rate": self.rate.name}
        for name in ("product", "release"):
            values = {getattr(one.identity, name) for one in self.granules}
            if len(values) == 1 and (value := values.pop()) is not None:
                attrs[name] = value
        if self.is_cut:
            # A rate may have no row of a granule of which other rates have some.
            attrs["granules"] = [one.identity.gran_idx for one in self.granules]
        return attrs

    def has_coordinate(self, path: str) -> bool:
        """Return whether a variable is the time or the position of a row, in any beam."""
        return path in self._coordinates

    @cached_property
    def frame(self) -> ReferenceFrame | None:
        """Reference frame of all granules; None where they differ or one is unknown."""
        return common_frame([one.identity for one in self.granules])

    def is_coordinate(self, path: str) -> bool:
        """Return whether a variable becomes a coordinate."""
        return self.request.decode_coords and self.has_coordinate(path)

    @cached_property
    def is_located(self) -> bool:
        """Whether rows have a latitude and a longitude as coordinates."""
        names = {posixpath.basename(path) for path in self._coordinates}
        return self.request.decode_coords and {self.rate.latitude, self.rate.longitude} <= names

    @property
    def decode_rules(self) -> DecodeRules:
        """Rules by which its variables are decoded."""
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
    """Return the attributes that have the same value in all mappings."""
    if not everywhere:
        return {}
    first, *others = everywhere
    return {
        name: value
        for name, value in first.items()
        if all(name in attrs and np.array_equal(attrs[name], value) for attrs in others)  # type: ignore[arg-type]
    }
