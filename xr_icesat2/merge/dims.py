"""Names of a dataset's dimensions, from the scales that the file attaches to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xr_icesat2.granule.model import DatasetHeader, GroupHeader
from xr_icesat2.granule.paths import ancestors, join

if TYPE_CHECKING:
    from xr_icesat2.granule.index import GranuleIndex

__all__ = ["STANDARD_NAMES", "scale_paths"]

STANDARD_NAMES = ("time", "latitude", "longitude")
"""Standard names (CF conventions) of the coordinates of a row."""


def scale_paths(index: GranuleIndex, path: str, header: DatasetHeader) -> tuple[str | None, ...]:
    """Give, for each dimension of a dataset, the path of its scale, or None if it has none.

    Scales are looked for in the dataset's group and those around it, as
    netCDF-4 has it (*NetCDF-4 file format*, "dimensions are visible in all
    child groups"); one that lies elsewhere is found by a walk of the file.
    """
    if header.is_scale and len(header.shape) == 1:
        return (path,)
    found: list[str | None] = []
    for axis in range(len(header.shape)):
        scales = header.dimension_list[axis : axis + 1]
        target = scales[0][0] if scales and scales[0] else None
        found.append(target if isinstance(target, str) else _path_of(index, path, target))
    return tuple(found)


def _path_of(index: GranuleIndex, path: str, target: int | None) -> str | None:
    if target is None:
        return None
    for group in ancestors(path):
        name = _named(index, group, target)
        if name is not None:
            return join(group, name)
    for group, node in index.below(["/"]).items():
        if isinstance(node, GroupHeader) and (name := _named(index, group, target)) is not None:
            return join(group, name)
    return None


def _named(index: GranuleIndex, group: str, target: int) -> str | None:
    links = index.group(group).links
    return next((name for name, link in links.items() if link == target), None)
