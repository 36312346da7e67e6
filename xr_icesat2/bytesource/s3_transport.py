"""Requests to S3 by obstore, which takes a fraction of the CPU time of s3fs.

s3fs resolves bucket, endpoint, region and credentials, from its options, the
environment or a profile. Only the requests are made by obstore, and only if no
option of s3fs would change them.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from . import s3_store
from .protocol import BytesLike, FileVersion, FirstRead, Transport
from .s3_client_choice import is_plain
from .s3_store import Keys, answered_status, as_s3_error, store_of
from .slow_requests import note_peer

__all__ = ["ObstoreTransport"]

_ELSEWHERE = re.compile("status code: 400|redirect|non-partial", re.IGNORECASE)
"""Answers after which s3fs repeats the request: of buckets in other regions, which botocore finds,
and of servers that ignore ranges."""

T = TypeVar("T")


class _ElsewhereError(Exception):
    """obstore cannot make the requests that s3fs has resolved."""


class ObstoreTransport:
    """Requests for one object.

    Parameters
    ----------
    filesystem
        A filesystem of s3fs for which
        :func:`~xr_icesat2.bytesource.s3_client_choice.can_use_obstore` is true.
    path
        Bucket and key.
    instead
        Transport for what obstore cannot read. After its first success, it makes all requests.
    """

    parallel = True
    whole_file = False

    def __init__(self, filesystem: Any, path: str, instead: Transport) -> None:
        self._filesystem = filesystem
        self._instead = instead
        self._is_elsewhere = False
        self._has_answered = False
        self._plain_client: Any = None
        self._bucket, self._key, _ = filesystem.split_path(path)

    async def file_version(self) -> FileVersion:
        """Return size and ETag."""

        async def ask() -> FileVersion:
            try:
                return await s3_store.head(await self._store(), self._key)
            except FileNotFoundError:  # s3fs distinguishes missing files from directories
                self._has_answered = True
                return await self._instead.file_version()

        return await self._asked(ask, self._instead.file_version)

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Return size and ETag, with the first and last bytes of that version."""
        if self._is_elsewhere:
            return await self._instead.first_read(first, last)
        if not first and not last:
            return FirstRead(await self.file_version())
        with suppress(Exception):  # any error: the request for the version raises the right one
            found = await s3_store.first_read(await self._store(), self._key, first, last)
            self._has_answered = True
            return found
        return FirstRead(await self.file_version())

    async def fetch(self, offset: int, length: int) -> BytesLike:
        """Return the bytes of one range."""

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
        except Exception as error:  # noqa: BLE001 - of any kind; distinguished here
            if not self._is_for_s3fs(error, answered_status(error) is not None):
                raise as_s3_error(error) from None
        else:
            self._has_answered = True
            return found
        found = await instead()
        self._is_elsewhere = True
        return found

    def _is_for_s3fs(self, error: Exception, is_answer: bool) -> bool:
        """Return whether to ask s3fs, as after any failure before obstore first got an answer."""
        if isinstance(error, _ElsewhereError) or _ELSEWHERE.search(str(error)):
            return True
        self._has_answered |= is_answer
        return not self._has_answered

    async def _store(self) -> Any:
        """Return a store with the current credentials, which s3fs renews if it can."""
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
    """Return access key, secret key and token; None for anonymous requests."""
    found = client._request_signer._credentials  # noqa: SLF001 - botocore has no public access
    if found is None:
        return None
    frozen = await found.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key, frozen.token or None
