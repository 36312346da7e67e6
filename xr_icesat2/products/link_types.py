"""Links between rows of two rates, as a product declares them.

One side has many rows (photons), and each row of the other side (a segment) covers some of them.
Variables are given by their paths below the beam. Their indices are always read raw, whatever fill
value the file declares. :mod:`xr_icesat2.links` uses the links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["KeyLink", "RangeLink", "RateLink", "SpanLink", "TimeLink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeLink:
    """A row of ``one`` covers a range of rows of ``many``, given by its first row and count."""

    many: str
    """Group of the rate with many rows."""
    one: str
    """Group of the rate of which each row covers a range."""
    first: str
    """Variable of ``one``: number of the range's first row, counted from ``base``; below ``base``
    where the range is empty."""
    count: str
    """Variable of ``one``: rows of the range."""
    base: int = 1
    tiling: bool
    """Whether the ranges follow one another without gaps, so that ``count`` sums up to all rows of
    ``many``, and each of ``first`` can be checked by the counts before it."""
    x_atc: tuple[str, str] | None = None
    """Variable of ``one`` and variable of ``many`` that add up to the distance along the track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLink:
    """A row of ``many`` belongs to the row of ``one`` during which it was measured."""

    many: str
    one: str
    many_time: str
    """Variable of ``many``: time of a row, seconds since 2018-01-01."""
    one_time: str
    """Variable of ``one``: when the row begins."""
    duration: float
    """Seconds: a row is valid for start ≤ t < start + duration, or until the next one begins."""
    many_product: str | None = None
    """Short name of the product that ``many`` is of, where it is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLink:
    """A row of ``many`` is the same observation as one row of another product's rate.

    The rows of that rate, ``to``, form ranges: ``key`` selects the range, ``position`` a row in it.
    """

    many: str
    product: str
    """Short name of the other product; the granule of the same pass and release."""
    to: str
    """Group of the other product's rate."""
    key: str
    """Variable of ``many`` that holds a value of ``through_key``."""
    position: str
    """Variable of ``many``: number of the row within the range, counted from ``base``."""
    base: int = 1
    through: str
    """Group of the other product's rate that has a :class:`RangeLink` to ``to``."""
    through_key: str
    """Variable of ``through``; no two rows have the same value."""
    many_time: str
    """Variable of ``many``: time of a row; that of its row of ``to`` is the same, by which the link
    is checked."""
    to_time: str
    """Variable of ``to``: time of a row."""
    classes: str | None = None
    """Variable of ``many`` with the class of a row, and so of its row of ``to``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLink:
    """A row of ``one`` spans consecutive rows of ``through``, another product's rate, by number.

    The rows of ``through`` cover ranges of ``many``, and so does each row of ``one``.
    Neighbours overlap: a row of ``many`` is in several rows of ``one``, and is linked to the one
    with the nearest middle.
    """

    one: str
    key: str
    """Variable of ``one``: ``through_key`` of the last row of ``through`` that it spans."""
    rows: int
    """How many rows of ``through`` it spans; its middle is where the last of them begins."""
    product: str
    """Short name of the other product; the granule of the same pass, region and release."""
    through: str
    """Group of the other product's rate that has a :class:`RangeLink` to ``many``."""
    through_key: str
    """Variable of ``through``; no two rows have the same value."""
    through_length: str
    """Variable of ``through``: metres along the track."""
    many: str
    many_past: str
    """Variable of ``many``: metres along the track from the beginning of its row of ``through``."""
    one_time: str
    through_time: str
    """Times of a row of ``one`` and of the row of ``through`` that has its number."""
    apart: float
    """Seconds by which these two may differ at most."""


RateLink: TypeAlias = RangeLink | TimeLink | KeyLink | SpanLink
