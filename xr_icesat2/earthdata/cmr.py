"""Query NASA's Common Metadata Repository (CMR) for granules and releases.

A query is a list of parameters. CMR answers with pages of UMM-G records, which are parsed into
:class:`CatalogGranule`. No login is needed.

Source: the CMR Search API documentation and the UMM-G schema 1.6.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from xr_icesat2.bytesource.request_limits import request_limit
from xr_icesat2.bytesource.request_scheduler import scheduler_of
from xr_icesat2.errors import GranuleNotFoundError, SelectionError, TransferError
from xr_icesat2.granule.name import file_name, parse_name

from .archive_paths import Place, path_of_url
from .http_session import JSONResponse, Query, post_json

__all__ = [
    "CMR",
    "GRANULES",
    "PAGE",
    "PROVIDER",
    "CatalogGranule",
    "Checksum",
    "find_granules",
    "iterate_records",
    "list_collections",
    "list_granules",
    "name_query",
    "parse_granule",
    "place_of_name",
    "release_query",
]

CMR = "https://cmr.earthdata.nasa.gov/search/"
PROVIDER = "NSIDC_CPRD"
"""CMR's name for NSIDC's archive in the cloud."""

GRANULES = "granules.umm_json"
"""Path of CMR's granule search."""

PAGE = 2000
"""Records in a page: the most that CMR sends."""

_CATALOG = "NASA's catalog (CMR)"
_LIKE = "they look like ATL06_20191106230008_06270503_007_01.h5"
_VERSION = re.compile(r"_\d\d(\.\w+)$")


@dataclass(frozen=True, slots=True)
class Checksum:
    """Checksum of a file."""

    algorithm: str
    """As CMR spells it: ``"MD5"``, ``"SHA-256"``, …"""
    value: str
    """Hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogGranule:
    """A granule as CMR describes it."""

    name: str
    """File name, such as ``"ATL06_20191106230008_06270503_007_01.h5"``."""
    start: datetime
    """First moment, UTC."""
    end: datetime
    """Last moment, UTC."""
    size: int | None = None
    """Bytes in the file; None where CMR has no exact size."""
    checksum: Checksum | None = None
    """None where CMR has none."""
    footprint: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """UMM-G's HorizontalSpatialDomain."""
    s3_url: str | None = None
    """Address on S3, readable in AWS us-west-2; None where CMR has none."""
    https_url: str | None = None
    """HTTPS address; None where CMR has none."""

    @property
    def icesat2_url(self) -> str:
        """``icesat2://`` URL, which is read by S3 or HTTPS wherever the code runs."""
        path = path_of_url(self.s3_url) or path_of_url(self.https_url)
        return f"icesat2://{path or self.name}"


def release_query(product: str, release: str) -> Query:
    """Return the query for a release, such as ``"ATL06"`` and ``"007"``."""
    return [("provider", PROVIDER), ("short_name", product), ("version", release)]


def name_query(product: str, release: str, pattern: str) -> Query:
    """Return the query for granules whose names match a pattern.

    Parameters
    ----------
    product, release : str
        Such as ``"ATL06"`` and ``"007"``.
    pattern : str
        File name; ``*`` stands for any characters, ``?`` for one.
    """
    return [
        *release_query(product, release),
        ("readable_granule_name[]", pattern),
        ("options[readable_granule_name][pattern]", "true"),
    ]


async def list_granules(query: Query, *, count: int | None = None) -> list[CatalogGranule]:
    """Request all granules that match a query, page by page, in CMR's order.

    Runs on the event loop of fsspec.

    Parameters
    ----------
    query : sequence of (name, value)
        Parameters of CMR's granule search.
    count : int, optional
        Maximum number.

    Raises
    ------
    SelectionError
        CMR rejects the query.
    TransferError
        CMR fails, or (:class:`TransferTimeoutError`) does not answer.
    """
    return [parse_granule(item) async for item in iterate_records(GRANULES, query, count)]


def find_granules(query: Query, *, count: int | None = None) -> list[CatalogGranule]:
    """Call :func:`list_granules` from a thread that does not run fsspec's event loop."""
    from fsspec.asyn import get_loop  # noqa: PLC0415 - local files do without

    limit = request_limit(0)
    return scheduler_of(get_loop()).run(list_granules(query, count=count), limit, _CATALOG)


async def place_of_name(name: str) -> Place:
    """Look up the addresses of a granule by its name: one request, no retries.

    Raises
    ------
    GranuleNotFoundError
        CMR has no such granule; the message names its other versions.
    """
    parts = parse_name(name)
    if parts is None:
        raise GranuleNotFoundError(f"{name} is not the name of a granule: {_LIKE}")
    pattern = _VERSION.sub(r"_??\1", name)
    params = [*name_query(parts.collection, parts.release, pattern), ("page_size", str(PAGE))]
    found = [parse_granule(item) for item in (await _page(GRANULES, params, {})).body["items"]]
    for granule in found:
        if granule.name == name:
            return Place(granule.s3_url, granule.https_url)
    others = ", ".join(granule.name for granule in found)
    raise GranuleNotFoundError(
        f"There is no granule {name} in the archive"
        + (f", but {others}" if others else ": check the spelling, the release and the version")
    )


