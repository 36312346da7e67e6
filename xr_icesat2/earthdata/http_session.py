"""The HTTPS session of an event loop, and requests for JSON."""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from xr_icesat2.bytesource import request_limits as limits
from xr_icesat2.bytesource.error_translation import GarbledResponseError, HTTPStatusError
from xr_icesat2.bytesource.slow_requests import note_peer
from xr_icesat2.fork_safety import PerProcess, keep_in_children

__all__ = [
    "JSONResponse",
    "Query",
    "http_filesystem",
    "http_filesystems",
    "post_json",
    "proxy_for",
]

Query = Sequence[tuple[str, str]]
"""Parameters of a request; a name may occur several times."""


@dataclass(frozen=True)
class JSONResponse:
    """A JSON answer.

    Attributes
    ----------
    status : int
        HTTP status.
    headers : mapping
        Names in lower case.
    body : Any
        None where it is not JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: Any


async def post_json(
    url: str, form: Query, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Send one request without retries; its body holds any number of parameters.

    Raises
    ------
    StatusError
        Status 429, or 500 and above: a retry may help.
    GarbledAnswerError
        A successful answer that is not JSON.
    """
    note_peer(url)
    session = await http_filesystem(asyncio.get_running_loop()).set_session()
    options = {"headers": dict(headers or {}), "proxy": proxy_for(url)}
    async with session.post(url, data=list(form), **options) as response:
        if response.status == 429 or response.status >= 500:
            raise HTTPStatusError.of(response)
        text = await response.text()
        headers_by_name = {name.lower(): value for name, value in response.headers.items()}
        return JSONResponse(response.status, headers_by_name, _parsed(text, response.status))


def _parsed(text: str, status: int) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        if status == 200:
            raise GarbledResponseError(
                "not JSON: does this network require a login on a web page?"
            ) from None
        return None


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for a host, as requests does.

    aiohttp's own ``trust_env`` would also add passwords from netrc to requests.
    """
    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


async def _client(*, loop: asyncio.AbstractEventLoop, **options: Any) -> Any:
    """Create a session for :class:`fsspec.implementations.http.HTTPFileSystem`.

    It has no cookies: those of one granule's redirect are not valid for another. Certificates are
    loaded here and not when aiohttp is imported, so that a later SSL_CERT_FILE counts.
    """
    import aiohttp  # noqa: PLC0415 - heavy: only when used

    return aiohttp.ClientSession(
        loop=loop,
        connector=aiohttp.TCPConnector(
            limit=2 * limits.MAX_CONCURRENT_REQUESTS, ssl=ssl.create_default_context()
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        **options,
    )


http_filesystems = PerProcess[dict[asyncio.AbstractEventLoop, Any]](dict)
"""The HTTP filesystems of this process by event loop, open for its life."""


def http_filesystem(loop: asyncio.AbstractEventLoop) -> Any:
    """Return the HTTP filesystem of ``loop``, whose only session has no secrets."""
    from fsspec.implementations.http import HTTPFileSystem  # noqa: PLC0415 - heavy: only when used

    webs = http_filesystems()
    if loop not in webs:
        for other in [each for each in webs if each.is_closed()]:
            webs.pop(other, None)  # which closes its connections
        web = HTTPFileSystem(loop=loop, get_client=_client, skip_instance_cache=True)
        keep_in_children(web)
        # setdefault is atomic: two threads get the same filesystem.
        webs.setdefault(loop, web)
    return webs[loop]
