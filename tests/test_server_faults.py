"""Servers that refuse, disconnect, lie or stay silent cause a clear error, and no hang."""

import asyncio
import concurrent.futures
import logging
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pytest
from fsspec.registry import _registry

from tests.http_server import BlobServer
from xr_icesat2.bytesource import open_source
from xr_icesat2.bytesource import request_limits as limits
from xr_icesat2.bytesource.error_translation import is_retryable, safe_cause, translate_error
from xr_icesat2.bytesource.request_scheduler import (
    RequestScheduler,
    gather,
    in_daemon_thread,
)
from xr_icesat2.errors import (
    AccessDeniedError,
    CorruptGranuleError,
    GranuleNotFoundError,
    ICESat2Error,
    SelectionError,
    TransferError,
    TransferTimeoutError,
)

DATA = bytes(range(256)) * 40
RANGES = [(0, 8), (9_000, 1_000)]
PIECES = [DATA[offset : offset + length] for offset, length in RANGES]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    # Long enough for a busy machine; what waits for silence sets a limit of its own.
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "30")
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.01")


@pytest.fixture(params=["http", "s3", "s3 by s3fs"])
def served(request):
    """A server of either kind, and a source of ``x.h5`` on it."""
    if request.param == "s3 by s3fs":
        request.getfixturevalue("without_obstore")
    server = request.getfixturevalue(f"{request.param.split()[0]}_server")
    options = getattr(server, "storage_options", None)
    return server, open_source(server.put("x.h5", DATA), options)


def _asks(source):
    return (lambda: source.read(RANGES), source.file_version)


@pytest.mark.parametrize("fault", [500, 503, "truncate", "short"])
def test_transient_faults_are_retried(served, fault):
    server, source = served
    server.script.fail("x.h5", fault, times=3)
    assert source.read(RANGES) == PIECES
    server.script.fail("x.h5", fault, times=2)
    assert source.file_version().size == len(DATA)


@pytest.mark.parametrize("fault", [500, 503, "truncate", "short"])
def test_persistent_faults_are_errors(served, fault):
    server, source = served
    server.script.fail("x.h5", fault)
    with pytest.raises(TransferError) as caught:
        source.read(RANGES[:1])
    assert source.url in str(caught.value)
    # Ours alone: neither botocore nor s3fs multiplies the attempts.
    assert len(server.script.reads("x.h5")) <= 2 * limits.ATTEMPTS


def test_short_response_error_names_the_range(served):
    server, source = served
    server.script.fail("x.h5", "short")
    with pytest.raises(TransferError, match=r"requested 8 bytes at 0, but received 7"):
        source.read(RANGES[:1])


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (403, AccessDeniedError, "earthaccess.login"),
        (404, GranuleNotFoundError, "check the spelling"),
        (416, TransferError, "which are within the file"),
    ],
)
def test_refusals_are_not_retried(served, status, error, says):
    server, source = served
    source.file_version()
    server.script.clear()
    server.script.fail("x.h5", status, times=1)
    with pytest.raises(error, match=says) as caught:
        source.read(RANGES[:1])
    assert source.url in str(caught.value)
    assert len([read for read in server.script.reads("x.h5") if read == "bytes=0-7"]) == 1


@pytest.mark.parametrize(("status", "error"), [(403, AccessDeniedError), (500, TransferError)])
def test_version_request_meets_the_same_faults(served, status, error):
    server, source = served
    server.script.fail("x.h5", status)
    with pytest.raises(error, match=r"x\.h5"):
        source.file_version()


def test_missing_object_is_not_found(served):
    server, _ = served
    missing = server.put("x.h5", DATA).replace("x.h5", "missing.h5")
    source = open_source(missing, getattr(server, "storage_options", None))
    for ask in _asks(source):
        with pytest.raises(GranuleNotFoundError, match=r"no granule at .*missing\.h5"):
            ask()


def test_no_response_is_a_timeout(served, monkeypatch):
    server, source = served
    source.file_version()
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "0.4")
    server.script.fail("x.h5", "hang")
    for ask in _asks(source):
        start = time.monotonic()
        with pytest.raises(TransferTimeoutError, match=r"server of .*x\.h5 did not answer"):
            ask()
        assert time.monotonic() - start < 10


def test_timeout_error_names_the_setting(http_server, monkeypatch):
    source = open_source(http_server.put("x.h5", DATA))
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "0.3")
    http_server.script.fail("x.h5", "hang")
    with pytest.raises(
        TransferTimeoutError, match=r"x\.h5 did not answer within .*XR_ICESAT2_TIMEOUT"
    ):
        source.file_version()


