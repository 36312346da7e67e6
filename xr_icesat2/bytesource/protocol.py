"""What the library needs of the place where a granule lies."""

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
    "checked_ranges",
    "range_error",
]

Range: TypeAlias = tuple[int, int]
"""(offset, length), both in bytes."""
BytesLike: TypeAlias = bytes | memoryview
"""What a request brings: a copy less where a library gives its own memory to look at."""
OnBytes: TypeAlias = Callable[[int, BytesLike], None]
"""Called with the number of a range and its bytes."""


@dataclass(frozen=True, slots=True)
class RequestCost:
    """A link to a place, in the simplest terms that decide how to read from it."""

    latency: float
    """Seconds to the first byte of an answer."""
    bandwidth: float
    """Bytes a second of all connections together."""

    @property
    def round_trip(self) -> int:
        """Bytes that take as long to come as an answer takes to begin."""
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
        change, else ``""`` where the place tells neither.
    """

    size: int
    tag: str


@dataclass(frozen=True)
class FirstRead:
    """What a first look at a file brings.

    Attributes
    ----------
    file_version : FileVersion
        Which version of it lies there now.
    pieces : mapping of int to bytes
        By offset, parts of that version that came along; there may be none.
    latency : float or None
        Seconds until the answer began, where that was seen.
    """

    file_version: FileVersion
    pieces: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    latency: float | None = None


@runtime_checkable
class ByteSource(Protocol):
    """The bytes of one granule.

    Every method may be called from several threads at once. An instance can
    be pickled, and is then opened anew where it is unpickled: it carries where
    the granule lies and the options that the user gave, never an open
    connection.

    Attributes
    ----------
    url : str
        Names the granule in messages and keys; holds no secrets.
    """

    @property
    def url(self) -> str:
        """Name of the granule, without secrets."""
        ...

    @property
    def cost(self) -> RequestCost:
        """What a request to it costs, as far as is known."""
        ...

    def file_version(self) -> FileVersion:
        """Version of the file as it lies there now, asked anew at each call."""
        ...

    def first_read(self, first: int, last: int) -> FirstRead:
        """Version of the file, with its first and last bytes if they cost no more waiting.

        Parameters
        ----------
        first, last : int
            Bytes wanted of the beginning and of the end. They are a wish: less
            of them, or nothing, may come.

        Raises
        ------
        ICESat2Error
            Whatever goes wrong, as of :meth:`file_version`.
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
            Whatever goes wrong, see :mod:`xr_icesat2.errors`; there is no
            partial answer.
        """
        ...

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read byte ranges, and hand each on as soon as it has come.

        However large the ranges are together, few of their bytes are held at
        a time (:data:`~xr_icesat2.bytesource.request_limits.MOST_HELD`).

        Parameters
        ----------
        ranges : sequence of (offset, length)
            In bytes, in any order.
        take : callable
            Called once for each range, in any order and from several threads.
            What it raises ends the whole; no call of it goes on after that.
        pool : Executor
            Where ``take`` may work without holding up what is still to come.

        Raises
        ------
        ICESat2Error
            Whatever goes wrong, as of :meth:`read`.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; a later read opens them again."""
        ...


# Offsets and lengths come out of the granule itself, and a damaged granule asks for absurd ones.
# No operating system and no server counts further.
_LARGEST_FILE = (1 << 63) - 1


def checked_ranges(ranges: Iterable[Range], size: int | None, name: str) -> list[Range]:
    """Plain integer ranges that lie inside the file.

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
    """Error for a range that reaches outside a file of ``size`` bytes."""
    held = "" if size is None else f", which has {size} bytes"
    return CorruptGranuleError(
        f"cannot read {length} bytes at {offset} of {name}{held}: the file is truncated or "
        "damaged; download it again and compare its size with the archive's"
    )
