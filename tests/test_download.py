"""``xr_icesat2.download`` writes whole files, or partial ones that it resumes."""

import hashlib
import multiprocessing
import os
import random
import re
import threading
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

import xr_icesat2
from xr_icesat2.earthdata.checksum import matches_checksum
from xr_icesat2.earthdata.cmr import CatalogGranule, Checksum
from xr_icesat2.earthdata.download_file import (
    COMPARED_TAIL,
    FIRST_REQUEST,
    next_request_length,
)
from xr_icesat2.errors import (
    AccessDeniedError,
    ChangedGranuleError,
    CorruptGranuleError,
    GranuleNotFoundError,
    ICESat2Error,
    SelectionError,
    TransferError,
)

DATA = random.Random(5).randbytes(200_000)
NAME = "ATL06_20191106230008_06270503_007_01.h5"
SECOND_BURST = "bytes=40000-49999"
NOW = datetime(2019, 11, 6, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Five bursts of four requests of 10 kB."""
    monkeypatch.setenv("XR_ICESAT2_DOWNLOAD_REQUEST_BYTES", "10000")
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.01")
    # Long enough for a busy machine; what waits for silence sets a limit of its own.
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "30")


class Found(CatalogGranule):
    """A granule of a search on the loopback HTTP server."""

    @property
    def icesat2_url(self):
        return self.https_url


def found(url, data=DATA, algorithm="MD5", **known):
    digest = {
        "MD5": hashlib.md5(data).hexdigest(),  # noqa: S324 - what CMR gives
        "SHA-256": hashlib.sha256(data).hexdigest().upper(),
        "SM3": "00",
    }[algorithm]
    known = {"size": len(data), "checksum": Checksum(algorithm, digest)} | known
    return Found(name=NAME, start=NOW, end=NOW, https_url=url, **known)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SM3"])
def test_whole_file_is_downloaded(http_server, tmp_path, algorithm):
    url = http_server.put(NAME, DATA)
    (path,) = xr_icesat2.download([found(url, algorithm=algorithm)], tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / NAME
    assert path.read_bytes() == DATA
    assert files(path.parent) == [NAME]
    ranges = sorted(int(r.split("=")[1].split("-")[0]) for r in http_server.script.reads(NAME))
    assert ranges == [0, 0, *range(0, 200_000, 10_000)]  # the stamp before and after


def test_several_urls_are_downloaded(http_server, s3_server, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/downloads/in_memory.h5", DATA[:7])
    (tmp_path / "local.h5").write_bytes(DATA[:8])
    urls = [http_server.put(f"file{n}.h5", DATA[n:]) for n in range(6)]
    given = [*urls, "memory://downloads/in_memory.h5", str(tmp_path / "local.h5")]
    paths = xr_icesat2.download(given, tmp_path / "to", max_workers=3)
    assert [path.name for path in paths] == [*(f"file{n}.h5" for n in range(6)),
                                             "in_memory.h5", "local.h5"]  # fmt: skip
    for path, data in zip(paths, [*(DATA[n:] for n in range(6)), DATA[:7], DATA[:8]], strict=True):
        assert path.read_bytes() == data
    url = s3_server.put("of_s3.h5", DATA)
    (path,) = xr_icesat2.download(url, tmp_path, storage_options=s3_server.storage_options)
    assert path.read_bytes() == DATA


def break_off(server, url, folder, burst=3):
    """Let a download fail in one of its bursts; gives the part that it leaves."""
    taken = iter(range(1 + 4 * burst))  # the stamp, and whole bursts
    note = server.script.note

    def fail_later(method, path, asked):
        fault = note(method, path, asked)
        return fault if next(taken, None) is not None else 404

    server.script.note = fail_later
    try:
        with pytest.raises(GranuleNotFoundError):
            xr_icesat2.download([found(url)], folder)
    finally:
        server.script.note = note
        server.script.log.clear()
    (part,) = folder.iterdir()
    assert part.read_bytes() == DATA[: 40_000 * burst]
    return part


def test_partial_download_is_resumed(http_server, tmp_path):
    url = http_server.put(NAME, DATA)
    part = break_off(http_server, url, tmp_path)
    assert part.name.startswith(f"{NAME}.")
    assert part.name.endswith(".part")
    (path,) = xr_icesat2.download([found(url)], tmp_path)
    assert path.read_bytes() == DATA
    assert files(tmp_path) == [NAME]
    begins = sorted(int(r.split("=")[1].split("-")[0]) for r in http_server.script.reads(NAME))
    # The requests at which the first download was broken off may have been sent twice.
    assert sorted(set(begins)) == [0, 120_000 - COMPARED_TAIL, *range(120_000, 200_000, 10_000)]
    assert len(begins) <= 14


def test_partial_download_of_another_version_is_discarded(http_server, tmp_path):
    url = http_server.put(NAME, DATA)
    break_off(http_server, url, tmp_path)
    other = bytes(reversed(DATA))
    http_server.put(NAME, other)
    (path,) = xr_icesat2.download([found(url, other)], tmp_path)
    assert path.read_bytes() == other
    assert files(tmp_path) == [NAME]


def test_damaged_partial_download_is_discarded(http_server, tmp_path):
    url = http_server.put(NAME, DATA)
    part = break_off(http_server, url, tmp_path)
    part.write_bytes(part.read_bytes()[:-300] + bytes(300))
    (path,) = xr_icesat2.download([found(url)], tmp_path)
    assert path.read_bytes() == DATA


def test_checksum_detects_damage_inside_a_partial_download(http_server, tmp_path):
    url = http_server.put(NAME, DATA)
    part = break_off(http_server, url, tmp_path)
    part.write_bytes(bytes(1000) + part.read_bytes()[1000:])
    with pytest.raises(CorruptGranuleError, match=r"MD5 checksum.*Download it again"):
        xr_icesat2.download([found(url)], tmp_path)
    assert files(tmp_path) == []
    (path,) = xr_icesat2.download([found(url)], tmp_path)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("known", [{"checksum": None}, {"algorithm": "SM3"}])
def test_partial_download_without_a_checksum_starts_again(http_server, tmp_path, known):
    url = http_server.put(NAME, DATA)
    part = break_off(http_server, url, tmp_path)
    part.write_bytes(bytes(1000) + part.read_bytes()[1000:])
    (path,) = xr_icesat2.download([found(url, **known)], tmp_path)
    assert path.read_bytes() == DATA


def plant_symlink(part, victim):
    part.symlink_to(victim)


def plant_hard_link(part, victim):
    part.hardlink_to(victim)


def plant_pipe(part, _):
    os.mkfifo(part)


def plant_folder(part, _):
    part.mkdir()


@pytest.mark.skipif(os.name != "posix", reason="links need no privilege on POSIX only")
@pytest.mark.parametrize(
    ("plant", "what"),
    [
        (plant_symlink, "a symbolic link"),
        (plant_hard_link, "a hard link"),
        (plant_pipe, "not a regular file"),
        (plant_folder, "not a regular file"),
    ],
)
def test_planted_partial_file_is_refused(http_server, tmp_path, plant, what):
    url = http_server.put(NAME, DATA)
    part = break_off(http_server, url, tmp_path)
    victim = tmp_path / "of the user"
    part.rename(victim)
    plant(part, victim)
    with pytest.raises(TransferError, match=f"{re.escape(str(part))} is .*{what}.*folder"):
        xr_icesat2.download([found(url)], tmp_path)
    assert victim.read_bytes() == DATA[:120_000]
    assert files(tmp_path) == [part.name, victim.name]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="only root gives files away")
def test_partial_download_of_another_user_starts_again(http_server, tmp_path):
    url = http_server.put(NAME, DATA)
    part = break_off(http_server, url, tmp_path)
    with part.open("r+b") as theirs:
        os.chown(part, 12345, -1)
        (path,) = xr_icesat2.download([found(url)], tmp_path)
        theirs.write(b"changed")
    assert path.read_bytes() == DATA
    assert path.stat().st_uid == os.geteuid()


def test_wrong_bytes_leave_no_file(http_server, tmp_path):
    url = http_server.put(NAME, DATA[::-1])
    with pytest.raises(CorruptGranuleError, match="checksum"):
        xr_icesat2.download([found(url)], tmp_path)
    assert files(tmp_path) == []
    with pytest.raises(TransferError, match=r"has 200000 bytes, but .* has 199999"):
        xr_icesat2.download([found(url, DATA[1:])], tmp_path)
    assert files(tmp_path) == []


def test_file_replaced_during_download_is_an_error(http_server, tmp_path, monkeypatch):
    url = http_server.put(NAME, DATA)
    note = http_server.script.note

    def replace_in_the_middle(method, path, asked):
        if asked == SECOND_BURST:
            http_server.put(NAME, DATA[::-1])
        return note(method, path, asked)

    monkeypatch.setattr(http_server.script, "note", replace_in_the_middle)
    with pytest.raises(ChangedGranuleError, match="was replaced"):
        xr_icesat2.download(url, tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize("fault", ["truncate", "reset", "slow", "short", "too-long", "html", 503,
                                   429, 500, 401, 403, 404, "ignore-range", "hang"])  # fmt: skip
def test_faults_leave_a_whole_file_or_none(http_server, tmp_path, fault, monkeypatch):
    url = http_server.put(NAME, DATA)
    part = break_off(http_server, url, tmp_path, burst=1)
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "0.6")
    http_server.script.fail(NAME, fault, times=2)
    try:
        (path,) = xr_icesat2.download([found(url)], tmp_path)
    except ICESat2Error:
        assert [tmp_path / name for name in files(tmp_path)] == [part]
        assert part.read_bytes() == DATA[: part.stat().st_size]
        http_server.script.heal()
        http_server.script.released.set()
        (path,) = xr_icesat2.download([found(url)], tmp_path)
    assert path.read_bytes() == DATA
    assert files(tmp_path) == [NAME]


def test_requests_grow_on_a_fast_link(http_server, tmp_path, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_DOWNLOAD_REQUEST_BYTES", "600000")
    data = DATA * 14
    url = http_server.put(NAME, data)
    (path,) = xr_icesat2.download(url, tmp_path)
    assert path.read_bytes() == data
    ranges = sorted(tuple(map(int, r[6:].split("-"))) for r in http_server.script.reads(NAME)[1:-1])
    assert [last - first + 1 for first, last in ranges] == [FIRST_REQUEST] * 4 + [
        600_000,
        len(data) - 4 * FIRST_REQUEST - 600_000,
    ]


@pytest.mark.parametrize(
    ("length", "seconds", "following"),
    [
        (1_000_000, 0.5, 2_000_000),
        (1_500_000, 0.5, 2_000_000),
        (1_000_000, 2, 1_000_000),
        (2_000_000, 9, 1_000_000),
        (1_000_000, 9, FIRST_REQUEST),
    ],
)
def test_request_length_follows_the_duration_of_a_burst(length, seconds, following):
    assert next_request_length(length, seconds, largest=2_000_000) == following


def test_mixed_faults_leave_a_whole_file_or_none(http_server, tmp_path, monkeypatch):
    """Whatever arrives in whatever order: a whole file, or a part that is the file's beginning."""
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.001")
    url, dice, whole = http_server.put(NAME, DATA), random.Random(11), 0
    faults = [
        "truncate",
        "reset",
        "short",
        "too-long",
        "wrong-range",
        "no-size",
        404,
        416,
        500,
        503,
    ]
    for _ in range(40):
        for _ in range(dice.randrange(5)):
            http_server.script.fail(NAME, None, times=dice.randrange(8))
            http_server.script.fail(NAME, dice.choice(faults), times=dice.randrange(1, 7))
        try:
            (path,) = xr_icesat2.download([found(url)], tmp_path)
        except ICESat2Error:
            for part in tmp_path.iterdir():
                assert part.suffix == ".part"
                assert DATA.startswith(part.read_bytes())
        else:
            assert path.read_bytes() == DATA
            assert files(tmp_path) == [NAME]
            path.unlink()
            whole += 1
        http_server.script.heal()
    assert 5 < whole < 38


def test_existing_file_is_checked_and_kept(http_server, tmp_path):
    url = http_server.put(NAME, DATA)
    (path,) = xr_icesat2.download([found(url)], tmp_path)
    written = path.stat().st_mtime_ns
    http_server.script.log.clear()
    assert xr_icesat2.download([found(url)], tmp_path) == [path]
    assert path.stat().st_mtime_ns == written
    assert len(http_server.script.reads(NAME)) == 1
    path.write_bytes(DATA[::-1])  # as long, but not it
    with pytest.raises(SelectionError, match=r"differs from the granule .*overwrite=True"):
        xr_icesat2.download([found(url)], tmp_path)
    assert path.read_bytes() == DATA[::-1]
    xr_icesat2.download([found(url)], tmp_path, overwrite=True)
    assert path.read_bytes() == DATA


def test_one_failure_does_not_stop_other_downloads(http_server, tmp_path):
    urls = [http_server.put(f"file{n}.h5", DATA) for n in range(6)]
    http_server.script.fail("file1.h5", 404)
    with pytest.raises(GranuleNotFoundError, match="file1"):
        xr_icesat2.download(urls, tmp_path, max_workers=2)
    assert files(tmp_path) == [f"file{n}.h5" for n in (0, 2, 3, 4, 5)]
    http_server.script.fail("file3.h5", 404)
    for name in files(tmp_path):
        (tmp_path / name).unlink()
    with pytest.raises(TransferError, match=r"2 of 6 granules were not .*file1.*Repeat the call"):
        xr_icesat2.download(urls, tmp_path, max_workers=2)
    assert files(tmp_path) == [f"file{n}.h5" for n in (0, 2, 4, 5)]


def test_access_denied_is_reported_once(http_server, tmp_path):
    urls = [http_server.put(f"file{n}.h5", DATA) for n in range(20)]
    for n in range(20):
        http_server.script.fail(f"file{n}.h5", 401)
    with pytest.raises(AccessDeniedError, match="login"):
        xr_icesat2.download(urls, tmp_path, max_workers=2)
    assert len(http_server.script.log) < 10
    assert files(tmp_path) == []


def test_invalid_downloads_are_refused(http_server, tmp_path):
    url = http_server.put(NAME, DATA)
    for given, says in (
        ([url, url], "Two granules are named"),
        (["memory://"], "no file name"),
        ([7], "has the type int"),
    ):
        with pytest.raises(SelectionError, match=says):
            xr_icesat2.download(given, tmp_path)
    for max_workers in (0, "2"):
        with pytest.raises(SelectionError, match=f"max_workers={max_workers!r}"):
            xr_icesat2.download(url, tmp_path, max_workers=max_workers)
    assert xr_icesat2.download([], tmp_path) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TransferError, match="Cannot create the folder"):
        xr_icesat2.download(url, tmp_path / "file")
    (tmp_path / NAME).mkdir()
    with pytest.raises(SelectionError, match="Move it away"):
        xr_icesat2.download(url, tmp_path, overwrite=True)


