"""Index caches in shared folders: permissions, links, pipes, partial files."""

import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import xarray as xr

from xr_icesat2 import save_indexes
from xr_icesat2.errors import AccessDeniedError, CorruptIndexError, ICESat2Error, SelectionError
from xr_icesat2.index_cache.eviction import TALLY
from xr_icesat2.safe_files import atomic_file, open_regular
from xr_icesat2.testing import write_granule

NOBODY = 65534
needs_links = pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such links here")


@contextmanager
def open_folder():
    """A folder that any user can look into; pytest's are closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def shared():
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def path():
    with open_folder() as folder:
        path = write_granule(folder, n_segments=10, beams=("gt1l",))
        path.chmod(0o644)
        yield path


@pytest.fixture
def cache(shared):
    return shared / "cache"


@pytest.fixture(scope="module")
def expected(path):
    return read(path, None)


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def unprivileged():
    """Do as any user may; the superuser may do everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def read(path, index_cache):
    with xr.open_dataset(path, engine="icesat2", index_cache=index_cache, variables="h_li") as ds:
        return ds.load()


def entry_of(cache):
    (entry,) = cache.glob("*.index")
    return entry


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_permissions_follow_the_umask(path, shared, cache, mask):
    file = shared / "campaign.idx"
    with umask(mask):
        with xr.open_dataset(path, engine="icesat2", index_cache=cache) as ds:
            ds.load()
            save_indexes(file, ds)
        (shared / "plain").touch()
    expected = mode(shared / "plain")
    assert [mode(file), mode(entry_of(cache)), mode(cache / TALLY)] == [expected] * 3


def test_unreadable_index_file_is_access_denied(path, shared, expected):
    file = shared / "campaign.idx"
    with xr.open_dataset(path, engine="icesat2") as ds:
        save_indexes(file, ds)
    xr.testing.assert_identical(read(path, file), expected)
    file.chmod(0)
    with unprivileged(), pytest.raises(AccessDeniedError, match="Permission denied") as caught:
        read(path, file)
    assert isinstance(caught.value, PermissionError)
    assert str(file) in str(caught.value)
    assert "chmod a+r" in str(caught.value)
    for word in ("damaged", "Save it again"):
        assert word not in str(caught.value)
    file.chmod(0o644)
    (shared / "closed").mkdir()
    file.rename(shared / "closed" / file.name)
    (shared / "closed").chmod(0)
    with unprivileged(), pytest.raises(AccessDeniedError, match="Permission denied"):
        read(path, shared / "closed" / file.name)
    with (
        xr.open_dataset(path, engine="icesat2") as ds,
        unprivileged(),
        pytest.raises(SelectionError, match="Permission denied"),
    ):
        save_indexes(shared / "closed" / "new.idx", ds)


def test_unreadable_entries_are_not_called_damaged(path, cache, expected, caplog):
    xr.testing.assert_identical(read(path, cache), expected)
    entry_of(cache).chmod(0)
    with unprivileged():
        xr.testing.assert_identical(read(path, cache), expected)
    assert "cannot read the cached index" in caplog.text
    assert "Permission denied" in caplog.text
    assert "ignoring" not in caplog.text
    # Who may write there replaces it.
    caplog.clear()
    cache.chmod(0o777)
    with unprivileged(), umask(0o022):
        xr.testing.assert_identical(read(path, cache), expected)
        caplog.clear()
        xr.testing.assert_identical(read(path, cache), expected)
    assert not caplog.records
    assert mode(entry_of(cache)) == 0o644


def test_entries_of_other_users_are_used(path, cache, expected, caplog):
    xr.testing.assert_identical(read(path, cache), expected)
    before = entry_of(cache).stat()
    os.utime(entry_of(cache), (1, 1))
    if os.geteuid() == 0:
        with unprivileged():
            xr.testing.assert_identical(read(path, cache), expected)
    assert not caplog.records
    assert entry_of(cache).stat().st_ino == before.st_ino


def plant_nothing(place, victim):
    place.symlink_to(place.with_name("nothing"))


def plant_link(place, victim):
    place.symlink_to(victim)


def plant_loop(place, victim):
    place.symlink_to(place.name)


def plant_device(place, victim):
    place.symlink_to("/dev/zero")


def plant_pipe(place, victim):
    os.mkfifo(place)


def plant_directory(place, victim):
    place.mkdir()
    (place / "file").touch()


PLANTED = [plant_nothing, plant_link, plant_loop, plant_device, plant_pipe, plant_directory]


