"""All byte sources of one file return the same bytes."""

import gc
import io
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xr_icesat2.bytesource import ByteSource, CountingSource, FileVersion, open_source, source_name
from xr_icesat2.bytesource.local import LocalSource
from xr_icesat2.bytesource.protocol import checked_ranges
from xr_icesat2.bytesource.redaction import safe_text, safe_url
from xr_icesat2.errors import (
    AccessDeniedError,
    CorruptGranuleError,
    GranuleNotFoundError,
    NotAGranuleError,
    SelectionError,
    TransferError,
)
from xr_icesat2.testing import write_granule
from xr_icesat2.thread_pools import wait_all

DATA = bytes(range(256)) * 40
RANGES = [(0, 8), (9_000, 1_000), (5, 0), (255, 2), (0, len(DATA))]
PIECES = [DATA[offset : offset + length] for offset, length in RANGES]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ATL06_x.h5"
    path.write_bytes(DATA)
    return path


def _below(folder):
    return fsspec.filesystem("dir", path=folder, fs=fsspec.filesystem("memory"))


@pytest.fixture(
    params=[
        *("str", "path", "file-url", "open", "fsspec-local", "bytesio", "buffered", "memory"),
        *("open-memory", "simplecache", "http", "open-http", "asynchronous-http", "s3", "open-s3"),
        *("asynchronous-s3", "simplecache-s3", "filecache-http", "dir"),
    ]
)
def given_as(request, path, tmp_path):
    """What a user may give for one and the same file, with its storage options."""
    kind = request.param
    cache = {"cache_storage": str(tmp_path / "cache")}
    if "memory" in kind or kind in {"simplecache", "dir"}:
        fsspec.filesystem("memory").pipe_file("/a/ATL06_x.h5", DATA)
    if "http" in kind:
        http = request.getfixturevalue("http_server").put("ATL06_x.h5", DATA)
    if "s3" in kind:
        server = request.getfixturevalue("s3_server")
        s3, options = server.put("ATL06_x.h5", DATA), server.storage_options
    with path.open("rb") as file:
        yield {
            "str": lambda: (str(path), None),
            "path": lambda: (path, None),
            "file-url": lambda: (f"file://{path}", None),
            "open": lambda: (file, None),
            "fsspec-local": lambda: (fsspec.open(str(path)).open(), None),
            "bytesio": lambda: (io.BytesIO(DATA), None),
            "buffered": lambda: (io.BufferedRandom(io.BytesIO(DATA)), None),
            "memory": lambda: ("memory://a/ATL06_x.h5", None),
            "open-memory": lambda: (fsspec.open("memory://a/ATL06_x.h5").open(), None),
            "simplecache": lambda: ("simplecache::memory://a/ATL06_x.h5", {"simplecache": cache}),
            "dir": lambda: (SimpleNamespace(fs=_below("/a"), path="ATL06_x.h5"), None),
            "http": lambda: (http, None),
            "open-http": lambda: (fsspec.open(http).open(), None),
            "asynchronous-http": lambda: (http, {"asynchronous": True}),
            "filecache-http": lambda: (f"filecache::{http}", {"filecache": cache}),
            "s3": lambda: (s3, options),
            "open-s3": lambda: (fsspec.open(s3, **options).open(), None),
            "asynchronous-s3": lambda: (s3, {**options, "asynchronous": True}),
            "simplecache-s3": lambda: (
                f"simplecache::{s3}",
                {"simplecache": cache, "s3": options},
            ),
        }[kind]()


def test_every_source_reads_the_same_bytes(given_as):
    source = open_source(*given_as)
    assert isinstance(source, ByteSource)
    assert source.read(RANGES) == PIECES
    file_version = source.file_version()
    assert file_version.size == len(DATA)
    assert file_version == source.file_version()
    assert source.read([]) == []
    source.close()
    source.close()
    assert source.read(RANGES[1:3]) == PIECES[1:3]
    if hasattr(given_as[0], "close"):
        given_as[0].close()


