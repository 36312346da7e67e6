"""Indexes in memory are made concurrently, each once, and evicted in order."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from xr_icesat2.bytesource import open_source
from xr_icesat2.granule.index_registry import IndexRegistry
from xr_icesat2.hdf5.index import GranuleIndex
from xr_icesat2.hdf5.limit_counters import LimitUsage
from xr_icesat2.hdf5.model import IndexContents
from xr_icesat2.limits import Limits
from xr_icesat2.testing import write_granule


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("stored"), n_segments=5)


def index_of(path) -> GranuleIndex:
    return GranuleIndex(open_source(path), path.stat().st_size, IndexContents())


def is_open(index: GranuleIndex) -> bool:
    return index._fallback._file is not None


def test_two_indexes_are_made_concurrently(path):
    """Each waits for the other to begin, which never ends under one lock."""
    indexes, both = IndexRegistry(), threading.Barrier(2, timeout=30)

    def make():
        both.wait()
        return index_of(path)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda key: indexes.get(key, make), "ab")
    assert first is not second


def test_index_is_made_once(path):
    indexes, made = IndexRegistry(), []

    def make():
        made.append(1)
        return index_of(path)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: indexes.get("a", make), range(50)))
    assert len(set(map(id, found))) == len(made) == 1


def test_failed_index_is_made_again(path):
    indexes = IndexRegistry()
    with pytest.raises(ZeroDivisionError):
        indexes.get("a", lambda: 1 / 0)
    assert indexes.get("a", lambda: index_of(path)) is not None


@pytest.mark.parametrize("by", ["number", "size"])
def test_least_recently_used_index_is_evicted_and_closed(path, by):
    indexes = IndexRegistry(**{"number": {"max_count": 2}, "size": {"max_bytes": 25}}[by])

    def use(key):
        index = indexes.get(key, lambda: index_of(path))
        indexes.set_size(key, 10)
        return index

    first, second = use("a"), use("b")
    for index in (first, second):
        index._fallback.node("/", "a test", LimitUsage(Limits(), str(path)))
    use("a")
    use("c")
    assert use("a") is first
    assert is_open(first)
    assert not is_open(second)
    assert use("b") is not second
    assert second.node("/") is not None  # its users continue
    first.close()
    second.close()


def test_dropped_index_frees_its_size(path):
    indexes = IndexRegistry(max_bytes=25)
    for key in "abcdef":
        kept = indexes.get(key, lambda: index_of(path))
        indexes.set_size(key, 20)
        indexes.remove(key)
    kept = indexes.get("a", lambda: index_of(path))
    indexes.set_size("a", 20)
    assert indexes.get("a", lambda: index_of(path)) is kept


def test_index_size_counts_chunks_and_objects(path):
    index = index_of(path)
    assert index.nbytes == 0
    index.node("/gt1l/land_ice_segments/h_li")
    before = index.nbytes
    index.chunk_tables({"/gt1l/land_ice_segments/h_li": None})
    assert index.nbytes > before > 0
    index.close()
