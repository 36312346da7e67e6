"""Read a granule of the archive from S3 or over HTTPS: behind ``icesat2://``."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from xr_icesat2.bytesource.error_translation import http_status
from xr_icesat2.bytesource.protocol import BytesLike, FileVersion, FirstRead, Transport
from xr_icesat2.bytesource.request_scheduler import in_daemon_thread
from xr_icesat2.bytesource.s3_store import S3Error
from xr_icesat2.errors import (
    AccessDeniedError,
    GranuleNotFoundError,
    SelectionError,
    TransferError,
)
from xr_icesat2.fork_safety import PerProcess
from xr_icesat2.printable import get_logger

from .archive_paths import Place, place_of_path
from .aws_region import machine_region
from .cmr import place_of_name
from .credentials import Redirect
from .http_session import http_filesystem
from .https_access import HTTPSAccess
from .s3_access import EXPIRED_KEY_CODES, S3Access, s3_obstacle

__all__ = ["ACCESS_METHODS", "ACCESS_VARIABLE", "GranuleAccess", "check_access", "s3_refusal"]

T = TypeVar("T")
Request: TypeAlias = Callable[[Transport], Awaitable[T]]
_log = get_logger(__name__)

ACCESS_VARIABLE = "XR_ICESAT2_ACCESS"
ACCESS_METHODS = ("auto", "direct", "external")

_USE_HTTPS = (
    f"To read over HTTPS, pass storage_options={{'access': 'external'}}, or set "
    f"{ACCESS_VARIABLE}=external in the environment."
)


class S3Refusal:
    """Whether S3 refused this process, and what it logged about that; each is logged once.

    Forked children know of a refusal, but log by themselves.
    """

    def __init__(self) -> None:
        self.refused = False
        """While False, S3 is tried in us-west-2."""
        self._logged = PerProcess[set[str]](set)

    def record(self) -> None:
        """Record that S3 refused, and log the first time."""
        if not self.refused:
            self.refused = True
            _log.warning(
                "S3 refuses this machine, which may not be in AWS us-west-2: granules are read "
                "over HTTPS from now on. Set %s=external in the environment to avoid the attempt",
                ACCESS_VARIABLE,
            )

    def log_once(self, level: int, text: str) -> None:
        """Log a text unless this process has logged it."""
        if text not in self._logged():
            self._logged().add(text)
            _log.log(level, "%s", text)

    def reset(self) -> None:
        """Forget the refusal and the texts."""
        self.refused = False
        self._logged.reset()


s3_refusal = S3Refusal()
"""What this process knows of S3."""


def check_access(access: str) -> str:
    """Check the option ``access``.

    Raises
    ------
    SelectionError
        It is not an access method.
    """
    if access not in ACCESS_METHODS:
        raise SelectionError(f"access={access!r}, expected one of {', '.join(ACCESS_METHODS)}")
    return access


def _requested_access(access: str) -> str:
    """Return the access method of the option, else of the environment."""
    if access != "auto":
        return access
    given = os.environ.get(ACCESS_VARIABLE) or "auto"
    if given not in ACCESS_METHODS:
        raise SelectionError(
            f"{ACCESS_VARIABLE}={given!r}, expected one of {', '.join(ACCESS_METHODS)}"
        )
    return given


async def _uses_s3(access: str) -> bool:
    if access != "auto":
        return access == "direct"
    if s3_refusal.refused:
        return False
    here = machine_region.known
    return await in_daemon_thread(machine_region.is_readable) if here is None else here


class GranuleAccess:
    """Transport to one granule of the archive, by S3 or HTTPS.

    Parameters
    ----------
    path : str
        Plain path, see :mod:`~xr_icesat2.earthdata.archive_paths`.
    access : {"auto", "direct", "external"}
        Access method.
    name : str
        What to call it in messages.
    """

    parallel = True
    whole_file = False

    def __init__(self, path: str, access: str, name: str) -> None:
        self._path = path
        self._access = access
        self._name = name
        self._place = place_of_path(path)
        self._is_looked_up = False
        self._catalog_lock = asyncio.Lock()
        self._redirect = Redirect()

    async def file_version(self) -> FileVersion:
        """Request the current size and ETag."""
        return await self._request(lambda method: method.file_version())

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Request size and ETag, with some of the first or last bytes."""
        return await self._request(lambda method: method.first_read(first, last))

    async def fetch(self, offset: int, length: int) -> BytesLike:
        """Request the bytes of one range; return fewer if the server sends fewer."""
        return await self._request(lambda method: method.fetch(offset, length))

    async def _request(self, request: Request[T]) -> T:
        place = self._place or await self._look_up()
        try:
            return await self._request_from(request, place)
        except Exception as error:  # noqa: BLE001 - raised below
            raised = error
        if _may_have_moved(raised) and await self._look_up() != place:
            return await self._request(request)
        raise _translate_refusal(raised, self._name)

    async def _look_up(self) -> Place:
        """Look the addresses up in the catalog, once for all requests that wait."""
        async with self._catalog_lock:
            if self._place is None or not self._is_looked_up:
                self._place = await place_of_name(self._path.rpartition("/")[2])
                self._is_looked_up, self._redirect = True, Redirect()
            return self._place

    async def _request_from(self, request: Request[T], place: Place) -> T:
        web = http_filesystem(asyncio.get_running_loop())
        url = place.https_url
        external = url and HTTPSAccess(web, url, self._name, self._redirect)
        access = _requested_access(self._access)
        if not place.s3_url or not await _uses_s3(access):
            if not external:
                raise GranuleNotFoundError(
                    f"{self._name} has no HTTPS address in the archive, only one on S3. Read it in "
                    "AWS us-west-2, with access='direct'."
                )
            return await request(external)
        direct = S3Access(place.s3_url, self._name)
        why_not = await s3_obstacle(place.s3_url)
        if why_not:
            if not external:
                raise TransferError(f"cannot read {self._name} from S3: {why_not}")
            level = logging.WARNING if access == "direct" else logging.INFO
            s3_refusal.log_once(level, f"granules are read over HTTPS instead of S3: {why_not}")
            return await request(external)
        try:
            return await request(direct)
        except S3Error as error:
            if not (external and access == "auto" and error.code == "AccessDenied"):
                raise
        # S3 answers the same for a wrong region and for a missing key; HTTPS tells them apart.
        answer = await request(external)
        s3_refusal.record()
        return answer


def _may_have_moved(error: Exception) -> bool:
    return http_status(error) == 404 or (
        isinstance(error, S3Error) and error.code == "AccessDenied"
    )


def _translate_refusal(error: Exception, name: str) -> Exception:
    """Return an error that explains the refusal, or ``error`` itself."""
    if isinstance(error, S3Error):
        why = _refusal_reason(error.code)
        return AccessDeniedError(f"S3 refuses {name}: {why}") if why else error
    if http_status(error) in {401, 403}:
        return AccessDeniedError(
            f"the archive refuses {name} (HTTP {http_status(error)}). Log in at "
            "https://urs.earthdata.nasa.gov and accept the terms of NSIDC's cloud data."
        )
    return error


def _refusal_reason(code: str) -> str | None:
    """Return what an S3 error code means and what to do; None if not a refusal."""
    if code == "AccessDenied":
        return f"NASA's S3 bucket can be read in AWS us-west-2 only. {_USE_HTTPS}"
    if code == "RequestTimeTooSkewed":
        return f"the clock of this machine is wrong. Set it. {_USE_HTTPS}"
    if code in EXPIRED_KEY_CODES:
        return f"{code}, for keys that the archive has just issued. Try again later. {_USE_HTTPS}"
    return None
