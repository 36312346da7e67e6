"""Index files: granules open without a request, and never in another version."""

import io
import multiprocessing
import operator
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
import xarray as xr

from xr_icesat2 import save_indexes
from xr_icesat2.errors import (
    ChangedGranuleError,
    CorruptIndexError,
    GranuleNotFoundError,
    SelectionError,
)
from xr_icesat2.testing import write_granule


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign")
    return [
        write_granule(
            folder, n_segments=40, cycle_number=cycle, chunk_rows=20, beams=("gt1l", "gt2r")
        )
        for cycle in (5, 6, 7)
    ]


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """Another version of the first of them, of the same name."""
    folder = tmp_path_factory.mktemp("newer")
    return write_granule(
        folder, n_segments=55, cycle_number=5, chunk_rows=20, beams=("gt1l", "gt2r")
    )


@pytest.fixture
def file(tmp_path):
    return tmp_path / "campaign.idx"


@pytest.fixture
def served(s3_server, paths, as_from_afar):
    return [s3_server.put(path.name, path.read_bytes()) for path in paths], s3_server


def opened(what, server, **keywords):
    return xr.open_dataset(
        what, engine="icesat2", storage_options=server.storage_options, **keywords
    )


def save(file, what, server, **keywords):
    with opened(what, server, **keywords) as ds:
        save_indexes(file, ds)
    server.script.clear()


def methods(server):
    return [request.method for request in server.log]


def test_opening_with_an_index_file_makes_no_request(served, paths, file):
    urls, server = served
    save(file, urls, server)
    with opened(urls, server, index_cache=file) as ds:
        assert methods(server) == []
        assert ds.h_li.shape[0] == len(urls)
    with opened(urls[1], server, index_cache=str(file)) as ds:
        assert methods(server) == []
        ds.icesat2.load()
        with xr.open_dataset(paths[1], engine="icesat2") as local:
            xr.testing.assert_identical(ds, local.load())
    assert methods(server).count("HEAD") == 1


def test_reading_requests_only_values_and_the_version(served, paths, file):
    urls, server = served
    save(file, urls, server)
    with opened(urls[0], server, index_cache=file) as ds:
        ds.h_li.variable.load()
    assert methods(server).count("HEAD") == 1
    ranges = [r.range.removeprefix("bytes=").split("-") for r in server.log if r.range]
    read = sum(int(last) - int(first) + 1 for first, last in ranges)
    # Two beams of two chunks, and the bytes between them.
    assert 0 < len(ranges) <= 4
    assert 0 < read < paths[0].stat().st_size / 4


def test_index_file_serves_lists_and_trees(served, file):
    urls, server = served
    kw = {"engine": "icesat2", "storage_options": server.storage_options}
    together = {"combine": "nested", "concat_dim": "gran_idx", **kw}
    with xr.open_mfdataset(urls, **together) as ds:
        save_indexes(file, ds)
        expected = ds[["h_li"]].compute()
    server.script.clear()
    with xr.open_mfdataset(urls, index_cache=file, **together) as ds:
        assert methods(server) == []
        xr.testing.assert_identical(ds[["h_li"]].compute(), expected)
    with xr.open_datatree(urls[0], **kw) as tree, xr.open_datatree(urls[1], **kw) as other:
        save_indexes(file, [tree, other])
        expected = tree.icesat2.load()
    server.script.clear()
    for url in urls[:2]:
        with xr.open_datatree(url, index_cache=file, **kw) as tree:
            assert methods(server) == []
            if url == urls[0]:
                xr.testing.assert_identical(tree.icesat2.load(), expected)
        server.script.clear()


def test_granule_outside_the_index_file_opens_normally(served, file):
    urls, server = served
    save(file, urls[0], server)
    with opened(urls[:2], server, index_cache=file) as ds:
        assert {request.path.rsplit("/", 1)[1] for request in server.log} == {
            urls[1].rsplit("/", 1)[1]
        }
        found = ds.icesat2.load()
    with opened(urls[:2], server) as ds:
        xr.testing.assert_identical(found, ds.icesat2.load())


