"""Index directories: reuse, damage, bounds, and no code execution."""

import io
import multiprocessing
import os
import pickle
import random
import shutil
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xr_icesat2.bytesource import CountingSource, FileVersion, open_source
from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.model import GroupHeader, IndexContents
from xr_icesat2.index_cache.codec import LENGTHS, MAGIC
from xr_icesat2.index_cache.directory import IndexDirectory
from xr_icesat2.testing import write_granule


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("written"), n_segments=30, chunk_rows=100)


@pytest.fixture
def path(written, tmp_path):
    """A copy: its version is its own."""
    return Path(shutil.copy(written, tmp_path))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "indexes"


def read_h_li(granule: Granule) -> None:
    granule.index.dataset("/gt1l/land_ice_segments/h_li")
    granule.index.chunk_tables({"/gt1l/land_ice_segments/h_li": None})
    granule.save_index()


def counted(path, cache) -> tuple[Granule, CountingSource]:
    source = CountingSource(open_source(path))
    return Granule(source, source.file_version(), IndexDirectory(str(cache))), source


def test_cached_index_replaces_metadata_reads(path, cache):
    granule, source = counted(path, cache)
    read_h_li(granule)
    assert source.requests > 0
    granule.close()

    again, source = counted(path, cache)
    read_h_li(again)
    assert source.requests == 0


def test_open_with_a_cached_index_requests_only_the_version(s3_server, cache, tmp_path):
    path = write_granule(tmp_path, n_segments=30, release="007", beams=("gt1l",))
    url = s3_server.put(path.name, path.read_bytes())
    kw = {"engine": "icesat2", "index_cache": cache, "storage_options": s3_server.storage_options}
    with xr.open_dataset(url, **kw) as ds:
        ds.icesat2.load()
    s3_server.script.clear()
    with xr.open_dataset(url, **kw) as again:
        assert [request.method for request in s3_server.log] == ["HEAD"]
        xr.testing.assert_identical(again.icesat2.load(), ds)


def test_cached_index_equals_the_parsed_one(path, cache):
    granule, _ = counted(path, cache)
    read_h_li(granule)
    known = IndexDirectory(str(cache)).load(granule.url, granule.file_version)
    header = granule.index.dataset("/gt1l/land_ice_segments/h_li")
    kept = known.nodes["/gt1l/land_ice_segments/h_li"]
    assert (kept.dtype, kept.shape, kept.layout) == (header.dtype, header.shape, header.layout)
    table = granule.index.tables["/gt1l/land_ice_segments/h_li"]
    np.testing.assert_array_equal(
        known.tables["/gt1l/land_ice_segments/h_li"].offsets, table.offsets
    )


def test_parts_cached_by_two_processes_are_merged(path, cache):
    first, _ = counted(path, cache)
    first.index.dataset("/gt1l/land_ice_segments/h_li")
    first.save_index()
    first.close()
    before = IndexDirectory(str(cache)).load(first.url, first.file_version)
    contents = IndexContents({"/other": before.nodes["/"]})
    IndexDirectory(str(cache)).save(first.url, first.file_version, contents)
    known = IndexDirectory(str(cache)).load(first.url, first.file_version)
    assert {"/other", "/gt1l/land_ice_segments/h_li"} <= known.nodes.keys()


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty"])
def test_damaged_entry_is_ignored_and_replaced(path, cache, damage, caplog):
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
    assert "ignoring the cached index" in caplog.text
    assert IndexDirectory(str(cache)).load(granule.url, granule.file_version) is not None


def test_entry_that_would_run_code_is_refused(path, cache, caplog):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(cache / "harm"),)

    granule, _ = counted(path, cache)
    read_h_li(granule)
    granule.close()
    (entry,) = cache.glob("*.index")
    body = zlib.compress(pickle.dumps(Harm()))
    rest = LENGTHS.pack(0, 1, 0)[4:] + body
    for crafted in (pickle.dumps(Harm()), MAGIC + zlib.crc32(rest).to_bytes(4, "little") + rest):
        caplog.clear()
        entry.write_bytes(crafted)
        assert IndexDirectory(str(cache)).load(granule.url, granule.file_version) is None
        assert "ignoring the cached index" in caplog.text
    assert not (cache / "harm").exists()


def test_each_version_has_its_own_entry(path, cache):
    granule, _ = counted(path, cache)
    read_h_li(granule)
    other = FileVersion(granule.file_version.size, "another tag")
    assert IndexDirectory(str(cache)).load(granule.url, other) is None


