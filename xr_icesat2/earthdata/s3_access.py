"""S3 access to the archive's bucket, with temporary keys, by obstore."""

import os
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from xr_icesat2.bytesource import s3_store
from xr_icesat2.bytesource.protocol import BytesLike, FileVersion, FirstRead
from xr_icesat2.bytesource.redaction import safe_url
from xr_icesat2.bytesource.s3_client_choice import is_changed_by_environment, is_key_unchanged
from xr_icesat2.bytesource.s3_store import S3Error
from xr_icesat2.bytesource.slow_requests import note_peer
from xr_icesat2.errors import TransferError
from xr_icesat2.fork_safety import was_loaded_before_fork

from .aws_region import REGION
from .credentials import S3Keys, credentials
from .http_session import proxy_for

__all__ = ["EXPIRED_KEY_CODES", "S3Access", "s3_obstacle"]

T = TypeVar("T")

EXPIRED_KEY_CODES = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]+")
# With the current keys, and with new ones.
_ATTEMPTS = 2
# S3 accepts signatures up to 15 minutes old or ahead.
_LARGEST_SKEW = 600.0
_UNEXPECTED_ANSWER = re.compile("redirect|non-partial", re.IGNORECASE)


async def s3_obstacle(url: str) -> str | None:
    """Return why this process cannot read ``url`` from S3, or None where it can."""
    if was_loaded_before_fork("obstore"):
        return (
            "this process was forked after its parent loaded obstore, which does not work in "
            'forks. Start processes with multiprocessing.get_context("spawn")'
        )
    if is_changed_by_environment():
        return "AWS_SERVER_SIDE_ENCRYPTION in the environment changes the requests of obstore"
    if not is_key_unchanged(urlsplit(url).path[1:]):
        return f"obstore cannot request {safe_url(url)}, whose key is not a path"
    seconds = (await _keys()).ahead
    if abs(seconds) > _LARGEST_SKEW:
        return f"the clock of this machine is wrong by {abs(seconds):.0f} s. Set it"
    return None


async def _keys() -> S3Keys:
    note_peer("the archive's S3 keys")
    return await credentials().keys.get()


class S3Access:
    """Transport to one object on S3, which answers only in AWS us-west-2.

    ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` in the environment names another server.

    Parameters
    ----------
    url : str
        ``s3://bucket/key``.
    name : str
        What to call it in messages.
    """

    parallel = True
    whole_file = False

    def __init__(self, url: str, name: str) -> None:
        parts = urlsplit(url)
        if not _BUCKET.fullmatch(parts.netloc):
            raise TransferError(f"{safe_url(url)} does not name a bucket of S3")
        self._bucket, self._key = parts.netloc, parts.path[1:]
        self._name = name

    async def file_version(self) -> FileVersion:
        """Request size and ETag with one byte: answers to HEAD do not explain errors."""
        return (await self.first_read(1, 0)).file_version

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Request size and ETag, with the first and last bytes."""
        try:
            return await self._renewing(
                partial(s3_store.first_read, key=self._key, first=first or int(not last), last=last)
            )
        except S3Error as error:
            if error.status != 416:  # an empty file has no first byte
                raise
        return FirstRead(await self._renewing(partial(s3_store.head, key=self._key)))

    async def fetch(self, offset: int, length: int) -> BytesLike:
        """Request the bytes of one range; return fewer if the server sends fewer."""
        return await self._renewing(
            partial(s3_store.fetch, key=self._key, offset=offset, length=length)
        )

    async def _renewing(self, ask: Callable[[Any], Awaitable[T]]) -> T:
        """Send a request, and once more with new keys if these have expired."""
        for _ in range(_ATTEMPTS):
            keys = await _keys()
            try:
                return await ask(self._store(keys))
            except Exception as error:  # noqa: BLE001 - of any kind; distinguished below
                translated = self._translated(error)
            # Outside of the handler: the context would contain obstore's text.
            if not (isinstance(translated, S3Error) and translated.code in EXPIRED_KEY_CODES):
                raise translated
            credentials().keys.refuse(keys)
        raise translated

    def _store(self, keys: S3Keys) -> Any:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        address = endpoint or f"https://{self._bucket}.s3.{REGION}.amazonaws.com"
        note_peer(address)
        return s3_store.store_of(
            self._bucket,
            address.rstrip("/"),
            REGION,
            (keys.access_key, keys.secret_key, keys.session_token),
            bucket_in_host=not endpoint,
            proxy=_proxy_options(address),
        )

    def _translated(self, error: Exception) -> Exception:
        translated = s3_store.as_s3_error(error)
        if isinstance(translated, S3Error) or not _UNEXPECTED_ANSWER.search(str(error)):
            return translated
        return TransferError(
            f"S3 did not send the requested bytes of {self._name}. Read it over HTTPS, with "
            "storage_options={'access': 'external'}."
        )


def _proxy_options(url: str) -> s3_store.Proxy:
    """Return the proxy for a host, the same as for all other requests to the archive."""
    proxy = proxy_for(url)
    if proxy:
        return (("proxy_url", proxy),)
    # Otherwise obstore would apply its own rules for hosts without a proxy.
    anyone = next(iter(getproxies().values()), None)
    host = urlsplit(url).hostname
    return (
        (("proxy_url", "http://none.invalid"), ("proxy_excludes", host)) if anyone and host else ()
    )
