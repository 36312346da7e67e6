"""Ranged GET requests over the session of fsspec's HTTP filesystem.

Its own ``_cat_file`` reads the whole answer: if a server ignores ``Range``,
that is the whole granule, gigabytes, for every range. Its ``_info`` asks
with HEAD, which presigned URLs refuse, and reports every failure as
"not found". So the requests are made here, with the filesystem's session and
options; aiohttp is not imported.
"""

import re
import time
from typing import Any

from xr_icesat2.errors import AccessDeniedError, TransferError
from xr_icesat2.messages import LOGIN_HINT

from .error_translation import HTTPStatusError
from .protocol import FileVersion, FirstRead
from .slow_requests import heard, note_peer

__all__ = ["HTTPTransport"]

_CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-\d+|\*)/(?P<size>\d+|\*)")


class HTTPTransport:
    """Requests for one URL.

    Parameters
    ----------
    filesystem : fsspec.implementations.http.HTTPFileSystem
        Gives session, headers and options.
    url : str
        As the filesystem wants it, secrets and all.
    name : str
        What to call it in messages.
    """

    parallel = True
    whole_file = False

    def __init__(self, filesystem: Any, url: str, name: str) -> None:
        self._filesystem = filesystem
        self._url = url
        self._name = name

    async def _get(self, offset: int, length: int) -> Any:
        session = await self._filesystem.set_session()
        options = dict(self._filesystem.kwargs)
        headers = {**options.pop("headers", {}), **self._range_header(offset, length)}
        url = self._filesystem.encode_url(self._url)
        note_peer(self._url)
        return session.get(url, headers=headers, **options)

    def _range_header(self, offset: int, length: int) -> dict[str, str]:
        # "identity": offsets count bytes of the file, not of a compressed transfer.
        return {
            "Accept-Encoding": "identity",
            "Range": f"bytes={offset}-{offset + length - 1}",
        }

    async def file_version(self) -> FileVersion:
        """Return size and ETag, by a request for the first byte."""
        return (await self.first_read(1, 0)).file_version

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Return size and ETag, with the first bytes in the same answer."""
        del last  # of its own a request, which not every server understands
        began = time.monotonic()
        async with await self._get(0, max(1, first)) as response:
            waited = time.monotonic() - began
            size = _size(response)
            if response.status != 416:  # an empty file has no first byte
                self._refuse_failure(response)
            if size is None:
                raise TransferError(
                    f"The server of {self._name} does not report the size of the file. Download "
                    "it, or put simplecache:: before the URL."
                )
            tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
            asked = min(first, size)
            ranged = response.status == 206 and _first(response) == 0
            head = await self._body(response, 0, asked) if ranged and asked else b""
            pieces = {0: head} if head and len(head) == asked else {}
            return FirstRead(FileVersion(size, tag or ""), pieces, waited)

    async def fetch(self, offset: int, length: int) -> bytes:
        """Return the bytes of one range; fewer if the server sends fewer."""
        async with await self._get(offset, length) as response:
            self._refuse_failure(response)
            if response.status != 206 or _first(response) not in {None, offset}:
                # A server may send a file whole if all of it is asked for.
                whole = response.status == 200 and offset == 0
                if not (whole and response.content_length == length):
                    raise self._range_ignored(offset, length)
            return await self._body(response, offset, length)

    async def _body(self, response: Any, offset: int, length: int) -> bytes:
        pieces, received = [], 0
        async for piece in response.content.iter_any():
            heard()
            pieces.append(piece)
            received += len(piece)
            if received > length:
                raise self._range_ignored(offset, length)
        return b"".join(pieces)

    def _refuse_failure(self, response: Any) -> None:
        if response.status >= 300:
            raise HTTPStatusError.of(response)
        if response.content_type == "text/html":
            raise AccessDeniedError(
                f"{self._name} is a web page, such as a login page or a listing, not a file. "
                f"{LOGIN_HINT}"
            )

    def _range_ignored(self, offset: int, length: int) -> TransferError:
        return TransferError(
            f"The server of {self._name} ignores byte ranges: it did not send the requested "
            f"{length} bytes at {offset}. Download the file, or put simplecache:: before the URL, "
            "so that fsspec downloads it."
        )


def _content_range(response: Any) -> re.Match[str] | None:
    return _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))


def _first(response: Any) -> int | None:
    found = _content_range(response)
    return int(found["first"]) if found and found["first"] else None


def _size(response: Any) -> int | None:
    found = _content_range(response)
    if found:
        return None if found["size"] == "*" else int(found["size"])
    length = response.content_length
    return length if response.status == 200 and isinstance(length, int) else None
