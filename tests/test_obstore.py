"""obstore sends the requests that s3fs would send, or s3fs sends them."""

import re

import fsspec
import pytest

from xr_icesat2.bytesource import FileVersion, open_source
from xr_icesat2.errors import GranuleNotFoundError, ICESat2Error

DATA = bytes(range(256)) * 40
NOBODY = "http://127.0.0.1:9"

_SENT = (b"host", b"range", b"authorization", b"x-amz-")
_CHANGES_BY_ITSELF = re.compile(rb"/\d{8}/|SignedHeaders=\S+|Signature=\w+|AWS \S+")


@pytest.fixture(autouse=True)
def _of_nobody(monkeypatch, tmp_path):
    """No credentials but those that a test gives."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.01")


def _outcome(server, source):
    """The result of a version and a read, what was asked for it, and by whom."""
    server.script.heads.clear()
    found = []
    for ask in (source.file_version, lambda: source.read([(0, 8)])):
        try:
            found.append(ask())
        except ICESat2Error as error:
            found.append(type(error))
    heads = [(path, _plain(headers)) for path, headers in server.script.heads]
    agents = b" ".join(headers[b"user-agent"] for _, headers in server.script.heads)
    return found, heads, "obstore" if b"object_store" in agents else "s3fs"


def _plain(headers):
    sent = {name: value for name, value in headers.items() if name.startswith(_SENT)}
    mode = {b"x-amz-date", b"x-amz-checksum-mode"}  # the latter asks for one more header
    return {
        name: _CHANGES_BY_ITSELF.sub(b"", value) for name, value in sent.items() if name not in mode
    }


@pytest.fixture
def asked(s3_server, monkeypatch):
    """Ask for a file as users may, and again without obstore; gives who asked the first time."""

    def ask(make_source):
        first = _outcome(s3_server, make_source())
        with monkeypatch.context() as patch:
            patch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "AES256")
            second = _outcome(s3_server, make_source())
        assert second[2] == "s3fs"
        assert first[:2] == second[:2]
        return first[2]

    return ask


@pytest.fixture
def granule(s3_server):
    return s3_server.put("a/x.h5", DATA)


def _without(options, *names):
    return {name: value for name, value in options.items() if name not in names}


class TestEnvironment:
    @pytest.mark.parametrize(
        "variable",
        [
            ("AWS_SESSION_TOKEN", "stale", "obstore"),
            ("AWS_TOKEN", "stale", "obstore"),
            ("AWS_ACCESS_KEY_ID", "another", "obstore"),
            ("AWS_SECRET_ACCESS_KEY", "another", "obstore"),
            ("AWS_SKIP_SIGNATURE", "true", "obstore"),
            ("AWS_REQUEST_PAYER", "requester", "obstore"),
            ("AWS_S3_EXPRESS", "true", "obstore"),
            ("AWS_UNSIGNED_PAYLOAD", "true", "obstore"),
            ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true", "obstore"),
            ("AWS_REGION", "eu-west-1", "obstore"),
            ("AWS_DEFAULT_REGION", "eu-west-1", "obstore"),
            ("AWS_ENDPOINT", NOBODY, "obstore"),
            ("AWS_ENDPOINT_URL", NOBODY, "obstore"),
            ("AWS_ENDPOINT_URL_S3", NOBODY, "s3fs"),
            ("AWS_PROXY_URL", NOBODY, "obstore"),
            ("AWS_SERVER_SIDE_ENCRYPTION", "sse-c", "s3fs"),
            ("AWS_CHECKSUM_ALGORITHM", "nonsense", "s3fs"),
            ("AWS_COPY_IF_NOT_EXISTS", "nonsense", "s3fs"),
            ("AWS_S3_EXPRESS", "nonsense", "obstore"),
            ("ALL_PROXY", NOBODY, "s3fs"),
        ],
    )
    def test_obstore_variables_change_nothing(
        self, variable, asked, granule, s3_server, monkeypatch
    ):
        name, value, by = variable
        monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_SSE_CUSTOMER_KEY_BASE64", "QUFB" * 10 + "QUE=")
        assert asked(lambda: open_source(granule, s3_server.storage_options)) == by
        assert open_source(granule, s3_server.storage_options).read([(0, 8)]) == [DATA[:8]]

    def test_no_proxy_is_respected(self, asked, granule, s3_server, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", NOBODY)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert asked(lambda: open_source(granule, s3_server.storage_options)) == "s3fs"

    @pytest.mark.parametrize(
        ("given", "by"),
        [
            ({}, "obstore"),
            ({"AWS_SESSION_TOKEN": "word"}, "obstore"),
            ({"AWS_REGION": "eu-west-1"}, "obstore"),
            ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "s3fs"),
            ({"AWS_USE_FIPS_ENDPOINT": "true"}, "s3fs"),
        ],
    )
    def test_s3fs_variables_are_respected(self, given, by, asked, granule, s3_server, monkeypatch):
        keys = {"AWS_ACCESS_KEY_ID": s3_server.key, "AWS_SECRET_ACCESS_KEY": s3_server.secret}
        for name, value in (keys | given).items():
            monkeypatch.setenv(name, value)
        options = {"endpoint_url": s3_server.endpoint, "skip_instance_cache": True}
        if "AWS_USE_DUALSTACK_ENDPOINT" in given or "AWS_USE_FIPS_ENDPOINT" in given:
            del options["endpoint_url"]  # botocore refuses the two together
            monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
        assert asked(lambda: open_source(granule, options)) == by


class TestOptions:
    @pytest.mark.parametrize(
        ("given", "by"),
        [
            ({}, "obstore"),
            ({"token": "word"}, "obstore"),
            ({"token": ""}, "obstore"),
            ({"anon": True}, "obstore"),
            ({"client_kwargs": {"region_name": "eu-west-1"}}, "obstore"),
            ({"client_kwargs": {}}, "obstore"),
            ({"client_kwargs": {"verify": False}}, "s3fs"),
            ({"config_kwargs": {"signature_version": "s3"}}, "s3fs"),
            ({"config_kwargs": {"s3": {"payload_signing_enabled": True}}}, "s3fs"),
            ({"config_kwargs": {"user_agent_extra": "me"}}, "s3fs"),
            ({"s3_additional_kwargs": {"RequestPayer": "requester"}}, "s3fs"),
            (
                {
                    "s3_additional_kwargs": {
                        "SSECustomerAlgorithm": "AES256",
                        "SSECustomerKey": "A" * 32,
                    }
                },
                "s3fs",
            ),
            ({"requester_pays": True}, "s3fs"),
            ({"version_aware": True}, "s3fs"),
            ({"cache_regions": True}, "s3fs"),
        ],
    )
    def test_requests_equal_those_of_s3fs(self, given, by, asked, granule, s3_server):
        assert asked(lambda: open_source(granule, s3_server.storage_options | given)) == by

    def test_unsigned_configuration_is_respected(self, asked, granule, s3_server):
        from botocore import UNSIGNED  # noqa: PLC0415 - with s3fs

        options = s3_server.storage_options | {"config_kwargs": {"signature_version": UNSIGNED}}
        assert asked(lambda: open_source(granule, options)) == "s3fs"

    @pytest.mark.parametrize(
        ("profile", "by"),
        [
            ("region = eu-west-1", "obstore"),
            ("s3 =\n  payload_signing_enabled = true", "s3fs"),
            ("s3 =\n  signature_version = s3", "s3fs"),
        ],
    )
    def test_profile_configuration_is_respected(
        self, profile, by, asked, granule, s3_server, tmp_path
    ):
        (tmp_path / "AWS_CONFIG_FILE").write_text(f"[profile me]\n{profile}\n")
        (tmp_path / "AWS_SHARED_CREDENTIALS_FILE").write_text(
            f"[me]\naws_access_key_id={s3_server.key}\naws_secret_access_key={s3_server.secret}\n"
        )
        options = {"profile": "me", "endpoint_url": s3_server.endpoint, "skip_instance_cache": True}
        assert asked(lambda: open_source(granule, options)) == by

    def test_positional_options_are_respected(self, asked, granule, s3_server):
        from s3fs import S3FileSystem  # noqa: PLC0415 - takes a second

        def make_source():
            options = _without(s3_server.storage_options, "endpoint_url", "key", "secret")
            keys = (s3_server.key, s3_server.secret)
            filesystem = S3FileSystem(False, s3_server.endpoint, *keys, None, True, **options)
            return open_source(filesystem.open(granule))

        assert asked(make_source) == "s3fs"


class TestNames:
    @pytest.mark.parametrize(
        ("key", "by"),
        [
            ("a b/x.h5", "obstore"),
            ("a%20b/x%.h5", "obstore"),
            ("é/日本.h5", "obstore"),
            ("a+b&c=d;e,f@g$h!i'j(k)*l~m.h5", "obstore"),
            ("a#b?c.h5", "obstore"),
            ("a/.x..h5", "obstore"),
            ("a/...", "obstore"),
            ("a\tb.h5", "s3fs"),
        ],
    )
    def test_object_names_are_quoted_alike(self, key, by, asked, s3_server):
        url = s3_server.put(key, DATA)
        filesystem = fsspec.filesystem("s3", **s3_server.storage_options)
        path = url.removeprefix("s3://")
        assert asked(lambda: open_source(_At(filesystem, path))) == by
        assert open_source(_At(filesystem, path)).read([(0, 8)]) == [DATA[:8]]

    @pytest.mark.parametrize("key", ["a//x.h5", "/a/x.h5", "./a/x.h5", "a/../a/x.h5", "a/."])
    def test_keys_that_are_not_paths_use_s3fs(self, key, asked, granule, s3_server):
        url = granule.replace("a/x.h5", key)
        assert asked(lambda: open_source(url, s3_server.storage_options)) == "s3fs"

    @pytest.mark.parametrize(
        ("bucket", "by"),
        [
            ("dotted.bucket", "obstore"),
            ("Under_score", "obstore"),
            ("bucket--usw2-az1--x-s3", "s3fs"),
            ("point-abc-s3alias", "s3fs"),
        ],
    )
    def test_bucket_names_are_accepted_alike(self, bucket, by, asked, s3_server):
        (s3_server.root / bucket).mkdir()
        (s3_server.root / bucket / "x.h5").write_bytes(DATA)
        url = f"s3://{bucket}/x.h5"
        options = s3_server.storage_options | {"skip_instance_cache": True}
        assert asked(lambda: open_source(url, options)) == by

    def test_access_points_use_s3fs(self, s3_server):
        arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/point"
        source = open_source(f"s3://{arn}/x.h5", s3_server.storage_options)
        _outcome(s3_server, source)
        assert s3_server.script.heads == []


class _At:
    """A place in a filesystem, as an open file tells it."""

    def __init__(self, fs, path):
        self.fs, self.path = fs, path


class TestAnswers:
    @pytest.mark.parametrize("status", [301, 400])
    def test_redirect_to_another_region_uses_s3fs(self, status, granule, s3_server):
        # A first look asks for bytes, and for the version alone where it does not get them.
        for ask, expected, times in (
            (_size, len(DATA), 1),
            (_start, DATA[:8], 1),
            (lambda source: source.first_read(8, 0).file_version.size, len(DATA), 2),
        ):
            source = open_source(granule, s3_server.storage_options)
            s3_server.script.heal()
            s3_server.script.fail("x.h5", status, times=times)
            assert ask(source) == expected
            assert _outcome(s3_server, source)[2] == "s3fs"  # from then on

    def test_status_400_is_explained_by_s3fs(self, granule, s3_server):
        source = open_source(granule, s3_server.storage_options)
        s3_server.script.fail("x.h5", 400)
        for ask in (_size, _start):
            # HEAD has no body to say more.
            with pytest.raises(ICESat2Error, match=r"AuthorizationHeaderMalformed|400"):
                ask(source)
        s3_server.script.heal()
        assert _outcome(s3_server, source)[2] == "obstore"

    def test_missing_object_is_requested_once_by_each(self, granule, s3_server):
        source = open_source(granule.replace("x.h5", "missing.h5"), s3_server.storage_options)
        s3_server.script.log.clear()
        with pytest.raises(GranuleNotFoundError):
            source.file_version()
        asked = [request.method for request in s3_server.log]
        assert asked == ["HEAD", "HEAD", "GET"]  # obstore, s3fs, and whether it is a directory

    @pytest.mark.usefixtures("_either_way")
    def test_missing_etag_gives_an_empty_tag(self, http_server):
        endpoint = http_server.put("bucket/x.h5", DATA).removesuffix("/bucket/x.h5")
        source = open_source("s3://bucket/x.h5", {"anon": True, "endpoint_url": endpoint})
        assert source.file_version().tag
        http_server.script.fail("x.h5", "no-tag")
        assert source.file_version() == FileVersion(len(DATA), "")


@pytest.fixture(params=["by obstore", "by s3fs"])
def _either_way(request, monkeypatch):
    if request.param == "by s3fs":
        monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "AES256")  # obstore would heed it


def _size(source):
    return source.file_version().size


def _start(source):
    return source.read([(0, 8)])[0]
