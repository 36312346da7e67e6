"""One request over an fsspec filesystem, without retries or limits of its own."""

import asyncio
import inspect
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from xr_icesat2.errors import NotAGranuleError, TransferError
from xr_icesat2.fork_safety import PerProcess, was_loaded_before_fork

from .http import HTTPTransport
from .protocol import FileVersion, FirstRead, Transport
from .request_scheduler import in_daemon_thread
from .s3_client_choice import can_use_obstore
from .s3_transport import ObstoreTransport
from .slow_requests import note_peer

__all__ = ["AsyncTransport", "BlockingTransport", "transport_for"]

# The first that a filesystem reports is used: tags of content before times.
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "generation", "LastModified", "last_modified")
_TIMES = ("updated", "mtime", "modified", "created")


class AsyncTransport:
    """Requests through the coroutines of an asynchronous filesystem (S3 and others)."""

    parallel = True
    whole_file = False

    def __init__(self, filesystem: Any, path: str, name: str) -> None:
        self._filesystem = filesystem
        self._path = path
        self._name = name

    async def file_version(self) -> FileVersion:
        """Return size and ETag, bypassing the cache of directory listings."""
        options = _fresh(self._filesystem, self._path, "_info")
        return _version(await self._filesystem._info(self._path, **options), self._name)  # noqa: SLF001

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Return size and ETag, and the first bytes at the same time."""
        del last
        began = time.monotonic()
        request = asyncio.ensure_future(self.fetch(0, first)) if first else None
        try:
            version = await self.file_version()
            latency = time.monotonic() - began
            head = await _finished(request)
        finally:
            if request is not None:
                request.cancel()
        whole = len(head) == min(first, version.size)
        return FirstRead(version, {0: head} if head and whole else {}, latency)

    async def fetch(self, offset: int, length: int) -> bytes:
        """Return the bytes of one range."""
        data: bytes = await self._filesystem._cat_file(  # noqa: SLF001
            self._path, start=offset, end=offset + length
        )
        return data


class BlockingTransport:
    """Requests through the blocking calls of any other filesystem, one at a time.

    One at a time for a file in this process: ``memory://`` has one position a
    file, and two first reads of ``simplecache::`` would download into one file.
    """

    parallel = False

    def __init__(self, filesystem: Any, path: str, name: str) -> None:
        self._filesystem = filesystem
        self._path = path
        self._name = name
        self._lock = _turn(filesystem, path)
        cache = self.whole_file = _is_cache(filesystem)
        # A cache cannot say whether the file has changed: the place below it can.
        self._below = transport_for(filesystem.fs, path, name) if cache else None

    async def _alone(self, function: Callable[[], Any]) -> Any:
        note_peer(f"the whole of {self._name}" if self.whole_file else self._name)

        def call() -> Any:
            with self._lock:
                return function()

        return await in_daemon_thread(call)

    async def file_version(self) -> FileVersion:
        """Return size and tag, as the filesystem reports them."""
        if self._below is not None:
            return await self._below.file_version()
        options = _fresh(self._filesystem, self._path, "info")
        info = await self._alone(partial(self._filesystem.info, self._path, **options))
        return _version(info, self._name)

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Return size and tag alone: bytes would be another request."""
        del first, last
        return FirstRead(await self.file_version())

    async def fetch(self, offset: int, length: int) -> bytes:
        """Return the bytes of one range."""
        ask = partial(self._filesystem.cat_file, self._path, start=offset, end=offset + length)
        data: bytes = await self._alone(ask)
        return data


def transport_for(filesystem: Any, path: str, name: str) -> Transport:
    """Choose the transport for a path of a filesystem: its own, if it has one.

    Parameters
    ----------
    filesystem : fsspec.AbstractFileSystem
        Synchronous instance.
    path : str
        As the filesystem wants it.
    name : str
        What to call it in messages.
    """
    own = getattr(type(filesystem), "transport", None)
    if own is not None:
        transport: Transport = own(filesystem, path, name)
        return transport
    _refuse_inherited(filesystem, name)
    # By class: a caching filesystem hands out the attributes of the one below it.
    below = getattr(filesystem, "fs", filesystem)
    if not (type(filesystem).async_impl and type(below).async_impl):
        return BlockingTransport(filesystem, path, name)
    if _is_a(filesystem, "HTTPFileSystem"):
        return HTTPTransport(filesystem, path, name)
    plain = AsyncTransport(filesystem, path, name)
    if can_use_obstore(filesystem, path):
        return ObstoreTransport(filesystem, path, plain)
    return plain


def _refuse_inherited(filesystem: Any, name: str) -> None:
    """Refuse a filesystem of obstore, which does not answer in a child of its first process."""
    of_obstore = type(filesystem).__module__.partition(".")[0] == "obstore"
    if of_obstore and was_loaded_before_fork("obstore"):
        raise TransferError(
            f"Cannot read {name}: this process was forked after its parent loaded obstore, which "
            "does not work in forked processes. Pass the URL (s3://…) and storage_options, or "
            'start processes with multiprocessing.get_context("spawn").'
        )


async def _finished(request: "asyncio.Future[bytes] | None") -> bytes:
    """Return the bytes; none after a failure, since they are requested again if needed."""
    if request is None:
        return b""
    try:
        return await request
    except Exception:  # noqa: BLE001 - of any kind
        return b""


def _is_a(filesystem: Any, kind: str) -> bool:
    """Compare by name, so that the module of that class need not be imported."""
    return any(base.__name__ == kind for base in type(filesystem).__mro__)


def _is_cache(filesystem: Any) -> bool:
    return _is_a(filesystem, "CachingFileSystem")


def _fresh(filesystem: Any, path: str, method: str) -> dict[str, bool]:
    """Return options that make ``info`` bypass cached listings, or drop the listings."""
    if "refresh" in inspect.signature(getattr(filesystem, method)).parameters:
        return {"refresh": True}
    filesystem.invalidate_cache(path)
    return {}


def _version(info: dict[str, Any], name: str) -> FileVersion:
    if info.get("type") == "directory":
        raise NotAGranuleError(
            f"{name} is a directory, not a granule. Pass the files in it, which you can list with "
            "fsspec's glob."
        )
    size = info.get("size")
    if not isinstance(size, int):
        raise TransferError(f"The filesystem of {name} does not report the size of the file.")
    tag = next((str(info[key]) for key in (*_TAGS, *_TIMES) if info.get(key)), "")
    return FileVersion(size, tag)


_turns = PerProcess[dict[tuple[str, str], threading.Lock]](dict)


def _turn(filesystem: Any, path: str) -> threading.Lock:
    # All members of an archive are read through one open file.
    file = "" if _is_a(filesystem, "AbstractArchiveFileSystem") else path
    return _turns().setdefault((type(filesystem).__qualname__, file), threading.Lock())