@pytest.mark.parametrize("wanted", [(0, 0), (1, 0), (0, 7), (3000, 2000), (20_000, 30_000)])
def test_first_read_returns_bytes_of_the_file(given_as, wanted):
    source = open_source(*given_as)
    found = source.first_read(*wanted)
    assert found.file_version == source.file_version()
    for offset, piece in found.pieces.items():
        assert DATA[offset : offset + len(piece)] == piece
    assert sum(map(len, found.pieces.values())) <= sum(min(n, len(DATA)) for n in wanted)
    if hasattr(given_as[0], "close"):
        given_as[0].close()


def test_every_source_reads_from_many_threads(given_as):
    source = open_source(*given_as)

    def read(seed):
        ranges = [((seed * 97 + step * 31) % 9_000, seed + step + 1) for step in range(8)]
        return source.read(ranges) == [DATA[start : start + size] for start, size in ranges]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(16)))
    if hasattr(given_as[0], "close"):
        given_as[0].close()


def test_every_source_refuses_ranges_outside_the_file(given_as):
    source = open_source(*given_as)
    for offset, length in [(len(DATA) - 1, 2), (len(DATA) + 5, 1), (1 << 62, 1 << 62), (-1, 2)]:
        with pytest.raises(CorruptGranuleError, match=r"truncated or damaged") as caught:
            source.read([(0, 4), (offset, length)])
        assert str(offset) in str(caught.value)
    if hasattr(given_as[0], "close"):
        given_as[0].close()


def _read_there(pickled, ranges):
    source = pickle.loads(pickled)  # noqa: S301 - our own
    return source.url, source.file_version(), list(map(bytes, source.read(ranges)))


@pytest.fixture(scope="module")
def other_process():
    with get_context("spawn").Pool(1) as pool:
        yield pool
        pool.close()
        pool.join()


@pytest.mark.parametrize("kind", ["path", "bytesio", "http", "open-http", "s3", "open-s3"])
def test_pickled_source_reads_in_another_process(kind, path, request, other_process):
    if kind == "path":
        source = open_source(path)
    elif kind == "bytesio":
        source = open_source(io.BytesIO(DATA))
    elif kind.endswith("http"):
        url = request.getfixturevalue("http_server").put("x.h5", DATA)
        source = open_source(url if kind == "http" else fsspec.open(url).open())
    else:
        server = request.getfixturevalue("s3_server")
        url, options = server.put("x.h5", DATA), server.storage_options
        source = (
            open_source(url, options)
            if kind == "s3"
            else open_source(fsspec.open(url, **options).open())
        )
    source.read([(0, 1)])  # what is open here must not travel
    pickled = pickle.dumps(source)
    if kind != "bytesio":
        assert len(pickled) < 1_000
    result = other_process.apply_async(_read_there, (pickled, RANGES)).get(30)
    assert result == (source.url, source.file_version(), PIECES)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("kind", ["path", "http", "open-http", "memory"])
def test_source_reads_after_a_fork(kind, path, http_server):
    url = http_server.put("x.h5", DATA)
    fsspec.filesystem("memory").pipe_file("/x.h5", DATA)
    given = {
        "path": path,
        "http": url,
        "memory": "memory://x.h5",
        "open-http": fsspec.open(url).open(),
    }
    source = open_source(given[kind])
    assert source.read(RANGES) == PIECES
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if source.read(RANGES) == PIECES else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


class TestNoInputOutput:
    def test_no_request_is_made_before_the_first_read(self, http_server, s3_server, tmp_path):
        for missing in [
            tmp_path / "missing.h5",
            http_server.put("x.h5", DATA),
            s3_server.put("x.h5", DATA),
            "nonsense://x",
            "sftp://nowhere.invalid/x.h5",
        ]:
            source = open_source(missing)
            repr(source)
            pickle.dumps(source)
            source.close()
        assert http_server.script.log == []
        assert s3_server.log == []

    def test_local_file_needs_no_network_packages(self, path):
        code = (
            "import sys; from xr_icesat2.bytesource import open_source;"
            f"source = open_source({str(path)!r}); source.file_version(); source.read([(0, 4)]);"
            "print(sorted({'s3fs', 'aiohttp', 'earthaccess', 'botocore'} & set(sys.modules)))"
        )
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.strip() == "[]"


