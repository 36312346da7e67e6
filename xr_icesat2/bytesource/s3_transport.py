"""S3 by obstore: what s3fs would ask, at a fraction of the processor's time.

s3fs decides where and as whom: bucket, endpoint, region and credentials are
those that it has found, from its options, the environment or a profile. Only
the requests are made by obstore, and only where nothing was asked of s3fs that
would change them.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from . import s3_store
from .protocol import BytesLike, FileVersion, FirstRead
from .s3_client_choice import is_plain
from .s3_store import Keys, answered_status, as_s3_error, store_of
from .slow_requests import note_peer

__all__ = ["ObstoreTransport"]

_ELSEWHERE = re.compile("status code: 400|redirect|non-partial", re.IGNORECASE)
"""In answers that s3fs is asked about: botocore finds the region of a bucket, which S3 tells by 301
or 400; a server that ignores ranges is told by what it sends."""

T = TypeVar("T")


class Inner(Protocol):
    """What a transport is asked for."""

    async def file_version(self) -> FileVersion:
        """Version of the file as it lies there now."""
        ...

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Version of the file, with some of its bytes."""
        ...

    async def fetch(self, offset: int, length: int) -> BytesLike:
        """Bytes of one range."""
        ...


class _ElsewhereError(Exception):
    """What s3fs has found is not for obstore."""


class ObstoreTransport:
    """Requests for one object.

    Parameters
    ----------
    filesystem
        Of s3fs, of which :func:`~xr_icesat2.bytesource.s3_client_choice.can_use_obstore` is true.
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

    async def file_version(self) -> FileVersion:
        """Size and ETag."""

        async def ask() -> FileVersion:
            try:
                return await s3_store.head(await self._store(), self._key)
            except FileNotFoundError:  # s3fs tells what is missing, and what is a directory
                self._has_answered = True
                return await self._instead.file_version()

        return await self._asked(ask, self._instead.file_version)

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Size and ETag, with the first and last bytes: each answer says of which version it is."""
        if self._is_elsewhere:
            return await self._instead.first_read(first, last)
        if not first and not last:
            return FirstRead(await self.file_version())
        with suppress(Exception):  # of any kind: the stamp by itself will tell
            found = await s3_store.first_read(await self._store(), self._key, first, last)
            self._has_answered = True
            return found
        return FirstRead(await self.file_version())

    async def fetch(self, offset: int, length: int) -> BytesLike:
        """Bytes of one range."""

        async def ask() -> BytesLike:
            return await s3_store.fetch(await self._store(), self._key, offset, length)

        return await self._asked(ask, partial(self._instead.fetch, offset, length))

    async def _asked(
        self, ask: Callable[[], Awaitable[T]], instead: Callable[[], Awaitable[T]]
    ) -> T:
        if self._is_elsewhere:
            return await instead()
        try:
            found = await ask()
        except Exception as error:  # noqa: BLE001 - of any kind; told apart here
            if not self._is_for_s3fs(error, answered_status(error) is not None):
                raise as_s3_error(error) from None
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
        note_peer(client.meta.endpoint_url)
        keys = await _keys(client)
        if client is not self._plain_client:
            is_anonymous = keys is None
            if is_anonymous != bool(self._filesystem.anon) or not is_plain(
                self._filesystem, client
            ):
                raise _ElsewhereError
            self._plain_client = client
        region = client.meta.region_name or "us-west-2"
        return store_of(self._bucket, client.meta.endpoint_url, region, keys)


async def _keys(client: Any) -> Keys | None:
    """Give access key, secret key and token; None to ask as nobody."""
    held = client._request_signer._credentials  # noqa: SLF001 - botocore shows them nowhere else
    if held is None:
        return None
    frozen = await held.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key, frozen.token or None
