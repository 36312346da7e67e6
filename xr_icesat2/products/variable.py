"""What a product's table says of one dataset or group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ALWAYS", "FIRST", "LAST", "Group", "Releases", "Variable"]

FIRST, LAST = "001", "999"


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of a product that have something."""

    first: str = FIRST
    """Three digits."""
    last: str = LAST
    sure: bool = True
    """Whether a granule was seen that has it; otherwise only documents name it."""

    def __contains__(self, release: str) -> bool:
        return self.first <= release <= self.last

    def __str__(self) -> str:
        first = "" if self.first == FIRST else self.first
        last = "" if self.last == LAST else self.last
        span = first if first == last else f"{first}-{last}"
        return span + ("" if self.sure else "?")


ALWAYS = Releases()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One dataset of a product, as its granules have it."""

    path: str
    """From the root, with ``{beam}`` in the place of gt1l … gt3r."""
    dtype: str
    """numpy code: ``f4``, ``i1``, ``S80`` …"""
    dims: tuple[str | int, ...]
    """Names of dimension scales, or bare lengths. A name means the scale of that name in the
    group or, of those around it, the nearest, as in netCDF-4."""
    size: int | None = None
    """Length of a scale that has one length in all granules; None for any other variable."""
    units: str = ""
    standard_name: str = ""
    content: str = ""
    """Attribute ``contentType``."""
    content_since: str = FIRST
    """The release from which on the file has that attribute."""
    fill: float | None = None
    """Attribute ``_FillValue`` and fill value of the dataset."""
    valid: tuple[float | None, float | None] = (None, None)
    """Attributes ``valid_min`` and ``valid_max``."""
    flags: tuple[tuple[str, int], ...] = ()
    """Attributes ``flag_meanings`` and ``flag_values``; meanings may recur."""
    coordinates: str = ""
    """Attribute ``coordinates``."""
    source: str = ""
    """Attribute ``source``: where the product's documents define it."""
    long_name: str = ""
    description: str = ""
    """What it is, in words of our own."""
    length: int = 0
    """Characters of the product's own description."""
    releases: Releases = ALWAYS

    @property
    def name(self) -> str:
        """Name within its group."""
        return self.path.rpartition("/")[2]

    @property
    def group(self) -> str:
        """Path of its group; ``""`` for the root."""
        return self.path.rpartition("/")[0]

    @property
    def is_scale(self) -> bool:
        """Whether it is the scale of the dimension of its own name."""
        return self.dims == (self.name,)

    def attributes(self) -> dict[str, Any]:
        """All attributes but those of the dimension scales, typed as in real granules."""
        dtype = np.dtype(self.dtype)
        texts = {
            "contentType": self.content,
            "coordinates": self.coordinates,
            "description": self.description,
            "flag_meanings": " ".join(meaning for meaning, _ in self.flags),
            "long_name": self.long_name,
            "source": self.source,
            "standard_name": self.standard_name,
            "units": self.units,
        }
        attributes: dict[str, Any] = {key: text for key, text in texts.items() if text}
        if self.fill is not None:
            attributes["_FillValue"] = np.array([self.fill], dtype)
        if self.flags:
            attributes["flag_values"] = np.array([value for _, value in self.flags], dtype)
        for name, limit in zip(("valid_min", "valid_max"), self.valid, strict=True):
            if limit is not None:
                attributes[name] = dtype.type(limit)
        return attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group of a product."""

    path: str
    """From the root, ``""`` for the root itself; with ``{beam}`` as in :class:`Variable`."""
    attributes: tuple[tuple[str, int], ...]
    """Names of its attributes and the characters of the product's own text, 0 if that is short."""
    coordinates: tuple[str, ...]
    """Time, latitude and longitude of the variables in it, where it lies along a track."""
    description: str = ""
    """What it holds, in words of our own."""
    releases: Releases = ALWAYS
