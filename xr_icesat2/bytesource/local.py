"""Read local files with ``pread``."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial

from xr_icesat2.errors import ICESat2Error
from xr_icesat2.thread_pools import wait_all

from .descriptor_cache import Descriptor, check_regular_file, descriptors
from .error_translation import translate_error
from .protocol import (
    FileVersion,
    FirstRead,
    OnBytes,
    Range,
    RequestCost,
    checked_ranges,
    range_error,
)

__all__ = ["LocalSource"]

FEW_BYTES = 1 << 18
"""Bytes up to which other threads cost more than they save."""


class LocalSource:
    """A granule in a file of this machine, read with ``pread``.

    Parameters
    ----------
    path : str
        Absolute, so that it means the same in a process with another working
        directory.

    Notes
    -----
    The file is opened at the first read. Nothing but the path is pickled.
    """

    def __init__(self, path: str) -> None:
        self.url = path
        self._owner = object()

    cost = RequestCost(latency=20e-6, bandwidth=1e9)

    def file_version(self) -> FileVersion:
        """Return size and modification time; each call asks the operating system.

        Raises
        ------
        GranuleNotFoundError, AccessDeniedError
            Nothing there, or not for us.
        NotAGranuleError
            A directory, a pipe or a device.
        """
        try:
            found = os.stat(self.url)  # noqa: PTH116
        except (OSError, ValueError) as error:
            raise translate_error(error, self.url) from error
        check_regular_file(found.st_mode, self.url)
        return FileVersion(found.st_size, str(found.st_mtime_ns))

    def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version alone: local bytes cost no round trip."""
        del first, last
        return FirstRead(self.file_version())

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read byte ranges; see :class:`~xr_icesat2.bytesource.ByteSource`.

        Raises
        ------
        CorruptGranuleError
            A range reaches past the end of the file.
        """
        if not ranges:
            return []
        try:
            descriptor = self._open()
            size = descriptor.size
            return [
                self._read_one(descriptor, offset, length)
                for offset, length in checked_ranges(ranges, size, self.url)
            ]
        except ICESat2Error:
            raise
        except (OSError, ValueError) as error:
            raise translate_error(error, self.url) from error

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read each range in a thread of the pool, and pass it on there."""

        def work(number: int, each: Range) -> None:
            (data,) = self.read([each])
            on_bytes(number, data)

        jobs = [partial(work, *numbered) for numbered in enumerate(ranges)]
        if len(jobs) > 1 and sum(length for _, length in ranges) > FEW_BYTES:
            wait_all([pool.submit(job) for job in jobs])
            return
        for job in jobs:
            job()

    def _open(self) -> Descriptor:
        try:
            return descriptors.get(self._owner, self.url)
        except PermissionError:
            self.file_version()  # Windows refuses to open a directory: say that it is one
            raise

    def _read_one(self, descriptor: Descriptor, offset: int, length: int) -> bytes:
        data = descriptor.read(offset, length)
        if len(data) != length:  # it was cut while we read
            raise range_error(offset, length, descriptor.size, self.url)
        return data

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        descriptors.drop(self._owner)

    def __del__(self) -> None:
        self.close()

    def __reduce__(self) -> tuple[type["LocalSource"], tuple[str]]:
        return LocalSource, (self.url,)

    def __repr__(self) -> str:
        return f"LocalSource({self.url!r})"
