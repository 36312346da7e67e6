"""Parts of earthdata without servers: archive paths, renewal of credentials."""

import asyncio
import os
import threading
import time
from types import SimpleNamespace
from typing import ClassVar

import pytest
import requests.utils

from xr_icesat2.earthdata.archive_paths import is_granule, path_of_url, place_of_path, plain_path
from xr_icesat2.earthdata.aws_region import REGION, MachineRegion
from xr_icesat2.earthdata.credential_refresh import ExpiringValue, RefreshedValue
from xr_icesat2.earthdata.http_session import proxy_for
from xr_icesat2.earthdata.result_url import result_url
from xr_icesat2.errors import GranuleNotFoundError

NAME = "ATL06_20191106230008_06270503_007_01.h5"
S3 = "s3://nsidc-cumulus-prod-protected/ATLAS/"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (NAME, f"ATL06/007/2019/11/06/{NAME}"),
        (f"icesat2://{NAME}", f"ATL06/007/2019/11/06/{NAME}"),
        (f"icesat2://ATL06/006/{NAME}", f"ATL06/006/{NAME}"),
        ("icesat2://ATL06/007/2019/", "ATL06/007/2019"),
        ("icesat2://", ""),
        (
            "ATL07-02_20191106223518_06270501_006_01.h5",
            "ATL07/006/2019/11/06/ATL07-02_20191106223518_06270501_006_01.h5",
        ),
        ("ATL11_000101_0318_007_01.h5", "ATL11_000101_0318_007_01.h5"),
        ("ATL13_20191106223518_06270501_006_01.h5", "ATL13_20191106223518_06270501_006_01.h5"),
    ],
)
def test_granule_names_map_to_archive_paths(given, path):
    assert plain_path(given) == path
    assert plain_path(path) == path
    place = place_of_path(path)
    assert (place is not None) == ("/" in path)
    if place is not None:
        assert path_of_url(place.s3_url) == path_of_url(place.https_url) == path


def test_names_outside_the_archive_have_no_path():
    assert path_of_url("https://n5eil01u.ecs.nsidc.org/DP7/ATLAS/ATL06.005/x.h5") is None
    assert path_of_url(None) is None


@pytest.mark.parametrize("path", ["", "ATL06", "ATL06/007/2019", "x.h5", NAME.removesuffix(".h5")])
def test_other_names_are_not_granules(path):
    assert not is_granule(path)


class _Source:
    """Gives numbers, slowly, and counts."""

    def __init__(self, seconds=1000.0, errors=()):
        self.count, self.seconds, self.errors = 0, seconds, list(errors)

    def __call__(self):
        self.count += 1
        value = f"value {self.count}"
        time.sleep(0.02)
        if self.errors:
            raise self.errors.pop(0)
        return ExpiringValue(value, self.seconds)


class TestRenewed:
    def test_concurrent_callers_share_one_renewal(self):
        """Many tasks on several event loops, each in a thread."""
        source = _Source()
        renewed = RefreshedValue(source)
        got = []

        async def many():
            got.extend(await asyncio.gather(*(renewed.get() for _ in range(20))))

        threads = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == ["value 1"] * 80

    def test_credentials_are_renewed_before_they_expire(self):
        renewed = RefreshedValue(_Source(seconds=0.2))
        assert [renewed.wait(1), renewed.wait(1)] == ["value 1", "value 1"]
        time.sleep(0.2)
        assert renewed.wait(1) == "value 2"

    def test_refused_credentials_are_renewed(self):
        renewed = RefreshedValue(_Source())
        first = renewed.wait(1)
        renewed.refuse(first)
        assert renewed.wait(1) == "value 2"
        renewed.refuse(first)  # by a late caller
        assert renewed.wait(1) == "value 2"

    def test_renewal_error_reaches_all_waiting_callers(self):
        renewed = RefreshedValue(_Source(errors=[OSError("no network")]))

        async def many():
            return await asyncio.gather(*(renewed.get() for _ in range(5)), return_exceptions=True)

        assert [str(error) for error in asyncio.run(many())] == ["no network"] * 5
        assert renewed.wait(1) == "value 2"

    def test_cancelled_caller_does_not_cancel_the_renewal(self):
        renewed = RefreshedValue(_Source())

        async def impatient():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(renewed.get(), 0.001)
            return await renewed.get()

        assert asyncio.run(impatient()) == "value 1"

    def test_repr_shows_no_secret(self):
        renewed = RefreshedValue(_Source())
        renewed.wait(1)
        assert "value" not in f"{renewed!r} {vars(renewed)!r} {ExpiringValue('value', 1)!r}"


@pytest.mark.parametrize("url", ["https://data.example.org/x.h5", "http://127.0.0.1:9000/b/x.h5"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"HTTPS_PROXY": "http://proxy:3128"},
        {"HTTP_PROXY": "http://proxy:3128"},
        {"https_proxy": "10.0.0.1:3128", "ALL_PROXY": "http://other:1"},
        {"ALL_PROXY": "http://me:word@proxy:3128"},
        {"ALL_PROXY": "http://proxy:3128", "NO_PROXY": "example.org,127.0.0.1"},
        {"HTTPS_PROXY": ""},
    ],
)
def test_proxies_equal_those_of_requests(url, given, monkeypatch):
    """By which earthaccess logs in."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    theirs = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if theirs:
        theirs = requests.utils.prepend_scheme_if_needed(theirs, "http")
    assert proxy_for(url) == theirs


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_child_forked_during_the_region_request_asks_again():
    asking, answered = threading.Event(), threading.Event()
    parent = os.getpid()

    def region_of():
        if os.getpid() == parent:
            asking.set()
            answered.wait(20)
        return REGION

    region = MachineRegion(region_of)
    thread = threading.Thread(target=region.is_readable)
    thread.start()
    asking.wait(20)
    child = os.fork()
    if child == 0:
        asked = threading.Thread(target=region.is_readable, daemon=True)
        asked.start()
        asked.join(10)
        os._exit(int(asked.is_alive()))
    answered.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestGranulesOfEarthaccess:
    links: ClassVar = {
        None: ["https://host/x.h5"],
        "external": ["https://host/x.xml", "https://host/x.h5"],
        "direct": ["s3://bucket/x.h5"],
    }

    def granule(self, **links):
        answers = {**self.links, **links}
        return SimpleNamespace(data_links=lambda access=None: answers[access])

    def test_earthaccess_result_is_read_over_https(self):
        assert result_url(self.granule()) == "https://host/x.h5"

    def test_earthaccess_result_is_read_from_s3_with_s3_options(self):
        assert result_url(self.granule(), {"key": "k"}) == "s3://bucket/x.h5"

    def test_earthaccess_result_on_premises_is_read(self):
        assert result_url(self.granule(direct=[]), {"token": "t"}) == "https://host/x.h5"

    def test_earthaccess_result_without_data_is_an_error(self):
        with pytest.raises(GranuleNotFoundError, match="no link to an HDF5 file"):
            result_url(self.granule(external=["https://host/x.png"]))
