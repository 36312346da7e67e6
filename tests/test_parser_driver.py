"""Concurrent parsers get their own answers, and do not wait for each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xr_icesat2.errors import CorruptGranuleError
from xr_icesat2.hdf5.parser_driver import IndependentRanges, bounded, concurrently, run

DATA = bytes(range(256))


class Answers:
    """A place of which some bytes are there, and others after they were asked for."""

    def __init__(self, there=()):
        self.there = set(there)
        self.bursts = []

    def __call__(self, ranges):
        missing = [span for span in ranges if span[0] not in self.there]
        if missing and (not isinstance(ranges, IndependentRanges) or len(missing) == len(ranges)):
            self.bursts.append(sorted(missing))
            self.there |= {offset for offset, _ in ranges}
        return [DATA[o : o + n] if o in self.there else None for o, n in ranges]


def chain(steps):
    """Ask for one list of offsets after another; nested lists are parsers of their own."""
    got = []
    for step in steps:
        if isinstance(step, tuple):
            got.append((yield from concurrently(chain(below) for below in step)))
        else:
            got.append([*(yield [(offset, 1) for offset in step])])
    return got


def expected(steps):
    return [
        [expected(below) for below in step]
        if isinstance(step, tuple)
        else [DATA[offset : offset + 1] for offset in step]
        for step in steps
    ]


offsets = st.lists(st.integers(0, 255), max_size=4)
chains = st.recursive(
    st.lists(offsets, max_size=4),
    lambda inner: st.lists(st.one_of(offsets, st.lists(inner, max_size=3).map(tuple)), max_size=4),
    max_leaves=12,
)


@given(st.lists(chains, max_size=5), st.sets(st.integers(0, 255)))
def test_each_parser_gets_its_own_answers(parsers, there):
    answers = Answers(there)
    assert run(concurrently(map(chain, parsers)), answers) == [expected(steps) for steps in parsers]
    asked = [offset for burst in answers.bursts for offset, _ in burst]
    assert not set(asked) & there


def test_parsers_do_not_wait_for_each_other():
    answers = Answers(there=range(100))
    parsers = [chain([[1], [200], [2]]), chain([[3], [4], ([[5], [6], [201]], [[7]]), [8]])]
    run(concurrently(parsers), answers)
    assert answers.bursts == [[(200, 1), (201, 1)]]


def test_library_error_of_one_parser_is_its_result():
    parsers = [bounded(chain([[250], [1000]]), 256), chain([[1]])]
    wrong, right = run(concurrently(parsers), Answers())
    assert isinstance(wrong, CorruptGranuleError)
    assert right == [[b"\x01"]]


def test_other_errors_end_all_parsers():
    def broken():
        yield [(0, 1)]
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        run(concurrently([broken(), chain([[1]])]), Answers())
