"""The interfaces of byte sources and transports, and the values that they exchange."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from xr_icesat2.errors import CorruptGranuleError

__all__ = [
    "ByteSource",
    "BytesLike",
    "FileVersion",
    "FirstRead",
    "OnBytes",
    "Range",
    "RequestCost",
    "Transport",
    "checked_ranges",
    "range_error",
]

Range: TypeAlias = tuple[int, int]
"""(offset, length), both in bytes."""
BytesLike: TypeAlias = bytes | memoryview
"""The answer to a request; a memoryview saves a copy of a client library's buffer."""
OnBytes: TypeAlias = Callable[[int, BytesLike], None]
"""Called with the number of a range and its bytes."""


@dataclass(frozen=True, slots=True)
class RequestCost:
    """Latency and bandwidth of the link to a file, which decide how to read it."""

    latency: float
    """Seconds to the first byte of an answer."""
    bandwidth: float
    """Bytes a second of all connections together."""

    @property
    def round_trip(self) -> int:
        """Bytes that are transferred in the time of one round trip."""
        return int(self.latency * self.bandwidth)


@dataclass(frozen=True)
class FileVersion:
    """Which version of a file this is.

    Attributes
    ----------
    size : int
        Bytes in the file.
    tag : str
        Changes when the content does: the ETag, else the time of the last
        change, else ``""``.
    """

    size: int
    tag: str


@dataclass(frozen=True)
class FirstRead:
    """The answer to the first request for a file.

    Attributes
    ----------
    file_version : FileVersion
        Current version of the file.
    pieces : mapping of int to bytes
        Parts of that version that the answer contains, by offset; may be empty.
    latency : float or None
        Seconds until the answer began, if known.
    """

    file_version: FileVersion
    pieces: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    latency: float | None = None


@runtime_checkable
class ByteSource(Protocol):
    """The bytes of one granule.

    Every method may be called from several threads at once. An instance can
    be pickled: it carries the location of the granule and the options that the
    user gave, never an open connection.

    Attributes
    ----------
    url : str
        Names the granule in messages and keys; contains no secrets.
    """

    @property
    def url(self) -> str:
        """Name of the granule, without secrets."""
        ...

    @property
    def cost(self) -> RequestCost:
        """What a request costs, as far as is known."""
        ...

    def file_version(self) -> FileVersion:
        """Return the current version of the file; each call asks again."""
        ...

    def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version of the file, with its first and last bytes if they cost no round trip.

        Parameters
        ----------
        first, last : int
            Bytes wanted of the beginning and of the end; fewer, or none, may be
            returned.

        Raises
        ------
        ICESat2Error
            Any failure, as of :meth:`file_version`.
        """
        ...

    def read(self, ranges: Sequence[Range]) -> Sequence[BytesLike]:
        """Read byte ranges, concurrently where that is faster.

        Parameters
        ----------
        ranges : sequence of (offset, length)
            In bytes, in any order; a length of 0 asks for nothing.

        Returns
        -------
        sequence of bytes or memoryview
            One item a range, in the order asked, each exactly as long as asked.

        Raises
        ------
        ICESat2Error
            Any failure, see :mod:`xr_icesat2.errors`; there is no partial
            answer.
        """
        ...

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read byte ranges, and pass each on as soon as it arrives.

        However large the ranges are together, few of their bytes are in memory
        at a time (:data:`~xr_icesat2.bytesource.request_limits.MAX_BUFFERED_BYTES`).

        Parameters
        ----------
        ranges : sequence of (offset, length)
            In bytes, in any order.
        on_bytes : callable
            Called once for each range, in any order and from several threads.
            An exception of it ends the read; no call of it runs after that.
        pool : Executor
            Runs ``on_bytes`` while further ranges arrive.

        Raises
        ------
        ICESat2Error
            Any failure, as of :meth:`read`.
        """
        ...

    def close(self) -> None:
        """Close files and connections; a later read opens them again."""
        ...


class Transport(Protocol):
    """Sends single requests for one file of a filesystem.

    Attributes
    ----------
    parallel : bool
        Whether several requests at once are safe.
    whole_file : bool
        Whether a request may move the whole file to get a range of it.
    """

    parallel: bool
    whole_file: bool

    async def file_version(self) -> FileVersion:
        """Return the current version of the file."""
        ...

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version, with those first and last bytes that cost no round trip."""
        ...

    async def fetch(self, offset: int, length: int) -> BytesLike:
        """Return the bytes of one range; fewer if the server sends fewer."""
        ...


# No operating system accepts larger offsets, which a damaged granule may contain.
_LARGEST_FILE = (1 << 63) - 1


def checked_ranges(ranges: Iterable[Range], size: int | None, name: str) -> list[Range]:
    """Return ranges as plain integers, all inside the file.

    Parameters
    ----------
    ranges : iterable of (offset, length)
        In bytes; numpy integers are taken as well.
    size : int or None
        Bytes in the file; None where that is not known yet.
    name : str
        What to call the file in the message.

    Raises
    ------
    CorruptGranuleError
        A range is negative or reaches past the end.
    """
    plain = [(int(offset), int(length)) for offset, length in ranges]
    end = _LARGEST_FILE if size is None else size
    for offset, length in plain:
        if offset < 0 or length < 0 or (length and offset + length > end):
            raise range_error(offset, length, size, name)
    return plain


def range_error(offset: int, length: int, size: int | None, name: str) -> CorruptGranuleError:
    """Return the error for a range outside a file of ``size`` bytes."""
    file_size = "" if size is None else f", which has {size} bytes"
    return CorruptGranuleError(
        f"Cannot read {length} bytes at {offset} of {name}{file_size}. The file is truncated or "
        "damaged: download it again, and compare its size with that in the archive."
    )
