"""Indexes kept in a directory, so that no process reads the same metadata twice.

One file a granule, named by what identifies its content (url, size, tag). It
is an index as bytes (:mod:`.packed`); whatever is no such file is as good as
absent.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xr_icesat2.hdf5.model import Contents
from xr_icesat2.printable import get_logger
from xr_icesat2.safe_files import atomic_file, open_regular

from . import eviction as upkeep
from .codec import MOST_BYTES, pack, unpack

if TYPE_CHECKING:
    from xr_icesat2.bytesource import FileVersion

__all__ = ["load", "save"]

log = get_logger(__name__)

RECENT = 3600.0
"""Seconds within which another use of an entry is not noted."""


def load(directory: str, url: str, version: FileVersion) -> Contents | None:
    """Give what was kept of a granule's index, or None."""
    path = _path(directory, url, version)
    try:
        with open_regular(path, "rb") as file:
            contents = unpack(file.read(MOST_BYTES + 1), version.size)
            _note_use(file.fileno())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        log.warning("cannot read the kept index %s: %s", path, error.strerror)
        return None
    except Exception as error:  # noqa: BLE001 - anything may lie there; it is read anew and replaced
        log.warning("ignoring the kept index %s: %s", path, error)
        return None
    return contents


def _note_use(descriptor: int) -> None:
    with suppress(OSError):  # of somebody else, or a directory that we may only read
        if time.time() - os.fstat(descriptor).st_mtime > RECENT:
            os.utime(descriptor)


def save(directory: str, url: str, version: FileVersion, contents: Contents) -> None:
    """Keep an index, with what others kept of it meanwhile; whole or not at all.

    Raises
    ------
    OSError
        The directory takes no files.
    TypeError, ValueError
        It is no index that can be kept.
    """
    known = load(directory, url, version) or Contents()
    data = pack(known | contents)
    path = _path(directory, url, version)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial, partial.open("xb") as file:
        file.write(data)
    upkeep.note(path.parent, len(data))


def _path(directory: str, url: str, version: FileVersion) -> Path:
    identity = f"{url}\n{version.size}\n{version.tag}".encode()
    name = hashlib.sha256(identity).hexdigest()[:32]
    return Path(directory).expanduser() / f"{name}{upkeep.ENTRY}"
