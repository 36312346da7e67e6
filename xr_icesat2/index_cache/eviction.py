"""Keep a directory of indexes below a size: the least recently used ones are deleted.

Listing the directory at each save would cost more than the save. So each save adds its bytes to
a tally, a file of which only the size counts, and the directory is listed when a share of the
bound was written since the last time. This works for any number of processes, however short
their lives: when two write at the same time, some bytes count twice or not at all.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from xr_icesat2.printable import get_logger
from xr_icesat2.safe_files import PARTIAL, open_regular

__all__ = ["ENTRY_SUFFIX", "note_written"]

log = get_logger(__name__)

ENTRY_SUFFIX = ".index"
OURS = re.compile(rf"[0-9a-f]{{32}}{re.escape(ENTRY_SUFFIX)}(\.\w+{re.escape(PARTIAL)})?", re.ASCII)
TALLY = "written-since-listed"
UNIT = 4096
"""Bytes written for which the tally grows by one byte: the least that a file takes on disk."""
LIMIT_VARIABLE = "XR_ICESAT2_INDEX_CACHE_BYTES"
LIMIT = 1 << 30
SHARE = 16
"""The directory is listed after one part in so many of the bound was written."""
ABANDONED = 86_400 * 10**9
"""Nanoseconds after which an unfinished file belongs to a process that has died."""


def note_written(directory: Path, nbytes: int) -> None:
    """Count bytes written into a directory, and evict indexes when enough were written."""
    limit = _limit()
    tally = directory / TALLY
    try:
        fresh = not tally.exists()
        # Others may have put a link to one of our files there.
        with open_regular(tally, "ab") as file:
            file.write(bytes(_units(nbytes)))
            written = file.tell() * UNIT
            if full := fresh or written * SHARE > limit:
                file.truncate(0)
        if full:
            _evict(directory, limit - limit // SHARE)
    except OSError as error:  # the indexes are usable all the same
        log.warning("cannot limit the size of %s: %s", directory, error)


def _limit() -> int:
    given = os.environ.get(LIMIT_VARIABLE, "")
    try:
        return int(given) if given else LIMIT
    except ValueError:
        log.warning("%s=%r, expected a number of bytes", LIMIT_VARIABLE, given)
        return LIMIT


def _units(nbytes: int) -> int:
    return -(-nbytes // UNIT)


def _evict(directory: Path, max_bytes: int) -> None:
    entries = sorted(_entries(directory), reverse=True)
    left = max_bytes
    for _, name, nbytes in entries:
        left -= nbytes
        if left < 0:
            # Another process may have removed it, or, on Windows, be reading it.
            with suppress(OSError):
                (directory / name).unlink()


def _entries(directory: Path) -> Iterator[tuple[int, str, int]]:
    """Yield the time of last use, the name and the bytes on disk of each of our files."""
    now = time.time_ns()
    with os.scandir(directory) as found:
        for item in found:
            if not OURS.fullmatch(item.name):
                continue
            with suppress(FileNotFoundError):
                status = item.stat(follow_symlinks=False)
                used = status.st_mtime_ns
                if item.name.endswith(PARTIAL):
                    # Its process is still writing it, or has died.
                    used = now if now - used < ABANDONED else 0
                yield used, item.name, _units(status.st_size) * UNIT