def test_hanging_connection_is_retried(served, monkeypatch):
    server, source = served
    source.file_version()
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "3")
    server.script.fail("x.h5", "hang", times=1)
    assert source.read(RANGES) == PIECES


def test_slow_response_is_accepted(served):
    server, source = served
    server.script.fail("x.h5", "slow")
    assert source.read(RANGES) == PIECES


def test_replaced_file_has_another_version(served):
    server, source = served
    before = source.file_version()
    assert before.tag
    server.put("x.h5", DATA[::-1])
    after = source.file_version()
    assert after.tag != before.tag
    assert after.size == before.size


def test_cached_listing_is_not_the_version(s3_server):
    url, options = s3_server.put("x.h5", DATA), s3_server.storage_options
    filesystem = fsspec.filesystem("s3", **options)
    source = open_source(filesystem.open(url))
    filesystem.ls(s3_server.bucket_dir.name)
    s3_server.put("x.h5", DATA + b"more")
    assert source.file_version().size == len(DATA) + 4


def test_first_failure_cancels_other_requests(served):
    server, source = served
    server.script.fail("x.h5", 403)
    with pytest.raises(AccessDeniedError):
        source.read([(offset, 4) for offset in range(0, 8_000, 10)])
    assert len(server.log if hasattr(server, "log") else server.script.log) < 800


class TestRangesIgnored:
    @pytest.mark.parametrize("fault", ["ignore-range", "wrong-range", "too-long"])
    def test_other_range_is_an_error(self, http_server, fault):
        source = open_source(http_server.put("x.h5", DATA))
        http_server.script.fail("x.h5", fault)
        with pytest.raises(TransferError, match=r"x\.h5 ignores byte ranges.*simplecache::"):
            source.read([(9_000, 1_000)])
        assert len(http_server.script.log) == 1

    def test_ignored_range_on_s3_is_an_error(self, s3_server):
        source = open_source(s3_server.put("x.h5", DATA), s3_server.storage_options)
        s3_server.script.fail("x.h5", "ignore-range")
        with pytest.raises(
            TransferError, match=r"Requested 8 bytes at 0 of .*x\.h5, but received 10240"
        ):
            source.read(RANGES[:1])

    def test_whole_file_response_is_accepted_for_the_whole_range(self, http_server):
        source = open_source(http_server.put("x.h5", DATA))
        http_server.script.fail("x.h5", "ignore-range")
        assert source.read([(0, len(DATA))]) == [DATA]
        assert source.file_version().size == len(DATA)

    def test_ignored_range_does_not_download_the_file(self, http_server):
        source = open_source(http_server.put("x.h5", bytes(100_000_000)))
        http_server.script.fail("x.h5", "ignore-range")
        with pytest.raises(TransferError, match="ignores byte ranges"):
            source.read(RANGES[:1])
        assert http_server.script.sent < 50_000_000  # what fits into the buffers of sockets

    def test_suggested_download_works(self, http_server, tmp_path):
        url = http_server.put("x.h5", DATA)
        http_server.script.fail("x.h5", "ignore-range")
        options = {"simplecache": {"cache_storage": str(tmp_path)}}
        assert open_source(f"simplecache::{url}", options).read(RANGES) == PIECES


