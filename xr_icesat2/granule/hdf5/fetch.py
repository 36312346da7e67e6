"""Parsers that ask for bytes, and the loop that answers them.

A parser is a generator: it yields a list of ``(offset, length)`` ranges and
is sent a list of ``bytes``. :func:`together` runs many side by side: each goes
on as far as it gets with what is there already, and what all of them then wait
for is asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from xr_icesat2.errors import CorruptGranuleError

__all__ = [
    "Alone",
    "Parser",
    "Ranges",
    "Several",
    "UnsupportedError",
    "read",
    "run",
    "together",
    "within",
]

T = TypeVar("T")
MOST_OF_FILE = 4
"""Times the size of the file that one structure may ask for: nodes are looked at twice."""
SLACK = 1 << 28
"""Bytes beyond that: many attributes may each ask for the same heap, which is read once."""
Ranges: TypeAlias = Sequence[tuple[int, int]]
Parser: TypeAlias = Generator[Ranges, list[bytes], T]


class Alone(NamedTuple):
    """A range around which nothing else will be asked for."""

    offset: int
    length: int


class Several(list[tuple[int, int]]):
    """Ranges of parsers that go on each for itself.

    Those that are there already may be answered at once, with None for the others, which are
    then asked for again.
    """


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
            ranges = next(parser) if answer is None else parser.send(answer)
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
    """Run parsers side by side; each result is a value or the error that ended that parser.

    Only errors that say something of the file (:class:`UnsupportedError`,
    :class:`CorruptGranuleError`) are kept as results; any other ends them all.
    """
    results: dict[int, T | Exception] = {}
    waiting: dict[int, _Waiting] = {}
    ready = {number: _Waiting(parser) for number, parser in enumerate(parsers)}
    while ready or waiting:
        for number, one in ready.items():
            waiting.pop(number, None)
            try:
                one.go_on()
            except StopIteration as stop:
                results[number] = stop.value
            except (UnsupportedError, CorruptGranuleError) as error:
                results[number] = error
            else:
                waiting[number] = one
        if waiting:
            answers = iter((yield Several(s for one in waiting.values() for s in one.missing)))
            for one in waiting.values():
                one.take(answers)
        ready = {number: one for number, one in waiting.items() if one.ready}
    return [results[number] for number in sorted(results)]


class _Waiting:
    """A parser, what it asked for, and what of that has come."""

    __slots__ = ("answers", "parser", "ranges")

    def __init__(self, parser: Parser[Any]) -> None:
        self.parser = parser
        self.ranges: Ranges = []
        self.answers: list[Any] | None = None

    @property
    def missing(self) -> Ranges:
        if self.answers is None:
            return self.ranges
        pairs = zip(self.ranges, self.answers, strict=True)
        return [span for span, answer in pairs if answer is None]

    @property
    def ready(self) -> bool:
        answers = self.answers or []
        if None not in answers:
            return True
        return isinstance(self.ranges, Several) and any(one is not None for one in answers)

    def take(self, answers: Iterator[bytes | None]) -> None:
        held = self.answers or [None] * len(self.ranges)
        self.answers = [next(answers) if one is None else one for one in held]

    def go_on(self) -> None:
        answers, self.answers = self.answers, None
        self.ranges = next(self.parser) if answers is None else self.parser.send(answers)


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