class TestLocal:
    def test_home_directory_is_expanded(self, path, monkeypatch):
        monkeypatch.setenv("HOME", str(path.parent))
        monkeypatch.setenv("USERPROFILE", str(path.parent))
        for given_path in [f"~/{path.name}", Path("~") / path.name, f"file://~/{path.name}"]:
            assert open_source(given_path).url == str(path)

    def test_relative_path_keeps_its_meaning_in_another_directory(
        self, path, monkeypatch, tmp_path_factory
    ):
        monkeypatch.chdir(path.parent)
        source = open_source(path.name)
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        assert pickle.loads(pickle.dumps(source)).read(RANGES) == PIECES  # noqa: S301

    def test_local_version_is_read_anew(self, path):
        source = open_source(path)
        before = source.file_version()
        assert before == FileVersion(len(DATA), str(path.stat().st_mtime_ns))
        os.utime(path, ns=(1, 1))
        assert source.file_version() == FileVersion(len(DATA), "1")
        path.write_bytes(DATA + b"more")
        assert source.file_version().size == len(DATA) + 4

    def test_missing_local_file_is_not_found(self, tmp_path):
        source = open_source(tmp_path / "missing.h5")
        for ask in (source.file_version, lambda: source.read([(0, 1)])):
            with pytest.raises(GranuleNotFoundError, match=r"no granule at .*missing\.h5"):
                ask()

    @pytest.mark.parametrize("name", ["x\0y", "x" * 5_000])
    def test_impossible_file_names_are_not_found(self, name):
        for ask in (open_source(name).file_version, lambda: open_source(name).read([(0, 1)])):
            with pytest.raises(TransferError, match="Cannot read"):
                ask()

    def test_path_below_a_file_is_not_found(self, path):
        with pytest.raises(GranuleNotFoundError, match="no granule at"):
            open_source(path / "x.h5").file_version()

    def test_directory_is_not_a_granule(self, tmp_path):
        source = open_source(tmp_path)
        for ask in (source.file_version, lambda: source.read([(0, 1)])):
            with pytest.raises(NotAGranuleError, match=r"is a directory.*Pass the files.*\*\.h5"):
                ask()

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_pipe_is_refused_without_waiting(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.h5")
        source = open_source(tmp_path / "pipe.h5")
        for ask in (source.file_version, lambda: source.read([(0, 1)])):
            with pytest.raises(NotAGranuleError, match="pipe or a device"):
                ask()

    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read anything"
    )
    def test_unreadable_file_is_access_denied(self, path):
        path.chmod(0)
        with pytest.raises(AccessDeniedError, match="may not read"):
            open_source(path).read([(0, 1)])

    def test_system_refusal_is_access_denied(self, path, monkeypatch):
        def refuse(*_):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(AccessDeniedError, match=r"Cannot read .*Permission denied"):
            open_source(path).read([(0, 1)])

    def test_reads_work_without_pread(self, path, monkeypatch):
        monkeypatch.delattr(os, "pread", raising=False)
        source = open_source(path)
        with ThreadPoolExecutor(4) as pool:
            results = pool.map(lambda _: source.read(RANGES), range(40))
            assert all(result == PIECES for result in results)

    def test_short_reads_are_continued(self, path, monkeypatch):
        """As Linux splits one of more than 2 GiB."""
        pread = os.pread
        monkeypatch.setattr(os, "pread", lambda file, most, at: pread(file, min(most, 1_000), at))
        assert open_source(path).read(RANGES) == PIECES

    def test_file_truncated_while_read_is_an_error(self, path, monkeypatch):
        source = open_source(path)
        source.read([(0, 1)])
        fstat = os.fstat

        def before(file):
            """Return what the system said before the file was truncated."""
            now = fstat(file)
            return os.stat_result([*now[:6], 10 * len(DATA), *now[7:]])

        monkeypatch.setattr(os, "fstat", before)
        with pytest.raises(CorruptGranuleError, match="truncated"):
            source.read([(len(DATA) - 1, 5)])

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
    def test_number_of_open_files_is_bounded(self, tmp_path):
        sources = []
        for number in range(200):
            (tmp_path / f"{number}.h5").write_bytes(b"%03d" % number)
            sources.append(open_source(tmp_path / f"{number}.h5"))
        for _ in range(2):
            for number, source in enumerate(sources):
                assert source.read([(0, 3)]) == [b"%03d" % number]
        names = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
        assert 0 < sum(name.startswith(str(tmp_path)) for name in names) <= 128

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
    def test_closing_or_deleting_a_source_closes_its_file(self, path):
        def open_descriptors():
            links = list(Path("/proc/self/fd").iterdir())
            return sum(os.path.lexists(link) and link.resolve() == path for link in links)

        source, other = open_source(path), open_source(path)
        source.read([(0, 1)])
        other.read([(0, 1)])
        assert open_descriptors() == 2
        source.close()
        assert open_descriptors() == 1
        del other
        gc.collect()
        assert open_descriptors() == 0

    def test_source_closes_while_other_threads_read(self, path):
        source = open_source(path)
        stop = threading.Event()

        def close():
            while not stop.is_set():
                source.close()

        closer = threading.Thread(target=close)
        closer.start()
        try:
            for _ in range(300):
                assert source.read(RANGES) == PIECES
        finally:
            stop.set()
            closer.join()


