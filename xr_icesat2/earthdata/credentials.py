"""Log in to Earthdata and request S3 keys: the only module with secrets.

Each process logs in when it first reads; pickles contain URLs only. earthaccess does the login:
with its own session if the user has logged in, else from the environment, else from netrc. It
never prompts, since a prompt could appear in a thread of a worker.
"""

import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

from xr_icesat2.bytesource import request_limits as limits
from xr_icesat2.bytesource.error_translation import GarbledResponseError, HTTPStatusError
from xr_icesat2.errors import AccessDeniedError
from xr_icesat2.fork_safety import PerProcess
from xr_icesat2.printable import get_logger

from .bearer_token import bearer_header
from .credential_refresh import ExpiringValue, RefreshedValue

__all__ = ["Credentials", "Redirect", "S3Keys", "credentials"]

_log = get_logger(__name__)

_KEYS_URL = "https://data.nsidc.earthdatacloud.nasa.gov/s3credentials"
_NEVER = float("inf")
# Line breaks and letters beyond ASCII cannot be sent in a header.
_SENDABLE = re.compile("[!-~]+")
# Clocks of two machines differ by some seconds, and the header has whole seconds.
_SAME_CLOCK = 5.0
# A renewal makes up to four requests within the time limit of a read.
_SHARE = 4

_HOW = (
    "log in with earthaccess.login(), or set EARTHDATA_TOKEN, or EARTHDATA_USERNAME and "
    "EARTHDATA_PASSWORD, in the environment, or write ~/.netrc with "
    "earthaccess.login(persist=True) (the last two also serve dask's workers). An account is "
    "free: https://urs.earthdata.nasa.gov"
)


