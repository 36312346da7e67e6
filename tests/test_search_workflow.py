"""Search results open, download and print."""

import json
import warnings

import earthaccess
import h5py
import numpy as np
import pytest
import xarray as xr

import xr_icesat2
from tests.earthdata.names import CDN_HOST, S3_HOST
from xr_icesat2.bytesource import open_source
from xr_icesat2.cli.main import main
from xr_icesat2.earthdata.result_url import result_url
from xr_icesat2.errors import AccessDeniedError, CorruptGranuleError, GranuleNotFoundError
from xr_icesat2.testing import write_granule

NAMES = [
    "ATL06_20191106230008_06270503_006_01.h5",
    "ATL06_20200205184001_06270603_006_01.h5",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two cycles of one track."""
    folder = tmp_path_factory.mktemp("granules")
    return [
        write_granule(folder / name, rgt=627, cycle_number=cycle, n_segments=rows, chunk_rows=10)
        for name, cycle, rows in zip(NAMES, (5, 6), (30, 40), strict=True)
    ]


@pytest.fixture
def archive(logged_in, files):
    for path in files:
        logged_in.put(path.name, path.read_bytes())
    return logged_in


@pytest.fixture(params=["direct", "external"])
def method(request):
    return request.param


def heights(path, gt):
    with h5py.File(path) as file:
        stored = file[f"{gt}/land_ice_segments/h_li"]
        values = stored[:].astype(float)
        values[stored[:] == stored.attrs["_FillValue"]] = np.nan
        return values


def check(dataset, files):
    """Compare heights with those that h5py reads."""
    dataset = dataset.load()
    assert list(dataset.source_file.values) == [path.name for path in files]
    for number, path in enumerate(files):
        for spot in dataset.spot.values:
            one = dataset.isel(gran_idx=number).sel(spot=spot)
            expected = heights(path, one.gt.item())
            assert np.array_equal(one.h_li.values[: expected.size], expected, equal_nan=True)
            assert np.isnan(one.h_li.values[expected.size :]).all()


@pytest.mark.filterwarnings("ignore:As of version 1.0:FutureWarning")  # earthaccess about itself
@pytest.mark.parametrize(
    ("method", "by"),
    [("direct", "xr_icesat2"), ("external", "xr_icesat2"), ("auto", "earthaccess")],
)
def test_search_results_open(archive, files, method, by):
    if by == "xr_icesat2":
        found = xr_icesat2.search("ATL06", rgt=627, granule_region=3)
    else:
        found = earthaccess.search_data(short_name="ATL06", version="006")
    assert len(found) == 2
    options = {
        "engine": "icesat2", "variables": "h_li", "spots": [1, 6],
        "storage_options": {"access": method},
    }  # fmt: skip
    with xr.open_dataset(found, **options) as merged:
        check(merged, files)
    with xr.open_mfdataset(found, join="outer", **options) as combined:
        check(combined, files)
    with xr.open_dataset(found[1], **options) as one:
        check(one, files[1:])
    hosts = {request.path.partition("/")[0] for request in archive.script.log}
    assert (S3_HOST in hosts, CDN_HOST in hosts) == (method == "direct", method != "direct")


def test_search_results_open_in_parallel(archive, files):
    found = xr_icesat2.search("ATL06", rgt=627)
    options = {"engine": "icesat2", "variables": "h_li", "spots": [1, 6]}
    with xr.open_mfdataset(found, join="outer", parallel=True, **options) as combined:
        check(combined, files)
    with xr.open_datatree(found[:1], engine="icesat2", variables="h_li") as tree:
        check(tree["land_ice_segments"].to_dataset(), files[:1])


def test_empty_search_result_does_not_open(archive):
    with pytest.raises(GranuleNotFoundError, match="list of granules is empty"):
        xr.open_dataset(xr_icesat2.search("ATL06", rgt=1), engine="icesat2")


@pytest.mark.filterwarnings("ignore:As of version 1.0:FutureWarning")
def test_search_results_are_downloaded_and_checked(archive, files, method, tmp_path):
    access = {"access": method}
    found = xr_icesat2.search("ATL06", rgt=627)
    others = earthaccess.search_data(short_name="ATL06")
    for folder, given in (
        ("ours", found),
        ("theirs", others),
        ("urls", found.urls),
        ("names", [f"icesat2://{name}" for name in NAMES]),
    ):
        paths = xr_icesat2.download(given, tmp_path / folder, storage_options=access)
        assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in files]
    for record in archive.records:
        (file,) = record["umm"]["DataGranule"]["ArchiveAndDistributionInformation"]
        file["Checksum"]["Value"] = "0" * 32
    for given in (xr_icesat2.search("ATL06", rgt=627)[0], f"icesat2://{NAMES[0]}"):
        with pytest.raises(CorruptGranuleError, match="MD5"):
            xr_icesat2.download(given, tmp_path / "wrong", storage_options=access)
        assert list((tmp_path / "wrong").iterdir()) == []


def test_removed_granule_is_not_found(archive, tmp_path):
    with pytest.raises(GranuleNotFoundError, match="ATL06_20191106230008_06270503_006_01"):
        xr_icesat2.download("icesat2://ATL06_20191106230008_06270503_006_09.h5", tmp_path)


def test_search_works_without_login_and_reading_does_not(earthdata, tmp_path):
    earthdata.put(NAMES[0], b"some bytes")
    found = xr_icesat2.search("ATL06", count=1)  # needs none
    with pytest.raises(AccessDeniedError, match="login"):
        xr_icesat2.download(found, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_search_results_have_urls():
    """A granule of another archive keeps its link; one of NSIDC's is read by ``icesat2://``."""
    links = {
        "https://data.nsidc.earthdatacloud.nasa.gov/nsidc-cumulus-prod-protected/ATLAS/ATL11/x.h5":
            "icesat2://ATL11/x.h5",
        "https://n5eil01u.ecs.nsidc.org/DP7/ATLAS/ATL06.005/x.h5":
            "https://n5eil01u.ecs.nsidc.org/DP7/ATLAS/ATL06.005/x.h5",
    }  # fmt: skip
    for link, expected in links.items():
        umm = {"RelatedUrls": [{"Type": "GET DATA", "URL": link}]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of the newest earthaccess
            granule = earthaccess.DataGranule({"umm": umm, "meta": {}})
        assert open_source(result_url(granule)).url == expected


def test_command_searches_and_reads(archive, files, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["ls", "ATL06/006/2019/11/06"]) == 0
    size = files[0].stat().st_size
    size_shown, name = capsys.readouterr().out.rsplit(maxsplit=1)
    assert name == f"ATL06/006/2019/11/06/{NAMES[0]}"
    assert size_shown.split() == [f"{size / 1e6:.3g}", "MB"]
    assert main(["ls", "--json", "icesat2://ATL06"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "ATL06/006", "size": 0, "type": "directory"}
    ]
    assert main(["info", NAMES[0], "--json"]) == 0
    of_archive = json.loads(capsys.readouterr().out)
    assert of_archive.pop("granule") == f"icesat2://{NAMES[0]}"
    assert main(["get", *NAMES, "--quiet"]) == 0
    assert capsys.readouterr().out.split() == NAMES
    assert [(tmp_path / name).read_bytes() for name in NAMES] == [f.read_bytes() for f in files]
    assert main(["info", NAMES[0], "--json"]) == 0  # now it is here
    of_file = json.loads(capsys.readouterr().out)
    assert of_file.pop("granule") == NAMES[0]
    assert of_file == of_archive
    assert main(["ls", "ATL06/006/1999"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
