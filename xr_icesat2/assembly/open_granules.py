"""From what a user gives to granules that are known to belong together."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from xr_icesat2.bytesource import ByteSource, open_source
from xr_icesat2.earthdata.archive_paths import archive_hint
from xr_icesat2.errors import (
    CorruptGranuleError,
    GranuleNotFoundError,
    ICESat2Error,
    IdentityError,
    MergeError,
    NotAGranuleError,
)
from xr_icesat2.granule.granule import Granule, has_index
from xr_icesat2.granule.identity import UNKNOWN, Identity
from xr_icesat2.index_cache.store import NO_STORES, IndexStores, choose_stores
from xr_icesat2.limits import DEFAULT_LIMITS, Limits

__all__ = ["check_kinds", "check_mergeable", "map_granules", "open_granule", "open_granules"]

AT_ONCE = 16
"""Granules that are worked on side by side."""
MOST_BAD = 10
"""Unreadable files of a list that one error names."""
LOOKED_AT = 10
"""Those of a longer list that are looked at: while they are parsed, one after another, their
first bytes are held."""
FIRST_LOOK = 1 << 20, 256 << 10
"""Bytes of the beginning and of the end that are read along with the version: most of what
describes a granule lies there."""

T = TypeVar("T")
U = TypeVar("U")


def map_granules(function: Callable[[T], U], items: Sequence[T], at_once: int = AT_ONCE) -> list[U]:
    """Apply a function that waits for bytes to many things.

    Files that are missing or damaged are gathered, up to :data:`MOST_BAD`, and raised as one error.
    Any other error ends it at once.
    """
    if len(items) <= 1:
        return [function(item) for item in items]
    done: list[U] = []
    bad: list[GranuleNotFoundError | NotAGranuleError | CorruptGranuleError] = []
    with ThreadPoolExecutor(min(at_once, len(items)), "xr_icesat2-open") as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                try:
                    done.append(future.result())
                except (GranuleNotFoundError, NotAGranuleError, CorruptGranuleError) as error:
                    bad.append(error)
                    if len(bad) == MOST_BAD:
                        break
        finally:
            pool.shutdown(cancel_futures=True)
    if bad:
        raise type(bad[0])(_bad_files(bad, len(items))) from bad[0]
    return done


def _bad_files(bad: Sequence[ICESat2Error], total: int) -> str:
    count = f"{'at least ' if len(bad) == MOST_BAD else ''}{len(bad)} of {total}"
    reasons = "; ".join(str(error).rstrip(".") for error in bad)
    return (
        f"{count} files cannot be opened: {reasons}. Pass a list without them, or move them out of "
        "the folder."
    )


def open_granules(
    objects: Sequence[Any],
    storage_options: dict[str, Any] | None,
    cache: str | None,
    ahead: Callable[[Granule], None],
    limits: Limits = DEFAULT_LIMITS,
) -> list[Granule]:
    """Find each granule and note which version of it lies there.

    Nothing is parsed yet, unless there are many: then ``ahead`` is called with each, so that
    not all of them need hold what came along with the version.
    """
    stores = choose_stores(cache)
    many = len(objects) > AT_ONCE

    def open_one(item: Any) -> Granule:
        granule = open_granule(open_source(item, storage_options), stores, limits)
        if many:
            ahead(granule)
        return granule

    return map_granules(open_one, objects, LOOKED_AT if many else AT_ONCE)


def open_granule(
    source: ByteSource, stores: IndexStores = NO_STORES, limits: Limits = DEFAULT_LIMITS
) -> Granule:
    """Give the granule that lies there now; what comes along of its bytes is not asked for again.

    Of a URL in a file of indexes it is the version that the file says: nobody is asked now, but
    beside every read.
    """
    known = stores.versions.get(source.url)
    if known is not None and "://" in source.url:
        return Granule(source, known, stores.file, limits)
    try:
        found = source.first_read(
            *((0, 0) if stores.directory or has_index(source.url) else FIRST_LOOK)
        )
    except GranuleNotFoundError as error:
        raise GranuleNotFoundError(f"{error}{_instead(source.url)}") from error
    if found.file_version.size == 0:
        msg = f"{source.url} is empty; expected an ICESat-2 granule. Download it again."
        raise NotAGranuleError(msg)
    store = stores.of(source.url, found.file_version)
    granule = Granule(source, found.file_version, store, limits)
    if found.pieces:
        granule.index.prime(found.pieces)
    return granule


def _instead(url: str) -> str:
    """Say what may have been meant by a place where nothing lies."""
    protocol, _, place = url.rpartition("://")
    if not protocol:
        is_pattern = glob.has_magic(url)
        return f". A pattern is one only in a list: [{url!r}]" if is_pattern else archive_hint(url)
    if not {"*", "["} & set(place.partition("/")[2] or place):
        return ""
    return (
        ". Patterns are of local files only: list what is there (glob of the fsspec filesystem, "
        "or xr_icesat2.search), and give the list"
    )


def check_kinds(
    granules: Sequence[Granule], identities: Sequence[Identity], *, mixed_releases: bool
) -> None:
    """Raise :class:`MergeError` unless granules are of one product and one release."""
    _one_kind("products", "product", granules, identities, "Open them apart.")
    if not mixed_releases:
        way_out = "allow_mixed_releases=True merges them all the same."
        _one_kind("releases", "release", granules, identities, way_out)


def check_mergeable(
    granules: Sequence[Granule], identities: Sequence[Identity], *, mixed_releases: bool
) -> None:
    """Raise unless granules are of one product, one release, and each a different one.

    Raises
    ------
    IdentityError
        A granule cannot be told from others.
    MergeError
        They are of two products or releases, or one is given twice.
    """
    if len(granules) < 2:
        return
    check_kinds(granules, identities, mixed_releases=mixed_releases)
    seen: dict[int, int] = {}
    for number, identity in enumerate(identities):
        if identity.gran_idx == UNKNOWN:
            msg = (
                f"{granules[number].url}: nothing tells which granule this is (orbit_info, "
                "METADATA, its name), so that it cannot be merged with others. Open it alone."
            )
            raise IdentityError(msg)
        if identity.gran_idx in seen:
            raise MergeError(_twice(granules, identities, seen[identity.gran_idx], number))
        seen[identity.gran_idx] = number


def _one_kind(
    plural: str, field: str, granules: Sequence[Granule], identities: Sequence[Identity], out: str
) -> None:
    kinds: dict[Any, str] = {}
    for granule, identity in zip(granules, identities, strict=True):
        kinds.setdefault(getattr(identity, field), granule.url)
    if len(kinds) > 1:
        listed = "; ".join(f"{kind or 'unknown'} ({url})" for kind, url in kinds.items())
        raise MergeError(f"the granules are of {len(kinds)} {plural}: {listed}. {out}")


def _twice(
    granules: Sequence[Granule], identities: Sequence[Identity], first: int, second: int
) -> str:
    one, other = identities[first], identities[second]
    what = "the same granule"
    if (one.release, one.version) != (other.release, other.version):
        what = (
            f"the same granule in two versions ({one.release}_{one.version} and "
            f"{other.release}_{other.version})"
        )
    return (
        f"{granules[first].url} and {granules[second].url} are {what} "
        f"(gran_idx {one.gran_idx}). Leave one out."
    )
