"""Executing a plan equals numpy indexing, for any chunk grid and selection."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import all_selections, chunk_shapes, shapes, take
from xr_icesat2.granule.model import ChunkTable
from xr_icesat2.reading import plan
from xr_icesat2.reading.plan import ChunkRead, contiguous_table, plan_chunks
from xr_icesat2.reading.selection import orthogonal

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


def execute(reads, chunks, selected_shape):
    """Place what each read takes; a position that is written twice is an error."""
    result = np.full(selected_shape, FILL)
    times = np.zeros(selected_shape, int)
    for read in reads:
        assert isinstance(read, ChunkRead)
        assert read.shape == chunks[read.offset].shape
        result[orthogonal(read.target)] = chunks[read.offset][orthogonal(read.source)]
        times[orthogonal(read.target)] += 1
    assert (times == 1).all()
    return result


@given(grids)
def test_any_selection_of_any_chunk_grid(case):
    shape, chunk_shape, chosen = case
    values = np.arange(math.prod(shape)).reshape(shape)
    table, chunks = stored_chunks(values, chunk_shape)
    reads = list(plan_chunks(table, chunk_shape, shape, chosen))
    expected = take(values, chosen)
    np.testing.assert_array_equal(execute(reads, chunks, expected.shape), expected)
    assert all(read.mask == read.offset * 3 % 7 for read in reads)


@given(grids)
def test_only_chunks_that_hold_something_are_read(case):
    shape, chunk_shape, chosen = case
    values = np.arange(math.prod(shape)).reshape(shape)
    table, chunks = stored_chunks(values, chunk_shape)
    reads = list(plan_chunks(table, chunk_shape, shape, chosen))
    asked = [read.offset for read in reads]
    assert len(asked) == len(set(asked))
    wanted = set(take(values, chosen).ravel().tolist())
    for number in asked:
        assert wanted & set(chunks[number].ravel().tolist())


@given(grids, st.data())
def test_chunks_that_were_never_written_have_no_size(case, data):
    shape, chunk_shape, chosen = case
    table, _ = stored_chunks(np.zeros(shape, int), chunk_shape)
    written = data.draw(
        st.lists(st.booleans(), min_size=len(table.sizes), max_size=len(table.sizes))
    )
    table.sizes[:] = written
    for read in plan_chunks(table, chunk_shape, shape, chosen):
        assert read.size == written[read.offset]


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
    before, plan.CONTIGUOUS_BLOCK = plan.CONTIGUOUS_BLOCK, block
    try:
        table, chunk_shape = contiguous_table(offset, shape, item_size)
    finally:
        plan.CONTIGUOUS_BLOCK = before
    expected = take(values, chosen)
    result = np.zeros(expected.shape, values.dtype)
    for read in plan_chunks(table, chunk_shape, shape, chosen, clipped=True):
        raw = stored[read.offset : read.offset + read.size]
        chunk = np.frombuffer(raw, values.dtype).reshape(read.shape)
        result[orthogonal(read.target)] = chunk[orthogonal(read.source)]
        row = item_size * math.prod(shape[1:])
        assert read.size <= max(block, row)
    np.testing.assert_array_equal(result, expected)


def test_few_rows_of_much_read_few_bytes():
    table, chunk_shape = contiguous_table(0, (1_000_000, 100), 8)
    (read,) = plan_chunks(
        table, chunk_shape, (1_000_000, 100), (range(5000, 5010), range(100)), clipped=True
    )
    assert read.size <= plan.CONTIGUOUS_BLOCK


def test_a_contiguous_row_may_be_longer_than_a_chunk():
    table, chunk_shape = contiguous_table(2048, (2, 1 << 30), 4)
    assert chunk_shape == (1, 1 << 30)
    assert table.sizes.tolist() == [1 << 32, 1 << 32]
