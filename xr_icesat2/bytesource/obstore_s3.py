"""S3 by obstore: what s3fs would ask, at a fraction of the processor's time.

s3fs decides where and as whom: bucket, endpoint, region and credentials are
those that it has found, from its options, the environment or a profile. Only
the requests are made by obstore, and only where nothing was asked of s3fs that
would change them.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, Protocol, TypeVar

from xr_icesat2.bytesource.obstore_choice import is_plain
from xr_icesat2.bytesource.protocol import Answer, Look, Stamp
from xr_icesat2.bytesource.s3_error import S3Error
from xr_icesat2.bytesource.waiting import waits_for

__all__ = ["ObstoreTransport"]

_STATUS = re.compile(r"status code: (\d{3})")
_ELSEWHERE = re.compile("status code: 400|redirect|non-partial", re.IGNORECASE)
"""In answers that s3fs is asked about: botocore finds the region of a bucket, which S3 tells by 301
or 400; a server that ignores ranges is told by what it sends."""

LOOK_BYTES = 512 << 10
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

    async def fetch(self, offset: int, length: int) -> Answer:
        """Bytes of one range."""
        ...


class _ElsewhereError(Exception):
    """What s3fs has found is not for obstore."""


class ObstoreTransport:
    """Requests for one object.

    Parameters
    ----------
    filesystem
        Of s3fs, of which :func:`~xr_icesat2.bytesource.obstore_choice.can_use_obstore` is true.
    path
        Bucket and key.
    instead
        Asks where obstore cannot; from then on, if it can.
    """

    parallel = True
    whole_file = False

    def __init__(self, filesystem: Any, path: str, instead: Inner) -> None:
        self._filesystem = filesystem
        self._instead = instead
        self._is_elsewhere = False
        self._has_answered = False
        self._plain_client: Any = None
        self._bucket, self._key, _ = filesystem.split_path(path)

    async def stamp(self) -> Stamp:
        """Size and ETag."""
        from obstore import head_async  # noqa: PLC0415 - heavy: only when used

        async def ask() -> Stamp:
            try:
                found = await head_async(await self._store(), self._key)
            except FileNotFoundError:  # s3fs tells what is missing, and what is a directory
                self._has_answered = True
                return await self._instead.stamp()
            return _stamp(found)

        return await self._asked(ask, self._instead.stamp)

    async def look(self, first: int, last: int) -> Look:
        """Size and ETag, with the first and last bytes: each answer says of which version it is."""
        if self._is_elsewhere:
            return await self._instead.look(first, last)
        if not first and not last:
            return Look(await self.stamp())
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
        self._has_answered = True
        pieces = {offset: data for version, offset, data, _ in good if version == stamp}
        return Look(stamp, pieces, waited - began)

    async def _piece(self, store: Any, span: Any) -> tuple[Stamp, int, bytes, float]:
        """Give version, offset and bytes of a range, and when the answer began."""
        from obstore import get_async  # noqa: PLC0415 - heavy: only when used

        answer = await get_async(store, self._key, options={"range": span})
        began = time.monotonic()
        return _stamp(answer.meta), answer.range[0], bytes(await answer.bytes_async()), began

    async def fetch(self, offset: int, length: int) -> Answer:
        """Bytes of one range."""
        from obstore import get_range_async  # noqa: PLC0415 - heavy: only when used

        async def ask() -> Answer:
            store = await self._store()
            return memoryview(await get_range_async(store, self._key, start=offset, length=length))

        return await self._asked(ask, partial(self._instead.fetch, offset, length))

    async def _asked(
        self, ask: Callable[[], Awaitable[T]], instead: Callable[[], Awaitable[T]]
    ) -> T:
        if self._is_elsewhere:
            return await instead()
        try:
            found = await ask()
        except Exception as error:  # noqa: BLE001 - of any kind; told apart here
            status = _STATUS.search(str(error))
            if not self._is_for_s3fs(error, status is not None):
                if status is None:
                    raise _plain(error) from None
                # The text holds addresses and headers, which are nobody's business.
                raise S3Error(int(status[1]), str(error)) from None
        else:
            self._has_answered = True
            return found
        found = await instead()
        self._is_elsewhere = True
        return found

    def _is_for_s3fs(self, error: Exception, is_answer: bool) -> bool:
        """Whether s3fs may know better; it may if obstore has never got through to the server."""
        if isinstance(error, _ElsewhereError) or _ELSEWHERE.search(str(error)):
            return True
        self._has_answered |= is_answer
        return not self._has_answered

    async def _store(self) -> Any:
        """Give a store with the credentials of this moment: s3fs renews those that it can."""
        client = await self._filesystem.set_session()
        waits_for(client.meta.endpoint_url)
        keys = await _keys(client)
        if client is not self._plain_client:
            is_anonymous = keys is None
            if is_anonymous != bool(self._filesystem.anon) or not is_plain(
                self._filesystem, client
            ):
                raise _ElsewhereError
            self._plain_client = client
        region = client.meta.region_name or "us-west-2"
        return _store_of(self._bucket, client.meta.endpoint_url, region, keys)


def _stamp(found: Any) -> Stamp:
    changed = found["last_modified"]
    # For a time that no server told, obstore gives that of 1970.
    return Stamp(found["size"], str(found["e_tag"] or (changed if changed.timestamp() else "")))


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
    return frozen.access_key, frozen.secret_key, frozen.token or None


@lru_cache(maxsize=16)
def _store_of(bucket: str, endpoint: str, region: str, keys: Keys) -> Any:
    """Give the one store of a bucket in a process: all its granules share its connections.

    Everything is said to it that it would else take from the environment.
    """
    from obstore.store import S3Store  # noqa: PLC0415 - heavy: only when used

    # A provider, since there is no option for "no token".
    signing: dict[str, Any] = (
        {} if keys is None else {"credential_provider": partial(_provided, keys)}
    )
    return S3Store(
        bucket,
        endpoint=endpoint,
        region=region,
        skip_signature=keys is None,
        virtual_hosted_style_request=False,
        request_payer=False,
        s3_express=False,
        unsigned_payload=False,
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": "1h"},
        retry_config={"max_retries": 0},
        **signing,
    )


def _provided(keys: tuple[str, str, str | None]) -> dict[str, Any]:
    key, secret, token = keys
    return {"access_key_id": key, "secret_access_key": secret, "token": token, "expires_at": None}
