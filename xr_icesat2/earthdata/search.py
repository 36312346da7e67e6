"""Search for granules: ``xr_icesat2.search``."""

from __future__ import annotations

import inspect
from collections.abc import Coroutine, Hashable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from xr_icesat2.bytesource.request_limits import request_limit
from xr_icesat2.bytesource.request_scheduler import scheduler_of
from xr_icesat2.errors import GranuleNotFoundError, SelectionError
from xr_icesat2.messages import did_you_mean
from xr_icesat2.products import PRODUCTS
from xr_icesat2.region import Region

from .cmr import (
    GRANULES,
    PAGE,
    PROVIDER,
    CatalogGranule,
    iterate_records,
    list_collections,
    parse_granule,
)
from .http_session import Query
from .newest_version import parsed_name, pass_key, split_newest
from .results import GranuleList
from .search_area import parse_area
from .temporal import Temporal, temporal_parameter
from .track_query import Numbers, Passes, check_product, parse_passes

__all__ = ["search"]

_EXTRA_RECORDS = 20
"""Additional records in a page, since some are older versions."""

SYNONYMS = {
    "bounding_box": "bbox",
    "spatial_extent": "bbox",
    "polygon": "region",
    "geometry": "region",
    "date": "temporal",
    "date_range": "temporal",
    "time": "temporal",
    "track": "rgt",
    "cycle": "cycle_number",
    "cycles": "cycle_number",
    "version": "release",
    "limit": "count",
}
"""Names of the keywords in icepyx, earthaccess and CMR."""


def search(  # noqa: PLR0913 - each is something to search by
    product: str,
    *,
    bbox: Any = None,
    region: Any = None,
    temporal: Temporal = None,
    rgt: Numbers = None,
    cycle_number: Numbers = None,
    granule_region: Numbers = None,
    hemisphere: str | int | None = None,
    release: str | int = "latest",
    count: int | None = None,
    **unknown: Any,
) -> GranuleList:
    """Find granules in NASA's catalog (CMR). No login is needed.

    Parameters
    ----------
    product : str
        Short name, such as ``"ATL06"``, or ``"ATL06QL"`` for a quick look. Gridded products
        (ATL14, ATL15 …) need no further limit.
    bbox : sequence of float, optional
        West, south, east, north in degrees, longitudes from -180 to 180 or
        from 0 to 360; west may exceed east, across the antimeridian.
    region : optional
        Instead of ``bbox``, the region that ``open_dataset`` will select rows by: a box, the
        points of a polygon, GeoJSON, the path of a shapefile, GeoPackage, KML or GeoTIFF, a
        shapely geometry, a GeoDataFrame, or a raster of booleans, as for
        :func:`xr_icesat2.region.make_region`. The catalog is searched by a polygon that contains
        it, whose holes are filled.
    temporal : optional
        A day, month or year (``"2019-11"``), or ``(start, end)`` as texts (ISO 8601) or
        datetimes, of which one may be None. UTC; both ends are included.
    rgt : int or iterable of int, optional
        Reference ground tracks, 1 to 1387. Where granules have four orbits (ATL12, ATL13,
        ATL22), the granule that contains the track is found.
    cycle_number : int or iterable of int, optional
        Repeat cycles, from 1. For ATL11, granules that contain any of them.
    granule_region : int or iterable of int, optional
        Regions of an orbit, 1 to 14.
    hemisphere : {"north", "south", 1, 2}, optional
        For products with one granule per hemisphere (ATL07, ATL10, ATL20, ATL21).
    release : str or int
        Such as ``"007"``. Default: the latest in the archive.
    count : int, optional
        Maximum number of granules, the earliest.

    Returns
    -------
    GranuleList
        In order of time, only the newest version of each pass. May be empty.

    Raises
    ------
    SelectionError
        A keyword is unknown, something asked for does not exist, or CMR rejects the
        query.
    GranuleNotFoundError
        The archive has no such product or release.
    TransferError
        CMR fails, or (:class:`TransferTimeoutError`) does not answer.
    """
    _check_keywords(unknown)
    product = check_product(product)
    passes = parse_passes(
        product,
        rgt=rgt,
        cycle_number=cycle_number,
        granule_region=granule_region,
        hemisphere=hemisphere,
    )
    area, span = parse_area(bbox, region), temporal_parameter(temporal)
    patterns = passes.patterns()
    if count is not None and not (isinstance(count, int) and count > 0):
        raise SelectionError(f"count={count!r}, expected a number above 0, or None for all")
    is_limited = count is not None or area is not None or span is not None or bool(patterns)
    if not is_limited and not PRODUCTS[passes.product].granules.is_gridded:
        raise SelectionError(
            f"This search would list every granule of {product}. Select an area (bbox, region), a "
            "period (temporal), passes (rgt, cycle_number, granule_region), or a number (count)."
        )
    query = _parameters(area, span, patterns)
    found = _wait(_found(passes, _parse_release(release), query, count))
    conditions = {
        "bbox": bbox, "region": None if region is None else area, "temporal": temporal, "rgt": rgt,
        "cycle_number": cycle_number, "granule_region": granule_region, "hemisphere": hemisphere,
    }  # fmt: skip
    described = [
        f"{keyword}={value!r}" for keyword, value in conditions.items() if value is not None
    ]
    return GranuleList(
        tuple(found.kept),
        query=", ".join([f"{product} release {found.release}", *described]),
        area=area,
        older=tuple(found.older),
    )


