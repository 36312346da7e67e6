"""Positions along one dimension equal numpy indexing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import all_selections, keys, selections, shapes, take
from xr_icesat2.reading.selection import (
    compose,
    indexer,
    interval,
    normalise,
    orthogonal,
    split,
)

SIZES = st.integers(0, 12)
sized_keys = SIZES.flatmap(lambda size: st.tuples(st.just(size), keys(size)))
sized_selections = SIZES.flatmap(lambda size: st.tuples(st.just(size), selections(size)))


@given(sized_keys)
def test_normalised_positions_equal_numpys(case):
    size, key = case
    expected = np.atleast_1d(np.arange(size)[key])
    np.testing.assert_array_equal(np.asarray(normalise(key, size), np.int64), expected)


@pytest.mark.parametrize("key", [5, -6, np.array([0, 5]), np.array([-6])])
def test_position_outside_is_an_error(key):
    with pytest.raises(IndexError, match="size 5"):
        normalise(key, 5)


@given(sized_selections)
def test_indexer_selects_the_same_from_numpy(case):
    size, selection = case
    values = np.arange(100, 100 + size)
    np.testing.assert_array_equal(
        values[indexer(selection)], values[np.asarray(selection, np.int64)]
    )


@given(sized_selections, st.integers(0, 14), st.integers(0, 14))
def test_interval_selects_its_positions(case, start, length):
    _, selection = case
    piece = interval(selection, start, start + length)
    positions = np.asarray(selection, np.int64)
    inside = (positions >= start) & (positions < start + length)
    np.testing.assert_array_equal(np.asarray(piece.target, np.int64), np.flatnonzero(inside))
    np.testing.assert_array_equal(np.asarray(piece.source, np.int64), positions[inside] - start)


@given(sized_selections, st.integers(1, 15))
def test_splitting_covers_every_position_once(case, step):
    _, selection = case
    positions = np.asarray(selection, np.int64)
    found = np.full(len(positions), -1)
    numbers = []
    for piece in split(selection, step):
        assert len(piece.target)
        source = np.asarray(piece.source, np.int64)
        assert ((source >= 0) & (source < step)).all()
        target = np.asarray(piece.target, np.int64)
        assert (found[target] == -1).all()
        found[target] = source + piece.number * step
        numbers.append(piece.number)
    np.testing.assert_array_equal(found, positions)
    assert numbers == sorted(set(numbers))


@given(sized_selections, st.data())
def test_composition_equals_indexing_twice(case, data):
    _, outer = case
    inner = data.draw(selections(len(outer)))
    expected = np.asarray(outer, np.int64)[np.asarray(inner, np.int64)]
    np.testing.assert_array_equal(np.asarray(compose(outer, inner), np.int64), expected)


@given(shapes(0, 4).flatmap(lambda s: st.tuples(st.just(s), all_selections(s))))
def test_orthogonal_indexing_reads_and_writes(case):
    shape, chosen = case
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    expected = take(values, chosen)
    np.testing.assert_array_equal(values[orthogonal(chosen)], expected)
    written = np.full(shape, -1)
    written[orthogonal(chosen)] = expected
    np.testing.assert_array_equal(take(written, chosen), expected)
