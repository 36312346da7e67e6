"""Indexes kept in a directory: used, replaced when damaged, never trusted to run code."""

import io
import os
import pickle
import zlib

import numpy as np
import pytest
import xarray as xr

from xr_icesat2.bytesource import CountingSource, Stamp, open_source
from xr_icesat2.granule import store
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.model import Contents
from xr_icesat2.testing import write_granule


@pytest.fixture
def path(tmp_path):
    return write_granule(tmp_path, n_segments=30, chunk_rows=100)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "indexes"


def read_h_li(granule: Granule) -> None:
    granule.index.dataset("/gt1l/land_ice_segments/h_li")
    granule.index.chunk_tables({"/gt1l/land_ice_segments/h_li": None})
    granule.keep()


def counted(path, cache) -> tuple[Granule, CountingSource]:
    source = CountingSource(open_source(path))
    return Granule(source, source.stamp(), str(cache)), source


def test_a_kept_index_saves_all_reading_of_metadata(path, cache):
    granule, source = counted(path, cache)
    read_h_li(granule)
    assert source.requests > 0
    granule.close()

    again, source = counted(path, cache)
    read_h_li(again)
    assert source.requests == 0


def test_with_a_kept_index_an_open_asks_for_the_version_alone(s3_server, cache, tmp_path):
    path = write_granule(tmp_path, n_segments=30, release="007", beams=("gt1l",))
    url = s3_server.put(path.name, path.read_bytes())
    kw = {"engine": "icesat2", "index_cache": cache, "storage_options": s3_server.storage_options}
    with xr.open_dataset(url, **kw) as ds:
        ds.load()
    s3_server.script.clear()
    with xr.open_dataset(url, **kw) as again:
        assert [request.method for request in s3_server.log] == ["HEAD"]
        xr.testing.assert_identical(again.load(), ds)


def test_what_was_kept_is_what_was_read(path, cache):
    granule, _ = counted(path, cache)
    read_h_li(granule)
    known = store.load(str(cache), granule.url, granule.stamp)
    header = granule.index.dataset("/gt1l/land_ice_segments/h_li")
    kept = known.nodes["/gt1l/land_ice_segments/h_li"]
    assert (kept.dtype, kept.shape, kept.layout) == (header.dtype, header.shape, header.layout)
    table = granule.index.tables["/gt1l/land_ice_segments/h_li"]
    np.testing.assert_array_equal(
        known.tables["/gt1l/land_ice_segments/h_li"].offsets, table.offsets
    )


def test_two_processes_that_keep_different_parts_keep_both(path, cache):
    first, _ = counted(path, cache)
    first.index.dataset("/gt1l/land_ice_segments/h_li")
    first.keep()
    first.close()
    before = store.load(str(cache), first.url, first.stamp)
    contents = Contents({"/other": before.nodes["/"]})
    store.save(str(cache), first.url, first.stamp, contents)
    known = store.load(str(cache), first.url, first.stamp)
    assert {"/other", "/gt1l/land_ice_segments/h_li"} <= known.nodes.keys()


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty"])
def test_a_damaged_entry_is_ignored_and_replaced(path, cache, damage, caplog):
    granule, _ = counted(path, cache)
    read_h_li(granule)
    granule.close()
    (entry,) = cache.glob("*.index")
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 0xFF
    harmed = {"cut": data[:100], "flipped": data, "foreign": b"not an index", "empty": b""}
    entry.write_bytes(harmed[damage])

    granule, source = counted(path, cache)
    read_h_li(granule)
    assert source.requests > 0
    assert "ignoring the kept index" in caplog.text
    assert store.load(str(cache), granule.url, granule.stamp) is not None


def test_an_entry_that_would_run_code_is_refused(cache, caplog):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(cache / "harm"),)

    cache.mkdir()
    stamp = Stamp(1, "x")
    body = zlib.compress(pickle.dumps(({"/": Harm()}, {})))
    entry = store.MAGIC + zlib.crc32(body).to_bytes(4, "little") + body
    store._path(str(cache), "url", stamp).write_bytes(entry)
    assert store.load(str(cache), "url", stamp) is None
    assert "has no place in an index" in caplog.text
    assert not (cache / "harm").exists()


def test_another_version_of_a_granule_has_another_entry(path, cache):
    granule, _ = counted(path, cache)
    read_h_li(granule)
    other = Stamp(granule.stamp.size, "another tag")
    assert store.load(str(cache), granule.url, other) is None


def test_the_environment_variable_names_the_directory(path, cache, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE", str(cache))
    expected = xr.open_dataset(path, engine="icesat2").load()
    assert list(cache.glob("*.index"))
    xr.testing.assert_identical(xr.open_dataset(path, engine="icesat2").load(), expected)


def test_nothing_is_kept_of_what_has_no_tag(path, cache):
    """Another file of the same size would be taken for it."""
    source = CountingSource(open_source(io.BytesIO(path.read_bytes())))
    stamp = source.stamp()
    assert not stamp.tag
    read_h_li(Granule(source, stamp, str(cache)))
    assert not list(cache.glob("*"))
