"""Whether obstore would send S3 the same requests as s3fs."""

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from xr_icesat2.fork_safety import was_loaded_before_fork

__all__ = ["can_use_obstore", "is_changed_by_environment", "is_key_unchanged", "is_plain"]

_UNDERSTOOD = {
    *("anon", "key", "secret", "token", "profile", "endpoint_url", "client_kwargs"),
    *("config_kwargs", "use_listings_cache", "skip_instance_cache", "asynchronous", "loop"),
    *("username", "password", "default_fill_cache", "default_block_size"),
    *("default_cache_type", "max_concurrency"),
}
"""Options of s3fs that change nothing of a GET but endpoint, region and credentials."""
_UNDERSTOOD_OF_CLIENT = {
    *("region_name", "endpoint_url", "aws_access_key_id", "aws_secret_access_key"),
    *("aws_session_token",),
}
_UNDERSTOOD_OF_CONFIG = {"max_pool_connections", "retries"}

_BUCKET = re.compile(
    r"[A-Za-z0-9][\w.-]*(?<!--x-s3)(?<!--op-s3)(?<!--ol-s3)(?<!-s3alias)", re.ASCII
)
"""Not ARNs and other names that botocore sends to another host."""
# Environment variables that override obstore's options.
_ENDPOINT = "AWS_ENDPOINT_URL_S3"
_ENCRYPTION = "AWS_SERVER_SIDE_ENCRYPTION"


def can_use_obstore(filesystem: Any, path: str) -> bool:
    """Return whether obstore would make the same requests as this filesystem."""
    if type(filesystem).__name__ != "S3FileSystem":
        return False
    if was_loaded_before_fork("obstore"):  # its threads were not forked: it would never answer
        return False
    bucket, key, version = filesystem.split_path(path)
    return (
        version is None
        and _BUCKET.fullmatch(bucket) is not None
        and is_key_unchanged(key)
        and _is_understood(filesystem)
        and _ENDPOINT not in os.environ
        and not is_changed_by_environment()
    )


def is_changed_by_environment() -> bool:
    """Return whether an environment variable overrides the options of obstore."""
    return _ENCRYPTION in os.environ


def is_key_unchanged(key: str) -> bool:
    """Return whether obstore requests the key unchanged; it normalises keys like paths."""
    return key.isprintable() and not {"", ".", ".."} & set(key.split("/"))


def _is_understood(filesystem: Any) -> bool:
    options: Mapping[str, Any] = filesystem.storage_options
    client = options.get("client_kwargs") or {}
    config = options.get("config_kwargs") or {}
    return (
        not filesystem.storage_args
        and options.keys() <= _UNDERSTOOD
        and client.keys() <= _UNDERSTOOD_OF_CLIENT
        and config.keys() <= _UNDERSTOOD_OF_CONFIG
    )


def is_plain(filesystem: Any, client: Any) -> bool:
    """Return whether no profile or environment variable that botocore reads changes requests.

    Parameters
    ----------
    filesystem
        Of s3fs, which :func:`can_use_obstore`.
    client
        Of botocore, which the filesystem has made.
    """
    config = client.meta.config
    endpoint: str = client.meta.endpoint_url
    scheme = urlsplit(endpoint).scheme
    authorities = filesystem.session.get_config_variable("ca_bundle")
    authorities = authorities or os.environ.get("REQUESTS_CA_BUNDLE")
    return (
        (filesystem.anon or config.signature_version == "s3v4")
        and not config.s3
        and not config.use_fips_endpoint
        and "s3-accelerate" not in endpoint
        # The two differ in which proxies they use, and for which hosts none.
        and not getproxies().keys() & {scheme, "all"}
        and (scheme == "http" or not authorities)
    )
