"""Requests, bytes and parsed headers of opening and reading."""

import pytest
import xarray as xr

from tests.counted_link import CountedLink
from tests.laziness import is_loaded
from xr_icesat2.bytesource import CountingSource, open_source
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.index_cache.codec import decode_index
from xr_icesat2.testing import write_granule

# Nodes outside the beams that tell which granule it is; no other is needed.
IDENTITY = {
    "/",
    "/orbit_info",
    *(f"/orbit_info/{name}" for name in ("rgt", "cycle_number", "sc_orient")),
    "/ancillary_data",
    *(f"/ancillary_data/{name}" for name in ("release", "version")),
    *(f"/ancillary_data/{end}_{what}" for end in ("start", "end") for what in ("rgt", "cycle")),
    *(f"/ancillary_data/{end}_region" for end in ("start", "end")),
    *(f"/ancillary_data/data_{end}_utc" for end in ("start", "end")),
}
RATE = "land_ice_segments"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("requests"), n_segments=1200)


def nbytes(log) -> int:
    ends = [request.range.removeprefix("bytes=").split("-") for request in log if request.range]
    return sum(int(last) + 1 - int(first) if first else int(last) for first, last in ends)


@pytest.fixture
def served(s3_server, path, as_from_afar):
    url = s3_server.put(path.name, path.read_bytes())
    s3_server.script.clear()
    with xr.open_dataset(url, engine="icesat2", storage_options=s3_server.storage_options) as ds:
        yield ds, s3_server


def test_opening_on_s3_takes_few_requests(served):
    _, server = served
    # Measured: at once the first MB in two and the end, which tell the version too.
    assert 0 < len(server.log) <= 5
    assert {request.method for request in server.log} == {"GET"}
    assert 0 < nbytes(server.log) <= 1_400_000
    assert all(r.range for r in server.log if r.method == "GET"), "a request for the whole file"


def test_reopening_requests_only_the_version(served, path):
    first, server = served
    server.script.clear()
    again = xr.open_dataset(
        server.url(path.name), engine="icesat2", storage_options=server.storage_options
    )
    assert [request.method for request in server.log] == ["HEAD"]
    xr.testing.assert_identical(first, again)


def test_reading_one_variable_takes_few_requests(served):
    ds, server = served
    server.script.clear()
    values = ds["h_li"].variable.load()
    assert values.count() > 1000
    # Measured: 13 requests (1 HEAD; for each beam a chunk table and a chunk), 130,848 bytes.
    assert 0 < len(server.log) <= 14
    assert sum(request.method == "HEAD" for request in server.log) == 1
    assert 0 < nbytes(server.log) <= 140_000


def test_many_variables_take_one_round_trip(path, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    source = CountedLink(path, RequestCost(latency=0.06, bandwidth=200e6))
    asked = ("h_li", "h_li_sigma", "latitude", "longitude", "delta_time")
    with xr.open_dataset(source, engine="icesat2") as ds:
        source.reset()
        ds.icesat2.load(*asked)
        # In this granule, the pages with the chunk tables also contain the chunks.
        assert source.bursts == 1
        assert all(is_loaded(ds[name]) for name in asked)


def test_small_granule_is_read_whole_on_a_fast_link(s3_server, path, as_from_afar, monkeypatch):
    monkeypatch.delenv("XR_ICESAT2_WHOLE_FILE_BYTES")
    url = s3_server.put(path.name, path.read_bytes())
    with xr.open_dataset(url, engine="icesat2", storage_options=s3_server.storage_options) as ds:
        s3_server.script.clear()
        ds.icesat2.load()
        assert [request.method for request in s3_server.log] == ["HEAD"]
        with xr.open_dataset(path, engine="icesat2") as local:
            xr.testing.assert_identical(ds, local.load())


@pytest.fixture
def parsed(path, tmp_path):
    """Open the granule, and return what was parsed of it, as the index cache has it."""

    def contents(load=(), **asked):
        cache = tmp_path / str(asked)
        with xr.open_dataset(path, engine="icesat2", index_cache=cache, **asked) as ds:
            for name in load:
                ds[name].variable.load()
        (entry,) = cache.glob("*.index")
        return decode_index(entry.read_bytes(), path.stat().st_size)

    return contents


def test_headers_of_other_groups_are_not_read(parsed):
    nodes = parsed().nodes
    in_beams = {p for p in nodes if p.startswith("/gt")}
    assert nodes.keys() - in_beams <= IDENTITY
    for beam in BEAMS:
        assert f"/{beam}/{RATE}/h_li" in in_beams
    others = {p for p in in_beams if p.split("/")[2:3] not in ([], [RATE])}
    assert not others


def test_reading_a_variable_reads_no_header(parsed):
    before, after = parsed(), parsed(load=["h_li"])
    assert after.nodes.keys() == before.nodes.keys()
    assert after.tables.keys() - before.tables.keys() == {f"/{beam}/{RATE}/h_li" for beam in BEAMS}


def test_fewer_variables_read_fewer_headers(path, parsed):
    everything, few = parsed().nodes.keys(), parsed(variables=["h_li"]).nodes.keys()
    # Measured: 84 of 438. They lie in the same pages, so that the ranges are the same.
    assert few < everything
    assert len(few) <= 90
    counts = []
    for asked in ({"variables": ["h_li"]}, {}):
        source = CountingSource(open_source(path))
        xr.open_dataset(source, engine="icesat2", **asked).close()
        counts.append((source.requests, source.nbytes))
    assert counts[0][0] <= counts[1][0] <= 46
    assert counts[0][1] <= counts[1][1] <= 950_000
