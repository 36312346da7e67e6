"""``icesat2://`` for users of fsspec and xarray, by S3 and by HTTPS."""

import asyncio
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import fsspec
import h5py
import numpy as np
import pytest
import xarray as xr

from tests.earthdata.names import CDN_HOST, DATA_HOST, S3_HOST
from xr_icesat2.bytesource import open_source
from xr_icesat2.errors import AccessDeniedError, GranuleNotFoundError, SelectionError
from xr_icesat2.testing import write_granule

NAME = "ATL06_20191106230008_06270503_007_01.h5"
PATH = f"ATL06/007/2019/11/06/{NAME}"
REPEAT = "ATL11_000101_0318_007_01.h5"
DATA = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def granule(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("granule"), n_segments=40, chunk_rows=10)


@pytest.fixture
def archive(logged_in, granule):
    """The stand-in with one true granule, under the name that it has."""
    logged_in.put(granule.name, granule.read_bytes())
    return logged_in


@pytest.fixture(params=["direct", "external"])
def method(request):
    return request.param


def test_open_dataset_works_by_s3_and_https(archive, granule, method):
    options = {"engine": "icesat2", "variables": "h_li", "storage_options": {"access": method}}
    with xr.open_dataset(f"icesat2://{granule.name}", **options) as found:
        read = found.load()
    with h5py.File(granule) as file:
        for spot in read.spot.values:
            one = read.sel(spot=spot).isel(gran_idx=0)
            stored = file[f"{one.gt.item()}/land_ice_segments/h_li"]
            values = stored[:].astype(float)
            values[stored[:] == stored.attrs["_FillValue"]] = np.nan
            assert np.array_equal(one.h_li.values[: values.size], values, equal_nan=True)
    assert read.source_file.item() == granule.name
    hosts = {request.path.partition("/")[0] for request in archive.script.log}
    assert (S3_HOST in hosts) == (method == "direct")
    assert (DATA_HOST in hosts, CDN_HOST in hosts) == (True, method == "external")
    assert archive.leaks == []


def test_open_mfdataset_works(archive, granule, method, tmp_path):
    later = write_granule(tmp_path, cycle_number=2, n_segments=30, chunk_rows=10)
    archive.put(later.name, later.read_bytes())
    options = {"engine": "icesat2", "variables": "h_li"}
    with xr.open_mfdataset([granule, later], join="outer", **options) as local:
        expected = local.h_li.compute()
    urls = [f"icesat2://{path.name}" for path in (granule, later)]
    options["storage_options"] = {"access": method}
    with xr.open_mfdataset(urls, join="outer", **options) as found:
        xr.testing.assert_equal(found.h_li.compute(), expected)


def test_other_fsspec_openers_work(archive, granule, method, tmp_path):
    """Through a cache, and an open file."""
    url, options = f"icesat2://{granule.name}", {"engine": "icesat2", "variables": "h_li"}
    chain = {"icesat2": {"access": method}, "simplecache": {"cache_storage": str(tmp_path)}}
    cached = xr.open_dataset(f"simplecache::{url}", storage_options=chain, **options)
    with fsspec.open(url, access=method) as file, cached:
        opened = xr.open_dataset(file, **options)
        xr.testing.assert_identical(cached.load(), opened.load())


def test_filesystem_works_in_a_user_event_loop(logged_in, method):
    logged_in.put(NAME, DATA)

    async def read():
        fs = fsspec.filesystem("icesat2", access=method, asynchronous=True)
        read = await asyncio.gather(fs._cat_file(NAME, 0, 4), fs._info(NAME))
        await (await fs.set_session()).close()
        await asyncio.sleep(0.1)  # for TLS to say goodbye
        return read

    for _ in range(2):
        data, info = asyncio.run(read())
        assert (data, info["size"]) == (DATA[:4], len(DATA))


