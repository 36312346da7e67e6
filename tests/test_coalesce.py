"""Byte ranges are merged into bounded requests."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xr_icesat2.reading.coalesce import coalesce

ranges = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 60)), max_size=30)


@given(ranges, st.integers(0, 50), st.integers(1, 300))
def test_every_range_is_in_exactly_one_run(wanted, max_gap, max_bytes):
    offsets = np.array([offset for offset, _ in wanted], np.int64)
    lengths = np.array([length for _, length in wanted], np.int64)
    runs = coalesce(offsets, lengths, max_gap=max_gap, max_bytes=max_bytes)
    members = [member for run in runs for member in run.members.tolist()]
    assert sorted(members) == list(range(len(wanted)))
    for run in runs:
        in_file = [wanted[member] for member in run.members]
        assert run.offset == min(offset for offset, _ in in_file)
        assert run.offset + run.length == max(offset + length for offset, length in in_file)
        longest = max(length for _, length in in_file)
        assert run.length <= max(max_bytes, longest)
        assert _largest_gap(in_file) <= max_gap
    starts = [run.offset for run in runs]
    assert starts == sorted(starts)


def _largest_gap(in_file):
    gap, end = 0, None
    for offset, length in sorted(in_file):
        gap = max(gap, 0 if end is None else offset - end)
        end = max(end or 0, offset + length)
    return gap


@given(ranges, st.integers(0, 50), st.integers(1, 300))
def test_adjacent_runs_are_distant_or_too_long_to_merge(wanted, max_gap, max_bytes):
    offsets = np.array([offset for offset, _ in wanted], np.int64)
    lengths = np.array([length for _, length in wanted], np.int64)
    runs = coalesce(offsets, lengths, max_gap=max_gap, max_bytes=max_bytes)
    for run, after in itertools.pairwise(runs):
        first = wanted[after.members[0]]
        apart = first[0] - (run.offset + run.length) > max_gap
        too_long = first[0] + first[1] - run.offset > max_bytes
        assert apart or too_long


def test_no_ranges_need_no_run():
    empty = np.empty(0, np.int64)
    assert coalesce(empty, empty, max_gap=0, max_bytes=1) == []


def test_number_of_requests_is_minimal():
    offsets = np.array([300, 0, 100, 1_000_000])
    lengths = np.array([50, 100, 150, 10])
    runs = coalesce(offsets, lengths, max_gap=64, max_bytes=1 << 20)
    assert [(run.offset, run.length, run.members.tolist()) for run in runs] == [
        (0, 350, [1, 2, 0]),
        (1_000_000, 10, [3]),
    ]
