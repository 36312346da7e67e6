"""Parsers that ask for bytes, and the loop that answers them.

A parser is a generator: it yields a list of ``(offset, length)`` ranges and
is sent a list of ``bytes``. :func:`together` runs many in step, so that the
ranges of all of them are asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeAlias, TypeVar

from xr_icesat2.errors import CorruptGranuleError

__all__ = ["Parser", "Ranges", "UnsupportedError", "read", "run", "together"]

T = TypeVar("T")
Ranges: TypeAlias = list[tuple[int, int]]
Parser: TypeAlias = Generator[Ranges, list[bytes], T]


class UnsupportedError(Exception):
    """A legal part of the HDF5 format that this reader does not know; HDF5 itself may."""


def read(offset: int, length: int) -> Parser[bytes]:
    """Ask for one range."""
    (data,) = yield [(offset, length)]
    return data


def together(parsers: Iterable[Parser[T]]) -> Parser[list[T | Exception]]:
    """Run parsers in step; each result is a value or the error that ended that parser.

    Only errors that say something of the file (:class:`UnsupportedError`,
    :class:`CorruptGranuleError`) are kept as results; any other ends them all.
    """
    live = list(enumerate(parsers))
    results: dict[int, T | Exception] = {}
    answers: dict[int, list[bytes] | None] = {number: None for number, _ in live}
    while live:
        asked: list[tuple[int, Parser[T], Ranges]] = []
        for number, parser in live:
            try:
                answer = answers[number]
                ranges = next(parser) if answer is None else parser.send(answer)
            except StopIteration as stop:
                results[number] = stop.value
            except (UnsupportedError, CorruptGranuleError) as error:
                results[number] = error
            else:
                asked.append((number, parser, ranges))
        live = [(number, parser) for number, parser, _ in asked]
        if live:
            data = yield [span for _, _, ranges in asked for span in ranges]
            position = 0
            for number, _, ranges in asked:
                answers[number] = data[position : position + len(ranges)]
                position += len(ranges)
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
