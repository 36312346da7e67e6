"""Links between rows of two rates, as a product declares them.

One side has many rows (photons), and each row of the other side (a segment) covers some of them.
Variables are given by their paths below the beam. Their indices are always read raw, whatever fill
value the file declares. :mod:`xr_icesat2.links` uses the links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["KeyLink", "RateLink", "RunLink", "SpanLink", "TimeLink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLink:
    """A row of ``one`` covers a run of rows of ``many``, given by its first row and its length."""

    many: str
    """Group of the rate with many rows."""
    one: str
    """Group of the rate of which each row covers a run."""
    first: str
    """Variable of ``one``: number of the run's first row, counted from ``base``; below ``base``
    where the run is empty."""
    count: str
    """Variable of ``one``: rows of the run."""
    base: int = 1
    tiling: bool
    """Whether the runs follow one another without gaps, so that ``count`` sums up to all rows of
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

    The rows of that rate, ``to``, form runs: ``key`` selects the run, ``position`` the row in it.
    """

    many: str
    product: str
    """Short name of the other product; the granule of the same pass and release."""
    to: str
    """Group of the other product's rate."""
    key: str
    """Variable of ``many`` that holds a value of ``run_key``."""
    position: str
    """Variable of ``many``: number of the row within the run, counted from ``base``."""
    base: int = 1
    run: str
    """Group of the other product's rate that has a :class:`RunLink` to ``to``."""
    run_key: str
    """Variable of ``run``; no two rows have the same value."""
    many_time: str
    """Variable of ``many``: time of a row; that of its row of ``to`` is the same, by which the link
    is checked."""
    to_time: str
    """Variable of ``to``: time of a row."""
    classes: str | None = None
    """Variable of ``many`` with the class of a row, and so of its row of ``to``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLink:
    """A row of ``one`` spans consecutive rows of another product's rate ``run``, by their numbers.

    The rows of ``run`` cover runs of ``many``, and so does each row of ``one``.
    Neighbours overlap: a row of ``many`` is in several rows of ``one``, and is linked to the one
    with the nearest middle.
    """

    one: str
    key: str
    """Variable of ``one``: ``run_key`` of the last row of ``run`` that it spans."""
    rows: int
    """How many rows of ``run`` it spans; its middle is where the last of them begins."""
    product: str
    """Short name of the other product; the granule of the same pass, region and release."""
    run: str
    """Group of the other product's rate that has a :class:`RunLink` to ``many``."""
    run_key: str
    """Variable of ``run``; no two rows have the same value."""
    run_length: str
    """Variable of ``run``: metres along the track."""
    many: str
    many_past: str
    """Variable of ``many``: metres along the track from the beginning of its row of ``run``."""
    one_time: str
    run_time: str
    """Times of a row of ``one`` and of the row of ``run`` that has its number."""
    apart: float
    """Seconds by which these two may differ at most."""


RateLink: TypeAlias = RunLink | TimeLink | KeyLink | SpanLink