class TestFileObjects:
    def test_user_file_is_neither_closed_nor_moved(self):
        file = io.BytesIO(DATA)
        file.seek(17)
        source = open_source(file)
        source.read(RANGES)
        source.file_version()
        source.close()
        del source
        assert file.tell() == 17
        assert not file.closed

    def test_two_file_objects_of_one_name_are_distinct(self):
        first, second = open_source(io.BytesIO(DATA)), open_source(io.BytesIO(DATA))
        assert first.url != second.url
        assert first.url.startswith("<BytesIO>")
        assert pickle.loads(pickle.dumps(first)).url == first.url  # noqa: S301

    def test_file_closed_by_the_user_is_an_error(self):
        file = io.BytesIO(DATA)
        source = open_source(file)
        file.close()
        for ask in (source.file_version, lambda: source.read([(0, 1)])):
            with pytest.raises(TransferError, match="Keep the file open"):
                ask()

    def test_short_reads_of_a_file_object_are_continued(self):
        class Slow(io.BytesIO):
            def read(self, size=-1):
                return super().read(min(size, 7))

        assert open_source(Slow(DATA)).read(RANGES) == PIECES

    def test_file_object_that_ends_early_is_an_error(self):
        class Liar(io.BytesIO):
            def seek(self, offset, whence=0):
                return super().seek(offset, whence) + (100 if whence else 0)

        with pytest.raises(CorruptGranuleError, match="truncated"):
            open_source(Liar(DATA)).read([(len(DATA), 50)])

    def test_error_of_a_file_object_is_reported(self):
        class Broken(io.BytesIO):
            def read(self, size=-1):
                raise OSError(5, "Input/output error")

        with pytest.raises(TransferError, match="Input/output error"):
            open_source(Broken(DATA)).read([(0, 5)])

    def test_proxied_file_objects_are_read(self, http_server):
        url = http_server.put("x.h5", DATA)

        class Proxy:
            def __init__(self, file):
                self.f = file

            def __getattr__(self, name):
                return getattr(self.f, name)

        with fsspec.open(url) as file:
            source = open_source(Proxy(file))
            assert source.url == url
            assert source.read(RANGES) == PIECES

    def test_asynchronous_filesystem_is_read(self, s3_server):
        s3_server.put("x.h5", DATA)
        options = s3_server.storage_options
        filesystem = fsspec.filesystem("s3", asynchronous=True, **options)
        file = SimpleNamespace(fs=filesystem, path=f"{s3_server.bucket_dir.name}/x.h5")
        assert open_source(file).read(RANGES) == PIECES

    def test_filesystem_without_sizes_is_an_error(self, monkeypatch):
        memory = fsspec.filesystem("memory")
        monkeypatch.setattr(type(memory), "info", lambda *_, **__: {"size": None, "type": "file"})
        with pytest.raises(TransferError, match="does not report the size"):
            open_source("memory://x.h5").file_version()

    def test_compressed_file_is_read_decompressed(self, tmp_path):
        import gzip  # noqa: PLC0415

        (tmp_path / "x.h5.gz").write_bytes(gzip.compress(DATA))
        with fsspec.open(str(tmp_path / "x.h5.gz"), compression="gzip") as file:
            assert open_source(file).read(RANGES) == PIECES


