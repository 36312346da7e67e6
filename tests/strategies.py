"""Hypothesis strategies for shapes, chunk grids and selections."""

import numpy as np
from hypothesis import strategies as st

from xr_icesat2.reading.selection import Selection, normalise

SMALL = st.integers(0, 12)


def shapes(least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of ``least`` to ``most`` dimensions, some of them empty."""
    return st.lists(SMALL, min_size=least, max_size=most).map(tuple)


def chunk_shapes(shape: tuple[int, ...]) -> st.SearchStrategy[tuple[int, ...]]:
    """Chunk shapes for a shape, larger ones than it included."""
    return st.tuples(*(st.integers(1, size + 3) for size in shape))


def keys(size: int) -> st.SearchStrategy:
    """What numpy takes for one dimension: slices, unsorted repeats, masks, one number."""
    steps = st.integers(-4, 4).filter(bool)
    edges = st.none() | st.integers(-size - 2, size + 2)
    choices = [
        st.builds(slice, edges, edges, st.none() | steps),
        st.lists(st.booleans(), min_size=size, max_size=size).map(lambda m: np.array(m, bool)),
        st.just(np.array([], np.int64)),
    ]
    if size:
        positions = st.integers(-size, size - 1)
        choices += [positions, st.lists(positions, max_size=8).map(lambda p: np.array(p, np.int64))]
    return st.one_of(choices)


def selections(size: int) -> st.SearchStrategy[Selection]:
    """Normalised selections of one dimension."""
    return keys(size).map(lambda key: normalise(key, size))


def all_selections(shape: tuple[int, ...]) -> st.SearchStrategy[tuple[Selection, ...]]:
    """A selection along every dimension."""
    return st.tuples(*map(selections, shape))


def take(array: np.ndarray, chosen: tuple[Selection, ...]) -> np.ndarray:
    """Orthogonal indexing by numpy alone, one dimension after another."""
    for axis, selection in enumerate(chosen):
        array = np.take(array, np.asarray(selection, np.int64), axis)
    return array
