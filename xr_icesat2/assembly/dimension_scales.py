"""Dimension scales: which dataset names each dimension of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xr_icesat2.hdf5.model import DatasetHeader

if TYPE_CHECKING:
    from xr_icesat2.hdf5.index import GranuleIndex

__all__ = ["STANDARD_NAMES", "scale_paths"]

STANDARD_NAMES = ("time", "latitude", "longitude")
"""Standard names (CF conventions) of the coordinates of a row."""


def scale_paths(
    index: GranuleIndex, path: str, header: DatasetHeader, *, leave_out_damaged: bool = False
) -> tuple[str | None, ...]:
    """Return the path of the scale of each dimension; None if it has none.

    Scales are searched in the dataset's group and in the groups around it, as
    netCDF-4 defines it (*NetCDF-4 file format*, "dimensions are visible in all
    child groups"), then in the whole file. ``leave_out_damaged`` skips what
    cannot be read in that search.
    """
    if header.is_scale and len(header.shape) == 1:
        return (path,)
    found: list[str | None] = []
    for axis in range(len(header.shape)):
        scales = header.dimension_list[axis : axis + 1]
        target = scales[0][0] if scales and scales[0] else None
        if isinstance(target, int):
            target = index.path_of(target, path, leave_out_damaged=leave_out_damaged)
        found.append(target)
    return tuple(found)
