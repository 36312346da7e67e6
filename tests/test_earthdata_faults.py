"""Faults of Earthdata give the right bytes or a clear error within the time limit."""

import random
import time

import pytest

from tests.earthdata.fixtures import forget_everything
from tests.earthdata.names import BUCKET, HOSTS, S3_HOST
from xr_icesat2.bytesource import open_source
from xr_icesat2.bytesource import request_limits as limits
from xr_icesat2.earthdata.archive_paths import place_of_path, plain_path
from xr_icesat2.errors import AccessDeniedError, ICESat2Error, TransferError, TransferTimeoutError

NAME = "ATL06_20191106230008_06270503_007_01.h5"
REPEAT = "ATL11_000101_0318_007_01.h5"
DATA = bytes(range(256)) * 40
RANGES = [(0, 8), (9_000, 1_000), (5_000, 16)]
PIECES = [DATA[offset : offset + length] for offset, length in RANGES]
LIMIT = 3.0
# A busy machine is late.
LATE = 3.0
KEYS, CATALOG = "s3credentials", "granules.umm_json"
PASSING = [429, 500, 503, "slow", "truncate", "short", "reset", "expire"]
LASTING = [401, 403, 404, "html", "loop"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", str(LIMIT))
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.005")


@pytest.fixture
def service(logged_in):
    logged_in.put(NAME, DATA)
    logged_in.put(REPEAT, DATA, key=f"ATL11/007/{REPEAT}")
    logged_in.retry_after = 0
    return logged_in


@pytest.fixture(params=["direct", "external"])
def method(request):
    return request.param


def read(name, method):
    """Return the result of a read, and how long it takes."""
    begun = time.monotonic()
    try:
        got = open_source(f"icesat2://{name}", {"access": method}).read(RANGES)
    except ICESat2Error as error:
        got = error
    return got, time.monotonic() - begun


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("where", [NAME, KEYS])
def test_transient_faults_are_retried(service, method, fault, where):
    service.script.fail(where, fault, times=2 if fault != "expire" else 1)
    got, seconds = read(NAME, method)
    assert got == PIECES
    assert seconds < LIMIT + LATE


@pytest.mark.parametrize("fault", sorted({*PASSING, *LASTING} - {"slow", "expire"}, key=str))
def test_persistent_faults_are_errors(service, method, fault):
    service.script.fail(NAME, fault)
    got, seconds = read(NAME, method)
    assert isinstance(got, ICESat2Error)
    assert NAME in str(got) or "new one at https://urs" in str(got)
    assert seconds < LIMIT + LATE
    # Three ranges, five attempts, two hosts over HTTPS, a renewal, and a look for its size.
    assert len(service.script.log) <= 3 * limits.ATTEMPTS * 4


@pytest.mark.parametrize("fault", [429, 500, 503, "truncate", "reset", "html", 401, 403])
def test_unavailable_keys_are_an_error(service, fault):
    service.script.fail(KEYS, fault)
    got, seconds = read(NAME, "direct")
    assert isinstance(got, AccessDeniedError | TransferError)
    assert seconds < LIMIT + LATE
    assert len(service.script.log) <= 3 * limits.ATTEMPTS


@pytest.mark.parametrize("fault", [500, "reset", "truncate", "html"])
def test_unavailable_location_is_an_error(service, method, fault):
    service.script.fail(CATALOG, fault)
    got, seconds = read(REPEAT, method)
    assert isinstance(got, TransferError)
    assert seconds < LIMIT + LATE


@pytest.mark.parametrize("where", [NAME, KEYS, CATALOG])
def test_silent_server_is_a_timeout(service, monkeypatch, where):
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "1")
    service.script.fail(where, "hang")
    got, seconds = read(REPEAT if where == CATALOG else NAME, "direct")
    assert isinstance(got, TransferTimeoutError)
    assert seconds < 1 + LATE


def test_retry_after_is_respected(service):
    service.retry_after = 1
    service.script.fail(NAME, 429, times=1)
    got, seconds = read(NAME, "external")
    assert got == PIECES
    assert seconds >= 1


