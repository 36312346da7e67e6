"""Where indexes come from: what ``index_cache`` and the environment variable mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xr_icesat2.bytesource import FileVersion
from xr_icesat2.errors import GranuleNotFoundError, SelectionError

from .index_file import SUFFIX, file_versions, is_campaign

__all__ = ["NO_CACHES", "Caches", "find_caches"]

CACHE_VARIABLE = "XR_ICESAT2_INDEX_CACHE"


@dataclass(frozen=True, slots=True)
class Caches:
    """A directory of indexes, and a file of them, which goes first. Paths are absolute."""

    directory: str | None = None
    file: str | None = None
    file_versions: Mapping[str, FileVersion] = field(default_factory=dict)
    """By url, which version of a granule the file holds the index of."""


NO_CACHES = Caches()


def find_caches(index_cache: str | None) -> Caches:
    """Tell what a user named: a file by its suffix, whether or not it is here."""
    usual = _absolute(os.environ.get(CACHE_VARIABLE) or None)
    given = _absolute(index_cache or None) or usual
    if given is None or not is_campaign(given):
        return Caches(given)
    return Caches(None if is_campaign(usual) else usual, given, _stamps(given))


def _absolute(cache: str | None) -> str | None:
    """Give what means the same in a process with another working directory."""
    if cache is None:
        return None
    path = Path(cache).expanduser().absolute()
    # Not Path.is_file, which raises where a folder on the way cannot be looked into.
    if os.path.isfile(path) and path.suffix != SUFFIX:  # noqa: PTH113
        msg = (
            f"index_cache={cache!r} is a file: expected a directory, or a file of indexes, whose "
            f"name ends in {SUFFIX}"
        )
        raise SelectionError(msg)
    return str(path)


def _stamps(path: str) -> dict[str, FileVersion]:
    try:
        return file_versions(path)
    except FileNotFoundError as error:
        msg = (
            f"no file of indexes lies at {path} (index_cache): save one "
            f"(xr_icesat2.indexes.save), or name a directory, which does not end in {SUFFIX}"
        )
        raise GranuleNotFoundError(msg) from error
