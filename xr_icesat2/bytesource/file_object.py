"""Read open files without a path or URL, such as ``BytesIO``."""

import io
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import IO, Any, TypeVar

from xr_icesat2.errors import ICESat2Error, TransferError
from xr_icesat2.fork_safety import PerProcess
from xr_icesat2.printable import printable

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
from .redaction import source_name

__all__ = ["FileObjectSource"]

T = TypeVar("T")


class FileObjectSource:
    """A granule in an open file, read by moving its position.

    Parameters
    ----------
    file : binary file
        With ``seek`` and ``read``. It belongs to the caller: it is never
        closed here, and its position is put back after each read.

    Notes
    -----
    A file has one position, so one thread reads at a time. What is pickled is
    the file object: ``BytesIO`` can be, with its content; most others cannot.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        # Two files may share a name ("<BytesIO>"), which must not make them one in a cache.
        self._label = uuid.uuid4().hex[:12]
        self._lock = PerProcess(threading.Lock)

    @property
    def url(self) -> str:
        """Name of the file, and a label that no other source has."""
        return f"{source_name(self.file)}#{self._label}"

    cost = RequestCost(latency=1e-6, bandwidth=4e9)

    def file_version(self) -> FileVersion:
        """Return the current size; an open file has no tag."""
        with self._lock():
            return FileVersion(self._guarded(self._measure), "")

    def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version alone: local bytes cost no round trip."""
        del first, last
        return FirstRead(self.file_version())

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read byte ranges one after another; see :class:`~xr_icesat2.bytesource.ByteSource`.

        Raises
        ------
        CorruptGranuleError
            A range reaches past the end.
        TransferError
            The file is closed, or reading it fails.
        """
        if not ranges:
            return []
        with self._lock():
            size = self._guarded(self._measure)
            plain = checked_ranges(ranges, size, source_name(self.file))
            return self._guarded(lambda: [self._read_one(*each, size) for each in plain])

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read and pass on one range after another, in this thread."""
        del pool
        for number, each in enumerate(ranges):
            (data,) = self.read([each])
            on_bytes(number, data)

    def _measure(self) -> int:
        before = self.file.tell()
        size = self.file.seek(0, io.SEEK_END)
        self.file.seek(before)
        return size

    def _read_one(self, offset: int, length: int, size: int) -> bytes:
        before = self.file.tell()
        self.file.seek(offset)
        pieces = []
        missing = length
        while missing:  # an unbuffered file may give less than asked
            piece = self.file.read(missing)
            if not piece:
                raise range_error(offset, length, size, source_name(self.file))
            pieces.append(piece)
            missing -= len(piece)
        self.file.seek(before)
        return b"".join(pieces)

    def _guarded(self, action: Callable[[], T]) -> T:
        name = source_name(self.file)
        try:
            return action()
        except ICESat2Error:
            raise
        except ValueError as error:
            raise TransferError(
                f"Cannot read {name}: {error}. Keep the file open as long as you use the Dataset, "
                "or pass its path."
            ) from error
        except OSError as error:
            raise translate_error(error, name) from error

    def close(self) -> None:
        """Do nothing: the file belongs to the caller."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=PerProcess(threading.Lock))

    def __repr__(self) -> str:
        return f"FileObjectSource({printable(source_name(self.file))})"
