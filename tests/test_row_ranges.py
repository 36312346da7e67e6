"""Ranges of rows and keys equal plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.strategies  # noqa: F401 - the profile
from xr_icesat2.errors import LinkError
from xr_icesat2.links.row_range_map import (
    NO_ROW,
    RangePositions,
    checked_row_ranges,
    map_rows,
    map_unique_keys,
)

COUNTS = st.lists(st.integers(0, 4), max_size=12)
KEYS = np.arange(-2, 60)


def numbers(values: object) -> np.ndarray:
    return np.array(values, np.int64).reshape(-1)


def tiled(counts: list[int], base: int) -> tuple[np.ndarray, np.ndarray]:
    """First rows, below the base where there are none, and counts."""
    first, row = [], base
    for count in counts:
        first.append(row if count else base - 1)
        row += count
    return numbers(first), numbers(counts)


def owners(counts: list[int], kept: list[int]) -> dict[int, int]:
    """Row → position among the segments that were kept, one row after another."""
    found, row = {}, 0
    for segment, count in enumerate(counts):
        for _ in range(count):
            if segment in kept:
                found[row] = kept.index(segment)
            row += 1
    return found


@given(COUNTS, st.integers(0, 1), st.randoms(use_true_random=False), st.booleans())
def test_segment_rows_equal_plain_loops(counts, base, random, some):
    first, count = tiled(counts, base)
    kept = list(range(len(counts)))
    random.shuffle(kept)
    kept = kept[: len(kept) // 2] if some else kept
    at = numbers(kept)
    ranges = checked_row_ranges(first[at], count[at], at, base=base, tiling=True, what="segments")
    truth = owners(counts, kept)
    assert ranges.find(KEYS).tolist() == [truth.get(key, NO_ROW) for key in KEYS.tolist()]
    below = [sum(row < key for row in truth) for key in KEYS.tolist()]
    assert ranges.below(KEYS).tolist() == below
    if not some:
        assert ranges.end == sum(counts)


@given(COUNTS.filter(lambda counts: sum(map(bool, counts)) > 1), st.data())
def test_wrong_first_rows_are_refused(counts, data):
    first, count = tiled(counts, 1)
    some = np.flatnonzero(count)
    wrong = first.copy()
    wrong[some[data.draw(st.integers(0, len(some) - 1)) :]] += data.draw(st.sampled_from([-1, 1]))
    rows = np.arange(len(count))
    with pytest.raises(LinkError, match="is inconsistent"):
        checked_row_ranges(wrong, count, rows, base=1, tiling=True, what="segments")


def test_gaps_are_refused_only_in_tiling_runs():
    first, count, rows = numbers([1, 6]), numbers([3, 2]), numbers([0, 1])
    ranges = checked_row_ranges(first, count, rows, base=1, tiling=False, what="land")
    assert ranges.find(np.arange(8)).tolist() == [0, 0, 0, -1, -1, 1, 1, -1]
    with pytest.raises(LinkError, match="sum of the previous counts"):
        checked_row_ranges(first, count, rows, base=1, tiling=True, what="segments")
    # A segment that was left out may have had the rows between.
    checked_row_ranges(first, count, numbers([0, 2]), base=1, tiling=True, what="segments")


@pytest.mark.parametrize(
    ("first", "count", "rows", "match"),
    [
        ([1, 2], [3, 2], [0, 1], "before the end of the previous range"),
        ([1, 4], [3, -1], [0, 1], "negative"),
        ([0, 3], [3, 1], [0, 1], "less than 1"),
        ([1, 4], [3, 1], [5, 5], "twice"),
    ],
)
def test_contradictory_ranges_are_refused(first, count, rows, match):
    arrays = numbers(first), numbers(count), numbers(rows)
    with pytest.raises(LinkError, match=match):
        checked_row_ranges(*arrays, base=1, tiling=False, what="land")


@given(st.lists(st.integers(0, 40), unique=True, max_size=20))
def test_rows_are_found_in_ranges(rows):
    found = map_rows(numbers(rows), np.arange(len(rows)), "photons")
    expected = [rows.index(key) if key in rows else NO_ROW for key in KEYS.tolist()]
    assert found.find(KEYS).tolist() == expected
    assert found.gapless == (rows == sorted(rows))
    assert len(found.starts) <= len(rows)


@given(COUNTS, st.integers(0, 1), st.randoms(use_true_random=False))
def test_rows_are_found_by_key(counts, base, random):
    names = random.sample(range(100, 200), len(counts))
    starts = numbers([sum(counts[:n]) for n in range(len(counts))])
    keyed = RangePositions(map_unique_keys(numbers(names), "segments"), starts, numbers(counts))
    asked = [
        (name, n + base) for name, count in zip(names, counts, strict=True) for n in range(count)
    ]
    keys, positions = numbers([k for k, _ in asked]), numbers([p for _, p in asked])
    assert keyed.rows(keys, positions, base=base, what="x").tolist() == list(range(sum(counts)))
    assert keyed.rows(numbers([7]), numbers([1]), base=base, what="x").tolist() == [NO_ROW]
    for name, count in zip(names, counts, strict=True):
        for position in (base - 1, base + count):
            with pytest.raises(LinkError, match=f"number {position} of segment {name}"):
                keyed.rows(numbers([name]), numbers([position]), base=base, what="x")


def test_duplicate_keys_are_refused():
    with pytest.raises(LinkError, match="7 occurs twice"):
        map_unique_keys(numbers([7, 3, 7]), "segments")
    with pytest.raises(LinkError, match="twice"):
        map_rows(numbers([4, 2, 4]), numbers([0, 1, 2]), "photons")
