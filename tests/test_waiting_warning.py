"""A warning names the server that does not respond."""

import itertools
import logging
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.earthdata.names import CMR_HOST, DATA_HOST, LOGIN_HOST, S3_HOST
from xr_icesat2.bytesource import open_source
from xr_icesat2.errors import TransferTimeoutError

NAME = "ATL06_20191106230008_06270503_007_01.h5"
REPEAT = "ATL11_000101_0318_007_01.h5"
DATA = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def _impatient(monkeypatch, caplog):
    monkeypatch.setenv("XR_ICESAT2_WARN_AFTER", "0.3")
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "1.8")
    caplog.set_level(logging.WARNING)


@pytest.fixture
def silent():
    """Address of a server that accepts connections and never answers."""
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def accept():
            while not stop.is_set():
                try:
                    accepted.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield "{}:{}".format(*server.getsockname())
        stop.set()
        thread.join()
        for connection in accepted:
            connection.close()


def warnings(caplog):
    return [each for each in caplog.messages if each.startswith("waiting for ")]


@pytest.mark.parametrize("protocol", ["http", "s3"])
def test_silent_server_is_named_in_a_warning(silent, caplog, protocol):
    options = {}
    url = f"http://{silent}/{NAME}"
    if protocol == "s3":
        url, options = f"s3://bucket/{NAME}", {"anon": True, "endpoint_url": f"http://{silent}"}
    began = time.time()
    with pytest.raises(TransferTimeoutError):
        open_source(url, options).file_version()
    first, *_ = warnings(caplog)  # after 0.3 s, 0.6 s …, as long as the machine is idle enough
    assert first.startswith(f"waiting for {silent} for ")
    assert NAME in first
    assert "given up after 2 s" in first
    assert len(warnings(caplog)) <= 3
    at = [each.created - began for each in caplog.records if "waiting for" in each.getMessage()]
    assert at[0] > 0.3
    assert all(later - earlier > 0.2 for earlier, later in itertools.pairwise(at))


@pytest.mark.parametrize(
    ("where", "access", "host"),
    [
        (NAME, "external", DATA_HOST),
        (NAME, "direct", S3_HOST),
        ("s3credentials", "direct", "the archive's S3 keys"),
        ("granules.umm_json", "external", CMR_HOST),
    ],
)
def test_hosts_of_the_archive_are_named(logged_in, caplog, where, access, host):
    for name in (NAME, REPEAT):
        logged_in.put(name, DATA, key=None if name == NAME else name)
    logged_in.script.fail(where, "hang")
    name = REPEAT if where == "granules.umm_json" else NAME
    if (where, access) == (NAME, "direct"):
        open_source(
            f"icesat2://{REPEAT}", {"access": "direct"}
        ).file_version()  # the keys are there
    with pytest.raises(TransferTimeoutError):
        open_source(f"icesat2://{name}", {"access": access}).file_version()
    assert warnings(caplog)[0].startswith(f"waiting for {host} for ")
    assert name in warnings(caplog)[0]


def test_hanging_login_is_named(earthdata, caplog, monkeypatch):
    earthdata.put(NAME, DATA)
    monkeypatch.setenv("EARTHDATA_USERNAME", earthdata.user)
    monkeypatch.setenv("EARTHDATA_PASSWORD", earthdata.password)
    earthdata.script.fail("token", "hang")
    earthdata.script.fail("find_or_create_token", "hang")
    with pytest.raises(TransferTimeoutError):
        open_source(f"icesat2://{NAME}", {"access": "external"}).file_version()
    assert any(each.path.startswith(LOGIN_HOST) for each in earthdata.script.log)
    assert warnings(caplog)[0].startswith("waiting for Earthdata Login for ")


def test_many_requests_give_one_warning(http_server, caplog):
    url = http_server.put("x.h5", DATA)
    http_server.script.fail("x.h5", "hang")
    with pytest.raises(TransferTimeoutError):
        open_source(url).read([(at, 4) for at in range(0, 4000, 100)])
    host = urlsplit(url).netloc
    assert all(each.startswith(f"waiting for {host} for ") for each in warnings(caplog))
    assert 1 <= len(warnings(caplog)) <= 3


def test_responding_server_gives_no_warning(http_server, s3_server, caplog, monkeypatch):
    """One that is slow altogether, but never silent for long."""
    monkeypatch.setenv("XR_ICESAT2_WARN_AFTER", "1.2")
    for server in (http_server, s3_server):
        source = open_source(server.put("x.h5", DATA), getattr(server, "storage_options", None))
        source.file_version()  # which loads libraries and makes connections
        caplog.clear()
        server.script.fail("x.h5", "slow")
        for at in range(8):
            assert source.read([(at, 4), (at + 100, 4)]) == [
                DATA[at : at + 4],
                DATA[at + 100 :][:4],
            ]
    assert warnings(caplog) == []
