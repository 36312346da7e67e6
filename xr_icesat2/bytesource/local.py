"""Files of this machine."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial

from xr_icesat2.errors import ICESat2Error

from .error_translation import translated
from .link_speed import Cost
from .open_files import Descriptor, expect_file, open_files
from .protocol import Look, Range, Stamp, Take
from .range_checks import checked_ranges, outside
from .threads import all_done

__all__ = ["LocalSource"]

FEW_BYTES = 1 << 18
"""Up to so many, other threads are not worth the trouble."""


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

    cost = Cost(latency=20e-6, bandwidth=1e9)

    def stamp(self) -> Stamp:
        """Size and time of the last change, asked of the operating system at each call.

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
            raise translated(error, self.url) from error
        expect_file(found.st_mode, self.url)
        return Stamp(found.st_size, str(found.st_mtime_ns))

    def look(self, first: int, last: int) -> Look:
        """Give the stamp alone: nobody waits for the bytes of a file that is here."""
        del first, last
        return Look(self.stamp())

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
            raise translated(error, self.url) from error

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
        """Read and hand on each range in a thread of the pool, which so holds one range each."""

        def work(number: int, each: Range) -> None:
            (data,) = self.read([each])
            take(number, data)

        jobs = [partial(work, *numbered) for numbered in enumerate(ranges)]
        if len(jobs) > 1 and sum(length for _, length in ranges) > FEW_BYTES:
            all_done([pool.submit(job) for job in jobs])
            return
        for job in jobs:
            job()

    def _open(self) -> Descriptor:
        try:
            return open_files.get(self._owner, self.url)
        except PermissionError:
            self.stamp()  # Windows refuses to open a directory: say that it is one
            raise

    def _read_one(self, descriptor: Descriptor, offset: int, length: int) -> bytes:
        data = descriptor.read(offset, length)
        if len(data) != length:  # it was cut while we read
            raise outside(offset, length, descriptor.size, self.url)
        return data

    def close(self) -> None:
        """Let go of the file; a later read opens it again."""
        open_files.drop(self._owner)

    def __del__(self) -> None:
        self.close()

    def __reduce__(self) -> tuple[type["LocalSource"], tuple[str]]:
        return LocalSource, (self.url,)

    def __repr__(self) -> str:
        return f"LocalSource({self.url!r})"
