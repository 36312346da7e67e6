"""What the library needs of the place where a granule lies."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from .link_speed import Cost

__all__ = ["Answer", "ByteSource", "Look", "Range", "Stamp", "Take"]

Range: TypeAlias = tuple[int, int]
"""(offset, length), both in bytes."""
Answer: TypeAlias = bytes | memoryview
"""What a request brings: a copy less where a library gives its own memory to look at."""
Take: TypeAlias = Callable[[int, Answer], None]
"""Called with the number of a range and its bytes."""


@dataclass(frozen=True)
class Stamp:
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
class Look:
    """What a first look at a file brings.

    Attributes
    ----------
    stamp : Stamp
        Which version of it lies there now.
    pieces : mapping of int to bytes
        By offset, parts of that version that came along; there may be none.
    waited : float or None
        Seconds until the answer began, where that was seen.
    """

    stamp: Stamp
    pieces: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    waited: float | None = None


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
    def cost(self) -> Cost:
        """What a request to it costs, as far as is known."""
        ...

    def stamp(self) -> Stamp:
        """Version of the file as it lies there now, asked anew at each call."""
        ...

    def look(self, first: int, last: int) -> Look:
        """Version of the file, with its first and last bytes if they cost no more waiting.

        Parameters
        ----------
        first, last : int
            Bytes wanted of the beginning and of the end. They are a wish: less
            of them, or nothing, may come.

        Raises
        ------
        ICESat2Error
            Whatever goes wrong, as of :meth:`stamp`.
        """
        ...

    def read(self, ranges: Sequence[Range]) -> Sequence[Answer]:
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

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
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