@dataclass(frozen=True, slots=True)
class S3Keys:
    """Temporary keys for S3."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    ahead: float = 0.0
    """Seconds by which the archive's clock is ahead of this machine's."""


@dataclass(slots=True)
class Redirect:
    """The address to which the archive redirects; for some time it needs no token."""

    url: str | None = field(default=None, repr=False)
    """None before the first redirect, and after it expired."""


class Credentials:
    """Token and S3 keys of one process."""

    def __init__(self) -> None:
        self.token: RefreshedValue[str] = RefreshedValue(self._log_in)
        """Bearer token for HTTPS."""
        self.keys: RefreshedValue[S3Keys] = RefreshedValue(self._new_keys)
        """Keys for S3."""
        self._refused: tuple[object, str] | None = None
        self._tokens_refused: set[str] = set()

    def refuse_token(self, token: str) -> None:
        """Discard a token that a server calls invalid or expired."""
        self._tokens_refused.add(token)
        self.token.refuse(token)

    def _log_in(self) -> ExpiringValue[str]:
        """Log in, but not twice with what was refused: that locks accounts."""
        way = _login_inputs()
        if self._refused is not None and self._refused[0] == way:
            raise AccessDeniedError(self._refused[1])
        try:
            token = _token(self._tokens_refused)
        except AccessDeniedError as error:
            self._refused = way, str(error)
            raise
        return ExpiringValue(token["access_token"], _seconds_left(token.get("expiration_date")))

    def _new_keys(self) -> ExpiringValue[S3Keys]:
        token = self._token_for_keys()
        answer = _ask_for_keys(token)
        if answer.status_code == 401 or answer.is_redirect:  # to a login page
            self.refuse_token(token)
            answer = _ask_for_keys(self._token_for_keys())
        if answer.status_code in {401, 403} or answer.is_redirect:
            raise AccessDeniedError(
                f"The archive does not issue S3 keys (HTTP {answer.status_code}). This Earthdata "
                "login may not be authorized for NSIDC's cloud data yet: accept its terms at "
                "https://urs.earthdata.nasa.gov, or read with access='external'."
            )
        if answer.status_code != 200:
            raise HTTPStatusError.of(answer)
        return _read_keys(answer)

    def _token_for_keys(self) -> str:
        return self.token.wait(limits.timeout())


credentials = PerProcess(Credentials)
"""Credentials of this process."""


def _login_inputs() -> object:
    """Return what a login depends on: a change of it is worth another attempt."""
    import earthaccess  # noqa: PLC0415 - heavy: only when a granule of the archive is read

    names = ("EARTHDATA_TOKEN", "EARTHDATA_USERNAME", "EARTHDATA_PASSWORD", "NETRC")
    given = tuple(os.environ.get(name) for name in names)
    netrc = _netrc()
    written = netrc.stat().st_mtime_ns if netrc.exists() else 0
    return given, written, (earthaccess.__auth__.token or {}).get("access_token")


def _netrc() -> Path:
    name = "_netrc" if os.name == "nt" else ".netrc"
    return Path(os.environ.get("NETRC") or Path.home() / name)


def _token(refused: set[str]) -> Mapping[str, str]:
    """Return a token that has not been refused."""
    import earthaccess  # noqa: PLC0415 - as above

    theirs = earthaccess.__auth__
    offers = [theirs.token] if theirs.authenticated else []
    for strategy in ("environment", "netrc"):
        if all(offer is None or not _is_good(_text(offer), refused) for offer in offers):
            offers.append(_logged_in(earthaccess.Auth(), strategy))
    tokens = [offer for offer in offers if offer is not None]
    for token in tokens:
        if _is_good(_text(token), refused):
            return {**token, "access_token": _text(token)}
    if tokens:
        raise AccessDeniedError(
            "The Earthdata token is invalid or has expired. Generate a new one at "
            "https://urs.earthdata.nasa.gov (Generate Token) and set EARTHDATA_TOKEN, or log in "
            "again with earthaccess.login()."
        )
    raise AccessDeniedError(f"NASA's granules need an Earthdata login: {_HOW}")


def _text(token: Mapping[str, str]) -> str:
    """Return the token without a line break, which one from a file may end in."""
    return token["access_token"].strip()


def _is_good(token: str, refused: set[str]) -> bool:
    return token not in refused and _SENDABLE.fullmatch(token) is not None


def _logged_in(auth: Any, strategy: str) -> Mapping[str, str] | None:
    """Log in by a strategy of earthaccess; return None where it has no user name."""
    from earthaccess.exceptions import (  # noqa: PLC0415 - as above
        LoginAttemptFailure,
        LoginStrategyUnavailable,
    )

    if strategy == "netrc":
        _check_netrc()
    try:
        auth.login(strategy=strategy)
    except LoginStrategyUnavailable:
        return None
    except LoginAttemptFailure as error:
        # The error has no status, only the server's text.
        if "invalid" not in str(error):
            raise HTTPStatusError(503, "from Earthdata Login") from None
        place = "the environment" if strategy == "environment" else str(_netrc())
        raise AccessDeniedError(
            f"Earthdata Login refuses the user name and password from {place}. Correct them, or "
            "try to log in at https://urs.earthdata.nasa.gov."
        ) from None
    except (ValueError, KeyError):
        # From None: the cause may contain the answer.
        raise GarbledResponseError(
            "Earthdata Login did not send a token. Does this network require a login on a web page?"
        ) from None
    offered: Mapping[str, str] | None = auth.token
    return offered


def _check_netrc() -> None:
    """Raise if netrc cannot be read, and warn once if others can read it."""
    try:
        with _netrc().open("rb") as file:
            file.read()
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AccessDeniedError(
            f"Cannot read the login from {_netrc()} ({error.strerror}). Check its permissions, or "
            "set EARTHDATA_TOKEN in the environment."
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        _warn_of_netrc(str(_netrc()), mode)


@cache
def _warn_of_netrc(path: str, mode: int) -> None:
    _log.warning(
        "permissions %04o of %s are too open: other users of this machine can read the Earthdata "
        "password in it. Restrict them with: chmod 600 %s",
        mode,
        path,
        path,
    )


def _seconds_left(day: str | None) -> float:
    """Return the seconds until a day that is written as ``"12/31/2026"``."""
    if day is None:
        return _NEVER
    end = datetime.strptime(day, "%m/%d/%Y").replace(tzinfo=UTC)
    left = (end - datetime.now(UTC)).total_seconds()
    # The day may not have ended in another time zone: then the server decides.
    return left if left > 0 else _NEVER


def _ask_for_keys(token: str) -> Any:
    import requests  # noqa: PLC0415 - as above

    def bearer(request: Any) -> Any:
        # requests would replace a header by the user name from netrc.
        request.headers.update(bearer_header(_KEYS_URL, token))
        return request

    share = limits.timeout() / _SHARE
    return requests.get(_KEYS_URL, auth=bearer, timeout=share, allow_redirects=False)


def _read_keys(answer: Any) -> ExpiringValue[S3Keys]:
    try:
        keys = answer.json()
        expires = datetime.fromisoformat(keys["expiration"])
        parts = keys["accessKeyId"], keys["secretAccessKey"], keys["sessionToken"]
    except (ValueError, KeyError, TypeError):
        # From None: the cause would contain the answer.
        raise GarbledResponseError("the archive sent something other than S3 keys") from None
    ahead = _ahead(answer.headers.get("Date"))
    return ExpiringValue(S3Keys(*parts, ahead), expires.timestamp() - time.time() - ahead)


def _ahead(date: str | None) -> float:
    if date is None:
        return 0.0
    difference = parsedate_to_datetime(date).timestamp() - time.time()
    return difference if abs(difference) > _SAME_CLOCK else 0.0
