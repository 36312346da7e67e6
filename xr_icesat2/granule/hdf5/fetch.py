"""Parsers that ask for bytes, and the loop that answers them.

A parser is a generator: it yields a list of ``(offset, length)`` ranges and
is sent a list of ``bytes``. :func:`together` runs many in step, so that the
ranges of all of them are asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeAlias, TypeVar

from xr_icesat2.errors import CorruptGranuleError

__all__ = ["Parser", "Ranges", "UnsupportedError", "read", "run", "together", "within"]

T = TypeVar("T")
MOST_OF_FILE = 4
"""Times the size of the file that one structure may ask for: nodes are looked at twice."""
SLACK = 1 << 28
"""Bytes beyond that: many attributes may each ask for the same heap, which is read once."""
Ranges: TypeAlias = list[tuple[int, int]]
Parser: TypeAlias = Generator[Ranges, list[bytes], T]


class UnsupportedError(Exception):
    """A legal part of the HDF5 format that this reader does not know; HDF5 itself may."""


def read(offset: int, length: int) -> Parser[bytes]:
    """Ask for one range."""
    (data,) = yield [(offset, length)]
    return data


def within(parser: Parser[T], file_size: int) -> Parser[T]:
    """Run a parser that may ask only for what is in the file, and not for ever.

    Raises
    ------
    CorruptGranuleError
        A pointer leads out of the file, or the structure is larger than the
        whole file, as where it contains itself.
    """
    asked = 0
    answer: list[bytes] | None = None
    while True:
        try:
            ranges = parser.send(answer)  # type: ignore[arg-type]
        except StopIteration as stop:
            result: T = stop.value
            return result
        for offset, length in ranges:
            if offset < 0 or length < 0 or offset + length > file_size:
                msg = f"its metadata points to bytes {offset}…{offset + length} of {file_size}"
                raise CorruptGranuleError(msg)
            asked += length
        if asked > MOST_OF_FILE * file_size + SLACK:
            raise CorruptGranuleError("its metadata has no end")
        answer = yield ranges


def together(parsers: Iterable[Parser[T]]) -> Parser[list[T | Exception]]:
    """Run parsers in step; each result is a value or the error that ended that parser.

    Only errors that say something of the file (:class:`UnsupportedError`,
    :class:`CorruptGranuleError`) are kept as results; any other ends them all.
    """
    results: dict[int, T | Exception] = {}
    live: list[tuple[int, Parser[T], list[bytes] | None]]
    live = [(number, parser, None) for number, parser in enumerate(parsers)]
    while True:
        asked: list[tuple[int, Parser[T], int]] = []
        spans: Ranges = []
        for number, parser, answer in live:
            try:
                ranges = parser.send(answer)  # type: ignore[arg-type]
            except StopIteration as stop:
                results[number] = stop.value
            except (UnsupportedError, CorruptGranuleError) as error:
                results[number] = error
            else:
                asked.append((number, parser, len(spans)))
                spans += ranges
        if not asked:
            break
        data = yield spans
        ends = [start for _, _, start in asked[1:]] + [len(spans)]
        live = [
            (number, parser, data[start:end])
            for (number, parser, start), end in zip(asked, ends, strict=True)
        ]
    return [results[number] for number in sorted(results)]


def values(results: Sequence[T | Exception]) -> list[T]:
    """Give the results of :func:`together`, raising the first error among them."""
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