def test_environment_variable_names_the_directory(path, cache, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE", str(cache))
    expected = xr.open_dataset(path, engine="icesat2").load()
    assert list(cache.glob("*.index"))
    xr.testing.assert_identical(xr.open_dataset(path, engine="icesat2").load(), expected)


def test_granules_without_a_version_are_not_cached(path, cache):
    """Another file of the same size would be taken for it."""
    source = CountingSource(open_source(io.BytesIO(path.read_bytes())))
    version = source.file_version()
    assert not version.tag
    read_h_li(Granule(source, version, IndexDirectory(str(cache))))
    assert not list(cache.glob("*"))


def size_of(cache) -> int:
    return sum(-(-file.stat().st_size // 4096) * 4096 for file in cache.glob("*.index"))


def entry(number: int) -> tuple[str, FileVersion, IndexContents]:
    """Something to keep, of which no two bytes are alike."""
    noise = random.Random(number).randbytes(6000).hex()
    return (
        f"s3://bucket/{number}",
        FileVersion(1000, "tag"),
        IndexContents({"/": GroupHeader({}, {"a": noise})}),
    )


def test_least_recently_used_entries_are_evicted(cache, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE_BYTES", str(20 * 8192))
    kept = [entry(number) for number in range(30)]
    cache.mkdir()
    (cache / "notes.index").write_text("of the user")
    long_ago = time.time() - 1_000_000
    for number, (url, version, contents) in enumerate(kept):
        IndexDirectory(str(cache)).save(url, version, contents)
        assert size_of(cache) - 4096 <= 20 * 8192
        if number < 18:
            used = long_ago + number
            os.utime(IndexDirectory(str(cache)).entry(url, version), (used, used))
        if number == 17:
            IndexDirectory(str(cache)).load(*kept[3][:2])  # a use
    there = [number for number, one in enumerate(kept) if IndexDirectory(str(cache)).load(*one[:2])]
    assert {3, *range(18, 30)} <= set(there)
    assert len(there) >= 16
    assert not {0, 1, 2} & set(there)
    rest = [number for number in there if 3 < number < 18]
    assert rest == list(range(18 - len(rest), 18))
    assert (cache / "notes.index").exists()


def test_directory_is_not_listed_at_every_save(cache, monkeypatch):
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    for number in range(50):
        IndexDirectory(str(cache)).save(*entry(number))
    assert len(listed) == 1


def test_temporary_files_of_dead_processes_are_evicted_first(cache, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE_BYTES", str(6 * 8192))
    cache.mkdir()
    half = cache / f"{'0' * 32}.index.0abcdef1.partial"
    half.write_bytes(bytes(20_000))
    os.utime(half, (1, 1))
    for number in range(5):
        IndexDirectory(str(cache)).save(*entry(number))
    assert not half.exists()
    assert all(IndexDirectory(str(cache)).load(*entry(number)[:2]) for number in range(1, 5))


@pytest.mark.parametrize("given", ["much", "0"])
def test_invalid_bound_is_ignored_and_zero_bound_keeps_nothing(cache, monkeypatch, caplog, given):
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE_BYTES", given)
    IndexDirectory(str(cache)).save(*entry(1))
    assert bool(list(cache.glob("*.index"))) == (given == "much")
    assert ("expected a number of bytes" in caplog.text) == (given == "much")


def save_many(cache: str, first: int, bound: int) -> int:
    """Keep and load in a process of its own; give how many came back."""
    os.environ["XR_ICESAT2_INDEX_CACHE_BYTES"] = str(bound)
    found = 0
    for number in range(first, first + 60):
        url, version, contents = entry(number % 40)
        IndexDirectory(cache).save(url, version, contents)
        known = IndexDirectory(cache).load(url, version)
        assert known is None or known.nodes == contents.nodes
        found += known is not None
    return found


def test_processes_share_a_full_directory(cache):
    bound = 16 * 8192
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(save_many, str(cache), 20 * k, bound) for k in range(3)]
        assert all(job.result(timeout=60) > 20 for job in jobs)
    # Each may write a little before it sees what the others have written.
    assert size_of(cache) <= bound + 3 * 8192
    assert not list(cache.glob("*.partial"))


def test_unwritable_cache_is_not_an_error(path, cache, caplog):
    granule, _ = counted(path, cache)
    granule.index.remember("/odd", np.array([b"x"], object))
    granule.save_index()
    assert "cannot save an index" in caplog.text
    assert not list(cache.glob("*.index"))
    granule.close()


def test_unwritable_directory_is_logged_once(path, tmp_path, caplog):
    (tmp_path / "file").touch()
    caplog.set_level("WARNING", "xr_icesat2")
    for _ in range(2):
        tree = xr.open_datatree(path, engine="icesat2", index_cache=tmp_path / "file" / "cache")
        tree["land_ice_segments/h_li"].load()
        tree.close()
    [record] = caplog.records
    assert "cannot save an index" in record.getMessage()