class TestHTTP:
    def test_closed_connection_is_an_error(self, http_server):
        source = open_source(http_server.put("x.h5", DATA))
        http_server.script.fail("x.h5", "reset", times=3)
        assert source.read(RANGES) == PIECES
        http_server.script.fail("x.h5", "reset")
        for ask in _asks(source):
            with pytest.raises(TransferError, match=r"connection to the server of .*x\.h5"):
                ask()

    def test_login_page_is_access_denied(self, http_server):
        source = open_source(http_server.put("x.h5", DATA))
        http_server.script.fail("x.h5", "html")
        for ask in _asks(source):
            with pytest.raises(AccessDeniedError, match=r"web page.*Earthdata login"):
                ask()

    def test_missing_length_is_read_from_the_range(self, http_server):
        source = open_source(http_server.put("x.h5", DATA))
        http_server.script.fail("x.h5", "no-length")
        assert source.read(RANGES) == PIECES
        assert source.file_version().size == len(DATA)

    def test_missing_size_is_an_error(self, http_server):
        source = open_source(http_server.put("x.h5", DATA))
        http_server.script.fail("x.h5", "no-size")
        with pytest.raises(TransferError, match=r"does not report the size.*simplecache::"):
            source.file_version()
        assert source.read(RANGES) == PIECES
        # Then it is unknown whether a range lies outside: the answer of the server decides.
        with pytest.raises(TransferError, match="416"):
            source.read([(len(DATA), 8)])

    def test_empty_file_has_size_zero(self, http_server):
        source = open_source(http_server.put("x.h5", b""))
        assert source.file_version().size == 0
        with pytest.raises(CorruptGranuleError, match="has 0 bytes"):
            source.read([(0, 8)])

    def test_unreachable_server_is_an_error(self, http_server):
        with BlobServer() as gone:
            url = gone.put("x.h5", DATA)
        for ask in _asks(open_source(url)):
            with pytest.raises(TransferError, match="Check the URL and the network"):
                ask()

    def test_user_headers_are_sent_and_kept(self, http_server):
        options = {"headers": {"Authorization": "Bearer word"}}
        source = open_source(http_server.put("x.h5", DATA), options)
        assert source.read(RANGES) == PIECES
        assert options == {"headers": {"Authorization": "Bearer word"}}

    @pytest.mark.parametrize("chain", ["", "simplecache::"])
    def test_secrets_are_not_in_messages(self, http_server, chain, tmp_path):
        url = http_server.put("x.h5", DATA) + "?X-Amz-Signature=hush&token=hush"
        options = {"simplecache": {"cache_storage": str(tmp_path)}} if chain else None
        source = open_source(chain + url, options)
        for status in (403, 404, 500):
            http_server.script.heal()
            http_server.script.fail("x.h5", status)
            for ask in _asks(source):
                with pytest.raises(ICESat2Error) as caught:
                    ask()
                shown = "".join(traceback.format_exception(caught.value))
                assert "hush" not in shown
                assert "x.h5" in str(caught.value)

    def test_cache_distinguishes_refused_from_missing(self, http_server, tmp_path):
        url = f"simplecache::{http_server.put('x.h5', DATA)}"
        source = open_source(url, {"simplecache": {"cache_storage": str(tmp_path)}})
        http_server.script.fail("x.h5", 403)
        with pytest.raises(AccessDeniedError):
            source.file_version()


@pytest.fixture
def without_obstore(monkeypatch):
    """Have s3fs make the requests, as where obstore would make others."""
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "AES256")


@pytest.fixture(params=["by obstore", "by s3fs"])
def _either_way(request):
    if request.param == "by s3fs":
        request.getfixturevalue("without_obstore")


@pytest.mark.usefixtures("_either_way")
class TestS3:
    def test_server_log_matches_requests(self, s3_server):
        source = open_source(s3_server.put("x.h5", DATA), s3_server.storage_options)
        source.read([(0, 8), (5, 0), (9_000, 1_000)])
        assert sorted(s3_server.script.reads("x.h5")) == ["bytes=0-7", "bytes=9000-9999"]
        source.file_version()
        assert [request.method for request in s3_server.log] == ["GET", "GET", "HEAD"]

    @pytest.mark.parametrize("wrong", [{"secret": "wrong"}, {"key": "nobody"}])
    def test_wrong_credentials_are_access_denied(self, s3_server, wrong):
        source = open_source(s3_server.put("x.h5", DATA), s3_server.storage_options | wrong)
        for ask in _asks(source):
            with pytest.raises(AccessDeniedError, match=r"Cannot read s3://.*us-west-2") as caught:
                ask()
            assert "wrong" not in str(caught.value)

    def test_missing_credentials_are_access_denied(self, s3_server, monkeypatch, tmp_path):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        options = {"endpoint_url": s3_server.endpoint}
        with pytest.raises(AccessDeniedError, match="Earthdata login"):
            open_source(s3_server.put("x.h5", DATA), options).read(RANGES)

    def test_missing_bucket_is_not_found(self, s3_server):
        source = open_source("s3://no-bucket/x.h5", s3_server.storage_options)
        for ask in _asks(source):
            with pytest.raises(GranuleNotFoundError, match=r"s3://no-bucket/x\.h5"):
                ask()

    def test_user_settings_are_kept(self, s3_server):
        options = s3_server.storage_options | {"config_kwargs": {"max_pool_connections": 3}}
        source = open_source(s3_server.put("x.h5", DATA), options)
        assert source.read(RANGES) == PIECES
        assert options["config_kwargs"] == {"max_pool_connections": 3}

    def test_busy_server_is_retried_through_a_user_filesystem(self, s3_server):
        url, options = s3_server.put("x.h5", DATA), s3_server.storage_options
        source = open_source(fsspec.filesystem("s3", **options).open(url))
        s3_server.script.fail("x.h5", 503, times=2)
        assert source.read(RANGES) == PIECES


