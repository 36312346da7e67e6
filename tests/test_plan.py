"""Executing a plan equals numpy indexing, for any chunk grid and selection."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import all_selections, chunk_shapes, shapes, take
from xr_icesat2.hdf5.model import ChunkTable
from xr_icesat2.reading.plan import CONTIGUOUS_BLOCK, Axes, contiguous_table, plan_chunks
from xr_icesat2.reading.selection import crossed

grids = shapes(1, 3).flatmap(
    lambda shape: st.tuples(st.just(shape), chunk_shapes(shape), all_selections(shape))
)
FILL = -1


def stored_chunks(values, chunk_shape):
    """A table, and the content of each chunk, whole as HDF5 stores it; offsets are its number."""
    grid = tuple(-(-n // c) for n, c in zip(values.shape, chunk_shape, strict=True))
    count = math.prod(grid)
    chunks = []
    for position in np.ndindex(*grid):
        start = [p * c for p, c in zip(position, chunk_shape, strict=True)]
        part = values[tuple(slice(a, a + c) for a, c in zip(start, chunk_shape, strict=True))]
        whole = np.full(chunk_shape, 999)
        whole[tuple(slice(0, n) for n in part.shape)] = part
        chunks.append(whole)
    numbers = np.arange(count)
    table = ChunkTable(
        grid, numbers.astype("u8"), np.ones(count, "u4"), (numbers * 3 % 7).astype("u4")
    )
    return table, chunks


def planned(table, chunk_shape, shape, chosen, clipped=()):
    """The chunks of a plan of which the selection is the whole result."""
    axes = Axes()
    along = zip(chosen, chunk_shape, [range(len(each)) for each in chosen], strict=True)
    return plan_chunks(table, chunk_shape, [axes.of(*each) for each in along], clipped)


def execute(plan, chunks, selected_shape):
    """Place what is taken of each chunk; a position that is written twice is an error."""
    result = np.full(selected_shape, FILL)
    times = np.zeros(selected_shape, int)
    for number, offset in enumerate(plan.offsets):
        shape, source, target = plan.place(number)
        assert shape == chunks[offset].shape
        result[crossed(target)] = chunks[offset][crossed(source)]
        times[crossed(target)] += 1
    assert (times == 1).all()
    return result


@given(grids)
def test_any_selection_of_any_chunk_grid_equals_numpy(case):
    shape, chunk_shape, chosen = case
    values = np.arange(math.prod(shape)).reshape(shape)
    table, chunks = stored_chunks(values, chunk_shape)
    reads = planned(table, chunk_shape, shape, chosen)
    expected = take(values, chosen)
    np.testing.assert_array_equal(execute(reads, chunks, expected.shape), expected)
    assert reads.masks.tolist() == (reads.offsets * 3 % 7).tolist()


@given(grids)
def test_only_needed_chunks_are_read(case):
    shape, chunk_shape, chosen = case
    values = np.arange(math.prod(shape)).reshape(shape)
    table, chunks = stored_chunks(values, chunk_shape)
    asked = planned(table, chunk_shape, shape, chosen).offsets.tolist()
    assert len(asked) == len(set(asked))
    wanted = set(take(values, chosen).ravel().tolist())
    for number in asked:
        assert wanted & set(chunks[number].ravel().tolist())


@given(grids, st.data())
def test_unwritten_chunks_have_no_size(case, data):
    shape, chunk_shape, chosen = case
    table, _ = stored_chunks(np.zeros(shape, int), chunk_shape)
    written = data.draw(
        st.lists(st.booleans(), min_size=len(table.sizes), max_size=len(table.sizes))
    )
    table.sizes[:] = written
    reads = planned(table, chunk_shape, shape, chosen)
    assert reads.sizes.tolist() == [written[offset] for offset in reads.offsets]


@given(
    shapes(0, 3).flatmap(lambda shape: st.tuples(st.just(shape), all_selections(shape))),
    st.integers(1, 200),
    st.sampled_from([1, 2, 8]),
)
def test_contiguous_values_are_read_by_rows(case, block, item_size):
    shape, chosen = case
    offset = 1000
    values = np.arange(math.prod(shape), dtype=f"u{item_size}").reshape(shape)
    stored = bytes(offset) + values.tobytes()
    table, chunk_shape = contiguous_table(offset, shape, item_size, block)
    expected = take(values, chosen)
    result = np.zeros(expected.shape, values.dtype)
    reads = planned(table, chunk_shape, shape, chosen, clipped=shape)
    row = item_size * math.prod(shape[1:])
    for number, (start, size) in enumerate(zip(reads.offsets, reads.sizes, strict=True)):
        stored_shape, source, target = reads.place(number)
        chunk = np.frombuffer(stored[start : start + size], values.dtype).reshape(stored_shape)
        result[crossed(target)] = chunk[crossed(source)]
        assert size <= max(block, row)
    np.testing.assert_array_equal(result, expected)


def test_few_rows_of_much_read_few_bytes():
    table, chunk_shape = contiguous_table(0, (1_000_000, 100), 8)
    shape = (1_000_000, 100)
    reads = planned(table, chunk_shape, shape, (range(5000, 5010), range(100)), clipped=shape)
    assert len(reads) == 1
    assert reads.sizes[0] <= CONTIGUOUS_BLOCK


def test_axes_of_equal_ranges_are_shared():
    axes = Axes()
    assert axes.of(range(5), 2, range(5)) is axes.of(range(5), 2, range(5))
    assert axes.of(range(5), 2, range(5)) is not axes.of(range(5), 3, range(5))
    rows = np.array([4, 1])
    assert axes.of(rows, 2, range(2)).numbers.tolist() == [0, 2]


def test_contiguous_row_may_exceed_a_chunk():
    table, chunk_shape = contiguous_table(2048, (2, 1 << 30), 4)
    assert chunk_shape == (1, 1 << 30)
    assert table.sizes.tolist() == [1 << 32, 1 << 32]
