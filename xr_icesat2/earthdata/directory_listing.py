"""List folders of ``icesat2://``: products, releases, days and granules."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from xr_icesat2.errors import GranuleNotFoundError, SelectionError
from xr_icesat2.products import PRODUCTS

from . import cmr as catalog
from .archive_paths import has_folders_by_date, path_of_url, plain_path

__all__ = ["ListingEntry", "files_below", "find_below", "folder_entry", "list_folder"]

ListingEntry = dict[str, Any]
"""Entry as in fsspec: ``name``, ``size`` (bytes, or None), ``type``."""

# Digits of year, month and day in a path.
_WIDTHS = (4, 2, 2)
# Number of parts in the path of a release, and of a file in folders by date.
_RELEASE, _FILE = 2, 6
_NARROWER = "name a product and a release, such as icesat2://ATL06/007/2019/11"


def folder_entry(path: str) -> ListingEntry:
    """Return the entry of a folder."""
    return {"name": path, "size": 0, "type": "directory"}


async def list_folder(path: str) -> list[ListingEntry]:
    """List a folder.

    Years, months and days are those of the calendar, from the start of the release to its end or
    to today; the folder of a day may be empty.

    Raises
    ------
    GranuleNotFoundError
        There is no such folder.
    """
    if not path:
        return [folder_entry(product) for product in PRODUCTS]
    product, *below = path.split("/")
    releases = {umm["Version"]: umm for umm in await _releases(product, path)}
    if not below:
        return [folder_entry(f"{path}/{release}") for release in sorted(releases)]
    if below[0] not in releases:
        raise _no_folder(path, f"the releases of {product} are {', '.join(sorted(releases))}")
    if not has_folders_by_date(product):
        children = _children(path, await files_below(path))
        if not children and below[1:]:
            raise _no_folder(path, "it contains no granule")
        return children
    extent = _extent(releases[below[0]])
    if len(below) > 1 and below[-1] not in _dates(below[1:-1], *extent):
        raise _no_folder(path, f"{product} {below[0]} has days from {extent[0]} to {extent[1]}")
    if len(below) > len(_WIDTHS):
        return await files_below(path)
    return [folder_entry(f"{path}/{part}") for part in _dates(below[1:], *extent)]


async def files_below(path: str) -> list[ListingEntry]:
    """List all granules below a folder of a release, at any depth.

    Parameters
    ----------
    path : str
        ``product/release``, and any part of a date.
    """
    product, release, *dates = path.split("/")
    if has_folders_by_date(product):
        if not _is_date(dates):
            raise _no_folder(path, "below a release are year, month and day, such as 2019/11/06")
        query = catalog.name_query(product, release, f"{product}*_{''.join(dates)}*")
    else:
        query = catalog.release_query(product, release)
    entries = map(_entry, await catalog.list_granules(query))
    return sorted(
        (entry for entry in entries if entry["name"].startswith(f"{path}/")),
        key=lambda entry: str(entry["name"]),
    )


async def find_below(path: str, deepest: int, *, withdirs: bool) -> dict[str, ListingEntry]:
    """Find the files below ``path``, and folders on request, by name.

    Parameters
    ----------
    path : str
        A folder.
    deepest : int
        Maximum number of parts of a path.
    withdirs : bool
        Whether to include folders, also ``path`` itself. Empty folders are left out where files
        are listed by a query.

    Raises
    ------
    GranuleNotFoundError
        There is no such folder.
    SelectionError
        It would list the whole archive.
    """
    parts = path.split("/") if path else []
    if not parts and deepest > _RELEASE:
        raise SelectionError(f"This would list the whole archive: {_NARROWER}")
    if len(parts) < _RELEASE or (has_folders_by_date(parts[0]) and deepest < _FILE):
        return await _walk(path, deepest, withdirs=withdirs)
    files = {entry["name"]: entry for entry in await files_below(path)}
    folders = {each: folder_entry(each) for name in files for each in _above(name, len(parts))}
    found = files | folders if withdirs else files
    return {name: found[name] for name in sorted(found) if name.count("/") < deepest}


async def _walk(path: str, deepest: int, *, withdirs: bool) -> dict[str, ListingEntry]:
    """Find files like :func:`find_below`, folder by folder."""
    found = {path: folder_entry(path)} if withdirs and path else {}
    for entry in await list_folder(path):
        name = entry["name"]
        if entry["type"] == "file" or withdirs:
            found[name] = entry
        if entry["type"] == "directory" and name.count("/") + 1 < deepest:
            found |= await find_below(name, deepest, withdirs=withdirs)
    return found


def _above(name: str, depth: int) -> list[str]:
    """Return the folders above ``name`` that have at least ``depth`` parts."""
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(depth, len(parts))]


def _entry(granule: catalog.CatalogGranule) -> ListingEntry:
    path = path_of_url(granule.s3_url) or path_of_url(granule.https_url)
    return {
        "name": path or plain_path(granule.name),
        "size": granule.size,
        "type": "file",
        "start": granule.start,
        "end": granule.end,
    }


def _children(path: str, files: Iterable[ListingEntry]) -> list[ListingEntry]:
    """Return the entries directly in ``path``, from all files below it."""
    found: dict[str, ListingEntry] = {}
    for entry in files:
        first, deeper, _ = entry["name"].removeprefix(f"{path}/").partition("/")
        name = f"{path}/{first}"
        found[name] = folder_entry(name) if deeper else entry
    return list(found.values())


async def _releases(product: str, path: str) -> list[Mapping[str, Any]]:
    if product not in [*PRODUCTS]:
        raise _no_folder(path, f"the products are {', '.join(PRODUCTS)}")
    return await catalog.list_collections(product)


def _extent(umm: Mapping[str, Any]) -> tuple[date, date]:
    """Return the first and last day of a release."""
    ranges = [each for extent in umm["TemporalExtents"] for each in extent["RangeDateTimes"]]
    first = min(datetime.fromisoformat(each["BeginningDateTime"]).date() for each in ranges)
    ends = [each.get("EndingDateTime") for each in ranges]
    known = [datetime.fromisoformat(end).date() for end in ends if end]
    return first, max(known) if len(known) == len(ends) else datetime.now(UTC).date()


def _dates(given: Sequence[str], first: date, last: date) -> list[str]:
    """Return the years, months or days below a given date, between two days."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    parts = [f"{day:%Y/%m/%d}".split("/") for day in days]
    depth = len(given)
    return sorted({each[depth] for each in parts if each[:depth] == list(given)})


def _is_date(parts: Sequence[str]) -> bool:
    return len(parts) <= len(_WIDTHS) and all(
        part.isdecimal() and len(part) == width for part, width in zip(parts, _WIDTHS, strict=False)
    )


def _no_folder(path: str, why: str) -> GranuleNotFoundError:
    return GranuleNotFoundError(f"There is no folder icesat2://{path}: {why}")
