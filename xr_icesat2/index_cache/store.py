"""Stores of indexes, and which of them ``index_cache`` and the environment variable name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from xr_icesat2.bytesource import FileVersion
from xr_icesat2.errors import GranuleNotFoundError, SelectionError
from xr_icesat2.hdf5.model import IndexContents

from .directory import IndexDirectory
from .index_file import FILE_SUFFIX, IndexFile, is_index_file

__all__ = ["NO_STORES", "IndexStore", "IndexStores", "choose_stores"]

CACHE_VARIABLE = "XR_ICESAT2_INDEX_CACHE"


class IndexStore(Protocol):
    """Keeps the indexes of granules for other processes; a value that can be pickled."""

    @property
    def path(self) -> str:
        """Absolute path of the directory or file."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether it never changes, and the version in it is opened without a request."""
        ...

    def load(self, url: str, version: FileVersion) -> IndexContents | None:
        """Return the index of this version of a granule, or None."""
        ...

    def save(self, url: str, version: FileVersion, contents: IndexContents) -> None:
        """Keep the index of this version of a granule."""
        ...


@dataclass(frozen=True, slots=True)
class IndexStores:
    """The index file that a user named, and the directory for granules that are not in it."""

    directory: IndexDirectory | None = None
    file: IndexFile | None = None
    versions: Mapping[str, FileVersion] = field(default_factory=dict)
    """The version of each granule in the file, by URL."""

    def of(self, url: str, version: FileVersion) -> IndexStore | None:
        """Return the store for one version of a granule."""
        return self.file if self.versions.get(url) == version else self.directory


NO_STORES = IndexStores()


def choose_stores(index_cache: str | None) -> IndexStores:
    """Return the stores that a user named: a file by its suffix, whether or not it exists.

    Raises
    ------
    SelectionError
        The path is a file without the suffix.
    GranuleNotFoundError
        There is no such index file.
    """
    default = _absolute(os.environ.get(CACHE_VARIABLE) or None)
    given = _absolute(index_cache or None) or default
    if given is None:
        return NO_STORES
    if not is_index_file(given):
        return IndexStores(IndexDirectory(given))
    file = IndexFile(given)
    directory = None if default is None or is_index_file(default) else IndexDirectory(default)
    return IndexStores(directory, file, _versions(file))


def _absolute(cache: str | None) -> str | None:
    """Return a path that means the same in a process with another working directory."""
    if cache is None:
        return None
    path = Path(cache).expanduser().absolute()
    # Path.is_file raises where a folder on the way may not be entered.
    if os.path.isfile(path) and path.suffix != FILE_SUFFIX:  # noqa: PTH113
        msg = (
            f"index_cache={cache!r} is a file, expected a directory, or an index file, whose name "
            f"ends in {FILE_SUFFIX}"
        )
        raise SelectionError(msg)
    return str(path)


def _versions(file: IndexFile) -> dict[str, FileVersion]:
    try:
        return file.versions()
    except FileNotFoundError as error:
        msg = (
            f"The index file {file.path} (index_cache) does not exist. Save one with "
            f"xr_icesat2.save_indexes, or pass a directory, which does not end in {FILE_SUFFIX}."
        )
        raise GranuleNotFoundError(msg) from error