def _check_keywords(unknown: Iterable[str]) -> None:
    """Raise :class:`SelectionError` for the first unknown keyword."""
    parameters = inspect.signature(search).parameters.values()
    keywords = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    for keyword in unknown:
        msg = (
            f"{keyword!r} is not a keyword of search."
            f"{did_you_mean(keyword, keywords, SYNONYMS)} Its keywords are: {', '.join(keywords)}."
        )
        raise SelectionError(msg)


@dataclass(frozen=True)
class _Found:
    """Granules found in one release."""

    release: str
    kept: Sequence[CatalogGranule]
    older: Sequence[CatalogGranule]


def _parameters(area: Region | None, span: str | None, patterns: Sequence[str]) -> Query:
    return [
        *(area.cmr_parameters() if area is not None else ()),
        *([("temporal", span)] if span else ()),
        *(("readable_granule_name[]", pattern) for pattern in patterns),
        *([("options[readable_granule_name][pattern]", "true")] if patterns else ()),
    ]


def _parse_release(given: str | int) -> str | None:
    """Return the release as three digits; None for the latest."""
    text = str(given).strip().lower()
    if text == "latest":
        return None
    if not (text.isdecimal() and len(text) <= 3):
        raise SelectionError(f'release={given!r}, expected "latest" or a number such as "007"')
    return text.zfill(3)


def _wait(work: Coroutine[Any, Any, _Found]) -> _Found:
    from fsspec.asyn import get_loop  # noqa: PLC0415 - local files do without

    return scheduler_of(get_loop()).run(work, request_limit(0), "NASA's catalog (CMR)")


async def _found(passes: Passes, release: str | None, query: Query, count: int | None) -> _Found:
    release = await _existing(passes.collection, release)
    parameters = [
        ("provider", PROVIDER),
        ("short_name", passes.collection),
        ("version", release),
        ("sort_key[]", "start_date"),
        *query,
    ]
    page = None if count is None else min(PAGE, count + _EXTRA_RECORDS)
    found: list[CatalogGranule] = []
    seen: set[Hashable] = set()
    async with aclosing(iterate_records(GRANULES, parameters, page=page)) as records:
        async for record in records:
            granule = parse_granule(record)
            if not passes.accept(parsed_name(granule)):
                continue
            found.append(granule)
            seen.add(pass_key(parsed_name(granule)))
            # Versions of a pass begin within seconds of each other, so they are adjacent.
            if count is not None and len(seen) > count:
                break
    kept, older = split_newest(found)
    wanted = kept[:count]
    shown = {pass_key(parsed_name(granule)) for granule in wanted}
    return _Found(release, wanted, [one for one in older if pass_key(parsed_name(one)) in shown])


async def _existing(product: str, release: str | None) -> str:
    """Return the given or latest release, if the archive has it."""
    versions = {str(each.get("Version")) for each in await list_collections(product)}
    releases = sorted(version for version in versions if version.isdecimal())
    if not releases:
        raise GranuleNotFoundError(
            f"NASA's catalog (CMR) has no {product} in the cloud (provider {PROVIDER}). It may "
            "not be published yet."
        )
    if release is not None and release not in releases:
        raise GranuleNotFoundError(
            f"There is no release {release} of {product} in the archive, expected one of "
            f"{', '.join(releases)}. Older releases have been retired."
        )
    return release or releases[-1]