class TestWhatIsNotAGranule:
    @pytest.mark.parametrize("obj", [None, 5, b"\x89HDF", ["a.h5"], object()])
    def test_other_objects_are_refused(self, obj):
        with pytest.raises(SelectionError, match=r"a path, a URL or an open binary file"):
            open_source(obj)

    def test_file_opened_as_text_is_refused(self, path):
        with path.open() as file, pytest.raises(SelectionError, match="mode 'rb'"):
            open_source(file)

    def test_url_mangled_by_pathlib_is_refused(self):
        with pytest.raises(SelectionError, match=r"turns s3:// into s3:/"):
            open_source(Path("s3://bucket/x.h5"))

    def test_storage_options_must_be_a_mapping(self):
        with pytest.raises(SelectionError, match="expected a mapping"):
            open_source("s3://b/x.h5", "anon")

    def test_unknown_protocol_is_an_error(self):
        with pytest.raises(SelectionError, match=r"cannot open nonsense://x.*Protocol not known"):
            open_source("nonsense://x").file_version()

    def test_unknown_storage_option_is_an_error(self):
        with pytest.raises(SelectionError, match=r"cannot open simplecache::memory://x"):
            open_source("simplecache::memory://x", {"cache_storage": 5}).file_version()

    @pytest.mark.skipif("paramiko" in sys.modules, reason="paramiko is here")
    def test_missing_package_is_named(self):
        with pytest.raises(TransferError, match=r"(?s)package is missing.*paramiko"):
            open_source("sftp://nowhere.invalid/x.h5").file_version()

    def test_remote_directory_is_not_a_granule(self, s3_server):
        fsspec.filesystem("memory").pipe_file("/a/b/x.h5", DATA)
        s3_server.put("a/x.h5", DATA)
        for folder in ("memory://a", SimpleNamespace(fs=_below("/a"), path="b")):
            with pytest.raises(NotAGranuleError, match="is a directory"):
                open_source(folder).file_version()
        with pytest.raises(NotAGranuleError, match="is a directory"):
            open_source(s3_server.url("a"), s3_server.storage_options).file_version()

    def test_missing_memory_file_is_not_found(self):
        source = open_source("memory://no/such.h5")
        for ask in (source.file_version, lambda: source.read([(0, 1)])):
            with pytest.raises(GranuleNotFoundError, match=r"memory://no/such\.h5"):
                ask()


def test_memory_version_changes_with_the_file():
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/x.h5", DATA)
    source = open_source("memory://x.h5")
    before = source.file_version()
    assert before.tag
    memory.pipe_file("/x.h5", DATA[::-1])
    assert source.file_version() != before


class TestCounting:
    def test_counting_source_counts_and_forwards(self, path):
        source = CountingSource(open_source(path))
        assert isinstance(source, ByteSource)
        assert source.url == str(path)
        assert source.read(RANGES) == PIECES
        source.read([(3, 4)])
        assert source.file_version().size == len(DATA)
        assert (source.requests, source.bursts, source.version_requests) == (5, 2, 1)
        assert source.nbytes == sum(map(len, PIECES)) + 4
        assert source.log == [each for each in RANGES if each[1]] + [(3, 4)]
        assert "LocalSource" in repr(source)

    def test_copies_of_a_counting_source_count_separately(self, path):
        source = CountingSource(open_source(path))
        source.read([(0, 1)])
        copy = pickle.loads(pickle.dumps(source))  # noqa: S301
        copy.read([(0, 1)])
        assert (source.requests, copy.requests) == (1, 2)
        copy.reset()
        copy.close()
        assert (copy.requests, copy.nbytes, copy.bursts) == (0, 0, 0)