def test_structure_that_was_not_saved_is_read(served, file):
    urls, server = served
    save(file, urls[0], server, variables="h_li")
    with opened(urls[0], server, index_cache=file, variables="h_li"):
        assert methods(server) == []
    with opened(urls[0], server, index_cache=file) as more:
        assert server.log
        with opened(urls[0], server) as expected:
            xr.testing.assert_identical(more.load(), expected.load())


def test_replaced_granule_is_an_error_at_the_first_read(served, paths, newer, file):
    urls, server = served
    save(file, urls[0], server)
    server.put(paths[0].name, newer.read_bytes())
    with opened(urls[0], server, index_cache=file) as ds:
        with pytest.raises(ChangedGranuleError, match="save the index again") as caught:
            ds.h_li.load()
        assert str(file) in str(caught.value)
    with (
        opened(urls[0], server) as ds,
        xr.open_dataset(newer, engine="icesat2") as expected,
    ):
        xr.testing.assert_identical(ds.load(), expected.load())


def test_structure_of_a_replaced_granule_is_not_mixed_in(served, paths, newer, file):
    """It would fit neither the version that is there nor the one that was saved."""
    urls, server = served
    save(file, urls[0], server, variables="h_li")
    server.put(paths[0].name, newer.read_bytes())
    with pytest.raises(ChangedGranuleError, match="save the index again"):
        opened(urls[0], server, index_cache=file)


def test_replaced_granule_is_an_error_after_an_earlier_open(served, paths, newer, file):
    urls, server = served
    with opened(urls[0], server, variables="h_li") as before:
        save_indexes(file, before)
        server.put(paths[0].name, newer.read_bytes())
        with pytest.raises(ChangedGranuleError, match="save the index again"):
            opened(urls[0], server, index_cache=file)


def test_granule_replaced_before_saving_is_an_error(served, paths, newer, file):
    urls, server = served
    with opened(urls[0], server) as ds:
        server.put(paths[0].name, newer.read_bytes())
        with pytest.raises(ChangedGranuleError, match="replaced after it was opened"):
            save_indexes(file, ds)
    assert not file.exists()
    assert not list(file.parent.glob("*.partial"))


def test_local_files_are_checked_at_open(paths, newer, file, tmp_path):
    path = tmp_path / paths[0].name
    path.write_bytes(paths[0].read_bytes())
    with xr.open_dataset(path, engine="icesat2") as ds:
        save_indexes(file, ds)
        expected = ds.load()
    with xr.open_dataset(path, engine="icesat2", index_cache=file) as ds:
        xr.testing.assert_identical(ds.load(), expected)
    path.write_bytes(newer.read_bytes())
    with (
        xr.open_dataset(path, engine="icesat2", index_cache=file) as ds,
        xr.open_dataset(newer, engine="icesat2") as other,
    ):
        xr.testing.assert_identical(ds.load(), other.load())


