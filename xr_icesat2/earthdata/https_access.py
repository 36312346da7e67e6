"""HTTPS access to a granule with a bearer token: one ranged GET for each request.

An expired token or redirect is renewed once, and the request repeated.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from xr_icesat2.bytesource.error_translation import HTTPStatusError
from xr_icesat2.bytesource.http import HTTPTransport
from xr_icesat2.bytesource.protocol import FirstRead
from xr_icesat2.bytesource.slow_requests import note_peer

from .bearer_token import bearer_header
from .credentials import Redirect, credentials
from .http_session import proxy_for

__all__ = ["HTTPSAccess"]

T = TypeVar("T")

_LOGIN_HOST = "urs.earthdata.nasa.gov"
# With the known redirect, with the current token, and with a new token.
_ATTEMPTS = 3
# Answers of a signed address that expired or was moved.
_REDIRECT_OVER = {400, 403, 404, 410}


class ExpiredSecretError(Exception):
    """A server refuses an expired secret; ``answer`` is its error."""

    def __init__(self, answer: Exception) -> None:
        super().__init__(str(answer))
        self.answer = answer


class HTTPSAccess(HTTPTransport):
    """Transport to one granule over HTTPS, from any machine.

    The archive redirects to an address that needs no token for some time, and aiohttp omits the
    token where a redirect leads to another host. Later requests go to that address directly,
    until it is refused.

    Parameters
    ----------
    filesystem, url, name
        As of :class:`~xr_icesat2.bytesource.http.HTTPTransport`.
    redirect : Redirect
        Redirect of this granule, shared by all its requests.
    """

    def __init__(self, filesystem: Any, url: str, name: str, redirect: Redirect) -> None:
        super().__init__(filesystem, url, name)
        self._redirect = redirect

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Request size and ETag, with the first bytes in the same answer."""
        return await self._renewing(partial(super().first_read, first, last))

    async def fetch(self, offset: int, length: int) -> bytes:
        """Request the bytes of one range; return fewer if the server sends fewer."""
        return await self._renewing(partial(super().fetch, offset, length))

    async def _renewing(self, ask: Callable[[], Awaitable[T]]) -> T:
        for _ in range(_ATTEMPTS):
            try:
                return await ask()
            except ExpiredSecretError as error:
                answer = error.answer
        raise answer

    async def _get(self, offset: int, length: int) -> Any:
        return self._answered(await self._secret(), self._range_header(offset, length))

    @asynccontextmanager
    async def _answered(self, secret: str | None, headers: dict[str, str]) -> AsyncIterator[Any]:
        """Yield the answer to one request; raise if the secret has expired."""
        session = await self._filesystem.set_session()
        request = self._request(secret, headers)
        note_peer(request["url"])
        async with session.get(**request, proxy=proxy_for(request["url"])) as response:
            error = await self._error(response)
            if error is not None and self._is_expired(error, secret):
                self._refuse(secret)
                raise ExpiredSecretError(error)
            if error is not None:
                raise error
            yield response

    async def _secret(self) -> str | None:
        """Return the token, or None where none is needed."""
        if self._redirect.url:
            return None
        note_peer("Earthdata Login")
        return await credentials().token.get()

    def _refuse(self, secret: str | None) -> None:
        if secret is None:
            self._redirect.url = None
        else:
            credentials().refuse_token(secret)

    def _request(self, secret: str | None, headers: dict[str, str]) -> dict[str, Any]:
        if secret is None:
            # Another request may just have discarded the redirect: then the archive answers.
            return {"url": self._redirect.url or self._url, "headers": headers}
        return {
            "url": self._url,
            "headers": headers | bearer_header(self._url, secret),
        }

    async def _error(self, response: Any) -> Exception | None:
        host = response.url.host
        if response.status < 300 and (host == _LOGIN_HOST or response.content_type == "text/html"):
            return HTTPStatusError(401, "login page")
        if response.status < 300 or response.status == 416:
            if host != urlsplit(self._url).hostname:
                self._redirect.url = str(response.url)
            return None
        return HTTPStatusError.of(response)

    def _is_expired(self, error: Exception, secret: str | None) -> bool:
        status = error.status if isinstance(error, HTTPStatusError) else 0
        return status == 401 or (secret is None and status in _REDIRECT_OVER)