class TestNames:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("s3://b/a/x.h5", "s3://b/a/x.h5"),
            ("s3://key:secret@b/x.h5", "s3://b/x.h5"),
            ("https://me:word@h:8/x.h5?versionId=3", "https://h:8/x.h5?versionId=3"),
            (
                "https://h/x.h5?X-Amz-Signature=abc&X-Amz-Credential=c&A-userid=me",
                "https://h/x.h5?X-Amz-Signature=...&X-Amz-Credential=...&A-userid=me",
            ),
            ("https://h/x.h5?token=abc", "https://h/x.h5?token=..."),
            ("https://h/x.h5?id=" + "f" * 40, "https://h/x.h5?id=..."),
            ("simplecache::s3://k:s@b/x.h5", "simplecache::s3://b/x.h5"),
            ("memory://a/x.h5", "memory://a/x.h5"),
            ("memory:///a/x.h5", "memory:///a/x.h5"),
        ],
    )
    def test_urls_show_no_secrets(self, url, expected):
        assert safe_url(url) == expected
        assert source_name(url) == expected

    @given(
        name=st.sampled_from(["token", "X-Amz-Signature", "X-Amz-Security-Token", "sig", "Key"]),
        value=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=60),
        user=st.booleans(),
    )
    def test_no_secret_survives(self, name, value, user):
        secret = f"ZZ{value}ZZ"
        url = f"https://{f'u:{secret}@' if user else ''}host/x.h5?a=1&{name}={secret}"
        assert secret not in safe_url(url)
        assert secret not in safe_text(f"403, message='no', url='{url}' (again: {url})")
        assert secret not in repr(open_source(url))
        assert secret not in repr(open_source(url, {"headers": {"Authorization": secret}}))

    def test_file_names_are_shown_as_paths(self, path):
        assert source_name(str(path)) == str(path)
        assert source_name(path) == str(path)
        assert source_name(io.BytesIO()) == "<BytesIO>"
        with path.open("rb") as file:
            assert source_name(file) == str(path)
        with fsspec.open("memory://x.h5", "wb") as file:
            assert source_name(file) == "/x.h5"

    def test_source_has_the_name_of_its_file(self, path):
        assert repr(open_source(path)) == f"LocalSource({str(path)!r})"
        assert repr(open_source("s3://b/x.h5", {"secret": "hush"})) == "RemoteSource('s3://b/x.h5')"
        assert repr(open_source(io.BytesIO())) == "FileObjectSource(<BytesIO>)"


@given(
    ranges=st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=8),
    size=st.none() | st.integers(0, 50),
)
def test_invalid_ranges_are_refused(ranges, size):
    fits = all(
        offset >= 0 and length >= 0 and (not length or size is None or offset + length <= size)
        for offset, length in ranges
    )
    if fits:
        assert checked_ranges(ranges, size, "x.h5") == ranges
    else:
        with pytest.raises(CorruptGranuleError, match=r"of x\.h5"):
            checked_ranges(ranges, size, "x.h5")


@given(data=st.data())
def test_any_ranges_of_a_file_equal_slices(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.h5"
    path.write_bytes(DATA)
    start = st.integers(0, len(DATA))
    ranges = data.draw(
        st.lists(start.flatmap(lambda at: st.tuples(st.just(at), st.integers(0, len(DATA) - at))))
    )
    assert LocalSource(str(path)).read(ranges) == [DATA[at : at + size] for at, size in ranges]


def test_first_error_cancels_queued_work():
    begun = []

    def work(number):
        begun.append(number)
        if not number:
            raise KeyError(number)
        time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyError):
        wait_all([pool.submit(work, number) for number in range(100)])
    assert len(begun) < 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_child_forked_during_a_read_can_read_the_same_granule(tmp_path):
    code = """
import os, sys, warnings
warnings.simplefilter("ignore")
import xarray as xr
from xr_icesat2.bytesource import open_source

class Forking:
    def __init__(self, source):
        self.source = source

    def __getattr__(self, name):
        return getattr(self.source, name)

    def read(self, ranges):
        child = os.fork()
        if not child:  # with all locks that a read holds
            ds = xr.open_dataset(sys.argv[1], engine="icesat2")
            os._exit(0 if ds["h_li"].values.any() else 1)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

xr.open_dataset(Forking(open_source(sys.argv[1])), engine="icesat2")
sys.exit(3)  # the source was never read
"""
    path = write_granule(tmp_path, n_segments=5)
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)  # noqa: S603
