"""Download one granule into a file: complete and checked, or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xr_icesat2.bytesource import ByteSource, FileVersion
from xr_icesat2.bytesource.error_translation import translate_error
from xr_icesat2.environment import environment_number
from xr_icesat2.errors import (
    ChangedGranuleError,
    CorruptGranuleError,
    GranuleNotFoundError,
    NotAGranuleError,
    SelectionError,
    TransferError,
)
from xr_icesat2.granule.name import parse_name
from xr_icesat2.hdf5.file_kind import HEAD_BYTES, describe_head
from xr_icesat2.printable import get_logger
from xr_icesat2.progress import ProgressCallback

from .archive_paths import archive_hint, path_of_url
from .checksum import is_supported, matches_checksum
from .cmr import (
    CatalogGranule,
    Checksum,
    find_granules,
    name_query,
    parse_granule,
)
from .partial_file import PartialFile, open_partial_file

__all__ = ["catalog_record", "fetch_file", "next_request_length"]

FIRST_REQUEST = 512 << 10
"""Bytes of one request: few at first, so that slow links meet the time limit."""
MAX_CONCURRENT_RANGES = 4
"""Concurrent requests for one file, whose answers are in memory."""
COMPARED_TAIL = 64 << 10
"""Bytes at the end of a partial file that are requested again before it is resumed."""

_log = get_logger(__name__)


def largest_request() -> int:
    """Return how many bytes one request of a download has at most.

    ``XR_ICESAT2_DOWNLOAD_REQUEST_BYTES``, else 8 MiB.
    """
    return max(1, int(environment_number("XR_ICESAT2_DOWNLOAD_REQUEST_BYTES", 8 << 20, "bytes")))


def catalog_record(given: Any, name: str) -> CatalogGranule | None:
    """Return CMR's record of a granule, requested if necessary; None if it has none."""
    if isinstance(given, CatalogGranule):
        return given
    if isinstance(given, Mapping):  # of earthaccess
        return parse_granule(given)
    if not isinstance(given, str) or not (given.startswith("icesat2://") or path_of_url(given)):
        return None
    named = parse_name(name)
    if named is None:
        return None
    found = find_granules(name_query(named.collection, named.release, name))
    return next((granule for granule in found if granule.name == name), None)


def fetch_file(
    source: ByteSource,
    final: Path,
    record: CatalogGranule | None,
    *,
    overwrite: bool,
    count: ProgressCallback,
    stop: threading.Event,
) -> None:
    """Download one file, or resume its partial file.

    Parameters
    ----------
    source
        The granule.
    final
        Path of the file.
    record
        CMR's record of the granule.
    overwrite
        Whether to replace a file of that name with other content.
    count
        Called with the bytes that arrived, and those that are still expected.
    stop
        When set, the download ends and keeps the partial file.
    """
    checksum = record.checksum if record else None
    try:
        version = source.file_version()
    except GranuleNotFoundError as error:
        raise GranuleNotFoundError(f"{error}{archive_hint(source.url)}") from error
    if record is not None and record.size not in (None, version.size):
        raise TransferError(
            f"{source.url} has {version.size} bytes, but NASA's catalog (CMR) has {record.size}: "
            "the archive is being updated. Search again, or try later."
        )
    count(0, version.size)
    try:
        there = _is_there(final, version, checksum, overwrite=overwrite)
    except OSError as error:
        raise translate_error(error, str(final)) from error
    if there:
        count(version.size, 0)
        return
    with open_partial_file(final, version) as part:
        if not _same_version(source, part, version, checksum):
            part.restart()
        count(part.size, 0)
        if not _read(source, part, version.size, count, stop):
            return
        _check(source, part, version, checksum)
        if checksum is None:
            _check_kind(source, part)
        part.finish(final)


def _is_there(
    final: Path, version: FileVersion, checksum: Checksum | None, *, overwrite: bool
) -> bool:
    """Return whether the file exists already, complete."""
    if not final.exists():
        return False
    if final.is_file() and final.stat().st_size == version.size:
        with final.open("rb") as file:
            if checksum is None:
                if describe_head(file.read(HEAD_BYTES)) is None:
                    return True
            elif matches_checksum(file, checksum) is not False:
                return True
    if final.is_file() and overwrite:
        return False
    raise SelectionError(
        f"{final} exists, but differs from the granule ({version.size} bytes"
        f"{f', {checksum.algorithm} {checksum.value}' if checksum else ''}). Move it away, or pass "
        "overwrite=True."
    )


def _check_kind(source: ByteSource, part: PartialFile) -> None:
    """Raise if the file is not HDF5 but, for example, a login page."""
    kind = describe_head(part.content.read(HEAD_BYTES))
    if kind is not None:
        part.restart()
        raise NotAGranuleError(f"{source.url} is not HDF5, but {kind}.")


def _same_version(
    source: ByteSource, part: PartialFile, version: FileVersion, checksum: Checksum | None
) -> bool:
    """Return whether a partial file can be resumed, which needs a checksum."""
    if part.size > version.size or not is_supported(checksum):
        return False
    tail = min(COMPARED_TAIL, part.size)
    if not tail:
        return True
    (data,) = source.read([(part.size - tail, tail)])
    return data == part.tail(tail)


def _read(
    source: ByteSource, part: PartialFile, size: int, count: ProgressCallback, stop: threading.Event
) -> bool:
    """Read the missing bytes in bursts of requests; return False if stopped."""
    largest = largest_request()
    length = min(FIRST_REQUEST, largest)
    while (begin := part.size) < size:
        if stop.is_set():
            return False
        end = min(begin + length * MAX_CONCURRENT_RANGES, size)
        started = time.monotonic()
        for data in source.read([(at, min(length, end - at)) for at in range(begin, end, length)]):
            part.append(data)
            count(len(data), 0)
        length = next_request_length(length, time.monotonic() - started, largest)
    return True


def next_request_length(length: int, seconds: float, largest: int) -> int:
    """Return the length of the next requests, so that a burst takes 1 to 5 seconds."""
    if seconds < 1:
        return min(length * 2, largest)
    return max(length // 2, min(FIRST_REQUEST, largest)) if seconds > 5 else length


def _check(
    source: ByteSource, part: PartialFile, version: FileVersion, checksum: Checksum | None
) -> None:
    """Raise unless the file is complete and unchanged; discard it otherwise."""
    now = source.file_version()
    if now != version:
        part.restart()
        raise ChangedGranuleError(
            f"{source.url} was replaced during the download. Download it again."
        )
    if checksum is None:
        return
    right = matches_checksum(part.content, checksum)
    if right is False:
        part.restart()
        raise CorruptGranuleError(
            f"The download of {source.url} does not have the {checksum.algorithm} checksum in "
            f"NASA's catalog (CMR), {checksum.value}. Download it again."
        )
    if right is None:
        _log.warning(
            "%s: checksums of the kind %s cannot be checked", source.url, checksum.algorithm
        )
