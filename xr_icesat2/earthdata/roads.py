"""The two roads to a granule's bytes: S3 with temporary keys, HTTPS with a bearer token.

Each is one ranged GET over the HTTPS session of the event loop. What a server
says of a secret that has gone stale is told apart from everything else: then
the secret is renewed, once, and the request made again.
"""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

from xr_icesat2.bytesource.http import HTTPTransport
from xr_icesat2.bytesource.naming import safe_url
from xr_icesat2.bytesource.protocol import Look
from xr_icesat2.bytesource.s3_error import S3Error
from xr_icesat2.bytesource.translate import StatusError
from xr_icesat2.bytesource.waiting import waits_for
from xr_icesat2.earthdata.credentials import Redirect, S3Keys, credentials
from xr_icesat2.earthdata.region import REGION
from xr_icesat2.earthdata.signing import signed
from xr_icesat2.earthdata.token_hosts import bearer_header
from xr_icesat2.earthdata.web import proxy_for
from xr_icesat2.errors import TransferError

__all__ = ["STALE_KEYS", "DirectRoad", "ExternalRoad"]

T = TypeVar("T")
Secret = TypeVar("Secret")

_LOGIN_HOST = "urs.earthdata.nasa.gov"
STALE_KEYS = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]+")
_LONGEST_ERROR = 10_000
# What a signed address answers when its time is over, or when it has been moved.
_REDIRECT_OVER = {400, 403, 404, 410}


class StaleError(Exception):
    """A server refuses a secret for its age; ``answer`` is what it said."""

    def __init__(self, answer: Exception) -> None:
        super().__init__(str(answer))
        self.answer = answer


class _Road(HTTPTransport, Generic[Secret]):
    """Requests for one URL with a secret that is renewed.

    Attributes
    ----------
    attempts : int
        With the secret as it is, and with a new one.
    """

    attempts = 2

    async def look(self, first: int, last: int) -> Look:
        """Size and ETag, with the first bytes in the same answer."""
        return await self._renewing(partial(super().look, first, last))

    async def fetch(self, offset: int, length: int) -> bytes:
        """Bytes of one range; fewer if the server sends fewer."""
        return await self._renewing(partial(super().fetch, offset, length))

    async def _renewing(self, ask: Callable[[], Awaitable[T]]) -> T:
        for _ in range(self.attempts):
            try:
                return await ask()
            except StaleError as error:
                answer = error.answer
        raise answer

    async def _get(self, offset: int, length: int) -> Any:
        return self._answered(await self._secret(), self._range_header(offset, length))

    @asynccontextmanager
    async def _answered(self, secret: Secret, headers: dict[str, str]) -> AsyncIterator[Any]:
        """Answer to one request, once it is clear that the secret was not stale."""
        session = await self._filesystem.set_session()
        request = self._request(secret, headers)
        waits_for(request["url"])
        async with session.get(**request, proxy=proxy_for(request["url"])) as response:
            error = await self._error(response)
            if error is not None and self._is_stale(error, secret):
                self._refuse(secret)
                raise StaleError(error)
            if error is not None:
                raise error
            yield response

    async def _secret(self) -> Secret:
        raise NotImplementedError

    def _refuse(self, secret: Secret) -> None:
        raise NotImplementedError

    def _request(self, secret: Secret, headers: dict[str, str]) -> dict[str, Any]:
        raise NotImplementedError

    async def _error(self, response: Any) -> Exception | None:
        raise NotImplementedError

    def _is_stale(self, error: Exception, secret: Secret) -> bool:
        raise NotImplementedError


class DirectRoad(_Road[S3Keys]):
    """From S3; only inside AWS us-west-2.

    ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` in the environment names another server.
    """

    async def _secret(self) -> S3Keys:
        waits_for("the archive's S3 keys")
        return await credentials().keys.get()

    def _refuse(self, secret: S3Keys) -> None:
        credentials().keys.refuse(secret)

    def _request(self, secret: S3Keys, headers: dict[str, str]) -> dict[str, Any]:
        url = _s3_address(self._url)
        moment = datetime.now(UTC) + timedelta(seconds=secret.ahead)
        return {
            "url": url,
            "headers": signed(url, headers, secret, moment, REGION),
            "allow_redirects": False,
        }

    async def _error(self, response: Any) -> Exception | None:
        if response.status < 300 or response.status == 416:
            return None
        return S3Error(response.status, (await response.text())[:_LONGEST_ERROR])

    def _is_stale(self, error: Exception, secret: S3Keys) -> bool:
        del secret
        return isinstance(error, S3Error) and error.code in STALE_KEYS


def _s3_address(url: str) -> str:
    """Web address of ``s3://bucket/key``."""
    parts = urlsplit(url)
    if not _BUCKET.fullmatch(parts.netloc):
        raise TransferError(f"{safe_url(url)} has no name of a bucket of S3 in it")
    path = quote(parts.path)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{parts.netloc}{path}"
    return f"https://{parts.netloc}.s3.{REGION}.amazonaws.com{path}"


class ExternalRoad(_Road[str | None]):
    """Over HTTPS, from anywhere.

    The archive redirects to an address that is good for a while and needs no
    token; aiohttp leaves the token away where a redirect goes to another host.
    That address is asked directly from then on, until it is refused.

    Parameters
    ----------
    filesystem, url, name
        As of :class:`~xr_icesat2.bytesource.http.HTTPTransport`.
    redirect : Redirect
        Of this granule, shared by all its requests.
    """

    # Before, with the redirect that we know.
    attempts = 3

    def __init__(self, filesystem: Any, url: str, name: str, redirect: Redirect) -> None:
        super().__init__(filesystem, url, name)
        self._redirect = redirect

    async def _secret(self) -> str | None:
        """Token, or None where none is needed."""
        if self._redirect.url:
            return None
        waits_for("Earthdata Login")
        return await credentials().token.get()

    def _refuse(self, secret: str | None) -> None:
        if secret is None:
            self._redirect.url = None
        else:
            credentials().refuse_token(secret)

    def _request(self, secret: str | None, headers: dict[str, str]) -> dict[str, Any]:
        if secret is None:
            # Another request may just have found out that it is over: then the archive says so.
            return {"url": self._redirect.url or self._url, "headers": headers}
        return {
            "url": self._url,
            "headers": headers | bearer_header(self._url, secret),
        }

    async def _error(self, response: Any) -> Exception | None:
        host = response.url.host
        if response.status < 300 and (host == _LOGIN_HOST or response.content_type == "text/html"):
            return StatusError(401, "login page")
        if response.status < 300 or response.status == 416:
            if host != urlsplit(self._url).hostname:
                self._redirect.url = str(response.url)
            return None
        return StatusError.of(response)

    def _is_stale(self, error: Exception, secret: str | None) -> bool:
        status = error.status if isinstance(error, StatusError) else 0
        return status == 401 or (secret is None and status in _REDIRECT_OVER)
