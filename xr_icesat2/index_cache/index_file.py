"""Indexes of many granules in one file, which is only read: whoever made it is trusted.

After a line that names the format come the indexes as bytes (:mod:`.packed`), then
a compressed JSON mapping of url to size, tag, begin and length of the entry, then
where that mapping lies, and its checksum. An entry is read and decoded when it is
needed.
"""

from __future__ import annotations

import json
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from xr_icesat2.bytesource import FileVersion
from xr_icesat2.errors import AccessDeniedError, CorruptIndexError, ICESat2Error, SelectionError
from xr_icesat2.hdf5.model import Contents
from xr_icesat2.safe_files import atomic_file, open_regular

from . import json_values as plain
from .codec import MOST_BYTES, inflate, pack, unpack

__all__ = ["SUFFIX", "CampaignWriter", "file_versions", "is_campaign", "load", "writing"]

SUFFIX = ".idx"
MAGIC = b"xr_icesat2 indexes 1\n"
TRAILER = struct.Struct("<QIII")
"""Where the mapping begins, its bytes, its bytes when it is not compressed, its checksum."""
MOST_TEXT = 1 << 24
"""Bytes of the mapping: some 100,000 granules."""


@dataclass(frozen=True, slots=True)
class _Entry:
    file_version: FileVersion
    start: int
    length: int


_Mapping: TypeAlias = Mapping[str, _Entry]
_File: TypeAlias = tuple[int, int, int]
_KNOWN: dict[str, tuple[_File, _Mapping]] = {}
"""By path: which file lay there, and its mapping."""
MOST_KNOWN = 16


def is_campaign(cache: str | None) -> bool:
    """Whether what a user names is such a file, and not a directory."""
    return cache is not None and cache.endswith(SUFFIX)


def file_versions(path: str) -> dict[str, FileVersion]:
    """Give the version of each granule, by url.

    Raises
    ------
    AccessDeniedError
        It is not for us to read.
    CorruptIndexError
        It is damaged, or no such file.
    FileNotFoundError
        Nothing lies there.
    """
    with _translated(path), open_regular(Path(path), "rb", follow_links=True) as file:
        return {url: entry.file_version for url, entry in _mapping(path, file).items()}


def load(path: str, url: str, file_version: FileVersion) -> Contents | None:
    """Give the index of a granule; None if there is no such file here, or no such entry in it.

    Raises
    ------
    AccessDeniedError
        It is not for us to read.
    CorruptIndexError
        It is damaged, or no such file.
    """
    try:
        with _translated(path), open_regular(Path(path), "rb", follow_links=True) as file:
            entry = _mapping(path, file).get(url)
            if entry is None or entry.file_version != file_version:
                return None
            if entry.length > MOST_BYTES:
                raise ValueError("an entry that is too long")
            file.seek(entry.start)
            return unpack(file.read(entry.length), file_version.size)
    except FileNotFoundError:
        return None


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except PermissionError as error:
        msg = (
            f"may not read {path}, a file of indexes ({error.strerror}): ask whoever saved it to "
            "let you read it (chmod a+r), or open without index_cache"
        )
        raise AccessDeniedError(msg) from error
    except Exception as error:
        msg = (
            f"{path} cannot be read as a file of indexes of this version: {error}. Save it anew "
            "(xr_icesat2.indexes.save), or open without index_cache."
        )
        raise CorruptIndexError(msg) from error


def _mapping(path: str, file: IO[bytes]) -> _Mapping:
    status = os.fstat(file.fileno())
    identity = (status.st_ino, status.st_mtime_ns, status.st_size)
    known = _KNOWN.get(path)
    if known is None or known[0] != identity:
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[path] = identity, _read_mapping(file, status.st_size)
    return known[1]


def _read_mapping(file: IO[bytes], size: int) -> _Mapping:
    if file.read(len(MAGIC)) != MAGIC or size < len(MAGIC) + TRAILER.size:
        raise ValueError("it begins or ends otherwise")
    file.seek(size - TRAILER.size)
    start, length, unpacked, checksum = TRAILER.unpack(file.read())
    if start + length + TRAILER.size != size or unpacked > MOST_TEXT:
        raise ValueError("it was cut off")
    file.seek(start)
    body = file.read(length)
    if zlib.crc32(body) != checksum:
        raise ValueError("wrong checksum")
    return {
        plain.to_text(url): _Entry(
            FileVersion(plain.to_number(bytes_), plain.to_text(tag)), *plain.to_tuple(place)
        )
        for url, (bytes_, tag, *place) in json.loads(inflate(body, unpacked)).items()
    }


class CampaignWriter:
    """Puts indexes into such a file, from several threads."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._entries: dict[str, tuple[int, str, int, int]] = {}
        self._lock = threading.Lock()
        file.write(MAGIC)

    def add(self, url: str, file_version: FileVersion, contents: Contents) -> None:
        """Put the index of one granule into the file."""
        data = pack(contents)
        with self._lock:
            self._entries[url] = file_version.size, file_version.tag, self._file.tell(), len(data)
            self._file.write(data)

    def finish(self) -> None:
        """Write what tells where everything lies."""
        text = json.dumps(dict(sorted(self._entries.items()))).encode()
        if len(text) > MOST_TEXT:
            raise SelectionError(f"{len(self._entries)} granules are too many for one file")
        body = zlib.compress(text, level=1)
        start = self._file.tell()
        self._file.write(body)
        self._file.write(TRAILER.pack(start, len(body), len(text), zlib.crc32(body)))


@contextmanager
def writing(path: str) -> Iterator[CampaignWriter]:
    """Write such a file: all of it, or nothing.

    Raises
    ------
    SelectionError
        No file can be made there.
    """
    target = Path(path)
    try:
        with atomic_file(target) as partial, partial.open("xb") as file:
            writer = CampaignWriter(file)
            yield writer
            writer.finish()
    except ICESat2Error:  # of a granule
        raise
    except OSError as error:
        msg = (
            f"cannot make {target}: {error.strerror}. Name a place in a folder that is there and "
            "takes files"
        )
        raise SelectionError(msg) from error
