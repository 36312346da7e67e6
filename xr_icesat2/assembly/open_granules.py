"""Find the granules of a request and their versions, before anything is parsed."""

from __future__ import annotations

import glob
from typing import Any

from xr_icesat2.bytesource import ByteSource, open_source
from xr_icesat2.earthdata.archive_paths import archive_hint
from xr_icesat2.earthdata.result_url import result_url
from xr_icesat2.errors import GranuleNotFoundError, NotAGranuleError
from xr_icesat2.granule.granule import Granule, has_index
from xr_icesat2.granule.identity import Identity
from xr_icesat2.index_cache.store import NO_STORES, IndexStores, choose_stores
from xr_icesat2.limits import DEFAULT_LIMITS, Limits

from .parallel import MAX_CONCURRENT, map_granules
from .prefetch_paths import prefetch_granule
from .request import Request

__all__ = ["open_granule", "open_granules"]

MAX_CONCURRENT_PARSED = 10
"""Granules opened at once of a list longer than :data:`.MAX_CONCURRENT`: they are parsed one after
another, and meanwhile their first bytes stay in memory."""
FIRST_READ_BYTES = 1 << 20, 256 << 10
"""Bytes of the beginning and of the end that are read along with the version: most of the metadata
of a granule is there."""


def open_granules(request: Request) -> tuple[list[Granule], list[Identity | None]]:
    """Open the granules of a request, in their order.

    Returns
    -------
    granules : list of Granule
    identities : list of Identity or None
        None for granules that are not identified yet. Nothing is parsed of a short list. Each
        granule of a long one is parsed and identified at once, so that few granules' bytes are in
        memory at a time.
    """
    stores = choose_stores(request.index_cache)
    many = len(request.granules) > MAX_CONCURRENT

    def open_one(item: Any) -> tuple[Granule, Identity | None]:
        url = result_url(item, request.storage_options)
        source = open_source(url, request.storage_options)
        granule = open_granule(source, stores, request.limits)
        return granule, prefetch_granule(granule, request) if many else None

    opened = map_granules(
        open_one, request.granules, MAX_CONCURRENT_PARSED if many else MAX_CONCURRENT
    )
    return [granule for granule, _ in opened], [identity for _, identity in opened]


def open_granule(
    source: ByteSource, stores: IndexStores = NO_STORES, limits: Limits = DEFAULT_LIMITS
) -> Granule:
    """Return the granule with its current version, and cache the bytes read.

    Of a URL in a file of indexes it is the version in that file: no request is sent now, but
    each read checks the version.
    """
    known = stores.versions.get(source.url)
    if known is not None and "://" in source.url:
        return Granule(source, known, stores.file, limits)
    try:
        found = source.first_read(
            *((0, 0) if stores.directory or has_index(source.url) else FIRST_READ_BYTES)
        )
    except GranuleNotFoundError as error:
        raise GranuleNotFoundError(f"{error}{_instead(source.url)}") from error
    if found.file_version.size == 0:
        msg = f"{source.url} is empty; expected an ICESat-2 granule. Download it again."
        raise NotAGranuleError(msg)
    store = stores.of(source.url, found.file_version)
    granule = Granule(source, found.file_version, store, limits)
    if found.pieces:
        granule.index.add_bytes(found.pieces)
    return granule


def _instead(url: str) -> str:
    """Return what may have been meant by a path where there is no file."""
    protocol, _, place = url.rpartition("://")
    if not protocol:
        is_pattern = glob.has_magic(url)
        return f". Pass a pattern in a list: [{url!r}]" if is_pattern else archive_hint(url)
    if not {"*", "["} & set(place.partition("/")[2] or place):
        return ""
    return (
        ". Patterns are expanded for local files only. List the remote files with glob of the "
        "fsspec filesystem, or with xr_icesat2.search, and pass the list"
    )
