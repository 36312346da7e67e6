"""Logins, short-lived S3 keys, and secrets that are never shown."""

import logging
import os
import pickle
import socket
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from urllib.parse import urlsplit

import cloudpickle
import earthaccess
import fsspec
import pytest
import xarray as xr
from distributed import Client, LocalCluster

from tests.earthdata.fixtures import forget_everything
from tests.earthdata.names import DATA_HOST, LOGIN_HOST, OTHER_HOST, S3_HOST, trust
from xr_icesat2.bytesource import open_source
from xr_icesat2.earthdata.credentials import credentials
from xr_icesat2.errors import AccessDeniedError, ICESat2Error, TransferError
from xr_icesat2.testing import write_granule

NAME = "ATL06_20191106230008_06270503_007_01.h5"
DATA = bytes(range(256)) * 40
EXPIRE = {"direct": "expire", "external": "reset"}
READS, DELAY, LIFETIME = 40, 0.3, 2.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.01")


def source(access="direct"):
    return open_source(f"icesat2://{NAME}", {"access": access})


def outcome(call):
    """Error that a call ends in."""
    try:
        call()
    except ICESat2Error as error:
        return error
    raise AssertionError("no error")


def asked(service, host, path=""):
    return [each for each in service.script.log if each.path.startswith(host + path)]


