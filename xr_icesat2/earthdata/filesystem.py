"""The fsspec filesystem ``icesat2://``: NASA's granules by name, read only."""

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

from fsspec.asyn import AsyncFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK

from xr_icesat2.bytesource.protocol import Range
from xr_icesat2.bytesource.range_requests import RangeRequests
from xr_icesat2.bytesource.request_scheduler import in_daemon_thread, scheduler_of
from xr_icesat2.errors import (
    ChangedGranuleError,
    CorruptGranuleError,
    GranuleNotFoundError,
    SelectionError,
)

from .access import GranuleAccess, check_access
from .archive_paths import PROTOCOL, is_granule, plain_path
from .directory_listing import ListingEntry, find_below, folder_entry, list_folder
from .http_session import http_filesystem

__all__ = ["ICESat2FileSystem"]

_OF_FSSPEC = {
    *("asynchronous", "loop", "batch_size", "skip_instance_cache"),
    *("use_listings_cache", "listings_expiry_time", "max_paths"),
}
_PIECE = 8 * 2**20
"""Bytes of one request when a whole granule is copied."""


class ICESat2FileSystem(AsyncFileSystem):  # type: ignore[misc]
    """ICESat-2 granules in NASA's Earthdata cloud.

    Paths are ``product/release/yyyy/mm/dd/name``, or the name of a granule alone. Instances hold
    no secrets: each process logs in when it first reads, and renews token and keys before they
    expire or when a server refuses them.

    Parameters
    ----------
    access : {"auto", "direct", "external"}
        ``"direct"`` reads from S3, which works in AWS us-west-2 only; ``"external"`` over HTTPS;
        ``"auto"`` as this machine allows. For ``"auto"``, the environment variable
        ``XR_ICESAT2_ACCESS`` takes precedence.
    **options
        Options of :class:`fsspec.asyn.AsyncFileSystem`.

    Raises
    ------
    SelectionError
        ``access`` is not one of these, or an option is unknown.

    Notes
    -----
    Errors are those of :mod:`xr_icesat2.errors`. Each is also the builtin exception that users of
    fsspec expect.
    """

    protocol = PROTOCOL
    cachable = True
    root_marker = ""
    mirror_sync_methods = True

    def __init__(self, access: str = "auto", **options: Any) -> None:
        self.access = check_access(access)
        unknown = sorted(options.keys() - _OF_FSSPEC)
        if unknown:
            raise SelectionError(
                f"{PROTOCOL}:// has no option {', '.join(unknown)}. Its only option is access. The "
                "login is read from earthaccess, the environment or ~/.netrc."
            )
        super().__init__(**options)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return plain_path(os.fspath(path))

    @property
    def fsid(self) -> str:
        """Identifier of the filesystem, the same for all instances."""
        return PROTOCOL

    def transport(self, path: str, name: str) -> GranuleAccess:
        """Return a transport to the granule at ``path``; the caller retries."""
        return GranuleAccess(self._strip_protocol(path), self.access, name)

    def _requests(self, path: str) -> RangeRequests:
        name = f"{PROTOCOL}://{path}"
        return RangeRequests(
            self.transport(path, name), scheduler_of(asyncio.get_running_loop()), name
        )

    async def set_session(self) -> Any:
        """Return the HTTPS session of the running event loop, for the caller to close."""
        return await http_filesystem(asyncio.get_running_loop()).set_session()

    # Files

    async def _info(self, path: str, **_: Any) -> ListingEntry:
        path = self._strip_protocol(path)
        if is_granule(path):
            version = await self._requests(path).file_version()
            return {
                "name": path,
                "size": version.size,
                "type": "file",
                "ETag": version.tag,
            }
        parent, _slash, last = path.rpartition("/")
        if path and path not in {entry["name"] for entry in await list_folder(parent)}:
            raise GranuleNotFoundError(f"There is no {last} in {PROTOCOL}://{parent}")
        return folder_entry(path)

    async def _isfile(self, path: str) -> bool:
        return is_granule(self._strip_protocol(path)) and bool(await self._exists(path))

    async def _isdir(self, path: str) -> bool:
        # fsspec's own takes a failing server for a missing folder.
        return not is_granule(self._strip_protocol(path)) and bool(await self._exists(path))

    async def _cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        requests = self._requests(self._strip_protocol(path))
        if start is not None and end is not None and 0 <= start <= end:
            with suppress(CorruptGranuleError):  # the file is shorter than the range
                return b"".join(await requests.read(_pieces(start, end)))
        first, last, _step = slice(start, end).indices((await requests.file_version()).size)
        return b"".join(await requests.read(_pieces(first, last)))

    async def _get_file(
        self, rpath: str, lpath: str, callback: Any = DEFAULT_CALLBACK, **_: Any
    ) -> None:
        """Copy one granule: the file is complete or does not exist."""
        path = self._strip_protocol(rpath)
        if not is_granule(path):  # fsspec gives folders too
            await in_daemon_thread(partial(os.makedirs, lpath, exist_ok=True))
            return
        requests = self._requests(path)
        version = await requests.file_version()
        callback.set_size(version.size)
        part = Path(f"{lpath}.{uuid4().hex}.part")
        try:
            with await in_daemon_thread(lambda: part.open("xb")) as file:
                for piece in _pieces(0, version.size):
                    (data,) = await requests.read([piece])
                    await in_daemon_thread(partial(file.write, data))
                    callback.relative_update(len(data))
            if await requests.file_version() != version:
                raise ChangedGranuleError(
                    f"{PROTOCOL}://{path} was replaced while it was read. Try again."
                )
            await in_daemon_thread(partial(part.replace, lpath))
        finally:
            part.unlink(missing_ok=True)  # noqa: ASYNC240 - short, and also where a task is cancelled

    # Folders

    async def _ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        path = self._strip_protocol(path)
        entries = [await self._info(path)] if is_granule(path) else await list_folder(path)
        return entries if detail else [entry["name"] for entry in entries]

    async def _find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, **options: Any
    ) -> Any:
        """Find granules by a few pages of CMR instead of folder by folder."""
        path = self._strip_protocol(path)
        depth = path.count("/") + 1 if path else 0
        deepest = sys.maxsize if maxdepth is None else depth + maxdepth
        try:
            if is_granule(path):
                found = {path: await self._info(path)}
            else:
                found = await find_below(path, deepest, withdirs=withdirs)
        except GranuleNotFoundError:
            found = {}
        return found if options.get("detail") else list(found)

    async def _put_file(self, *_: Any, **__: Any) -> NoReturn:
        raise _read_only()

    _pipe_file = _rm_file = _cp_file = _mkdir = _makedirs = _put_file

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode != "rb":
            raise _read_only()
        return super()._open(path, mode, **options)


def _pieces(first: int, last: int) -> list[Range]:
    """Split the bytes from ``first`` up to ``last`` into requests."""
    return [(at, min(_PIECE, last - at)) for at in range(first, last, _PIECE)]


def _read_only() -> SelectionError:
    return SelectionError(f"{PROTOCOL}:// is NASA's archive, which is read-only.")