@pytest.fixture(scope="module")
def another_process():
    """It has met none of the granules: each test has a bucket of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("chunks", [None, {}], ids=["lazy", "dask"])
@pytest.mark.parametrize("there", [True, False], ids=["with the file", "without it"])
def test_index_file_works_in_another_process(another_process, served, file, chunks, there):
    urls, server = served
    with opened(urls, server, chunks=chunks) as ds:
        save_indexes(file, ds)
        expected = ds[["h_li"]].compute()
    server.script.clear()
    ds = opened(urls, server, index_cache=file, chunks=chunks)[["h_li"]]
    assert len(pickle.dumps(ds)) < 50_000
    assert methods(server) == []
    if not there:
        file.unlink()
    loaded = another_process.submit(operator.methodcaller("compute"), ds).result(timeout=60)
    xr.testing.assert_identical(loaded, expected)


@pytest.mark.parametrize(
    "damage", ["cut", "flipped", "foreign", "empty", "a directory", "one entry"]
)
def test_damaged_index_file_is_an_error(paths, file, damage):
    with xr.open_dataset(paths, engine="icesat2") as ds:
        save_indexes(file, ds)
    data = bytearray(file.read_bytes())
    if damage == "a directory":
        file.unlink()
        file.mkdir()
    else:
        data[40 if damage == "one entry" else -60] ^= 0xFF
        harmed = {"cut": data[:100], "foreign": b"not indexes at all " * 9, "empty": b""}
        file.write_bytes(harmed.get(damage, data))
    with pytest.raises(CorruptIndexError, match="Save it again") as caught:
        xr.open_dataset(paths, engine="icesat2", index_cache=file)
    assert str(file) in str(caught.value)


def test_only_requested_entries_are_decoded(served, file):
    urls, server = served
    save(file, urls[:2], server)
    data = bytearray(file.read_bytes())
    data[60] ^= 0xFF  # of one of the two
    file.write_bytes(data)
    good = 0
    for url in urls[:2]:
        try:
            opened(url, server, index_cache=file).close()
        except CorruptIndexError:
            continue
        good += 1
    assert good == 1
    assert methods(server) == []


def test_rewritten_index_file_is_reloaded(served, file):
    urls, server = served
    save(file, urls[0], server)
    save(file, urls[:2], server, index_cache=file)
    with opened(urls[1], server, index_cache=file) as ds:
        assert methods(server) == []
        assert ds.icesat2.load() is ds


def test_environment_variable_names_the_index_file(served, file, monkeypatch):
    urls, server = served
    save(file, urls[0], server)
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE", str(file))
    opened(urls[0], server).close()
    assert methods(server) == []


def test_new_indexes_go_to_the_cache_directory(served, file, tmp_path, monkeypatch):
    urls, server = served
    save(file, urls[0], server)
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE", str(tmp_path / "usual"))
    opened(urls[:2], server, index_cache=file).close()
    assert len(list((tmp_path / "usual").glob("*.index"))) == 1


def test_missing_index_file_is_an_error(paths, tmp_path):
    with pytest.raises(GranuleNotFoundError, match=r"xr_icesat2\.save_indexes"):
        xr.open_dataset(paths[0], engine="icesat2", index_cache=tmp_path / "typo.idx")
    (tmp_path / "campaign.txt").write_text("")
    with pytest.raises(SelectionError, match=r"ends in \.idx"):
        xr.open_dataset(paths[0], engine="icesat2", index_cache=tmp_path / "campaign.txt")


def test_objects_without_an_index_cannot_be_saved(paths, file):
    ds = xr.open_dataset(paths[0], engine="icesat2")
    with pytest.raises(SelectionError, match=r"ends in \.idx"):
        save_indexes(file.with_suffix(".txt"), ds)
    for wrong in (paths, str(paths[0]), [ds, "x"], ds["h_li"], 3):
        with pytest.raises(
            SelectionError, match=r"is not an open Dataset or DataTree. Pass what xr"
        ):
            save_indexes(file, wrong)
    with pytest.raises(
        SelectionError, match=r"campaign\.idx: No such file or directory. Choose a folder"
    ):
        save_indexes(file.parent / "nowhere" / "campaign.idx", ds)
    for wrong in (ds + 1, xr.Dataset(), []):
        with pytest.raises(SelectionError, match="no open granule"):
            save_indexes(file, wrong)
    xr.open_dataset(paths[0], engine="icesat2").close()
    with pytest.raises(SelectionError, match="Open it again"):
        save_indexes(file, ds)
    ds.close()
    with pytest.raises(SelectionError, match="no open granule"):
        save_indexes(file, ds)
    with (
        xr.open_dataset(io.BytesIO(paths[0].read_bytes()), engine="icesat2") as untold,
        pytest.raises(SelectionError, match="has no version"),
    ):
        save_indexes(file, untold)
    assert not list(file.parent.iterdir())
