"""Description of a granule's tree: groups, rates and variables without values.

A product is one tree (:func:`~xr_icesat2.testing.product_tree.build_tree`, made of the product's
table) and one values module (:class:`GranuleValues`); the writer knows neither by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.products.variable_table import TableVariable

__all__ = [
    "I4_FILL",
    "GranuleFact",
    "GranuleValues",
    "GroupAttributes",
    "ProductTree",
    "TableVariable",
    "TreeGroup",
    "TreeRate",
]

I4_FILL = int(np.iinfo(np.int32).max)
"""Fill value of 32-bit integers in the products."""


@dataclass(frozen=True, slots=True)
class GranuleFact:
    """An attribute whose value depends on the granule."""

    name: str
    """Key in :meth:`GranuleValues.attribute_values`."""


GroupAttributes = Mapping[str, str | float | GranuleFact]
"""Attributes of a group: texts (with ``{fact}`` in braces), numbers, :class:`GranuleFact`."""


@dataclass(frozen=True, slots=True)
class TreeGroup:
    """A group and the datasets directly in it."""

    path: str
    """Path below the root (``""`` for itself) or, within a rate, below the rate's group."""
    attributes: GroupAttributes
    """Attributes of the group."""
    variables: tuple[TableVariable, ...] = ()
    """Datasets in it."""


@dataclass(frozen=True, slots=True)
class TreeRate:
    """Groups of each beam whose rows belong together."""

    name: str
    """Name of the rate: the path of its group below the beam."""
    path: str
    """Path of its group, with ``{beam}`` for the ground track."""
    coordinates: tuple[str, ...]
    """Time, latitude and longitude; the first is the scale of the rate's dimension."""
    groups: tuple[TreeGroup, ...]
    """The rate's group and those below it."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Second dimensions, scales in the rate's group or at the root, and their lengths."""


@dataclass(frozen=True, slots=True)
class ProductTree:
    """The tree of a product."""

    name: str
    """Short name, such as ``ATL06``."""
    title: str
    """Long name."""
    attributes: GroupAttributes
    """Attributes of the file."""
    groups: tuple[TreeGroup, ...]
    """Groups that occur once in the file or in a beam, with small variables; also the root if it
    has datasets."""
    beam: GroupAttributes
    """Attributes of each beam's group."""
    rates: tuple[TreeRate, ...]
    """Groups of each beam."""
    scales: Mapping[str, int | None]
    """Dimension scales in the groups above, by path, and their lengths; None where it varies."""

    def scale(self, group: str, dim: str) -> str:
        """Return the path of the scale of a dimension of a variable in a group.

        Raises
        ------
        KeyError
            There is none.
        """
        while True:
            path = f"{group}/{dim}".lstrip("/")
            if path in self.scales:
                return path
            if not group:
                raise KeyError(dim)
            group = group.rpartition("/")[0]


class GranuleValues(Protocol):
    """The values of one granule, block by block."""

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam."""

    def block(self, rate: str, beam: str, start: int, stop: int) -> Mapping[str, NDArray[Any]]:
        """Return rows ``start:stop`` of all variables of a rate, by path below its group.

        Values of a row depend only on its number, not on the block. Several threads call this
        concurrently.
        """

    def fixed(self, rate: str) -> Mapping[str, NDArray[Any]]:
        """Return the values of a rate's variables that have no rows, by path."""

    def constants(self) -> Mapping[str, NDArray[Any]]:
        """Return the values of variables stored once in a file, by path."""

    def attribute_values(self) -> Mapping[str, Any]:
        """Return the values that attributes contain."""
