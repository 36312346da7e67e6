"""Indexes of many granules in one read-only file.

The file has a line that names the format, the encoded indexes (:mod:`.codec`), a compressed table
of where each is stored, and a trailer with the place and checksum of the table. An index is read
and decoded when it is needed.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from xr_icesat2.bytesource import FileVersion
from xr_icesat2.errors import AccessDeniedError, CorruptIndexError, ICESat2Error, SelectionError
from xr_icesat2.hdf5.model import IndexContents
from xr_icesat2.safe_files import atomic_file, open_regular

from .codec import MAX_ENTRY_BYTES, decode_index, decompress, encode_index
from .schema import Count, Text, from_text, to_text

__all__ = ["FILE_SUFFIX", "IndexFile", "IndexFileWriter", "is_index_file", "write_index_file"]

FILE_SUFFIX = ".idx"
MAGIC = b"xr_icesat2 indexes 2\n"
TRAILER = struct.Struct("<QIII")
"""Offset of the table, its bytes, its bytes before compression, its checksum."""
MAX_TABLE_BYTES = 1 << 24
"""Bytes of the table: some 100,000 granules."""


class _Entry(Struct, frozen=True, array_like=True, gc=False):
    """The version of one granule, and where its index is stored."""

    size: Count
    tag: Text
    start: Count
    length: Count

    @property
    def version(self) -> FileVersion:
        return FileVersion(self.size, to_text(self.tag))


_Table: TypeAlias = Mapping[str, _Entry]
"""The entries by URL."""
_Identity: TypeAlias = tuple[int, int, int]
_TABLES: dict[str, tuple[_Identity, _Table]] = {}
"""The tables read last, by path, each with the identity of the file that it was read from."""
MAX_TABLES = 16
_ENCODER = Encoder()
_DECODER = Decoder(dict[Text, _Entry])


def is_index_file(path: str | None) -> bool:
    """Return whether a path that a user gave names an index file, not a directory."""
    return path is not None and path.endswith(FILE_SUFFIX)


@dataclass(frozen=True, slots=True)
class IndexFile:
    """An :class:`.IndexStore` of which a user has named the very file: damage is an error."""

    path: str

    read_only = True

    def versions(self) -> dict[str, FileVersion]:
        """Return the version of each granule in it, by URL.

        Raises
        ------
        AccessDeniedError
            We may not read it.
        CorruptIndexError
            It is damaged, or not an index file.
        FileNotFoundError
            There is no such file.
        """
        with self._open() as file:
            return {url: entry.version for url, entry in _table(self.path, file).items()}

    def load(self, url: str, version: FileVersion) -> IndexContents | None:
        """Return the index of a granule; None if the file or the entry does not exist here.

        Raises
        ------
        AccessDeniedError
            We may not read it.
        CorruptIndexError
            It is damaged, or not an index file.
        """
        try:
            with self._open() as file:
                entry = _table(self.path, file).get(url)
                if entry is None or entry.version != version:
                    return None
                if entry.length > MAX_ENTRY_BYTES:
                    raise ValueError("one of its entries is too long")
                file.seek(entry.start)
                return decode_index(file.read(entry.length), version.size)
        except FileNotFoundError:
            return None

    def save(self, url: str, version: FileVersion, contents: IndexContents) -> None:
        """Do nothing: :func:`write_index_file` writes the file as a whole."""

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        """Open the file; translate its errors into those of this package."""
        try:
            with open_regular(Path(self.path), "rb", follow_links=True) as file:
                yield file
        except FileNotFoundError:
            raise
        except PermissionError as error:
            msg = (
                f"Cannot read the index file {self.path} ({error.strerror}). Ask its owner for "
                "permission to read it (chmod a+r), or open without index_cache."
            )
            raise AccessDeniedError(msg) from error
        except Exception as error:
            msg = (
                f"{self.path} is not a valid index file of this version: {error}. Save it again "
                "with xr_icesat2.save_indexes, or open without index_cache."
            )
            raise CorruptIndexError(msg) from error


def _table(path: str, file: IO[bytes]) -> _Table:
    status = os.fstat(file.fileno())
    identity = (status.st_ino, status.st_mtime_ns, status.st_size)
    known = _TABLES.get(path)
    if known is None or known[0] != identity:
        if len(_TABLES) >= MAX_TABLES:
            _TABLES.clear()
        known = _TABLES[path] = identity, _read_table(file, status.st_size)
    return known[1]


def _read_table(file: IO[bytes], size: int) -> _Table:
    if file.read(len(MAGIC)) != MAGIC or size < len(MAGIC) + TRAILER.size:
        raise ValueError("it lacks the header or the trailer of an index file")
    file.seek(size - TRAILER.size)
    start, length, decompressed, checksum = TRAILER.unpack(file.read())
    if start + length + TRAILER.size != size or decompressed > MAX_TABLE_BYTES:
        raise ValueError("it is truncated")
    file.seek(start)
    body = file.read(length)
    if zlib.crc32(body) != checksum:
        raise ValueError("its checksum is wrong")
    table = _DECODER.decode(decompress(body, decompressed))
    return {to_text(url): entry for url, entry in table.items()}


class IndexFileWriter:
    """Writes indexes into a new index file, from several threads."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        file.write(MAGIC)

    def add(self, url: str, version: FileVersion, contents: IndexContents) -> None:
        """Write the index of one granule."""
        data = encode_index(contents)
        with self._lock:
            start = self._file.tell()
            self._entries[url] = _Entry(version.size, from_text(version.tag), start, len(data))
            self._file.write(data)

    def finish(self) -> None:
        """Write the table of where each index is stored."""
        table = {from_text(url): self._entries[url] for url in sorted(self._entries)}
        encoded = _ENCODER.encode(table)
        if len(encoded) > MAX_TABLE_BYTES:
            raise SelectionError(f"{len(self._entries)} granules are too many for one file")
        body = zlib.compress(encoded, level=1)
        start = self._file.tell()
        self._file.write(body)
        self._file.write(TRAILER.pack(start, len(body), len(encoded), zlib.crc32(body)))


@contextmanager
def write_index_file(path: str) -> Iterator[IndexFileWriter]:
    """Write an index file: all of it, or nothing.

    Raises
    ------
    SelectionError
        The file cannot be created.
    """
    target = Path(path)
    try:
        with atomic_file(target) as partial, partial.open("xb") as file:
            writer = IndexFileWriter(file)
            yield writer
            writer.finish()
    except ICESat2Error:  # of a granule
        raise
    except OSError as error:
        msg = (
            f"Cannot create {target}: {error.strerror}. Choose a folder that exists and in which "
            "you may write."
        )
        raise SelectionError(msg) from error
