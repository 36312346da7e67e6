"""Parsers that request byte ranges, and the loop that answers them.

A parser is a generator: it yields a list of ``(offset, length)`` ranges and is sent a list of
``bytes``. :func:`concurrently` runs many: each continues as far as cached bytes allow, and then all
missing ranges are requested at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from xr_icesat2.errors import CorruptGranuleError

__all__ = [
    "MAX_CONCURRENT_BYTES",
    "IndependentRanges",
    "IsolatedRange",
    "OverLimitError",
    "Parser",
    "Ranges",
    "RefusedError",
    "UnsupportedError",
    "bounded",
    "concurrently",
    "read",
    "run",
]

T = TypeVar("T")
MAX_FILE_MULTIPLE = 4
"""How many times the size of the file one parser may request: nodes are read twice."""
SLACK = 1 << 24
"""Further bytes: pages and heaps of small files are requested more than once."""
MAX_CONCURRENT_BYTES = 1 << 26
"""Bytes that concurrent parsers request at once; the others wait."""
Ranges: TypeAlias = Sequence[tuple[int, int]]
Parser: TypeAlias = Generator[Ranges, list[bytes], T]


class IsolatedRange(NamedTuple):
    """A range near which nothing else will be requested."""

    offset: int
    length: int


class IndependentRanges(list[tuple[int, int]]):
    """Ranges of independent parsers.

    Cached ranges may be answered at once, with None for the others, which are requested again.
    """


class UnsupportedError(Exception):
    """A legal part of the HDF5 format that this reader does not know; HDF5 itself may."""


class RefusedError(Exception):
    """A part of the HDF5 format that is never read: the object that has it is left out."""


class OverLimitError(RefusedError):
    """One object exceeds a limit: it is left out unless the limit is raised."""


def read(offset: int, length: int) -> Parser[bytes]:
    """Request one range."""
    (data,) = yield [(offset, length)]
    return data


def bounded(parser: Parser[T], file_size: int, base: int = 0) -> Parser[T]:
    """Run a parser within the bounds of the file and a total number of bytes.

    Parameters
    ----------
    parser
        Requests addresses.
    file_size
        In bytes.
    base
        The byte offset from which addresses are counted.

    Raises
    ------
    CorruptGranuleError
        A pointer leads out of the file, or the parser requests more than
        :data:`MAX_FILE_MULTIPLE` times the file, as in a structure that contains
        itself.
    """
    asked = 0
    answer: Any = None
    while True:
        try:
            ranges = parser.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        for offset, length in ranges:
            if offset < 0 or length < 0 or base + offset + length > file_size:
                where = f"{base + offset}…{base + offset + length}"
                msg = f"its metadata points to bytes {where} of {file_size}"
                raise CorruptGranuleError(msg)
            asked += length
        if asked > MAX_FILE_MULTIPLE * file_size + SLACK:
            raise CorruptGranuleError(
                "its metadata is longer than the file, as if it contained itself"
            )
        answer = yield ranges if base == 0 else _moved(ranges, base)


def _moved(ranges: Ranges, base: int) -> Ranges:
    """Add an offset to ranges, and keep their types."""
    spans = [
        IsolatedRange(at + base, length) if isinstance(span, IsolatedRange) else (at + base, length)
        for span in ranges
        for at, length in [span]
    ]
    return IndependentRanges(spans) if isinstance(ranges, IndependentRanges) else spans


def concurrently(
    parsers: Iterable[Parser[T]], max_bytes: int | None = None
) -> Parser[list[T | Exception]]:
    """Run parsers concurrently; each result is a value, or the error that ended that parser.

    They request at most ``max_bytes`` at once, in their order; None for no limit.

    Only errors about the file (:class:`UnsupportedError`,
    :class:`CorruptGranuleError`) are kept as results; any other ends them all.
    """
    results: dict[int, T | Exception] = {}
    ready: list[tuple[int, Parser[T], Any]]
    ready = [(number, parser, None) for number, parser in enumerate(parsers)]
    waiting: list[_Waiting] = []
    while True:
        for number, parser, answers in ready:
            try:
                ranges = parser.send(answers)
            except StopIteration as stop:
                results[number] = stop.value
            except (UnsupportedError, RefusedError, CorruptGranuleError) as error:
                results[number] = error
            else:
                waiting.append(_Waiting(number, parser, ranges))
        if not waiting:
            return [results[number] for number in sorted(results)]
        asking, later = (waiting, []) if max_bytes is None else _first(waiting, max_bytes)
        data = yield IndependentRanges([span for one in asking for span in one.missing])
        ready, waiting = _handed_out(asking, data)
        if later:
            waiting = sorted([*waiting, *later], key=lambda one: one.number)


class _Waiting:
    """A parser that waits for ranges, with the answers so far."""

    __slots__ = ("answers", "asked", "missing", "number", "parser")

    def __init__(self, number: int, parser: Parser[Any], asked: Ranges) -> None:
        self.number = number
        self.parser = parser
        self.asked = asked
        self.missing = asked
        self.answers: list[Any] = []

    def take(self, data: list[Any]) -> bool:
        """Store answers to missing ranges; return whether the parser can continue."""
        if self.answers:
            fresh = iter(data)
            data = [next(fresh) if answer is None else answer for answer in self.answers]
        self.answers = data
        if None not in data:
            return True
        pairs = zip(self.asked, data, strict=True)
        self.missing = [span for span, answer in pairs if answer is None]
        return isinstance(self.asked, IndependentRanges) and len(self.missing) < len(data)


def _first(waiting: list[_Waiting], max_bytes: int) -> tuple[list[_Waiting], list[_Waiting]]:
    """Split off the first parsers whose requests fit into some bytes, at least one."""
    waiting = sorted(waiting, key=lambda one: one.number)
    total = 0
    for number, one in enumerate(waiting):
        total += sum(length for _, length in one.missing)
        if total > max_bytes and number:
            return waiting[:number], waiting[number:]
    return waiting, []


def _handed_out(
    waiting: list[_Waiting], data: list[Any]
) -> tuple[list[tuple[int, Parser[Any], Any]], list[_Waiting]]:
    """Return parsers that can continue with their answers, and the others."""
    ready: list[tuple[int, Parser[Any], Any]] = []
    rest: list[_Waiting] = []
    position = 0
    for one in waiting:
        end = position + len(one.missing)
        if one.take(data[position:end]):
            ready.append((one.number, one.parser, one.answers))
        else:
            rest.append(one)
        position = end
    return ready, rest


def values(results: Sequence[T | Exception]) -> list[T]:
    """Return the results of :func:`concurrently`, raising the first error among them."""
    good: list[T] = []
    for result in results:
        if isinstance(result, Exception):
            raise result
        good.append(result)
    return good


def run(parser: Parser[T], answer: Callable[[Ranges], list[bytes]]) -> T:
    """Drive a parser to its end with a function that reads ranges."""
    try:
        ranges = next(parser)
        while True:
            ranges = parser.send(answer(ranges))
    except StopIteration as stop:
        result: T = stop.value
        return result
