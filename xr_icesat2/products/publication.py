"""Releases of a product as NSIDC publishes them, to cite."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Publication"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A release of a data set, with its authors.

    Source: NSIDC's citation on the page of the version (``nsidc.org/data/atl06/versions/6``), in
    its user guide or in its catalog record (DIF); of ATL13 007, the ATBD.
    """

    release: str
    """Three digits."""
    year: int
    authors: str
    """Family name and initials of each in order, separated by ``"; "``; the last may be a team."""
    title: str = ""
    """Title of the data set, where it was another than today's."""

    @property
    def people(self) -> list[str]:
        """Authors one by one."""
        return self.authors.split("; ")
