"""The stand-in as fixtures: ``earthdata``, and ``logged_in`` for a client that may read."""

import socket

import pytest

from tests.earthdata.names import AUTHORITY_VARIABLES
from tests.earthdata.standin import Earthdata, close_web_sessions
from xr_icesat2.earthdata.access import s3_refusal
from xr_icesat2.earthdata.aws_region import machine_region
from xr_icesat2.earthdata.credentials import credentials

_VARIABLES = (
    *("EARTHDATA_TOKEN", "EARTHDATA_USERNAME", "EARTHDATA_PASSWORD", "AWS_REGION"),
    *("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "XR_ICESAT2_ACCESS"),
)


def forget_everything():
    """Make this process forget what it has learnt of logins, keys and refusals."""
    credentials.reset()
    s3_refusal.reset()
    machine_region.reset()


@pytest.fixture(scope="session")
def earthdata_service(tmp_path_factory):
    """Keep one stand-in for all tests of a process."""
    with Earthdata(tmp_path_factory.mktemp("earthdata")) as service:
        yield service


@pytest.fixture
def earthdata(earthdata_service, monkeypatch, tmp_path):
    """An empty :class:`~tests.earthdata.standin.Earthdata` under NASA's names; nobody logged in.

    ``put(name, data)`` archives a granule, ``script`` orders faults and logs
    requests, ``keys`` says who may read.
    """
    import earthaccess  # noqa: PLC0415 - slow to import: only where it is used

    service = earthdata_service
    service.reset()
    monkeypatch.setattr(socket, "getaddrinfo", service.names())
    for name in AUTHORITY_VARIABLES:
        monkeypatch.setenv(name, service.authority)
    for name, value in service.proxy.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(earthaccess, "_auth", earthaccess.Auth())
    forget_everything()
    yield service
    service.script.released.set()
    close_web_sessions()


@pytest.fixture
def logged_in(earthdata, monkeypatch):
    """The stand-in, and a token for it in the environment."""
    monkeypatch.setenv("EARTHDATA_TOKEN", earthdata.keys.new_token())
    return earthdata
