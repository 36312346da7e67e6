"""A directory of indexes that stays below a size: what was not used for longest goes first.

To list the directory at each save would cost more than the save. So each save
notes its bytes, in a file of which only the size counts, and the directory is
listed when a part of the bound was written since the last time. That works for
any number of processes, however short their lives: where two get in each
other's way, some bytes are counted twice or not at all.
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

__all__ = ["ENTRY", "note"]

log = get_logger(__name__)

ENTRY = ".index"
OURS = re.compile(rf"[0-9a-f]{{32}}{re.escape(ENTRY)}(\.\w+{re.escape(PARTIAL)})?", re.ASCII)
TALLY = "written-since-listed"
UNIT = 4096
"""Bytes written for which the tally grows by one; a file takes so much at least."""
LIMIT_VARIABLE = "XR_ICESAT2_INDEX_CACHE_BYTES"
LIMIT = 1 << 30
SHARE = 16
"""The directory is listed after this part of the bound was written."""
ABANDONED = 86_400.0
"""Seconds after which half a file is of a process that is no more."""


def note(directory: Path, nbytes: int) -> None:
    """Note that so much was written into a directory, and make room if it is time."""
    limit = _limit()
    tally = directory / TALLY
    try:
        fresh = not tally.exists()
        # Others may have put a link there, to a file of ours.
        with open_regular(tally, "ab") as file:
            file.write(bytes(_units(nbytes)))
            written = file.tell() * UNIT
            if full := fresh or written * SHARE > limit:
                file.truncate(0)
        if full:
            _make_room(directory, limit - limit // SHARE)
    except OSError as error:  # what was kept is of use all the same
        log.warning("cannot bound the size of %s: %s", directory, error)


def _limit() -> int:
    given = os.environ.get(LIMIT_VARIABLE, "")
    try:
        return int(given) if given else LIMIT
    except ValueError:
        log.warning("%s=%r, expected a number of bytes", LIMIT_VARIABLE, given)
        return LIMIT


def _units(nbytes: int) -> int:
    return -(-nbytes // UNIT)


def _make_room(directory: Path, most: int) -> None:
    entries = sorted(_entries(directory), reverse=True)
    room = most
    for _, name, nbytes in entries:
        room -= nbytes
        if room < 0:
            # Another process may have removed it, or, on Windows, be reading it.
            with suppress(OSError):
                (directory / name).unlink()


def _entries(directory: Path) -> Iterator[tuple[int, str, int]]:
    """Give, of each of our files, when it was used last, its name, and the bytes it takes."""
    abandoned = time.time() - ABANDONED
    with os.scandir(directory) as found:
        for item in found:
            if not OURS.fullmatch(item.name):
                continue
            with suppress(FileNotFoundError):
                status = item.stat(follow_symlinks=False)
                used = status.st_mtime_ns
                if item.name.endswith(PARTIAL) and status.st_mtime < abandoned:
                    used = 0
                yield used, item.name, _units(status.st_size) * UNIT
