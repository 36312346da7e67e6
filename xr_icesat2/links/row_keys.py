"""Keys by which rows are matched: numbers of the file, times, numbers of segments."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import xarray as xr

from xr_icesat2.products import SpanLink

from .file_row_numbers import AlongTrackRows, Beam, group_by_beam
from .link_endpoint import Endpoint
from .link_tables import (
    LinkTables,
    SegmentPositions,
)
from .row_range_map import NO_ROW
from .undecoded_values import nanoseconds, whole_numbers

__all__ = ["FileRowKeys", "LinkKeys", "NearestKeys", "NumberKeys", "PositionKeys", "TimeKeys"]


class LinkKeys(Protocol):
    """Keys by which rows are matched."""

    @property
    @abstractmethod
    def variables(self) -> Mapping[str, xr.Variable]:
        """Variables that the keys are computed from."""

    @abstractmethod
    def of(self, beam: Beam, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the keys (int64) of rows of one beam."""


@dataclass(frozen=True, slots=True, eq=False)
class FileRowKeys:
    """Row numbers in the file."""

    variables: Mapping[str, xr.Variable] = field(default_factory=dict)

    def of(self, beam: Beam, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the row numbers."""
        del beam
        return values["row"].astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class TimeKeys:
    """Times of rows."""

    path: str
    time: xr.Variable
    track: AlongTrackRows

    @property
    def variables(self) -> Mapping[str, xr.Variable]:
        """The time."""
        return {self.path: self.time}

    def of(self, beam: Beam, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the times in nanoseconds."""
        return nanoseconds(values[self.path], self.time, self.track.beam(beam))


@dataclass(frozen=True, slots=True, eq=False)
class NumberKeys:
    """Numbers that are equal for linked rows, such as ``segment_id``."""

    path: str
    number: xr.Variable

    @property
    def variables(self) -> Mapping[str, xr.Variable]:
        """The number."""
        return {self.path: self.number}

    def of(self, beam: Beam, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the numbers."""
        del beam
        return whole_numbers(self.path, values[self.path], self.number)


@dataclass(frozen=True, slots=True, eq=False)
class NearestKeys:
    """Number of the span whose middle is nearest to each row."""

    segments: LinkTables
    """Maps rows in the file to positions in the raveled segments."""
    numbers: np.ndarray
    """int64: number of each raveled segment."""
    halves: np.ndarray
    """float: metres from the beginning of each segment to its middle."""
    path: str
    past: xr.Variable
    """Distance of a row from the beginning of its segment, metres."""

    @classmethod
    def of_sides(
        cls, link: SpanLink, segments: LinkTables, many: Endpoint, through: Endpoint
    ) -> NearestKeys:
        """Read the segments of a granule."""
        key, length = through.variable(link.through_key), through.variable(link.through_length)
        rows = through.track.rows({"key": key, "length": length})
        numbers = np.full(len(rows.real), NO_ROW, np.int64)
        for _, at in group_by_beam(rows):
            numbers[at] = whole_numbers(link.through_key, rows.values["key"][at], key)
        halves = rows.values["length"].astype(np.float64) / 2
        past = many.variable(link.many_past)
        return cls(segments, numbers, halves, link.many_past, past)

    @property
    def variables(self) -> Mapping[str, xr.Variable]:
        """The distance within the segment."""
        return {self.path: self.past}

    def of(self, beam: Beam, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the numbers; :data:`NO_ROW` without segment or distance."""
        past = values[self.path]
        if beam not in self.segments or not len(self.numbers):
            return np.full(past.shape, NO_ROW, np.int64)
        segment = self.segments[beam].ranges.find(values["row"].astype(np.int64, copy=False))
        at = np.maximum(segment, 0)
        # The middle of a span is where its last segment begins.
        numbers = self.numbers[at] + (past >= self.halves[at])
        return np.where((segment == NO_ROW) | np.isnan(past), NO_ROW, numbers)


@dataclass(frozen=True, slots=True, eq=False)
class PositionKeys:
    """Rows in the file that other rows refer to by a segment and a position in it."""

    named: SegmentPositions
    key: xr.Variable
    position: xr.Variable

    @classmethod
    def of_side(cls, named: SegmentPositions, endpoint: Endpoint) -> PositionKeys:
        """Create the keys from the variables of an endpoint."""
        return cls(named, endpoint.variable(named.link.key), endpoint.variable(named.link.position))

    @property
    def variables(self) -> Mapping[str, xr.Variable]:
        """Segment and position."""
        return {self.named.link.key: self.key, self.named.link.position: self.position}

    def of(self, beam: Beam, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the row numbers."""
        link = self.named.link
        key = whole_numbers(link.key, values[link.key], self.key)
        position = whole_numbers(link.position, values[link.position], self.position)
        return self.named.rows(beam, key, position)