def test_full_disk_is_an_error(http_server, tmp_path):
    resource = pytest.importorskip("resource")
    url = http_server.put(NAME, DATA)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(TransferError, match=r"Cannot write .*\.part .*Check the free space"):
            xr_icesat2.download(url, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (part,) = tmp_path.iterdir()
    assert DATA.startswith(part.read_bytes())
    (path,) = xr_icesat2.download(url, tmp_path)
    assert path.read_bytes() == DATA


def test_two_processes_do_not_share_a_partial_file(http_server, tmp_path, monkeypatch):
    url = http_server.put(NAME, DATA)
    ready, done, note = threading.Event(), threading.Event(), http_server.script.note

    def hold(method, path, asked):
        if asked == SECOND_BURST:
            ready.set()
            done.wait(30)
        return note(method, path, asked)

    monkeypatch.setattr(http_server.script, "note", hold)
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=xr_icesat2.download, args=(url, tmp_path))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(TransferError, match="Another process is downloading"):
            xr_icesat2.download(url, tmp_path)
    finally:
        done.set()
        other.join(60)
    assert other.exitcode == 0
    assert (tmp_path / NAME).read_bytes() == DATA


def test_bare_name_is_a_local_file_or_an_archived_granule(logged_in, tmp_path, monkeypatch):
    name = "ATL06_20191106230008_06270503_007_01.h5"
    logged_in.put(name, DATA)
    monkeypatch.chdir(tmp_path)
    (path,) = xr_icesat2.download(name, "to")
    assert path.read_bytes() == DATA
    Path(name).write_bytes(DATA + b"here")
    (path,) = xr_icesat2.download([name], "copy")
    assert path.read_bytes() == DATA + b"here"


