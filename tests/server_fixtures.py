"""Loopback servers as fixtures: ``http_server`` and ``s3_server``."""

from itertools import count

import pytest

from benchmarks.server import link_to
from tests.http_server import BlobServer
from tests.s3_server import S3Server

_buckets = count(1)


@pytest.fixture
def http_server():
    """A :class:`~tests.http_server.BlobServer`: ``put(name, data)`` gives a URL.

    ``script.fail(name, what, times)`` orders faults, ``script.log`` has the
    requests.
    """
    with BlobServer() as server:
        yield server


@pytest.fixture(scope="session")
def s3_service(tmp_path_factory):
    """Keep one S3 server for all tests of a process: starting it takes a second."""
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3_server(s3_service):
    """A :class:`~tests.s3_server.S3Server` with an empty bucket.

    ``put(name, data)`` or a file written into ``bucket_dir`` is an object,
    ``url(name)`` its URL; open it with ``storage_options``. ``script.fail``
    orders faults, ``log`` has the requests.
    """
    s3_service.use_bucket(f"bucket-{next(_buckets)}")
    yield s3_service
    s3_service.script.released.set()  # requests that were ordered to hang
    s3_service.script.clear()
    s3_service.script.released.clear()


@pytest.fixture
def as_from_afar(monkeypatch):
    """Read from loopback as if it were 60 ms away, and as if it were a large granule.

    What is read then depends on no clock, and small files are not read whole.
    """
    monkeypatch.setenv("XR_ICESAT2_LINK_LATENCY", "0.06")
    monkeypatch.setenv("XR_ICESAT2_LINK_BANDWIDTH", "200e6")
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")


@pytest.fixture
def link(s3_server, monkeypatch):
    """The near end of a link to the server."""
    host, _, port = s3_server.endpoint.removeprefix("http://").partition(":")
    with link_to((host, int(port))) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        yield endpoint