class TestLogin:
    @pytest.mark.parametrize("method", ["direct", "external"])
    def test_missing_login_is_an_error(self, earthdata, method):
        earthdata.put(NAME, DATA)
        with pytest.raises(AccessDeniedError, match=r"need an Earthdata login.*earthaccess\.login"):
            source(method).file_version()
        assert asked(earthdata, DATA_HOST) == asked(earthdata, LOGIN_HOST) == []

    def test_password_is_read_from_the_environment(self, earthdata, monkeypatch):
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_USERNAME", earthdata.user)
        monkeypatch.setenv("EARTHDATA_PASSWORD", earthdata.password)
        assert source().read([(3, 4)]) == [DATA[3:7]]

    def test_password_is_read_from_netrc(self, earthdata, monkeypatch, tmp_path):
        earthdata.put(NAME, DATA)
        (tmp_path / "netrc").write_text(
            f"machine {LOGIN_HOST} login {earthdata.user} password {earthdata.password}\n"
        )
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert source().read([(3, 4)]) == source("external").read([(3, 4)]) == [DATA[3:7]]
        assert earthdata.leaks == []

    @pytest.mark.skipif(os.name != "posix", reason="no such permissions here")
    @pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
    def test_netrc_readable_by_others_warns_once(
        self, earthdata, monkeypatch, tmp_path, caplog, mode
    ):
        earthdata.put(NAME, DATA)
        path = tmp_path / "netrc"
        path.write_text(
            f"machine {LOGIN_HOST} login {earthdata.user} password {earthdata.password}\n"
        )
        path.chmod(mode)
        monkeypatch.setenv("NETRC", str(path))
        for _ in range(2):
            assert source().read([(3, 4)]) == [DATA[3:7]]
            forget_everything()
        warned = [each for each in caplog.messages if "permissions" in each]
        assert len(warned) == (mode != 0o600)
        for text in warned:
            assert f"{mode:04o}" in text
            assert f"chmod 600 {path}" in text

    def test_earthaccess_login_is_reused(self, earthdata, monkeypatch):
        """The user logged in with it, by whatever strategy."""
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_TOKEN", earthdata.keys.new_token())
        earthaccess.login(strategy="environment")
        monkeypatch.delenv("EARTHDATA_TOKEN")
        assert source().read([(3, 4)]) == [DATA[3:7]]

    def test_wrong_password_is_sent_once(self, earthdata, monkeypatch):
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_USERNAME", earthdata.user)
        monkeypatch.setenv("EARTHDATA_PASSWORD", "wrong")
        for _ in range(3):
            with pytest.raises(AccessDeniedError, match=r"refuses the user name.*environment"):
                source().read([(0, 4), (8, 4)])
        # earthaccess asks without, then with the password.
        assert len(asked(earthdata, LOGIN_HOST)) == 2
        monkeypatch.setenv("EARTHDATA_PASSWORD", earthdata.password)
        assert source().read([(3, 4)]) == [DATA[3:7]]

    @pytest.mark.parametrize("method", ["direct", "external"])
    def test_token_from_a_file_is_stripped(self, earthdata, monkeypatch, method):
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_TOKEN", f" {earthdata.keys.new_token()}\n")
        assert source(method).read([(3, 4)]) == [DATA[3:7]]

    @pytest.mark.parametrize("method", ["direct", "external"])
    @pytest.mark.parametrize("token", ["eyJ-hush\nhush", "Bearer eyJ-hush", "eyJ-hüsh"])
    def test_invalid_token_is_an_error(self, earthdata, monkeypatch, token, method):
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_TOKEN", token)
        with pytest.raises(AccessDeniedError, match="token is invalid") as caught:
            source(method).file_version()
        assert "hush" not in "".join(traceback.format_exception(caught.value))
        assert earthdata.script.log == []

    def test_login_page_in_place_of_a_token_is_an_error(self, earthdata, monkeypatch):
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_USERNAME", earthdata.user)
        monkeypatch.setenv("EARTHDATA_PASSWORD", earthdata.password)
        earthdata.script.fail("find_or_create_token", "html")
        with pytest.raises(TransferError, match="login on a web page"):
            source().file_version()
        earthdata.script.heal()
        assert source().read([(3, 4)]) == [DATA[3:7]]

    def test_invalid_netrc_is_an_error(self, earthdata, monkeypatch, tmp_path):
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("NETRC", str(tmp_path))
        with pytest.raises(
            AccessDeniedError, match=r"Cannot read the login from .*EARTHDATA_TOKEN"
        ):
            source().file_version()

    @pytest.mark.parametrize("method", ["direct", "external"])
    def test_expired_token_is_an_error(self, earthdata, monkeypatch, method):
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_TOKEN", earthdata.keys.new_token(lifetime=-1))
        with pytest.raises(
            AccessDeniedError, match=r"expired. Generate a new one.*EARTHDATA_TOKEN"
        ):
            source(method).read([(i, 4) for i in range(20)])
        assert len(earthdata.script.log) <= 20
        with suppress(AccessDeniedError):  # whoever of the twenty still asks for a token
            credentials().token.wait(10)
        monkeypatch.setenv("EARTHDATA_TOKEN", earthdata.keys.new_token())
        assert source(method).read([(3, 4)]) == [DATA[3:7]]

    @pytest.mark.parametrize("method", ["direct", "external"])
    def test_token_that_expires_during_a_job_is_renewed(self, earthdata, monkeypatch, method):
        """With a password there is a next token."""
        earthdata.put(NAME, DATA)
        monkeypatch.setenv("EARTHDATA_USERNAME", earthdata.user)
        monkeypatch.setenv("EARTHDATA_PASSWORD", earthdata.password)
        job = source(method)
        assert job.read([(3, 4)]) == [DATA[3:7]]
        earthdata.keys.tokens.clear()
        earthdata.keys.expire()
        assert job.read([(i, 4) for i in range(20)]) == [DATA[i : i + 4] for i in range(20)]

    def test_unaccepted_terms_are_an_error(self, logged_in):
        logged_in.put(NAME, DATA)
        logged_in.script.fail("s3credentials", 403)
        with pytest.raises(AccessDeniedError, match="accept its terms"):
            source().file_version()

    def test_no_network_is_an_error(self, logged_in, monkeypatch):
        def none(*_, **__):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", none)
        for method in ("direct", "external"):
            with pytest.raises(TransferError, match="Check the URL and the network"):
                source(method).file_version()


