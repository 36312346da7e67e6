"""S3 by obstore: what s3fs would ask, at a fraction of the processor's time.

s3fs decides where and as whom: bucket, endpoint, region and credentials are
those that it has found, from its options, the environment or a profile. Only
the requests are made by obstore, and only where nothing was asked of s3fs that
would change them.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar

from xr_icesat2.bytesource.protocol import Look, Stamp
from xr_icesat2.bytesource.s3_error import S3Error

__all__ = ["ObstoreTransport", "can_use_obstore"]

_UNDERSTOOD = {
    *("anon", "key", "secret", "token", "profile", "endpoint_url", "client_kwargs"),
    *("config_kwargs", "use_listings_cache", "skip_instance_cache", "asynchronous", "loop"),
    *("username", "password", "cache_regions", "default_fill_cache", "default_block_size"),
    *("default_cache_type", "max_concurrency"),
}
"""Options of s3fs of which all that matters to a GET is in endpoint, region and credentials."""
_UNDERSTOOD_OF_CLIENT = {
    *("region_name", "endpoint_url", "aws_access_key_id", "aws_secret_access_key"),
    *("aws_session_token",),
}
_UNDERSTOOD_OF_CONFIG = {"max_pool_connections", "retries", "signature_version"}
_STATUS = re.compile(r"status code: (\d{3})")
_ELSEWHERE = re.compile("redirect|AuthorizationHeaderMalformed|non-partial", re.IGNORECASE)
"""In answers that s3fs is asked about: botocore finds the region of a bucket; a server that ignores
ranges is told by what it sends."""

LOOK_BYTES = 256 << 10
"""Bytes a request of a first look: several at once show how fast the link is."""

T = TypeVar("T")
Keys = tuple[str, str, str | None] | None


class Inner(Protocol):
    """What a transport is asked for."""

    async def stamp(self) -> Stamp:
        """Version of the file as it lies there now."""
        ...

    async def look(self, first: int, last: int) -> Look:
        """Version of the file, with some of its bytes."""
        ...

    async def fetch(self, offset: int, length: int) -> bytes:
        """Bytes of one range."""
        ...


class NoCredentialsError(Exception):
    """s3fs has found no credentials; called as botocore calls it."""


def can_use_obstore(filesystem: Any, path: str) -> bool:
    """Whether obstore is there, and would ask the same as this filesystem of s3fs."""
    if type(filesystem).__name__ != "S3FileSystem" or find_spec("obstore") is None:
        return False
    options: Mapping[str, Any] = filesystem.storage_options
    client = options.get("client_kwargs") or {}
    config = options.get("config_kwargs") or {}
    versioned = filesystem.split_path(path)[2] is not None
    return (
        not versioned
        and options.keys() <= _UNDERSTOOD
        and client.keys() <= _UNDERSTOOD_OF_CLIENT
        and config.keys() <= _UNDERSTOOD_OF_CONFIG
    )


class ObstoreTransport:
    """Requests for one object.

    Parameters
    ----------
    filesystem
        Of s3fs, which :func:`can_use_obstore`.
    path
        Bucket and key.
    instead
        Asks from then on, once it turns out that obstore cannot.
    """

    parallel = True
    whole_file = False

    def __init__(self, filesystem: Any, path: str, instead: Inner) -> None:
        self._filesystem = filesystem
        self._instead = instead
        self._is_elsewhere = False
        self._bucket, self._key, _ = filesystem.split_path(path)
        self._made: tuple[Keys, Any] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def stamp(self) -> Stamp:
        """Size and ETag."""
        from obstore import head_async  # noqa: PLC0415 - optional

        async def ask() -> Stamp:
            try:
                found = await head_async(await self._store(), self._key)
            except FileNotFoundError:  # s3fs tells what is missing, and what is a directory
                return await self._instead.stamp()
            return _stamp(found)

        return await self._asked(ask, self._instead.stamp)

    async def look(self, first: int, last: int) -> Look:
        """Size and ETag, with the first and last bytes: each answer says of which version it is."""
        if self._is_elsewhere:
            return await self._instead.look(first, last)
        spans: list[Any] = [(at, min(at + LOOK_BYTES, first)) for at in range(0, first, LOOK_BYTES)]
        spans += [{"suffix": last}] if last else []
        with suppress(Exception):  # of any kind: the stamp by itself will tell
            return await self._looked(spans)
        return Look(await self.stamp())

    async def _looked(self, spans: Sequence[Any]) -> Look:
        store = await self._store()
        began = time.monotonic()
        asked = [asyncio.ensure_future(self._piece(store, span)) for span in spans]
        try:
            stamp, _, _, waited = await asked[0]
            # Of a small file, some lie behind its end.
            answers = await asyncio.gather(*asked, return_exceptions=True)
        finally:
            for each in asked:
                each.cancel()
        good = [answer for answer in answers if not isinstance(answer, BaseException)]
        pieces = {offset: data for version, offset, data, _ in good if version == stamp}
        return Look(stamp, pieces, waited - began)

    async def _piece(self, store: Any, span: Any) -> tuple[Stamp, int, bytes, float]:
        """Give version, offset and bytes of a range, and when the answer began."""
        from obstore import get_async  # noqa: PLC0415 - optional

        answer = await get_async(store, self._key, options={"range": span})
        began = time.monotonic()
        return _stamp(answer.meta), answer.range[0], bytes(await answer.bytes_async()), began

    async def fetch(self, offset: int, length: int) -> bytes:
        """Bytes of one range."""
        from obstore import get_range_async  # noqa: PLC0415 - optional

        async def ask() -> bytes:
            store = await self._store()
            return bytes(await get_range_async(store, self._key, start=offset, length=length))

        return await self._asked(ask, partial(self._instead.fetch, offset, length))

    async def _asked(
        self, ask: Callable[[], Awaitable[T]], instead: Callable[[], Awaitable[T]]
    ) -> T:
        if self._is_elsewhere:
            return await instead()
        try:
            return await ask()
        except Exception as error:  # noqa: BLE001 - of any kind; told apart here
            status = _STATUS.search(str(error))
            if _ELSEWHERE.search(str(error)):
                self._is_elsewhere = True
            elif status is None:
                raise _plain(error) from None
            else:
                # The text holds addresses and headers, which are nobody's business.
                raise S3Error(int(status[1]), str(error)) from None
        return await instead()

    async def _store(self) -> Any:
        """Give a store with the credentials of this moment: s3fs renews those that it can."""
        async with self._one_at_a_time:
            client = await self._filesystem.set_session()
            keys = await _keys(client)
            if keys is None and not self._filesystem.anon:
                raise NoCredentialsError("s3fs has found no credentials")
            if self._made is None or self._made[0] != keys:
                self._made = keys, _make_store(self._bucket, client, keys)
            return self._made[1]


def _stamp(found: Any) -> Stamp:
    return Stamp(found["size"], str(found["e_tag"] or found["last_modified"]))


def _plain(error: Exception) -> Exception:
    """Give an error that others are told apart by too, for one of which obstore says no status."""
    if type(error).__module__.partition(".")[0] != "obstore":
        return error
    return ConnectionError(str(error).partition("\n")[0])


async def _keys(client: Any) -> Keys:
    """Give access key, secret key and token; None to ask as nobody."""
    held = client._request_signer._credentials  # noqa: SLF001 - botocore shows them nowhere else
    if held is None:
        return None
    frozen = await held.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key, frozen.token


def _make_store(bucket: str, client: Any, keys: Keys) -> Any:
    from obstore.store import S3Store  # noqa: PLC0415 - optional

    endpoint: str = client.meta.endpoint_url
    secrets: dict[str, Any] = {"skip_signature": True}
    if keys is not None:
        secrets = {"access_key_id": keys[0], "secret_access_key": keys[1]}
        secrets |= {} if keys[2] is None else {"session_token": keys[2]}
    return S3Store(
        bucket,
        endpoint=endpoint,
        region=client.meta.region_name or "us-west-2",
        virtual_hosted_style_request=False,
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": "1h"},
        retry_config={"max_retries": 0},
        **secrets,
    )
