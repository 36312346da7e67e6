"""A directory of indexes: one file a granule, named by a hash of URL, size and tag."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xr_icesat2.hdf5.model import IndexContents
from xr_icesat2.printable import get_logger
from xr_icesat2.safe_files import atomic_file, open_regular

from .codec import MAX_ENTRY_BYTES, decode_index, encode_index
from .eviction import ENTRY_SUFFIX, note_written

if TYPE_CHECKING:
    from xr_icesat2.bytesource import FileVersion

__all__ = ["IndexDirectory"]

log = get_logger(__name__)

RECENT = 3600.0
"""Seconds within which another use of an entry is not recorded."""


@dataclass(frozen=True, slots=True)
class IndexDirectory:
    """An :class:`.IndexStore` that several processes may share."""

    path: str
    """Absolute, so that it means the same in a process with another working directory."""

    read_only = False

    def load(self, url: str, version: FileVersion) -> IndexContents | None:
        """Return the index of a granule; None if there is none, or it is damaged or foreign."""
        path = self.entry(url, version)
        try:
            with open_regular(path, "rb") as file:
                contents = decode_index(file.read(MAX_ENTRY_BYTES + 1), version.size)
                _note_use(file.fileno())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            log.warning("cannot read the cached index %s: %s", path, error.strerror)
            return None
        except Exception as error:  # noqa: BLE001 - it may be anything; it is replaced
            log.warning("ignoring the cached index %s: %s", path, error)
            return None
        return contents

    def save(self, url: str, version: FileVersion, contents: IndexContents) -> None:
        """Write an index, merged with what other processes have written meanwhile.

        Raises
        ------
        OSError
            The directory takes no files.
        TypeError, ValueError
            The index cannot be encoded.
        """
        known = self.load(url, version) or IndexContents()
        data = encode_index(known | contents)
        path = self.entry(url, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial, partial.open("xb") as file:
            file.write(data)
        note_written(path.parent, len(data))

    def entry(self, url: str, version: FileVersion) -> Path:
        """Return the path of the file of one version of a granule."""
        identity = f"{url}\n{version.size}\n{version.tag}".encode()
        name = hashlib.sha256(identity).hexdigest()[:32]
        return Path(self.path) / f"{name}{ENTRY_SUFFIX}"


def _note_use(descriptor: int) -> None:
    with suppress(OSError):  # of somebody else, or in a directory that is read-only
        if time.time() - os.fstat(descriptor).st_mtime > RECENT:
            os.utime(descriptor)