class TestLimits:
    def test_concurrent_requests_are_bounded(self, http_server, monkeypatch):
        source = open_source(http_server.put("x.h5", DATA))
        most, now, lock = 0, 0, threading.Lock()
        note = http_server.script.note

        def noted(*request):
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= 1
            return note(*request)

        monkeypatch.setattr(http_server.script, "note", noted)
        ranges = [(offset, 4) for offset in range(60)]
        with ThreadPoolExecutor(4) as pool:
            for result in pool.map(lambda _: source.read(ranges), range(4)):
                assert result == [DATA[at : at + 4] for at, _ in ranges]
        assert 8 < most <= limits.MAX_CONCURRENT_REQUESTS

    @pytest.mark.parametrize("given", ["soon", "0", "-3", "nan", "inf", ""])
    def test_invalid_time_limit_is_an_error(self, given, monkeypatch):
        monkeypatch.setenv("XR_ICESAT2_TIMEOUT", given)
        with pytest.raises(SelectionError, match=r"XR_ICESAT2_TIMEOUT=.*seconds above 0"):
            open_source("memory://x.h5").file_version()

    def test_default_time_limit_applies(self, monkeypatch):
        monkeypatch.delenv("XR_ICESAT2_TIMEOUT")
        assert limits.request_limit(0) == limits.TIMEOUT
        assert limits.request_limit(10 * limits.MIN_RATE) == limits.TIMEOUT + 10
        assert limits.request_limit(1 << 62) == limits.TIMEOUT * limits.LONGEST
        assert limits.request_limit(0, whole_file=True) == limits.TIMEOUT * limits.LONGEST

    def test_filesystem_that_never_returns_is_a_timeout(self, monkeypatch):
        memory = fsspec.filesystem("memory")
        memory.pipe_file("/x.h5", DATA)
        stuck = threading.Event()
        monkeypatch.setattr(type(memory), "cat_file", lambda *_, **__: stuck.wait(20))
        monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "0.3")
        source = open_source("memory://x.h5")
        start = time.monotonic()
        with pytest.raises(TransferTimeoutError, match=r"memory://x\.h5"):
            source.read(RANGES)
        stuck.set()
        assert time.monotonic() - start < 10

    def test_constructor_that_never_returns_is_a_timeout(self, monkeypatch):
        class Stuck(fsspec.AbstractFileSystem):
            protocol = "stuck"
            cachable = False
            free = threading.Event()

            def __init__(self, **options):
                super().__init__(**options)
                self.free.wait(20)

        fsspec.register_implementation("stuck", Stuck, clobber=True)
        monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "0.3")
        with pytest.raises(TransferTimeoutError, match="stuck://x"):
            open_source("stuck://x.h5").file_version()
        Stuck.free.set()
        _registry.pop("stuck")

    def test_blocked_event_loop_is_a_timeout(self, http_server, monkeypatch):
        monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "1")
        loop, free = asyncio.new_event_loop(), threading.Event()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        own = fsspec.filesystem("http", loop=loop, skip_instance_cache=True)
        source = open_source(own.open(http_server.put("x.h5", DATA)))
        source.file_version()

        async def close():
            await (await own.set_session()).close()

        loop.call_soon_threadsafe(free.wait, 20)
        try:
            with pytest.raises(TransferTimeoutError, match="other code blocks it"):
                source.read(RANGES)
        finally:
            free.set()
            fsspec.asyn.sync(loop, close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def test_constructor_error_is_reported(self):
        class Refusing(fsspec.AbstractFileSystem):
            def __init__(self, **_):
                raise AccessDeniedError("log in first")

        fsspec.register_implementation("refusing", Refusing, clobber=True)
        with pytest.raises(AccessDeniedError, match="log in first"):
            open_source("refusing://x.h5").file_version()
        _registry.pop("refusing")

    def test_reading_inside_the_fsspec_loop_is_an_error(self, http_server):
        source = open_source(http_server.put("x.h5", DATA))

        async def ask():
            return source.file_version()

        loop = fsspec.asyn.get_loop()
        with pytest.raises(TransferError, match=r"asyncio\.to_thread"):
            asyncio.run_coroutine_threadsafe(ask(), loop).result(5)

    def test_reading_inside_another_loop_works(self, http_server):
        source = open_source(http_server.put("x.h5", DATA))

        async def ask():
            return await asyncio.to_thread(source.read, RANGES)

        assert asyncio.run(ask()) == PIECES

    def test_closed_loop_is_an_error(self):
        loop = asyncio.new_event_loop()
        loop.close()

        async def nothing():
            """Never run."""

        with pytest.raises(TransferError, match="is closed"):
            RequestScheduler(loop).run(nothing(), 1, "x.h5")

    def test_interrupted_call_leaves_no_request(self, http_server, monkeypatch):
        source = open_source(http_server.put("x.h5", DATA))
        source.file_version()
        http_server.script.fail("x.h5", "hang")

        def interrupt(futures, timeout):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(concurrent.futures, "wait", interrupt)
            with pytest.raises(KeyboardInterrupt):
                source.read(RANGES)
        loop = fsspec.asyn.get_loop()
        deadline = time.monotonic() + 2
        while asyncio.all_tasks(loop) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not asyncio.all_tasks(loop)

    def test_retries_are_logged(self, http_server, caplog):
        source = open_source(http_server.put("x.h5", DATA))
        http_server.script.fail("x.h5", 503, times=1)
        with caplog.at_level(logging.INFO, "xr_icesat2"):
            source.file_version()
        assert "attempt 1" in caplog.text


def test_concurrent_results_keep_their_order():
    async def after(seconds, value):
        await asyncio.sleep(seconds)
        return value

    async def main():
        return await gather([after(0.02, "a"), after(0, "b")])

    assert asyncio.run(main()) == ["a", "b"]


def test_daemon_thread_forwards_exceptions():
    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(in_daemon_thread(fail))


class _Answer:
    status_code = 0


def _like(name, *bases, **attributes):
    """An exception of a class of this name, as a library that is not installed may raise."""
    error = type(name, bases or (Exception,), {})("shown")
    for attribute, value in attributes.items():
        setattr(error, attribute, value)
    return error


def _client_error(code, status):
    answer = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {}}
    if status:
        answer["ResponseMetadata"]["HTTPStatusCode"] = status
    return _like("ClientError", response=answer)


