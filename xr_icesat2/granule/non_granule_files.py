"""Describe HDF5 files that are not granules, by their name or their root group."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from xr_icesat2.printable import printable

from .name import file_name

__all__ = ["describe_non_granule", "is_browse"]

# NSIDC's name of a granule's pictures; other names with _BRW in them may be anybody's.
_BROWSE_NAME = re.compile(r"ATL[0-9]{2}[-_][0-9A-Za-z_]+_[0-9]{3}_[0-9]{2}_BRW\.[0-9A-Za-z.]+")


def is_browse(url: str) -> bool:
    """Return whether a file is named like a browse file: pictures of a granule."""
    return _BROWSE_NAME.fullmatch(file_name(url)) is not None


def describe_non_granule(
    url: str, attrs: Mapping[str, object], names: Collection[str]
) -> str | None:
    """Return what an HDF5 file without beams is, and what to do; None if unknown.

    Parameters
    ----------
    url
        Url of the file.
    attrs
        Attributes of its root group.
    names
        Names in its root group.
    """
    if is_browse(url):
        return (
            "a browse file, which contains pictures of a granule. Open the granule itself: its "
            "name is the same without _BRW"
        )
    if "PYTABLES_FORMAT_VERSION" in attrs:
        tables = ", ".join(repr(printable(name)) for name in sorted(names)[:3])
        return (
            f"written by pandas or PyTables (it contains {tables}). Read it with "
            "pandas.read_hdf(…), and convert a table to a Dataset with xr.Dataset.from_dataframe(…)"
        )
    return None
