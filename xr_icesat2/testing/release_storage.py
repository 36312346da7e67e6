"""Storage properties of the files of each release.

Sources: up to release 006, original granules; release 007, the section on the mission's
implementation in NSIDC's report "Evaluating cloud-optimized HDF5 for NASA's ICESat-2 mission"
(github.com/nsidc/cloud-optimized-icesat2). The report speaks of ATL03: that the other products
of release 007 are paged as well is assumed here, and their chunks stay as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PAGE_SIZE", "ReleaseStorage"]

PAGE_SIZE = 8 * 2**20
"""Bytes of a page of the file, from release 007 on."""

_FIRST_PAGED = "007"
_CHUNK_ROWS = 10_000
_PHOTON_CHUNK_ROWS = 100_000
_PHOTON_RATES = frozenset({("ATL03", "heights")})


@dataclass(frozen=True, slots=True)
class ReleaseStorage:
    """Storage properties of one granule."""

    product: str
    """Short name."""
    release: str
    """Three digits."""
    chunk_rows: int | None
    """Rows of every chunk; None: as in the release."""

    @property
    def paged(self) -> bool:
        """Whether the file is divided into pages, of metadata or of raw data."""
        return self.release >= _FIRST_PAGED

    @property
    def compact(self) -> bool:
        """Whether short datasets without rows are stored in their object headers."""
        return not self.paged

    def rows_of_chunk(self, rate: str) -> int:
        """Return the rows of a chunk of a rate's datasets."""
        if self.chunk_rows is not None:
            return self.chunk_rows
        photons = (self.product, rate) in _PHOTON_RATES
        return _PHOTON_CHUNK_ROWS if photons and self.paged else _CHUNK_ROWS

    def creation(self) -> Mapping[str, Any]:
        """Return the arguments of :class:`h5py.File` to create the file."""
        if not self.paged:
            return {}
        return {"fs_strategy": "page", "fs_page_size": PAGE_SIZE, "fs_persist": True}