def test_fsspec_operations_work(logged_in, method, tmp_path):
    logged_in.put(NAME, DATA)
    fs = fsspec.filesystem("icesat2", access=method)
    assert fs.info(NAME) == {
        "name": PATH,
        "size": len(DATA),
        "type": "file",
        "ETag": fs.info(PATH)["ETag"],
    }
    assert fs.exists(f"icesat2://{NAME}")
    assert not fs.exists(NAME.replace("_01.h5", "_02.h5"))
    assert fs.isfile(NAME)
    assert not fs.isdir(NAME)
    assert fs.cat_file(NAME) == DATA
    assert fs.cat_file(NAME, 5, 9) == DATA[5:9]
    assert fs.cat_file(NAME, -7) == DATA[-7:]
    assert fs.cat_file(NAME, 100, -7) == DATA[100:-7]
    assert fs.cat_file(NAME, len(DATA) - 3, len(DATA) + 50) == DATA[-3:]
    assert fs.cat_ranges([NAME, PATH], [0, 7], [4, 9]) == [DATA[:4], DATA[7:9]]
    with fs.open(NAME) as file:
        file.seek(1000)
        assert file.read(24) == DATA[1000:1024]
    fs.get(NAME, str(tmp_path / "copy.h5"))
    assert (tmp_path / "copy.h5").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["copy.h5"]
    for chain in ("simplecache", "filecache"):
        options = {chain: {"cache_storage": str(tmp_path / chain)}, "icesat2": {"access": method}}
        with fsspec.open(f"{chain}::icesat2://{NAME}", **options) as file:
            assert file.read() == DATA


def test_directories_are_listed(earthdata):
    for day in (5, 6, 7):
        earthdata.put(f"ATL06_201911{day:02d}230008_06270503_007_01.h5", bytes(day))
    earthdata.put("ATL06_20200101230008_06270503_007_01.h5", b"x")
    earthdata.put("ATL06_20191106230008_06270503_006_01.h5", b"x")
    earthdata.put(
        "ATL11_000101_0318_007_01.h5", b"repeat", key="ATL11/007/ATL11_000101_0318_007_01.h5"
    )
    fs = fsspec.filesystem("icesat2")
    assert {"ATL03", "ATL06", "ATL24"} <= set(fs.ls("", detail=False))
    assert fs.ls("ATL06", detail=False) == ["ATL06/006", "ATL06/007"]
    assert fs.ls("ATL06/007", detail=False)[:2] == ["ATL06/007/2018", "ATL06/007/2019"]
    assert fs.ls("ATL06/007/2018", detail=False)[0] == "ATL06/007/2018/10"
    assert len(fs.ls("icesat2://ATL06/007/2019/11")) == 30
    (entry,) = fs.ls("ATL06/007/2019/11/06")
    assert (entry["name"], entry["size"], entry["type"]) == (PATH, 6, "file")
    assert fs.ls("ATL06/007/2019/12/01") == []
    assert fs.ls("ATL11/007", detail=False) == [f"ATL11/007/{REPEAT}"]
    asked = len(earthdata.script.log)
    found = fs.find("ATL06/007")
    assert [path.split("/")[-2] for path in found] == ["05", "06", "07", "01"]
    assert len(earthdata.script.log) == asked + 1
    assert fs.glob("icesat2://ATL06/007/2019/11/0[67]/*.h5") == found[1:3]
    assert fs.glob("ATL06/*") == ["ATL06/006", "ATL06/007"]
    assert fs.glob("ATL06/007/2019/0*")[0] == "ATL06/007/2019/01"
    month = "ATL06/007/2019/11"
    assert fs.find(month, withdirs=True)[:2] == [month, f"{month}/05"]
    assert next(iter(fs.walk(month)))[0] == month
    assert len(fs.find("ATL06")) == 5
    with pytest.raises(SelectionError, match="whole archive"):
        fs.find("")
    assert fs.isdir("ATL06/007/2019/11/30")
    for missing in ("ATL06/007/2019/11/31", "ATL06/009", "ATL99", "ATL06/007/1999", "ATL11/007/x"):
        assert not fs.exists(missing)
        with pytest.raises(GranuleNotFoundError, match="There is no folder"):
            fs.ls(missing)
        assert fs.find(missing) == []


