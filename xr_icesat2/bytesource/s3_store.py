"""Requests to S3 by obstore: its stores, its answers and its errors.

The caller passes bucket, endpoint, region and keys, so that obstore takes none
of them from the environment. A store cannot change its keys: other keys need
another store. So renewed keys, and keys that S3 refuses before they expire,
need no further code.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from .protocol import BytesLike, FileVersion, FirstRead

__all__ = [
    "Keys",
    "Proxy",
    "S3Error",
    "answered_status",
    "as_s3_error",
    "fetch",
    "first_read",
    "head",
    "store_of",
]

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")

FIRST_REQUEST_BYTES = 512 << 10
"""Bytes of one request of the first read: several at once measure the bandwidth."""

Keys = tuple[str, str, str | None]
"""Access key, secret key and session token."""
Proxy = tuple[tuple[str, str], ...]
"""Options of obstore's client that name a proxy."""


class S3Error(Exception):
    """An error answer of S3, with the attributes of botocore's ``ClientError``.

    Parameters
    ----------
    status : int
        HTTP status.
    body : str
        Of the answer, or a text that contains it.

    Attributes
    ----------
    status : int
        HTTP status.
    code : str
        S3's error code, such as ``"AccessDenied"``; ``""`` without one.
    """

    def __init__(self, status: int, body: str) -> None:
        code, message = _CODE.search(body), _MESSAGE.search(body)
        self.status = status
        self.code = code[1] if code else ""
        super().__init__(f"HTTP {status} {self.code}")
        self.response = {
            # Without a body there is the status alone, which is what botocore calls the error.
            "Error": {"Code": self.code or str(status), "Message": message[1] if message else ""},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }


@lru_cache(maxsize=16)
def store_of(
    bucket: str,
    endpoint: str,
    region: str,
    keys: Keys | None,
    *,
    bucket_in_host: bool = False,
    proxy: Proxy = (),
) -> Any:
    """Return the store of a bucket: all its objects share its connections.

    Parameters
    ----------
    bucket, endpoint, region : str
        Where to ask; the endpoint of a bucket that is named in the host
        includes it.
    keys : tuple or None
        None to ask without a signature.
    bucket_in_host : bool
        Whether the bucket is named in the host rather than in the path.
    proxy : tuple
        Options that name a proxy, as pairs.
    """
    from obstore.store import S3Store  # noqa: PLC0415 - heavy: only when used

    # A provider, since there is no option for "no token".
    signing: dict[str, Any] = (
        {} if keys is None else {"credential_provider": partial(_provided, keys)}
    )
    client: Any = {"allow_http": endpoint.startswith("http://"), "timeout": "1h", **dict(proxy)}
    return S3Store(
        bucket,
        endpoint=endpoint,
        region=region,
        skip_signature=keys is None,
        virtual_hosted_style_request=bucket_in_host,
        request_payer=False,
        s3_express=False,
        unsigned_payload=False,
        client_options=client,
        retry_config={"max_retries": 0},
        **signing,
    )


def _provided(keys: Keys) -> dict[str, Any]:
    key, secret, token = keys
    return {"access_key_id": key, "secret_access_key": secret, "token": token, "expires_at": None}


async def head(store: Any, key: str) -> FileVersion:
    """Return size and ETag of an object; errors have no body with a reason."""
    from obstore import head_async  # noqa: PLC0415 - as above

    return _version(await head_async(store, key))


async def first_read(store: Any, key: str, first: int, last: int) -> FirstRead:
    """Return size and ETag with the first and last bytes, at least one of them.

    The first answer determines the version, and its error is raised. Bytes of other versions are
    dropped.
    """
    spans: list[Any] = [
        (at, min(at + FIRST_REQUEST_BYTES, first)) for at in range(0, first, FIRST_REQUEST_BYTES)
    ]
    spans += [{"suffix": last}] if last else []
    return await _first_read(store, key, spans)


async def _first_read(store: Any, key: str, spans: Sequence[Any]) -> FirstRead:
    began = time.monotonic()
    asked = [asyncio.ensure_future(_piece(store, key, span)) for span in spans]
    try:
        wanted, _, _, answered = await asked[0]
        # Some ranges begin after the end of a small file.
        answers = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    good = [answer for answer in answers if not isinstance(answer, BaseException)]
    pieces = {offset: data for version, offset, data, _ in good if version == wanted}
    return FirstRead(wanted, pieces, answered - began)


async def _piece(store: Any, key: str, span: Any) -> tuple[FileVersion, int, bytes, float]:
    """Return version, offset and bytes of a range, and when the answer began."""
    from obstore import get_async  # noqa: PLC0415 - as above

    answer = await get_async(store, key, options={"range": span})
    began = time.monotonic()
    return _version(answer.meta), answer.range[0], bytes(await answer.bytes_async()), began


async def fetch(store: Any, key: str, offset: int, length: int) -> BytesLike:
    """Return the bytes of one range."""
    from obstore import get_range_async  # noqa: PLC0415 - as above

    return memoryview(await get_range_async(store, key, start=offset, length=length))


def _version(found: Any) -> FileVersion:
    changed = found["last_modified"]
    # If the server sends no time, obstore returns 1970.
    return FileVersion(
        found["size"], str(found["e_tag"] or (changed if changed.timestamp() else ""))
    )


def answered_status(error: Exception) -> int | None:
    """Return the HTTP status of an error of obstore, or None."""
    status = _STATUS.search(str(error))
    return int(status[1]) if status else None


def as_s3_error(error: Exception) -> Exception:
    """Return an error of obstore as one that can be translated and pickled.

    The text of obstore's error contains addresses and headers.
    """
    status = answered_status(error)
    if status is not None:
        return S3Error(status, str(error))
    if type(error).__module__.partition(".")[0] != "obstore":
        return error
    return ConnectionError(str(error).partition("\n")[0])
