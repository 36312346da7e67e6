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
from xr_icesat2.bytesource.protocol import Stamp
from xr_icesat2.bytesource.translate import StatusError
from xr_icesat2.earthdata.credentials import S3Keys, credentials
from xr_icesat2.earthdata.region import REGION
from xr_icesat2.earthdata.signing import signed
from xr_icesat2.earthdata.web import proxy_for

__all__ = ["DirectRoad", "ExternalRoad", "S3Error"]

T = TypeVar("T")
Secret = TypeVar("Secret")

_LOGIN_HOST = "urs.earthdata.nasa.gov"
_STALE_KEYS = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"}
_CODE = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")
_LONGEST_ERROR = 10_000
# With the secret as it is, and with a new one.
_ASKED = 2


class S3Error(Exception):
    """S3 answers with an error; looks like botocore's to whoever translates it."""

    def __init__(self, status: int, body: str) -> None:
        code, message = _CODE.search(body), _MESSAGE.search(body)
        self.code = code[1] if code else ""
        """What S3 calls it, such as ``"AccessDenied"``."""
        super().__init__(f"HTTP {status} {self.code}")
        self.response = {
            "Error": {"Code": self.code, "Message": message[1] if message else ""},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }


class StaleError(Exception):
    """A server refuses a secret for its age; ``answer`` is what it said."""

    def __init__(self, answer: Exception) -> None:
        super().__init__(str(answer))
        self.answer = answer


class _Road(HTTPTransport, Generic[Secret]):
    """Requests for one URL with a secret that is renewed."""

    async def stamp(self) -> Stamp:
        """Size and ETag, by asking for the first byte."""
        return await self._renewing(super().stamp)

    async def fetch(self, offset: int, length: int) -> bytes:
        """Bytes of one range; fewer if the server sends fewer."""
        return await self._renewing(partial(super().fetch, offset, length))

    async def _renewing(self, ask: Callable[[], Awaitable[T]]) -> T:
        for _ in range(_ASKED):
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
        async with session.get(**request, proxy=proxy_for(request["url"])) as response:
            error = await self._error(response)
            if error is not None and self._is_stale(error):
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

    def _is_stale(self, error: Exception) -> bool:
        raise NotImplementedError


class DirectRoad(_Road[S3Keys]):
    """From S3; only inside AWS us-west-2.

    ``AWS_ENDPOINT_URL_S3`` in the environment names another server.
    """

    async def _secret(self) -> S3Keys:
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

    def _is_stale(self, error: Exception) -> bool:
        return isinstance(error, S3Error) and error.code in _STALE_KEYS


def _s3_address(url: str) -> str:
    """Web address of ``s3://bucket/key``."""
    parts = urlsplit(url)
    path = quote(parts.path)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{parts.netloc}{path}"
    return f"https://{parts.netloc}.s3.{REGION}.amazonaws.com{path}"


class ExternalRoad(_Road[str]):
    """Over HTTPS, from anywhere.

    The archive redirects to an address that is good for a while and needs no
    token; aiohttp leaves the token away where a redirect goes to another host.
    """

    async def _secret(self) -> str:
        return await credentials().token.get()

    def _refuse(self, secret: str) -> None:
        credentials().refuse_token(secret)

    def _request(self, secret: str, headers: dict[str, str]) -> dict[str, Any]:
        return {
            "url": self._url,
            "headers": headers | {"Authorization": f"Bearer {secret}"},
        }

    async def _error(self, response: Any) -> Exception | None:
        at_login = response.url.host == _LOGIN_HOST or response.content_type == "text/html"
        if response.status < 300 and at_login:
            return StatusError(401, "login page")
        if response.status < 300 or response.status == 416:
            return None
        return StatusError.of(response)

    def _is_stale(self, error: Exception) -> bool:
        return isinstance(error, StatusError) and error.status == 401