def test_granule_in_another_location_is_found(logged_in, method):
    """The folders do not follow from the name, or not from the rule: CMR is asked."""
    logged_in.put(REPEAT, DATA, key=f"ATL11/007/{REPEAT}")
    logged_in.put(NAME, DATA, key=f"ATL06/007/moved/{NAME}")
    fs = fsspec.filesystem("icesat2", access=method)
    for name in (REPEAT, NAME):
        logged_in.script.clear()
        source = open_source(f"icesat2://{name}", {"access": method})
        assert source.read([(i, 4) for i in range(10)]) == [DATA[i : i + 4] for i in range(10)]
        asked = [each for each in logged_in.script.log if "granules.umm_json" in each.path]
        assert len(asked) == 1
        assert fs.cat_file(name) == DATA
        source = open_source(f"icesat2://{name}", {"access": method})
        source.file_version()
        logged_in.script.clear()
        assert source.read([(0, 4), (8, 4)]) == [DATA[:4], DATA[8:12]]
        assert not [each for each in logged_in.script.log if "granules.umm_json" in each.path]


def test_nonexistent_granule_is_not_found(logged_in, method):
    logged_in.put(NAME, DATA)
    fs = fsspec.filesystem("icesat2", access=method)
    with pytest.raises(
        GranuleNotFoundError, match=f"no granule .*_02.h5 in the archive, but {NAME}"
    ):
        fs.cat_file(NAME.replace("_01.h5", "_02.h5"))
    with pytest.raises(GranuleNotFoundError, match="check the spelling"):
        fs.cat_file(NAME.replace("ATL06", "ATL08"))
    with pytest.raises(GranuleNotFoundError, match="not the name of a granule"):
        fs.cat_file("whatever")


def test_filesystem_is_read_only(earthdata, tmp_path):
    fs = fsspec.filesystem("icesat2")
    (tmp_path / "x").write_bytes(b"x")
    for write in (
        lambda: fs.open(NAME, "wb"),
        lambda: fs.pipe_file(NAME, b"x"),
        lambda: fs.rm_file(NAME),
        lambda: fs.cp_file(NAME, "x"),
        lambda: fs.mkdir("x"),
        lambda: fs.put_file(str(tmp_path / "x"), NAME),
    ):
        with pytest.raises(SelectionError, match="which is read-only"):
            write()


