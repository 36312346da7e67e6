"""earthaccess can log in to the Earthdata stand-in, search it and read from it."""

import earthaccess
import pytest
import requests
from earthaccess.exceptions import LoginAttemptFailure

from tests.earthdata.names import CDN_HOST
from xr_icesat2.earthdata import cmr as catalog
from xr_icesat2.errors import SelectionError, TransferError

NAME = "ATL06_20191106230008_06270503_007_01.h5"
DATA = bytes(range(256)) * 40


def test_earthaccess_logs_in_with_a_password(earthdata, monkeypatch):
    monkeypatch.setenv("EARTHDATA_USERNAME", earthdata.user)
    monkeypatch.setenv("EARTHDATA_PASSWORD", "wrong")
    with pytest.raises(LoginAttemptFailure):
        earthaccess.login(strategy="environment")
    monkeypatch.setenv("EARTHDATA_PASSWORD", earthdata.password)
    assert earthaccess.login(strategy="environment").token["access_token"] in earthdata.keys.tokens


@pytest.mark.filterwarnings("ignore:As of version 1.0:FutureWarning")  # earthaccess about itself
def test_earthaccess_searches_and_reads(logged_in):
    logged_in.put(NAME, DATA)
    (found,) = earthaccess.search_data(short_name="ATL06", version="007")
    assert catalog.parse_granule(found).name == NAME
    with earthaccess.login(strategy="environment").get_session() as session:
        link = found.data_links(access="external")[0]
        answer = session.get(link, timeout=10)
        assert answer.url.startswith(f"https://{CDN_HOST}/")
        assert answer.content == DATA
        assert logged_in.leaks == []
    with pytest.raises(requests.ConnectionError):
        requests.get("https://example.org", timeout=10)


def test_catalog_is_paged(earthdata):
    names = [f"ATL06_201911{day:02d}230008_06270503_007_01.h5" for day in range(1, 8)]
    for name in names:
        earthdata.put(name, name.encode())
    query = catalog.name_query("ATL06", "007", "ATL06_201911*")
    for page in (1, 3, 7, 8):
        earthdata.page_size = page
        found = catalog.find_granules(query)
        assert [granule.name for granule in found] == names
    assert [granule.name for granule in catalog.find_granules(query, count=4)] == names[:4]
    assert found[0].size == len(names[0])
    assert found[0].checksum.algorithm == "MD5"
    assert found[0].s3_url.endswith(f"/ATLAS/ATL06/007/2019/11/01/{names[0]}")
    assert catalog.find_granules(catalog.name_query("ATL06", "007", "ATL06_2020*")) == []


def test_rejected_query_is_an_error(earthdata):
    with pytest.raises(SelectionError, match=r"colour.*not recognized.*The query was colour=red"):
        catalog.find_granules([("colour", "red")])


def test_failing_catalog_is_an_error(earthdata, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.01")
    query = catalog.name_query("ATL06", "007", "*")
    earthdata.script.fail("granules.umm_json", 503, times=2)
    assert catalog.find_granules(query) == []
    for fault in (503, "reset", "html", "truncate"):
        earthdata.script.heal()
        earthdata.script.fail("granules.umm_json", fault)
        with pytest.raises(TransferError, match=r"JSON|catalog"):
            catalog.find_granules(query)
