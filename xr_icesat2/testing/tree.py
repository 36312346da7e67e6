"""The form in which a product's tree is described: frozen tables without values.

A product is one tree (tables of the classes below) and one values module
(:class:`Values`); the writer knows neither by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AUXILIARY",
    "F4_FILL",
    "F8_FILL",
    "I4_FILL",
    "MODEL",
    "PHYSICAL",
    "QUALITY",
    "REFERENCE",
    "Attributes",
    "Fact",
    "Group",
    "Product",
    "Rate",
    "Values",
    "Variable",
    "f4",
    "f8",
    "i1",
    "i4",
    "latitude",
    "longitude",
    "time",
]

# The values of the attribute contentType.
PHYSICAL = "physicalMeasurement"
QUALITY = "qualityInformation"
REFERENCE = "referenceInformation"
AUXILIARY = "auxiliaryInformation"
MODEL = "modelResult"

F4_FILL = float(np.finfo(np.float32).max)
F8_FILL = float(np.finfo(np.float64).max)
I4_FILL = int(np.iinfo(np.int32).max)

_SECONDS = "seconds since 2018-01-01"


@dataclass(frozen=True, slots=True)
class Fact:
    """An attribute whose value the granule decides, as it is (texts may use ``{name}``)."""

    name: str
    """Key among the granule's facts."""


Attributes = Mapping[str, str | float | Fact]
"""Attributes of a group: texts (with ``{fact}`` in braces), numbers, facts."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One dataset of the tree."""

    name: str
    """Name within its group."""
    dtype: str
    """numpy code: ``f4``, ``i1``, ``S80`` …"""
    units: str
    """Attribute ``units``."""
    content: str
    """Attribute ``contentType``."""
    source: str
    """Attribute ``source``: where the product's documents define it."""
    text: str
    """``long_name: description``; without a colon it is both."""
    dims: tuple[str | int, ...] = ("delta_time",)
    """Names of dimension scales in the rate's (or its own) group, or bare lengths."""
    fill: float | None = None
    """Attribute ``_FillValue`` and fill value of the dataset."""
    valid: tuple[float, float] | None = None
    """Attributes ``valid_min`` and ``valid_max``."""
    flags: Mapping[str, int] = field(default_factory=dict)
    """Attributes ``flag_meanings`` and ``flag_values``."""
    standard_name: str = ""
    """Attribute ``standard_name``."""
    coordinates: str | None = None
    """Attribute ``coordinates`` where it is not that of the rate; ``""`` for none."""

    def attributes(self, coordinates: str) -> dict[str, Any]:
        """All attributes but those of the dimension scales, typed as in real granules.

        Parameters
        ----------
        coordinates
            Attribute ``coordinates`` of the rate, as seen from this variable's group.
        """
        dtype = np.dtype(self.dtype)
        long_name, _, description = self.text.partition(": ")
        if self.coordinates is not None:
            coordinates = self.coordinates
        texts = {
            "contentType": self.content,
            "coordinates": coordinates,
            "description": description or long_name,
            "flag_meanings": " ".join(self.flags),
            "long_name": long_name,
            "source": self.source,
            "standard_name": self.standard_name,
            "units": self.units,
        }
        attributes: dict[str, Any] = {key: text for key, text in texts.items() if text}
        if self.fill is not None:
            attributes["_FillValue"] = np.array([self.fill], dtype)
        if self.flags:
            attributes["flag_values"] = np.array(list(self.flags.values()), dtype)
        if self.valid is not None:
            attributes["valid_min"], attributes["valid_max"] = map(dtype.type, self.valid)
        return attributes


@dataclass(frozen=True, slots=True)
class Group:
    """A group and the datasets directly in it."""

    path: str
    """Path below the root or, within a rate, below the rate's group (``""`` for itself)."""
    attributes: Attributes
    """Attributes of the group."""
    variables: tuple[Variable, ...] = ()
    """Datasets in it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Groups of each beam whose rows go together."""

    name: str
    """What the values module knows it by."""
    path: str
    """Where it lies, with ``{beam}`` in the place of the ground track."""
    coordinates: tuple[str, ...]
    """Time, latitude and longitude; the first is the scale of the rate's dimension."""
    groups: tuple[Group, ...]
    """The rate's group and those below it."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Second dimensions, scales in the rate's group, and their lengths."""

    def coordinates_of(self, variable: Variable, group: Group) -> str:
        """Attribute ``coordinates``: the others, relative to the variable's group."""
        up = "../" * len(group.path.split("/")) if group.path else ""
        return " ".join(up + name for name in self.coordinates if name != variable.name)


@dataclass(frozen=True, slots=True)
class Product:
    """The whole tree of a product."""

    name: str
    """Short name, such as ``ATL06``."""
    title: str
    """Long name."""
    attributes: Attributes
    """Attributes of the file."""
    groups: tuple[Group, ...]
    """Groups that stand in the file once; their variables are small."""
    beam: Attributes
    """Attributes of each beam's group."""
    rates: tuple[Rate, ...]
    """Groups of each beam."""


class Values(Protocol):
    """What fills a tree: the values of one granule, row block by row block."""

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam."""

    def block(self, rate: str, beam: str, start: int, stop: int) -> Mapping[str, NDArray[Any]]:
        """Rows ``start:stop`` of every variable along the rate, by path below its group.

        What a row holds depends on its number alone, not on the block that it comes in.
        """

    def fixed(self, rate: str) -> Mapping[str, NDArray[Any]]:
        """Values of the rate's variables that have no rows, by path below its group."""

    def constants(self) -> Mapping[str, NDArray[Any]]:
        """Values of the variables that stand in the file once, by path."""

    def facts(self) -> Mapping[str, Any]:
        """Values that attributes refer to."""


def f4(name: str, units: str, content: str, source: str, text: str, **more: Any) -> Variable:
    """Describe a 32-bit float; unless said otherwise, with the fill value of the products."""
    return Variable(name, "f4", units, content, source, text, **{"fill": F4_FILL, **more})


def f8(name: str, units: str, content: str, source: str, text: str, **more: Any) -> Variable:
    """Describe a 64-bit float."""
    return Variable(name, "f8", units, content, source, text, **more)


def i4(name: str, units: str, content: str, source: str, text: str, **more: Any) -> Variable:
    """Describe a 32-bit integer."""
    return Variable(name, "i4", units, content, source, text, **more)


def i1(name: str, units: str, content: str, source: str, text: str, **more: Any) -> Variable:
    """Describe an 8-bit integer; flags give the valid range."""
    if flags := more.get("flags"):
        more = {"valid": (min(flags.values()), max(flags.values())), **more}
    return Variable(name, "i1", units, content, source, text, **more)


def time(name: str, source: str, text: str, content: str = REFERENCE, **more: Any) -> Variable:
    """Describe seconds since the epoch of the products."""
    return f8(name, _SECONDS, content, source, text, standard_name="time", **more)


def latitude(name: str, content: str, source: str, text: str) -> Variable:
    """Describe degrees north."""
    return f8(
        name, "degrees_north", content, source, text, valid=(-90, 90), standard_name="latitude"
    )


def longitude(name: str, content: str, source: str, text: str) -> Variable:
    """Describe degrees east."""
    return f8(
        name, "degrees_east", content, source, text, valid=(-180, 180), standard_name="longitude"
    )
