"""Clients with which readers access the bucket; the environment has the endpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

__all__ = ["bucket_store", "key_of", "s3_filesystem"]


def key_of(url: str) -> str:
    """Return the key of an S3 URL in its bucket."""
    return url.removeprefix("s3://").partition("/")[2]


def bucket_store(url: str, environment: Mapping[str, str] = os.environ) -> Any:
    """Return obstore's store for the bucket of a URL."""
    from obstore.store import S3Store  # noqa: PLC0415 - only where it is used

    return S3Store(
        url.removeprefix("s3://").partition("/")[0],
        endpoint=environment["AWS_ENDPOINT_URL"],
        region=environment["AWS_DEFAULT_REGION"],
        access_key_id=environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def s3_filesystem() -> Any:
    """Return an s3fs filesystem with default options."""
    import s3fs  # noqa: PLC0415 - as above

    return s3fs.S3FileSystem()
