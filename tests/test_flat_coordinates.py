"""Coordinates of flat rows that are constant over runs, or count within them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xarray.core.indexing import BasicIndexer, OuterIndexer

from xr_icesat2.assembly.flat_row_coordinates import RunArray


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=6), st.integers(0, 2), st.data())
def test_any_selection_equals_numpy(lengths, step, data):
    values = np.arange(len(lengths)) * 100
    parts = [v + step * np.arange(n) for v, n in zip(values, lengths, strict=True)]
    whole = np.concatenate([np.empty(0, np.int64), *parts])
    array = RunArray(values, lengths, step)
    key = data.draw(st.slices(len(whole)))
    np.testing.assert_array_equal(array[BasicIndexer((key,))], whole[key])
    if len(whole):
        rows = np.array(data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=9)), np.int64)
        np.testing.assert_array_equal(array[OuterIndexer((rows,))], whole[rows])
        row = data.draw(st.integers(-len(whole), len(whole) - 1))
        assert array[BasicIndexer((row,))] == whole[row]


@pytest.mark.parametrize("key", [slice(None), slice(None, None, -1), slice(1, 9, 3)])
def test_strings_can_be_constant_over_runs(key):
    array = RunArray(np.array(["gt1l", "gt2r"]), [4, 6])
    whole = np.repeat(["gt1l", "gt2r"], [4, 6])
    np.testing.assert_array_equal(array[BasicIndexer((key,))], whole[key])