def test_progress_bar_counts_bytes(http_server, tmp_path, capfd):
    import tqdm.auto  # noqa: PLC0415 - slow to import

    urls = [http_server.put(f"file{n}.h5", DATA) for n in range(2)]
    seen = []

    class Bar(tqdm.auto.tqdm):
        def __init__(self, **options):
            super().__init__(**(options | {"disable": False, "mininterval": 0, "delay": 0}))

        def update(self, n=1):
            super().update(n)
            seen.append((self.n, self.total))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tqdm.auto, "tqdm", Bar)
        xr_icesat2.download(urls, tmp_path)
    assert seen[-1] == (400_000, 400_000)
    assert "2 granules: 100%" in capfd.readouterr().err
    xr_icesat2.download(urls, tmp_path / "quiet")  # no terminal
    assert capfd.readouterr().err == ""
    with pytest.MonkeyPatch.context() as patch:
        bar = tqdm.auto.tqdm
        patch.setattr(tqdm.auto, "tqdm", lambda **how: bar(**{**how, "delay": 0}))
        xr_icesat2.download(urls, tmp_path / "shown", progress=True)
        assert "2 granules: 100%" in capfd.readouterr().err
        xr_icesat2.download(urls, tmp_path / "not shown", progress=False)
        assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("checksum", "right"),
    [
        (Checksum("SHA-512", hashlib.sha512(DATA).hexdigest()), True),
        (Checksum("SHA-1", hashlib.sha1(DATA).hexdigest()), True),  # noqa: S324
        (Checksum("CRC-32", f"{zlib.crc32(DATA):x}"), True),
        (Checksum("Adler-32", f"{zlib.adler32(DATA):08X}"), True),
        (Checksum("Adler-32", "00000001"), False),
        (Checksum("MD5", "0" * 32), False),
        (Checksum("Fletcher-32", "0"), None),
    ],
)
def test_checksums_are_verified(tmp_path, checksum, right):
    (tmp_path / "file").write_bytes(DATA)
    with (tmp_path / "file").open("rb") as file:
        assert matches_checksum(file, checksum) is right


def test_catalog_record_without_size_or_checksum_downloads(http_server, tmp_path):
    granule = replace(found(http_server.put(NAME, DATA)), size=None, checksum=None)
    (path,) = xr_icesat2.download(granule, tmp_path)
    assert Path(path).read_bytes() == DATA
