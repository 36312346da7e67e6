"""What an opened Dataset is: its product, its rate, and the names of its coordinates."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Literal, TypeAlias

import xarray as xr

from .errors import RateError
from .products import PRODUCTS, ProductSpec, Rate

__all__ = ["OpenedRate", "RowCoordinate"]

RowCoordinate: TypeAlias = Literal["latitude", "longitude", "time"]
_BEAM_COORDINATES = ("spot", "profile", "pair_track")
"""Coordinates that identify beams; ``gt`` where spots are absent or unknown."""
_BEAM_DIMENSIONS = (*_BEAM_COORDINATES, "gt")


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRate:
    """A Dataset opened with ``engine="icesat2"``, or a selection of one.

    Attributes
    ----------
    dataset
        The Dataset; of a node of a tree with its inherited coordinates.
    along
        Dimension of the rows, such as ``segment_idx``.
    product, release
        As the file says; None where it does not, or where granules of a list differ.
    name
        Name of the rate, such as ``land_ice_segments``.
    rate
        Specification of the rate. If the product's specification lacks the rate, it has only its
        group and its dimension.
    spec
        Specification of the product, None where the product is unknown.
    node
        The node of a tree that was given; None for a Dataset.
    """

    dataset: xr.Dataset
    along: str
    product: str | None
    release: str | None
    name: str
    rate: Rate
    spec: ProductSpec | None
    node: xr.DataTree | None = None

    @classmethod
    def of(cls, given: xr.Dataset | xr.DataTree) -> OpenedRate:
        """Identify the rate of a Dataset or of a node of a tree.

        Raises
        ------
        RateError
            It is neither, it was not opened with this engine, or it has not the rows of exactly
            one rate.
        """
        dataset = given.to_dataset() if isinstance(given, xr.DataTree) else given
        if not isinstance(dataset, xr.Dataset):
            raise RateError(
                f"a {type(given).__name__} was given, expected a Dataset or a node of a tree: pass "
                "the Dataset that contains the variable (ds, not ds.h_ph)"
            )
        along = _along(dataset)
        attrs = dataset[along].attrs
        name, product, release = str(attrs["rate"]), attrs.get("product"), attrs.get("release")
        spec = PRODUCTS.get(product or "")
        specified = (rate for rate in (spec.rates if spec else ()) if rate.name == name)
        rate = next(specified, Rate(group=name, along=along))
        node = given if isinstance(given, xr.DataTree) else None
        return cls(dataset, along, product, release, name, rate, spec, node)

    @property
    def title(self) -> str:
        """Product and rate, for messages."""
        return f"{self.product} {self.name}" if self.product else self.name

    @property
    def is_specified(self) -> bool:
        """Whether the specification of the product has the rate."""
        return self.spec is not None and self.rate in self.spec.rates

    @property
    def beam_dim(self) -> str | None:
        """Dimension of beams; None if the rows of all beams follow one another, or of one beam."""
        return next((name for name in _BEAM_DIMENSIONS if name in self.dataset.dims), None)

    @property
    def beam_coordinate(self) -> str:
        """Coordinate that identifies beams, whether or not the Dataset has it."""
        coords = self.dataset.coords
        by = next((name for name in _BEAM_COORDINATES if name in coords), "spot")
        if by == "spot" and "gt" in coords:
            known = by in coords and self.dataset[by].dtype.kind in "iu"
            return by if known else "gt"
        return by

    @property
    def latitude(self) -> str | None:
        """Coordinate with the latitude of each row; None if the Dataset has none."""
        return self._find("latitude")

    @property
    def longitude(self) -> str | None:
        """Coordinate with the longitude of each row; None if the Dataset has none."""
        return self._find("longitude")

    @property
    def time(self) -> str | None:
        """Coordinate with the time of each row; None if the Dataset has none."""
        return self._find("time")

    def find_below(self, variable: str) -> str:
        """Return a sentence that names the node below that has a variable, or ""."""
        name = posixpath.basename(variable)
        for node in self.node.descendants if self.node is not None else ():
            if name in node.data_vars and f"{node.path}/{name}".endswith(f"/{variable}"):
                return f" The node below has it: pass {name!r} to tree[{node.path[1:]!r}].icesat2."
        return ""

    def require(self, *wanted: RowCoordinate) -> tuple[str, ...]:
        """Return the names of coordinates, which must be there.

        Raises
        ------
        RateError
            The Dataset lacks one.
        """
        return tuple(self._find(kind) or self._refuse(kind) for kind in wanted)

    def _find(self, kind: RowCoordinate) -> str | None:
        """Return the specified coordinate, else the only one of its standard name."""
        specified = getattr(self.rate, kind)
        coords = self.dataset.coords
        if specified in coords and self.along in coords[specified].dims:
            return str(specified)
        named = [
            str(name)
            for name, coord in coords.items()
            if self.along in coord.dims and coord.attrs.get("standard_name") == kind
        ]
        return named[0] if len(named) == 1 else None

    def _refuse(self, kind: RowCoordinate) -> str:
        specified = getattr(self.rate, kind)
        if self.is_specified and specified is None:
            what = f"{self.title} has no {kind} of its own; take it from a linked rate"
        elif specified in self.dataset.data_vars:
            what = (
                f"{specified}, the {kind} of {self.title}, is a data variable; make it a "
                f"coordinate: ds.set_coords({specified!r})"
            )
        else:
            what = (
                f"{self.title} lacks the coordinate {specified or kind}, the {kind} of its rows; "
                "keep the coordinates of the engine"
            )
        raise RateError(f"{what}. The coordinates are {', '.join(map(str, self.dataset.coords))}.")


def _along(dataset: xr.Dataset) -> str:
    """Return the dimension of the rows, whose coordinate names the rate."""
    rated = [str(d) for d in dataset.dims if d in dataset.coords and "rate" in dataset[d].attrs]
    if len(rated) == 1:
        return rated[0]
    if rated:
        problem = f"this one has rows of several rates: {', '.join(rated)}"
    else:
        problem = f"this one has the dimensions {dict(dataset.sizes)}, none with such a coordinate"
    raise RateError(
        "expected a Dataset that was opened with engine='icesat2' and has rows of one rate along "
        f"a track (a coordinate such as segment_idx with its attributes); {problem}"
    )
