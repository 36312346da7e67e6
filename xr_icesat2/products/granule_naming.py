"""Convention of a product's granules: names, numbers, tracks and folders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Literal, TypeAlias

__all__ = ["GranuleConvention", "Tracks"]

Tracks: TypeAlias = Literal["beams", "pairs", "profiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleConvention:
    """Names, numbers, tracks and folders of a product's granules.

    Source of names: the file naming conventions in the products' user guides at NSIDC.
    """

    names: tuple[str, ...]
    """File names with fields of :class:`.GranuleName` in braces. The first whose fields are known
    is written; all are read. ``{short_release}`` is a release without its first digit."""
    gran_idx: tuple[str | int, str | int, str | int] | None
    """Fields, or numbers in their place, of which ``gran_idx`` is made: the first times 10 000, the
    second times 100, and the third. None: gridded, of no single track."""
    tracks: Tracks | None
    """Groups at the root that are merged; None: the file opens unmerged."""
    orbits: int = 0
    """Whole orbits in a granule, which is named after the first; 0: a part of one orbit."""
    quick_look: bool = False
    """Whether the product may have a quick look, such as ``"ATL03QL"``, until the final granule is
    made. CMR knows for which products the archive has one."""
    folders_by_date: bool = False
    """Whether the archive stores every release in ``product/release/yyyy/mm/dd``. CMR knows the
    folders of the others."""

    @property
    def is_gridded(self) -> bool:
        """Whether granules are maps."""
        return self.gran_idx is None

    @property
    def fields(self) -> frozenset[str]:
        """Fields of the names that are written."""
        return _fields(self.names[0])

    @property
    def numbers(self) -> frozenset[str]:
        """Fields of ``gran_idx``."""
        return frozenset(part for part in self.gran_idx or () if isinstance(part, str))


@cache
def _fields(name: str) -> frozenset[str]:
    return frozenset(field for _, field, _, _ in Formatter().parse(name) if field)
