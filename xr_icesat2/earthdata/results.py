"""Results of a search: a list of granules that prints as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import SupportsIndex, overload

from xr_icesat2.printable import printable
from xr_icesat2.region import Region

from .cmr import CatalogGranule
from .footprint import footprint_lines
from .newest_version import parsed_name, pass_key
from .result_map import svg_maps
from .result_table import html_table, text_table, total_size

__all__ = ["GranuleList"]


@dataclass(frozen=True, repr=False)
class GranuleList(Sequence[CatalogGranule]):
    """Granules that a search found, in order of time.

    ``granules[0]``, ``granules[:5]``, ``len`` and ``for`` work as with a list, and
    ``xr.open_dataset(granules, engine="icesat2")`` merges them. It prints as a table; a notebook
    also shows a map of the ground tracks.
    """

    granules: tuple[CatalogGranule, ...]
    """The newest version of each pass."""
    query: str = ""
    """Description of the search."""
    area: Region | None = None
    """Area of the search, as ``region=`` of ``open_dataset`` takes it."""
    older: tuple[CatalogGranule, ...] = ()
    """Older versions of the same passes."""

    @property
    def urls(self) -> list[str]:
        """``icesat2://`` URLs of the granules."""
        return [granule.icesat2_url for granule in self]

    @overload
    def __getitem__(self, which: SupportsIndex) -> CatalogGranule: ...

    @overload
    def __getitem__(self, which: slice) -> GranuleList: ...

    def __getitem__(self, which: SupportsIndex | slice) -> CatalogGranule | GranuleList:
        if isinstance(which, slice):
            chosen = self.granules[which]
            passes = {pass_key(parsed_name(granule)) for granule in chosen}
            older = tuple(one for one in self.older if pass_key(parsed_name(one)) in passes)
            return replace(self, granules=chosen, older=older)
        return self.granules[which]

    def __len__(self) -> int:
        return len(self.granules)

    def __repr__(self) -> str:
        lines = [f"<GranuleList: {self._summary()}>", *text_table(self)]
        if self.older:
            lines.append(self._left_out())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        tracks = [line for granule in self for line in footprint_lines(granule)]
        drawn = svg_maps(tracks, () if self.area is None else self.area.outlines()) if self else ""
        notes = f"<p>{escape(self._left_out())}</p>" if self.older else ""
        return f"<p>{escape(self._summary())}</p>{drawn}{html_table(self)}{notes}"

    def _summary(self) -> str:
        query = f" ({printable(self.query)})" if self.query else ""
        if not self:
            return f"no granules{query}"
        plural = "" if len(self) == 1 else "s"
        return f"{len(self)} granule{plural}, {total_size(self)}{query}"

    def _left_out(self) -> str:
        count = len(self.older)
        what = "an older version" if count == 1 else f"{count} older versions"
        return f"Left out: {what} of the same passes (in .older)"