def _requests_error(status):
    answer = _Answer()
    answer.status_code = status
    return _like("HTTPError", response=answer)


@pytest.mark.parametrize(
    ("error", "expected", "again"),
    [
        (_client_error("ExpiredToken", 400), AccessDeniedError, False),
        (_client_error("400", 400), AccessDeniedError, False),
        (_client_error("NoSuchKey", None), GranuleNotFoundError, False),
        (_client_error("SlowDown", 503), TransferError, True),
        (_client_error("InvalidRange", 416), TransferError, False),
        (_client_error("PermanentRedirect", 301), TransferError, False),
        (_requests_error(401), AccessDeniedError, False),
        (_requests_error(410), GranuleNotFoundError, False),
        (_requests_error(429), TransferError, True),
        (_requests_error(501), TransferError, False),
        (_like("ClientResponseError", status=502), TransferError, True),
        (_like("NoCredentialsError"), AccessDeniedError, False),
        (_like("FSTimeoutError"), TransferTimeoutError, True),
        (_like("ClientSSLError", _like("ClientConnectionError").__class__), TransferError, False),
        (ConnectionResetError(104, "reset"), TransferError, True),
        (IsADirectoryError(21, "x"), ValueError, False),
        (OSError(5, "Input/output error"), TransferError, False),
        (RuntimeError("odd"), TransferError, False),
        (CorruptGranuleError("ours"), CorruptGranuleError, False),
    ],
)
def test_errors_are_translated(error, expected, again):
    made = translate_error(error, "s3://b/x.h5")
    assert isinstance(made, ICESat2Error)
    assert isinstance(made, expected)
    assert is_retryable(error) is again
    assert str(made) == "ours" or "s3://b/x.h5" in str(made)


def test_translation_inspects_causes():
    outer = FileNotFoundError("https://host/x.h5")
    outer.__cause__ = ConnectionRefusedError(111, "refused")
    assert not isinstance(translate_error(outer, "x"), FileNotFoundError)
    assert is_retryable(outer)
    outer.__cause__ = AccessDeniedError("log in")
    assert translate_error(outer, "x") is outer.__cause__
    assert safe_cause(outer) is None
    ring = ValueError("a")
    ring.__cause__ = ring
    assert isinstance(translate_error(ring, "x"), TransferError)