def test_expired_redirect_is_renewed(service):
    """The archive's redirect was good for a while: each attempt asks for a new one."""
    service.signed_lifetime = -1.0
    got, _ = read(NAME, "external")
    assert isinstance(got, AccessDeniedError)
    service.signed_lifetime = 60.0
    assert read(NAME, "external")[0] == PIECES


def mixture(seed):
    """Some faults in some places, some of them for good."""
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 4)):
        where = dice.choice([NAME, NAME, KEYS, CATALOG])
        lasts = dice.random() < 0.2
        what = dice.choice(PASSING + LASTING if lasts else PASSING)
        yield where, what, None if lasts else dice.randint(1, 3)


@pytest.mark.parametrize("batch", range(10))
def test_mixed_faults_give_right_bytes_or_an_error(service, batch):
    """Two hundred of them, in batches: each reads the right bytes or says what is wrong."""
    right = 0
    for seed in range(20 * batch, 20 * batch + 20):
        forget_everything()
        service.script.heal()
        service.script.log.clear()
        for where, what, times in mixture(seed):
            service.script.fail(where, what, times)
        got, seconds = read(NAME if seed % 2 else REPEAT, "direct" if seed % 4 < 2 else "external")
        assert got == PIECES or isinstance(got, ICESat2Error), seed
        assert seconds < LIMIT + LATE, seed
        assert len(service.script.log) <= 100, seed
        right += got == PIECES
    assert right >= 5
    assert service.leaks == []


def _put_at_endpoint(server, name):
    path = f"{BUCKET}/{place_of_path(plain_path(name)).s3_url.partition(BUCKET + '/')[2]}"
    return server.put(path, DATA).removesuffix(f"/{path}")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_other_endpoint_bypasses_the_proxy(service, http_server, monkeypatch, variable):
    monkeypatch.setenv(variable, _put_at_endpoint(http_server, NAME) + "/")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    got, _ = read(NAME, "direct")  # NO_PROXY names 127.0.0.1
    assert got == PIECES
    assert all(b"x-amz-security-token" in headers for _, headers in http_server.script.heads)
    forget_everything()
    monkeypatch.setenv("NO_PROXY", ",".join(set(HOSTS) - {S3_HOST}))
    got, _ = read(NAME, "direct")
    assert isinstance(got, TransferError)


def test_s3_environment_variables_of_other_tools_are_ignored(service, monkeypatch):
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REQUEST_PAYER"):
        monkeypatch.setenv(f"AWS_{name}", "another")
    for name in ("SKIP_SIGNATURE", "S3_EXPRESS", "UNSIGNED_PAYLOAD"):
        monkeypatch.setenv(f"AWS_{name}", "true")
    for name in ("ENDPOINT", "PROXY_URL"):
        monkeypatch.setenv(f"AWS_{name}", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert read(NAME, "direct")[0] == PIECES
    asked = [each for each in service.script.log if each.path.startswith(S3_HOST)]
    assert len(asked) == len(RANGES)


def test_environment_variable_of_obstore_disables_direct_access(service, monkeypatch, caplog):
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "sse-c")
    assert read(NAME, "direct")[0] == PIECES
    assert not [each for each in service.script.log if each.path.startswith(S3_HOST)]
    assert "AWS_SERVER_SIDE_ENCRYPTION" in caplog.text


def test_empty_file_is_an_error(service, method):
    service.put(NAME, b"")
    source = open_source(f"icesat2://{NAME}", {"access": method})
    assert source.file_version().size == source.first_read(8, 8).file_version.size == 0


def test_environment_sets_the_s3_endpoint(service, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"https://{S3_HOST}")
    got, _ = read(NAME, "direct")
    # Path style: the stand-in has no such object, since the bucket is named twice.
    assert isinstance(got, ICESat2Error)
    assert any(f"{S3_HOST}/nsidc" in each.path for each in service.script.log)
