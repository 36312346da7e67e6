"""Ranges of rows equal sets of rows, and arrays with selected rows equal numpy's."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import selections
from xr_icesat2.reading.padded_array import Mosaic
from xr_icesat2.reading.row_ranges import RowRanges
from xr_icesat2.reading.selection import positions

SETS = st.frozensets(st.integers(0, 30), max_size=20)


def ranges(rows) -> RowRanges:
    return RowRanges.of_rows(np.array(sorted(rows), np.int64))


@given(SETS, SETS)
def test_ranges_equal_sets(one, other):
    a, b = ranges(one), ranges(other)
    assert a.rows().tolist() == sorted(one)
    assert a.count == len(one)
    assert a.union(b).rows().tolist() == sorted(one | other)
    assert a.intersection(b) == ranges(one & other)
    assert a.difference(b) == ranges(one - other)
    assert (a == b) == (one == other)
    mask = np.isin(np.arange(31), sorted(one))
    assert RowRanges.of_mask(mask) == a
    assert a.contains(np.arange(31)).tolist() == mask.tolist()
    assert a.shifted(3).rows().tolist() == [row + 3 for row in sorted(one)]
    both = a.intersection(b)
    assert a.rows()[a.positions_of(both)].tolist() == both.rows().tolist()
    assert pickle.loads(pickle.dumps(a)) == a  # noqa: S301 - it was made here


@given(SETS, st.data())
def test_rows_at_positions_equal_numpy(rows, data):
    a, expected = ranges(rows), np.array(sorted(rows), np.int64)
    chosen = data.draw(selections(len(rows)))
    assert positions(a.at(chosen)).tolist() == expected[positions(chosen)].tolist()
    inner = ranges(data.draw(st.frozensets(st.integers(0, len(rows) - 1))) if rows else ())
    assert a.compose(inner).rows().tolist() == expected[inner.rows()].tolist()


@given(st.lists(st.tuples(st.integers(0, 12), SETS), min_size=1, max_size=3), st.data())
def test_rows_selected_twice_equal_numpy(beams, data):
    """Beams side by side, of which rows are selected, and then some of these."""
    sizes = [size for size, _ in beams]
    first = [ranges(row for row in rows if row < size) for size, rows in beams]
    longest = max(one.count for one in first)
    boxes = [((beam, 0), (one.count,)) for beam, one in enumerate(first)]
    kept = {(beam, 1): one for beam, one in enumerate(first)}
    mosaic = Mosaic.of((len(beams), longest), 1, boxes, None, kept)
    second = [ranges(data.draw(st.frozensets(st.integers(0, longest)))) for _ in beams]
    whole = RowRanges.of_range(0, longest)
    second = [one.intersection(whole) for one in second]
    length = max(one.count for one in second)
    again = mosaic.select_rows(1, {(beam,): one for beam, one in enumerate(second)}, length)
    chosen = data.draw(selections(length))
    found = np.full((len(beams), len(chosen)), -1)
    for cut in again.cut([range(len(beams)), chosen]):
        found[cut.target[0][0], positions(cut.target[1])] = positions(cut.source[0])
    for beam, size in enumerate(sizes):
        padded = np.full(longest, -1)
        padded[: first[beam].count] = first[beam].rows()
        moved = np.full(length, -1)
        inside = second[beam].rows()
        inside = inside[inside < first[beam].count]
        moved[: len(inside)] = padded[inside]
        assert (moved < size).all()
        assert found[beam].tolist() == moved[positions(chosen)].tolist()
