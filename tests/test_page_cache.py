"""The page cache returns the right bytes over any link, in few requests."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counted_link import CountedLink
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.bytesource.remote import ObservedCost
from xr_icesat2.hdf5.page_cache import MAX_BLOCK_BYTES, PAGE, KeptPages, PageCache
from xr_icesat2.hdf5.parser_driver import IndependentRanges, IsolatedRange

SIZE = 3 << 20
NEAR = RequestCost(latency=20e-6, bandwidth=1e9)
FAR = RequestCost(latency=0.15, bandwidth=2e6)
FAST = RequestCost(latency=0.06, bandwidth=200e6)
each_link = pytest.mark.parametrize("cost", [NEAR, FAR, FAST], ids=["near", "far", "fast"])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "bytes"
    path.write_bytes(np.random.default_rng(1).bytes(SIZE))
    return path


@st.composite
def spans(draw):
    offset = draw(st.integers(0, SIZE - 1))
    return offset, draw(st.integers(0, min(SIZE - offset, 600_000)))


def holds(pages: PageCache, span) -> bool:
    """Whether a range is there already."""
    got = {}
    missing = []
    with ThreadPoolExecutor(1) as pool:
        pages.read_each_cached([span], got.__setitem__, pool, missing.extend)
    assert missing == ([] if got else [0])
    return 0 in got


def cached_pages(pages: PageCache) -> set[int]:
    spans = [(at, min(PAGE, SIZE - at)) for at in range(0, SIZE, PAGE)]
    got = {}
    with ThreadPoolExecutor(1) as pool:
        pages.read_each_cached(spans, got.__setitem__, pool, lambda _: None)
    return set(got)


@each_link
@given(bursts=st.lists(st.lists(spans(), max_size=5), max_size=4))
def test_pages_return_the_bytes_of_the_file(path, cost, bursts):
    data, source = path.read_bytes(), CountedLink(path, cost)
    pages = PageCache(source, SIZE)
    for ranges in bursts:
        assert pages.read(ranges) == [data[o : o + n] for o, n in ranges]
    asked = sorted(source.log)
    for (offset, length), (after, _) in itertools.pairwise(asked):
        assert offset + length <= after, "a byte that was asked for twice"
    pages.forget()


def test_block_size_follows_the_link(path):
    for cost, block in ((NEAR, PAGE), (FAR, MAX_BLOCK_BYTES)):
        source = CountedLink(path, cost)
        PageCache(source, SIZE).read([(SIZE // 2, 100)])
        assert max(length for _, length in source.log) == block


def test_small_file_is_read_whole_and_kept(path):
    source = CountedLink(path, FAST)
    pages = PageCache(source, SIZE)
    pages.read([(5, 10)])
    assert source.nbytes == SIZE
    source.reset()
    pages.release()
    got = {}
    with ThreadPoolExecutor(2) as pool:
        pages.read_each_cached(
            [(10, 1_000_000), (2_000_000, 7)], got.__setitem__, pool, pytest.fail
        )
    data = path.read_bytes()
    assert got == {0: data[10:1_000_010], 1: data[2_000_000:2_000_007]}
    assert source.requests == 0
    pages.forget()
    assert not holds(pages, (10, 10))


def test_only_missing_ranges_are_requested(path, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    data, pages = path.read_bytes(), PageCache(CountedLink(path, NEAR), SIZE)
    pages.read([(0, 3 * PAGE), (9 * PAGE, PAGE)])
    spans = [(5, 7), (8 * PAGE, 2 * PAGE), (9 * PAGE, 11), (2 * PAGE, 2 * PAGE), (0, 3 * PAGE)]
    got, missing = {}, []
    with ThreadPoolExecutor(2) as pool:
        pages.read_each_cached(spans, got.__setitem__, pool, missing.extend)
    assert missing == [1, 3]
    assert got == {n: data[o : o + k] for n, (o, k) in enumerate(spans) if n not in missing}


def test_whole_files_are_kept_up_to_a_bound(path, monkeypatch):
    kept = KeptPages()
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", str(2 * SIZE))
    pages = [PageCache(CountedLink(path, FAST), SIZE, kept) for _ in range(3)]
    for one in pages:
        one.read([(0, 1)])
    assert [holds(one, (SIZE - 1, 1)) for one in pages] == [True, True, False]
    kept.fresh = -1.0
    another = PageCache(CountedLink(path, FAST), SIZE, kept)
    another.read([(0, 1)])
    assert [holds(one, (SIZE - 1, 1)) for one in pages] == [False, True, False]
    assert holds(another, (SIZE - 1, 1))
    for one in (*pages, another):
        one.forget()


def test_link_speed_is_measured():
    observed = ObservedCost(RequestCost(latency=1.0, bandwidth=1.0))
    assert observed.cost == RequestCost(1.0, 1.0)
    for seconds in (0.3, 0.1, 0.2):
        observed.note(0, seconds)
    observed.note(10_000_000, 0.6)
    observed.note(1_000_000, 0.6)
    assert observed.cost == RequestCost(latency=0.1, bandwidth=10_000_000 / 0.5)


@each_link
@given(
    pieces=st.lists(spans(), max_size=4),
    ranges=st.lists(spans(), max_size=5),
)
def test_primed_bytes_are_not_requested_again(path, cost, pieces, ranges):
    data, source = path.read_bytes(), CountedLink(path, cost)
    pages = PageCache(source, SIZE)
    pages.add_bytes({offset: data[offset : offset + length] for offset, length in pieces})
    primed = cached_pages(pages)
    assert pages.read(ranges) == [data[o : o + n] for o, n in ranges]
    asked = {page for o, n in source.log for page in range(o // PAGE, -(-(o + n) // PAGE))}
    assert not asked & primed
    pages.forget()


def test_front_is_read_at_once_on_a_fast_link(path, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    data = path.read_bytes()
    for cost, bursts in ((FAST, 1), (FAR, 0), (NEAR, 0)):
        source = CountedLink(path, cost)
        pages = PageCache(source, SIZE)
        pages.add_bytes({0: data[: SIZE // 2]})
        pages.read([(0, 1)])
        source.reset()
        pages.read(pages.front(SIZE // 2))
        assert source.bursts == 0
        pages.read(pages.front(SIZE))
        assert source.bursts == bursts
        assert holds(pages, (0, SIZE)) == bool(bursts)
        pages.forget()


@each_link
def test_cached_ranges_are_returned_before_a_round_trip(path, cost, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    data, source = path.read_bytes(), CountedLink(path, cost)
    pages = PageCache(source, SIZE)
    pages.read([(0, 10)])
    source.reset()
    spans, far = [(5, 7), (2_500_000, 9)], data[2_500_000:2_500_009]
    assert pages.read(IndependentRanges(spans)) == [data[5:12], far if cost is NEAR else None]
    assert source.bursts == (cost is NEAR)
    assert pages.read(IndependentRanges(spans[1:])) == [far]
    assert source.bursts == 1


def test_isolated_ranges_are_read_as_single_pages(path, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    data, source = path.read_bytes(), CountedLink(path, FAR)
    pages = PageCache(source, SIZE)
    assert pages.read([IsolatedRange(2 * MAX_BLOCK_BYTES + 5, 7)]) == [
        data[2 * MAX_BLOCK_BYTES + 5 :][:7]
    ]
    assert source.log == [(2 * MAX_BLOCK_BYTES, PAGE)]


@pytest.mark.parametrize(("requests", "whole"), [(1, False), (64, False), (65, True), (500, True)])
def test_file_is_read_whole_to_save_many_requests(path, requests, whole):
    source = CountedLink(path, RequestCost(latency=0.06, bandwidth=SIZE / 2 / 0.06))
    pages = PageCache(source, SIZE)
    pages.take_whole(requests)
    assert source.nbytes == (SIZE if whole else 0)
    pages.forget()
