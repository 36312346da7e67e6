"""Arrays made of parts: any selection equals numpy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import all_selections, take
from xr_icesat2.reading.padded_array import Mosaic, gaps
from xr_icesat2.reading.selection import orthogonal

PADDING = -1


@st.composite
def mosaics(draw):
    """Parts side by side: on leading dimensions one each, along the others of any length.

    Some have the positions of labels along an axis instead of a run from its beginning.
    """
    lead = draw(st.integers(0, 2))
    leading = draw(st.tuples(*[st.integers(1, 3)] * lead))
    inner = draw(st.lists(st.integers(0, 6), max_size=2))
    shape = (*leading, *inner)
    boxes = []
    places = {}
    for place in np.ndindex(*leading):
        if lead and draw(st.booleans()):
            continue  # a beam that is missing
        extent = tuple(draw(st.integers(0, size)) for size in inner)
        for axis, (size, length) in enumerate(zip(inner, extent, strict=True)):
            if draw(st.booleans()):
                order = draw(st.permutations(range(size)))[:length]
                places[len(boxes), lead + axis] = np.array(order, np.int64)
        boxes.append(((*place, *[0] * len(inner)), extent))
    return shape, lead, boxes, places, draw(all_selections(shape))


@given(mosaics())
def test_any_selection_equals_numpy(case):
    shape, lead, boxes, places, chosen = case
    whole = np.full(shape, PADDING)
    parts = []
    for number, (origin, extent) in enumerate(boxes):
        parts.append(1000 * number + np.arange(np.prod(extent, dtype=int)).reshape(extent))
        place = [
            places.get((number, axis), np.arange(start, start + size))
            for axis, (start, size) in enumerate(zip(origin[lead:], extent, strict=True), lead)
        ]
        inside = whole[(*origin[:lead], ...)]
        inside[np.ix_(*place)] = parts[-1]
    expected = take(whole, chosen)
    result = np.full(expected.shape, PADDING)
    times = np.zeros(expected.shape, int)
    cuts = list(Mosaic.of(shape, lead, boxes, places).cut(chosen))
    # Each part is read once, so that each of its chunks is decoded once.
    assert len({cut.part for cut in cuts}) == len(cuts)
    for cut in cuts:
        piece = parts[cut.part][orthogonal(cut.source)]
        # A leading position that is asked for twice is filled twice.
        result[orthogonal(cut.target)] = piece.reshape((1,) * lead + piece.shape)
        times[orthogonal(cut.target)] += 1
        assert piece.size
    np.testing.assert_array_equal(result, expected)
    assert times.max(initial=0) <= 1
    padded = gaps(expected.shape, lead, cuts)
    assert padded is not None
    for box in padded:
        times[orthogonal(box)] += 1
    assert (times == 1).all()


def test_consecutive_parts_concatenate():
    boxes = [((0,), (4,)), ((4,), (0,)), ((4,), (3,))]
    cuts = list(Mosaic.of((7,), 0, boxes).cut([range(6, 1, -2)]))
    assert [cut.part for cut in cuts] == [0, 2]
    assert [list(cut.source[0]) for cut in cuts] == [[2], [2, 0]]
    assert [list(cut.target[0]) for cut in cuts] == [[2], [0, 1]]


def test_gaps_between_consecutive_parts_are_ignored():
    boxes = [((0,), (4,)), ((5,), (3,))]
    cuts = list(Mosaic.of((9,), 0, boxes).cut([range(9)]))
    assert gaps((9,), 0, cuts) is None
    assert gaps((8,), 0, list(Mosaic.of((9,), 0, boxes).cut([range(8)]))) is None
    cuts = list(Mosaic.of((9,), 0, [((0,), (4,)), ((4,), (5,))]).cut([range(9)]))
    assert gaps((9,), 0, cuts) == []


def test_empty_selection_reads_no_part():
    mosaic = Mosaic.of((3, 5), 1, [((0, 0), (5,)), ((2, 0), (4,))])
    assert not list(mosaic.cut([range(3), range(0)]))
    assert not list(mosaic.cut([range(1, 2), range(5)]))


def test_scalar_part_is_read():
    (cut,) = Mosaic.of((), 0, [((), ())]).cut(())
    assert cut.source == cut.target == ()