class TestKeys:
    @pytest.mark.parametrize("expired", [(400, "ExpiredToken"), (403, "InvalidAccessKeyId")])
    def test_keys_that_expire_during_a_read_are_renewed(self, logged_in, expired):
        logged_in.put(NAME, DATA)
        logged_in.keys.expired = expired
        job = source()
        assert job.read([(0, 4)]) == [DATA[:4]]
        logged_in.keys.expire()
        assert job.read([(i, 4) for i in range(30)]) == [DATA[i : i + 4] for i in range(30)]
        assert len(logged_in.keys.given) == 2

    @pytest.mark.parametrize("expired", [(400, "ExpiredToken"), (403, "InvalidAccessKeyId")])
    @pytest.mark.parametrize(
        "ask",
        [lambda job: job.file_version(), lambda job: job.first_read(8, 8).file_version],
        ids=["stamp", "look"],
    )
    def test_revoked_keys_are_renewed(self, logged_in, expired, ask):
        logged_in.put(NAME, DATA)
        logged_in.keys.expired = expired
        job = source()
        before = ask(job)
        logged_in.keys.expire()
        assert ask(job) == before
        assert before.size == len(DATA)
        assert len(logged_in.keys.given) == 2
        assert {each.path.partition("/")[0] for each in logged_in.script.log} == {
            DATA_HOST,
            S3_HOST,
        }

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_forked_child_renews_its_keys(self, logged_in):
        """obstore cannot answer there; an address that the archive gives lives shortly."""
        logged_in.put(NAME, DATA)
        job = source()
        assert job.read([(0, 4)]) == [DATA[:4]]
        logged_in.script.log.clear()
        logged_in.signed_lifetime = 0.3
        child = os.fork()
        if child == 0:
            right = False
            with suppress(BaseException):
                for i in range(4):
                    right = job.read([(i, 4)]) == [DATA[i : i + 4]]
                    time.sleep(0.2 if right else 60)
            os._exit(0 if right else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(asked(logged_in, DATA_HOST)) >= 2
        assert asked(logged_in, S3_HOST) == []
        assert logged_in.leaks == []
        assert job.read([(0, 4)]) == [DATA[:4]]
        assert len(asked(logged_in, S3_HOST)) == 1

    def test_keys_that_never_work_are_an_error(self, logged_in):
        logged_in.put(NAME, DATA)
        logged_in.script.fail(NAME, "expire")
        with pytest.raises(AccessDeniedError, match="ExpiredToken"):
            source().read([(0, 4)])
        assert len(logged_in.keys.given) == 2

    @pytest.mark.parametrize("skew", [-7200, 7200])
    def test_wrong_clock_is_named_in_the_error(self, logged_in, skew, caplog):
        logged_in.put(NAME, DATA)
        logged_in.keys.skew = skew
        logged_in.keys.tokens.update(dict.fromkeys(logged_in.keys.tokens, 1000000000000.0))
        for _ in range(3):
            assert source().read([(3, 4)]) == [DATA[3:7]]
        assert len(logged_in.keys.given) == 1
        assert asked(logged_in, S3_HOST) == []  # which would refuse signatures of that time
        (warned,) = [each for each in caplog.messages if "over HTTPS" in each]
        assert "clock of this machine is wrong by 72" in warned or "wrong by 71" in warned

    @pytest.mark.parametrize("skew", [-300, 300])
    def test_small_clock_skew_is_accepted(self, logged_in, skew):
        logged_in.put(NAME, DATA)
        logged_in.keys.skew = skew
        assert source().read([(3, 4)]) == [DATA[3:7]]
        assert len(asked(logged_in, S3_HOST)) == 1

    def test_foreign_keys_are_refused(self, logged_in):
        """The stand-in looks at the signature, the token and the expiry."""
        logged_in.put(NAME, DATA)
        given = logged_in.keys.new_key()
        bucket, key = S3_HOST.partition(".")[0], next(iter(logged_in.objects))
        for change in ({}, {"token": "x"}, {"secret": "x"}, {"token": None}):
            options = {
                "key": given["accessKeyId"],
                "secret": given["secretAccessKey"],
                "token": given["sessionToken"],
                "client_kwargs": {"region_name": "us-west-2"},
            }
            s3 = fsspec.filesystem("s3", **options | change)
            if change:
                with pytest.raises(OSError, match="as ordered"):
                    s3.cat_file(f"{bucket}/{key}", start=0, end=4)
            else:
                assert s3.cat_file(f"{bucket}/{key}", start=0, end=4) == DATA[:4]


class TestLongJobs:
    """Each read is slow, the keys live shortly."""

    @pytest.fixture
    def service(self, logged_in):
        logged_in.put(NAME, DATA)
        logged_in.delay, logged_in.keys.lifetime = DELAY, LIFETIME
        return logged_in

    def refreshes(self, service, processes):
        given, first = service.keys.given, service.keys.given[0]
        spans = (given[-1] - first) / (0.9 * LIFETIME) + 1
        assert processes < len(given) <= processes * spans

    def test_keys_are_renewed_in_threads(self, service):
        job = source()
        with ThreadPoolExecutor(3) as pool:
            read = list(pool.map(lambda i: job.read([(i, 4)]), range(READS)))
        assert read == [[DATA[i : i + 4]] for i in range(READS)]
        self.refreshes(service, 1)
        times = service.keys.given
        assert min(b - a for a, b in pairwise(times)) > 0.9 * LIFETIME

    def test_keys_are_renewed_in_dask_processes(self, service, tmp_path):
        with (
            LocalCluster(
                n_workers=2,
                threads_per_worker=2,
                processes=True,
                dashboard_address=None,
                local_directory=tmp_path,
            ) as cluster,
            Client(cluster) as client,
        ):
            client.run(trust, service.port, service.authority)
            futures = client.map(lambda i, job: job.read([(i, 4)]), range(READS), job=source())
            assert client.gather(futures) == [[DATA[i : i + 4]] for i in range(READS)]
        self.refreshes(service, 2)


class TestSecrets:
    @pytest.fixture(params=["direct", "external"])
    def method(self, request):
        return request.param

    def test_secrets_are_not_shown(self, logged_in, method, tmp_path, caplog, monkeypatch):
        """Everything is logged, pickled, cached and shown, and searched for secrets."""
        granule = write_granule(tmp_path, n_segments=20, chunk_rows=10)
        logged_in.put(granule.name, granule.read_bytes())
        cache = tmp_path / "cache"
        monkeypatch.setenv("XR_ICESAT2_INDEX_CACHE", str(cache / "index"))
        url, seen = f"icesat2://{granule.name}", []
        with caplog.at_level(logging.DEBUG):
            fs = fsspec.filesystem("icesat2", access=method)
            fs.info(url)
            chain = {"simplecache": {"cache_storage": str(cache / "files")}}
            fsspec.open(f"simplecache::{url}", icesat2={"access": method}, **chain).open().close()
            ds = xr.open_dataset(
                url,
                engine="icesat2",
                chunks={},
                variables="h_li",
                storage_options={"access": method},
            )
            ds.h_li.compute()
            seen += [fs, fs.to_json(), vars(fs), source(method), ds.encoding, ds]
            seen += [ds.h_li.data.dask.layers, pickle.dumps(fs), cloudpickle.dumps(ds)]
            for what in (403, 500, "truncate", "reset", "html", "loop", 401, EXPIRE[method]):
                logged_in.script.fail(granule.name, what)
                error = outcome(lambda: fs.cat_file(url))
                seen += ["".join(traceback.format_exception(error)), vars(error)]
                seen.append(pickle.dumps(error))
                logged_in.script.heal()
        ds.close()
        files = [path for path in cache.rglob("*") if path.is_file()]
        assert len(files) >= 2
        seen += [path.read_bytes() for path in files] + files + [caplog.text]
        text = b"\n".join(each if isinstance(each, bytes) else repr(each).encode() for each in seen)
        secrets = logged_in.secrets()
        assert len(secrets) > 4
        assert [secret for secret in secrets if secret.encode() in text] == []


class TestHosts:
    """The token is sent over HTTPS to Earthdata's hosts alone, whatever CMR or a server says."""

    REPEAT = "ATL11_000101_0318_007_01.h5"

    @pytest.fixture
    def lead(self, logged_in):
        """Archive a granule, of which CMR has another address."""

        def lead(url):
            logged_in.put(self.REPEAT, DATA, key=self.REPEAT)
            links = logged_in.records[-1]["umm"]["RelatedUrls"]
            links[:] = [{"URL": url, "Type": "GET DATA"}]

        return lead

    def read(self):
        return open_source(f"icesat2://{self.REPEAT}", {"access": "external"}).read([(3, 4)])

    @pytest.mark.parametrize(
        "host",
        [
            OTHER_HOST,
            f"{DATA_HOST}@{OTHER_HOST}",
            f"reader@{OTHER_HOST}:443",
            f"{OTHER_HOST}\\@{DATA_HOST}",
            f"{OTHER_HOST}:443",
        ],
    )
    def test_token_is_not_sent_to_another_host(self, logged_in, lead, host):
        lead(f"https://{host}/ATLAS/{self.REPEAT}")
        with pytest.raises(AccessDeniedError, match=r"token is not sent.*XR_ICESAT2_TOKEN_HOSTS"):
            self.read()
        assert logged_in.told_others == []

    def test_token_is_not_sent_without_tls(self, lead, http_server, monkeypatch):
        url = http_server.put(self.REPEAT, DATA)
        lead(url)
        monkeypatch.setenv("XR_ICESAT2_TOKEN_HOSTS", urlsplit(url).netloc)
        with pytest.raises(AccessDeniedError, match="expected HTTPS"):
            self.read()
        assert http_server.script.log == []

    @pytest.mark.parametrize("named", [OTHER_HOST, f"a.example, {OTHER_HOST.upper()}"])
    def test_token_is_sent_to_a_host_named_by_the_user(self, logged_in, lead, monkeypatch, named):
        lead(f"https://{OTHER_HOST}/ATLAS/{self.REPEAT}")
        monkeypatch.setenv("XR_ICESAT2_TOKEN_HOSTS", named)
        assert self.read() == [DATA[3:7]]
        assert logged_in.told_others[0].startswith("Bearer ")

    @pytest.mark.parametrize("secure", [True, False])
    def test_token_is_not_sent_after_a_redirect(self, logged_in, http_server, secure):
        logged_in.put(self.REPEAT, DATA, key=self.REPEAT)
        plain = http_server.put(self.REPEAT, DATA)
        logged_in.elsewhere = f"https://{OTHER_HOST}/ATLAS/{self.REPEAT}" if secure else plain
        assert self.read() == [DATA[3:7]]
        assert self.read() == [DATA[3:7]]
        heads = [headers.get(b"authorization") for _, headers in http_server.script.heads]
        reported = logged_in.told_others if secure else heads
        assert reported
        assert set(reported) == {None}

    @pytest.mark.parametrize("bucket", [f"x@{OTHER_HOST}", f"{OTHER_HOST}:443", f"{OTHER_HOST}\\"])
    def test_invalid_bucket_is_an_error(self, logged_in, bucket):
        logged_in.put(self.REPEAT, DATA, key=self.REPEAT)
        links = logged_in.records[-1]["umm"]["RelatedUrls"]
        links[:] = [
            {"URL": f"s3://{bucket}/{self.REPEAT}", "Type": "GET DATA VIA DIRECT ACCESS"},
        ]
        with pytest.raises(TransferError, match="bucket"):
            open_source(f"icesat2://{self.REPEAT}", {"access": "direct"}).file_version()
        assert logged_in.told_others == []


def test_one_read_is_one_request(logged_in):
    """A read costs one request, the first over HTTPS two; a redirect that is over, one more."""
    logged_in.put(NAME, DATA)
    for method in ("direct", "external"):
        job = source(method)
        job.file_version()
        logged_in.script.log.clear()
        job.read([(i, 4) for i in range(10)])
        assert len(logged_in.script.log) == 10
    logged_in.script.log.clear()
    logged_in.expire_redirects()
    assert job.read([(0, 4)]) == job.read([(0, 4)]) == [DATA[:4]]
    assert len(logged_in.script.log) == 4
    assert logged_in.leaks == []
