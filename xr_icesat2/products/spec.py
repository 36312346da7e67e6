"""What a product holds, as data.

A product file fills in these classes and is headed by the document that it was
taken from; the code that merges knows nothing of any product but them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["ALONG", "ProductSpec", "Rate"]

ALONG = "*"
"""Stands for the along-track dimension in :attr:`Rate.dims`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Variables of a beam that share one along-track dimension."""

    group: str
    """The group below each beam, which is also how a user asks for the rate; ``""``: the beam."""
    along: str
    """Name of the along-track dimension, such as ``segment_idx``."""
    subgroups: tuple[str, ...] = ()
    """Groups below ``group`` that belong to the rate."""
    members: tuple[str, ...] | None = None
    """Paths below the beam that belong to the rate; None: all variables of its groups."""
    scale: str | None = None
    """Variable of the group that is the dimension's scale, where it is not the time."""
    time: str | None = None
    """Variable of the group that tells the time of a row."""
    latitude: str | None = None
    longitude: str | None = None
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Dimensions of variables that have others than :data:`ALONG` alone, by their name."""
    void_fill: frozenset[str] = frozenset()
    """Variables whose declared ``_FillValue`` is a value: it is never masked."""
    alias: str | None = None
    """How the rate is asked for where its group already stands for another one."""
    pad: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Padding of raw integers without ``_FillValue``, where not the greatest of the dtype."""

    @property
    def name(self) -> str:
        """How a user asks for the rate, and its node in a tree."""
        return self.alias or self.group

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Variables that are coordinates of a row."""
        return tuple(name for name in (self.time, self.latitude, self.longitude) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSpec:
    """A product: its rates, below which groups, and which rate is meant by default."""

    product: str
    document: str
    """Title and edition of the data dictionary or ATBD that the specification was taken from."""
    rates: tuple[Rate, ...]
    main: str
    """Group of the rate that is opened when none is asked for."""