@needs_links
@pytest.mark.timeout(60)
@pytest.mark.parametrize("plant", PLANTED)
def test_planted_entries_are_not_followed(path, shared, cache, expected, plant):
    victim = shared / "victim"
    victim.write_bytes(b"of the user")
    os.utime(victim, (1, 1))
    read(path, cache)
    entry = entry_of(cache)
    entry.unlink()
    plant(entry, victim)
    for _ in range(2):
        xr.testing.assert_identical(read(path, cache), expected)
    assert victim.read_bytes() == b"of the user"
    assert victim.stat().st_mtime == 1
    if plant is not plant_directory:
        assert stat.S_ISREG(entry.lstat().st_mode)  # replaced
    assert {one.suffix for one in cache.iterdir()} <= {".index", ""}


@needs_links
@pytest.mark.timeout(60)
@pytest.mark.parametrize("plant", [*PLANTED, os.link])
def test_planted_size_records_are_not_followed(path, shared, cache, expected, plant, monkeypatch):
    """Whoever writes into a shared directory must not write into files of their own elsewhere."""
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE_BYTES", "1")
    victim = shared / "victim"
    victim.write_bytes(b"of the user")
    cache.mkdir()
    if plant is os.link:
        os.link(victim, cache / TALLY)
    else:
        plant(cache / TALLY, victim)
    xr.testing.assert_identical(read(path, cache), expected)
    assert victim.read_bytes() == b"of the user"
    assert not (cache / "nothing").exists()


@needs_links
@pytest.mark.timeout(60)
@pytest.mark.parametrize("plant", PLANTED)
def test_planted_index_files_are_refused(path, shared, expected, plant):
    file, victim = shared / "campaign.idx", shared / "victim"
    victim.write_bytes(b"of the user")
    plant(file, victim)
    with pytest.raises(ICESat2Error, match=r"campaign\.idx"):
        read(path, file)
    with xr.open_dataset(path, engine="icesat2") as ds:
        if plant is plant_directory:
            with pytest.raises(SelectionError, match=r"campaign\.idx"):
                save_indexes(file, ds)
            return
        save_indexes(file, ds)
    assert victim.read_bytes() == b"of the user"
    xr.testing.assert_identical(read(path, file), expected)


@needs_links
def test_index_file_may_be_a_symbolic_link(path, shared, expected):
    with xr.open_dataset(path, engine="icesat2") as ds:
        save_indexes(shared / "campaign.idx", ds)
    (shared / "link.idx").symlink_to("campaign.idx")
    xr.testing.assert_identical(read(path, shared / "link.idx"), expected)


@needs_links
def test_links_and_directories_do_not_stop_eviction(path, cache, monkeypatch, caplog):
    monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE_BYTES", "1")
    cache.mkdir()
    for number, plant in enumerate(PLANTED):
        plant(cache / f"{number:032x}.index", cache)
    (cache / f"{9:032x}.index").write_bytes(b"old")
    read(path, cache)
    assert not (cache / f"{9:032x}.index").exists()
    assert "cannot limit" not in caplog.text


def test_file_truncated_while_read_is_ignored(path, shared, cache, expected, monkeypatch):
    file = shared / "campaign.idx"
    with xr.open_dataset(path, engine="icesat2", index_cache=cache) as ds:
        ds.load()
        save_indexes(file, ds)
    whole = os.fstat

    def cut(descriptor):
        found = whole(descriptor)
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        if name.suffix in {".idx", ".index"}:
            os.truncate(name, found.st_size // 2)
        return found

    monkeypatch.setattr(os, "fstat", cut)
    xr.testing.assert_identical(read(path, cache), expected)
    with pytest.raises(CorruptIndexError):
        read(path, file)


def test_huge_file_is_not_read(path, shared, cache, expected):
    read(path, cache)
    file = shared / "campaign.idx"
    for large in (entry_of(cache), file):
        with large.open("wb") as opened:
            opened.truncate(1 << 40)
    began = time.monotonic()
    xr.testing.assert_identical(read(path, cache), expected)
    with pytest.raises(CorruptIndexError):
        read(path, file)
    assert time.monotonic() - began < 30


def test_file_appears_when_complete(tmp_path):
    target = tmp_path / "file"
    with atomic_file(target) as partial, partial.open("xb") as file:
        file.write(b"one")
        assert not target.exists()
    with pytest.raises(KeyError), atomic_file(target) as partial, partial.open("xb"):
        raise KeyError
    assert target.read_bytes() == b"one"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@needs_links
@pytest.mark.timeout(60)
def test_only_regular_files_are_opened(tmp_path):
    for plant in PLANTED:
        place = tmp_path / plant.__name__
        plant(place, tmp_path / "victim")
        for how in ("rb", "ab", "r+b"):
            with pytest.raises(OSError, match=r"."):
                open_regular(place, how)
    with open_regular(tmp_path / "new", "ab") as file:
        file.write(b"x")
    os.link(tmp_path / "new", tmp_path / "other")
    with open_regular(tmp_path / "new", "rb") as file:
        assert file.read() == b"x"
    with pytest.raises(OSError, match="other names"):
        open_regular(tmp_path / "new", "ab")