async def list_collections(product: str) -> list[Mapping[str, Any]]:
    """Request the UMM-C records of the releases of ``product`` in the cloud."""
    query = [("provider", PROVIDER), ("short_name", product)]
    return [item["umm"] async for item in iterate_records("collections.umm_json", query)]


async def iterate_records(
    kind: str, query: Query, count: int | None = None, page: int | None = None
) -> AsyncGenerator[Mapping[str, Any], None]:
    """Request page after page, and yield their records.

    Parameters
    ----------
    kind : str
        :data:`GRANULES` or ``"collections.umm_json"``.
    query : sequence of (name, value)
        Parameters of that search.
    count : int, optional
        Maximum number.
    page : int, optional
        Records in a page. Default: as many as CMR sends.
    """
    scheduler, limit = scheduler_of(asyncio.get_running_loop()), request_limit(0)
    size = page or PAGE
    size = size if count is None else min(size, count)
    after, got = None, 0
    while count is None or got < count:
        headers: dict[str, str] = {} if after is None else {"CMR-Search-After": after}
        ask = partial(_page, kind, [*query, ("page_size", str(size))], headers)
        answer = await scheduler.request(ask, limit, _CATALOG)
        records = answer.body["items"][: None if count is None else count - got]
        for record in records:
            yield record
        got += len(records)
        after = answer.headers.get("cmr-search-after")
        if not records or after is None:
            _check_all_received(got, int(answer.body["hits"]), count)
            return


async def _page(kind: str, params: Query, headers: Mapping[str, str]) -> JSONResponse:
    answer = await post_json(CMR + kind, params, headers)
    if answer.status != 200:
        message = "; ".join(map(str, _errors(answer.body))) or f"HTTP {answer.status}"
        sent = "&".join(f"{name}={value}" for name, value in params)
        raise SelectionError(f"{_CATALOG} rejects the query: {message}. The query was {sent}")
    if not (isinstance(answer.body, dict) and {"hits", "items"} <= answer.body.keys()):
        raise TransferError(f"{_CATALOG} sent an answer without records. Try again.")
    return answer


def _errors(body: Any) -> list[Any]:
    """Return the messages of CMR: texts, or mappings with a list of texts."""
    errors = body.get("errors", []) if isinstance(body, dict) else []
    nested = (each["errors"] if isinstance(each, dict) else [each] for each in errors)
    return [text for texts in nested for text in texts]


def _check_all_received(got: int, hits: int, count: int | None) -> None:
    expected = hits if count is None else min(hits, count)
    if got < expected:
        raise TransferError(f"{_CATALOG} found {expected} records, but sent {got}. Search again.")


def parse_granule(item: Mapping[str, Any]) -> CatalogGranule:
    """Parse one UMM-G record of a granule search.

    Raises
    ------
    TransferError
        It does not name an ICESat-2 granule, or lacks the time.
    """
    umm = item["umm"]
    links = {link["Type"]: link["URL"] for link in reversed(_data_links(umm))}
    name = next(_names(umm, links), None)
    if name is None:
        raise TransferError(
            f"{_CATALOG} returned {umm.get('GranuleUR')}, which is not an ICESat-2 granule. Search "
            "for an ICESat-2 product."
        )
    start, end = _times(umm["TemporalExtent"])
    size, checksum = _archived(umm, name)
    return CatalogGranule(
        name=name,
        start=start,
        end=end,
        size=size,
        checksum=checksum,
        footprint=umm.get("SpatialExtent", {}).get("HorizontalSpatialDomain", {}),
        s3_url=links.get("GET DATA VIA DIRECT ACCESS"),
        https_url=links.get("GET DATA"),
    )


def _data_links(umm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        link
        for link in umm.get("RelatedUrls", ())
        if link["Type"] in {"GET DATA", "GET DATA VIA DIRECT ACCESS"}
        and parse_name(link["URL"]) is not None
    ]


def _names(umm: Mapping[str, Any], links: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of the granule, the most reliable first."""
    for each in umm.get("DataGranule", {}).get("Identifiers", ()):
        if each["IdentifierType"] == "ProducerGranuleId" and parse_name(each["Identifier"]):
            yield each["Identifier"]
    yield from (file_name(url) for url in links.values())
    if parse_name(umm["GranuleUR"]):
        yield umm["GranuleUR"]


def _times(extent: Mapping[str, Any]) -> tuple[datetime, datetime]:
    period = extent.get("RangeDateTime")
    if period is None:
        moment = datetime.fromisoformat(extent["SingleDateTime"])
        return moment, moment
    start = datetime.fromisoformat(period["BeginningDateTime"])
    end = period.get("EndingDateTime")
    return start, start if end is None else datetime.fromisoformat(end)


def _archived(umm: Mapping[str, Any], name: str) -> tuple[int | None, Checksum | None]:
    """Return size and checksum of the file ``name``, one of the files of a record."""
    for file in umm.get("DataGranule", {}).get("ArchiveAndDistributionInformation", ()):
        if file.get("Name") == name:
            stored = file.get("Checksum")
            checksum = Checksum(stored["Algorithm"], stored["Value"]) if stored else None
            return file.get("SizeInBytes"), checksum
    return None, None