class _Metadata(HTTPServer):
    """AWS's metadata service, as far as it is asked here."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = []


class _MetadataHandler(BaseHTTPRequestHandler):
    def do_PUT(self):
        token = self.headers["X-aws-ec2-metadata-token-ttl-seconds"] and b"a token"
        self.answer("/latest/api/token", token)

    def do_GET(self):
        known = self.headers["X-aws-ec2-metadata-token"] == "a token"
        self.answer("/latest/meta-data/placement/region", known and b"us-west-2")

    def answer(self, path, body):
        self.server.asked.append(self.path)
        self.send_response(200 if self.path == path and body else 404)
        self.end_headers()
        if self.path == path and body:
            self.wfile.write(body)

    def log_message(self, *_):
        """Stay silent."""


class TestAuto:
    """Which method ``access="auto"`` takes."""

    def hosts(self, service):
        return {request.path.partition("/")[0] for request in service.script.log}

    @pytest.fixture
    def machine(self, monkeypatch):
        """Make this machine one of AWS, in a region."""

        def of_aws(name):
            monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_ECS_EC2")
            monkeypatch.setenv("AWS_REGION", name)

        return of_aws

    @pytest.mark.skipif(Path("/sys/hypervisor/uuid").exists(), reason="may be a machine of AWS")
    def test_region_is_not_requested_outside_aws(self, logged_in, monkeypatch):
        connect = socket.create_connection

        def watched(address, *more, **options):
            assert address[0] != "169.254.169.254"
            return connect(address, *more, **options)

        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")  # a laptop's habit
        monkeypatch.setattr(socket, "create_connection", watched)
        logged_in.put(NAME, DATA)
        assert fsspec.filesystem("icesat2").cat_file(NAME) == DATA
        assert S3_HOST not in self.hosts(logged_in)

    @pytest.mark.parametrize("where", ["us-west-2", "eu-central-1"])
    def test_region_variable_selects_s3_or_https(self, logged_in, machine, where):
        machine(where)
        logged_in.put(NAME, DATA)
        assert fsspec.filesystem("icesat2").cat_file(NAME) == DATA
        assert (S3_HOST in self.hosts(logged_in)) == (where == "us-west-2")

    @pytest.mark.parametrize("answers", [True, False])
    def test_metadata_service_selects_s3_or_https(self, logged_in, monkeypatch, answers):
        logged_in.put(NAME, DATA)
        with _Metadata(("127.0.0.1", 0), _MetadataHandler) as service:
            threading.Thread(target=service.serve_forever, args=(0.02,), daemon=True).start()
            place = f"http://127.0.0.1:{service.server_port}{'' if answers else '/none'}"
            monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", place)
            for _ in range(2):
                assert fsspec.filesystem("icesat2").cat_file(NAME) == DATA
            service.shutdown()
        assert (S3_HOST in self.hosts(logged_in)) == answers
        assert len(service.asked) == (2 if answers else 1)

    def test_access_variable_selects_s3_or_https(self, logged_in, machine, monkeypatch):
        machine("us-west-2")
        monkeypatch.setenv("XR_ICESAT2_ACCESS", "external")
        logged_in.put(NAME, DATA)
        assert fsspec.filesystem("icesat2").cat_file(NAME) == DATA
        assert S3_HOST not in self.hosts(logged_in)
        monkeypatch.setenv("XR_ICESAT2_ACCESS", "by foot")
        with pytest.raises(SelectionError, match=r"XR_ICESAT2_ACCESS='by foot'.*direct, external"):
            fsspec.filesystem("icesat2").cat_file(NAME)
        monkeypatch.setenv("XR_ICESAT2_ACCESS", "")
        assert fsspec.filesystem("icesat2").cat_file(NAME) == DATA
        assert S3_HOST in self.hosts(logged_in)

    def test_refused_s3_access_is_not_retried(self, logged_in, machine, caplog):
        machine("us-west-2")
        logged_in.keys.refuses_region = True
        logged_in.put(NAME, DATA)
        fs = fsspec.filesystem("icesat2")
        assert fs.cat_file(NAME) == fs.cat_file(NAME) == DATA
        asked = [each for each in logged_in.script.log if each.path.startswith(S3_HOST)]
        assert len(asked) == 1
        assert len([r for r in caplog.records if "us-west-2" in r.getMessage()]) == 1

    def test_s3_access_error_names_https(self, logged_in):
        logged_in.keys.refuses_region = True
        logged_in.put(NAME, DATA)
        with pytest.raises(AccessDeniedError, match=r"us-west-2 only.*XR_ICESAT2_ACCESS=external"):
            fsspec.filesystem("icesat2", access="direct").cat_file(NAME)

    def test_unknown_access_method_is_an_error(self):
        with pytest.raises(SelectionError, match=r"'canoe'.*auto, direct, external"):
            fsspec.filesystem("icesat2", access="canoe")

    @pytest.mark.parametrize("given", [{"acces": "external"}, {"token": "hush"}])
    def test_unknown_option_is_an_error(self, given):
        with pytest.raises(SelectionError, match=r"no option (acces|token)\.") as caught:
            open_source(f"icesat2://{NAME}", given).file_version()
        assert "hush" not in str(caught.value)
