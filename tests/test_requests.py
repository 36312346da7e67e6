"""What opening and reading cost: requests, bytes, and which headers are read for them."""

import numpy as np
import pytest
import xarray as xr

from xr_icesat2.assembly.assemble import assemble_dataset
from xr_icesat2.assembly.request import make_request
from xr_icesat2.bytesource import CountingSource, open_source
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.bytesource.remote import RemoteSource
from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.granule.granule import Granule
from xr_icesat2.reading.lazy_array import GranuleArray
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
    return write_granule(tmp_path_factory.mktemp("requests"), n_segments=1000)


def array_of(ds: xr.Dataset, name: str) -> GranuleArray:
    """The array of ours below xarray's wrappers."""
    data = ds[name].variable._data
    while not isinstance(data, GranuleArray):
        data = data.array
    return data


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


def test_many_variables_take_as_few_round_trips_as_one(served):
    ds, _ = served
    (granule,) = array_of(ds, "h_li").granules
    source = CountingSource(granule.source)
    index = granule.index
    index._pages._source = source
    asked = ("h_li", "h_li_sigma", "latitude", "longitude", "delta_time")
    ds.icesat2.load(*asked)
    assert source.bursts == 1, "chunk tables of all variables at once"
    for name in asked:
        assert isinstance(ds[name].variable._data, np.ndarray)


def test_small_granule_is_read_whole_on_a_fast_link(s3_server, path, monkeypatch):
    monkeypatch.setattr(RemoteSource, "cost", RequestCost(latency=0.06, bandwidth=200e6))
    url = s3_server.put(path.name, path.read_bytes())
    with xr.open_dataset(url, engine="icesat2", storage_options=s3_server.storage_options) as ds:
        s3_server.script.clear()
        ds.icesat2.load()
        assert [request.method for request in s3_server.log] == ["HEAD"]
        with xr.open_dataset(path, engine="icesat2") as local:
            xr.testing.assert_identical(ds, local.load())


def test_headers_of_other_groups_are_not_read(served):
    ds, _ = served
    (granule,) = array_of(ds, "h_li").granules
    in_beams = {p for p in granule.index.nodes if p.startswith("/gt")}
    assert granule.index.nodes.keys() - in_beams <= IDENTITY
    for beam in BEAMS:
        assert f"/{beam}/{RATE}/h_li" in in_beams
    others = {p for p in in_beams if p.split("/")[2:3] not in ([], [RATE])}
    assert not others


def test_reading_a_variable_reads_no_header(served):
    ds, _ = served
    (granule,) = array_of(ds, "h_li").granules
    before = set(granule.index.nodes)
    tables = set(granule.index.tables)
    ds["h_li"].variable.load()
    assert set(granule.index.nodes) == before
    assert granule.index.tables.keys() - tables == {f"/{beam}/{RATE}/h_li" for beam in BEAMS}


def opened(path, **asked) -> tuple[set[str], CountingSource]:
    """Headers that are read to open a local granule, and the byte source that saw it."""
    source = CountingSource(open_source(path))
    granule = Granule(source, source.file_version())
    ds = assemble_dataset([granule], make_request(path, asked))
    assert "h_li" in ds
    nodes = set(granule.index.nodes)
    ds.close()
    return nodes, source


def test_fewer_variables_read_fewer_headers(path):
    everything, source_of_all = opened(path)
    few, source_of_few = opened(path, variables=("h_li",))
    # Measured: 84 of 438. They lie in the same pages, so that the ranges are the same.
    assert few < everything
    assert len(few) <= 90
    assert source_of_few.requests <= source_of_all.requests <= 46
    assert source_of_few.nbytes <= source_of_all.nbytes <= 950_000
