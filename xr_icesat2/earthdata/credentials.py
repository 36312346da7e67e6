"""Who may read NASA's granules: the one module that holds secrets.

A process gets them for itself, when it first reads: what is pickled elsewhere
is where a granule lies. The login is earthaccess': its own, if the user has
logged in with it, else the environment, else netrc. Nobody is prompted here,
where a prompt would stand in some thread of some worker.
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
_FOR_EVER = float("inf")
# Neither line breaks nor letters beyond ASCII can be sent.
_SENDABLE = re.compile("[!-~]+")
# The clocks of two machines differ by some seconds; a header tells whole seconds only.
_SAME_CLOCK = 5.0
# Part of the time limit of a read that one question of a renewal may take.
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
    """Seconds that the archive's clock is ahead of this machine's."""


@dataclass(slots=True)
class Redirect:
    """Where the archive sends us for a granule: an address that needs no token, for a while."""

    url: str | None = field(default=None, repr=False)
    """None where there is none that is good."""


class Credentials:
    """Those of one process."""

    def __init__(self) -> None:
        self.token: RefreshedValue[str] = RefreshedValue(self._log_in)
        """Bearer token for HTTPS."""
        self.keys: RefreshedValue[S3Keys] = RefreshedValue(self._new_keys)
        """Keys for S3."""
        self._refused: tuple[object, str] | None = None
        self._tokens_refused: set[str] = set()

    def refuse_token(self, token: str) -> None:
        """Have a token renewed that a server calls invalid or expired."""
        self._tokens_refused.add(token)
        self.token.refuse(token)

    def _log_in(self) -> ExpiringValue[str]:
        """Log in once; what has been refused is not tried again: accounts get locked so."""
        way = _way()
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
                f"the archive gives no S3 keys (HTTP {answer.status_code}): this Earthdata login "
                "may not use NSIDC's cloud data yet; accept its terms at "
                "https://urs.earthdata.nasa.gov, or read with access='external'"
            )
        if answer.status_code != 200:
            raise HTTPStatusError.of(answer)
        return _read_keys(answer)

    def _token_for_keys(self) -> str:
        return self.token.wait(limits.timeout())


credentials = PerProcess(Credentials)
"""Those of this process."""


def _way() -> object:
    """Tell what a login goes by; another one may succeed where this was refused."""
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
    """Token of a login that has not been refused."""
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
            "the Earthdata token is invalid or has expired: make a new one at "
            "https://urs.earthdata.nasa.gov (Generate Token) and set EARTHDATA_TOKEN, or log in "
            "again with earthaccess.login()"
        )
    raise AccessDeniedError(f"NASA's granules need an Earthdata login: {_HOW}")


def _text(token: Mapping[str, str]) -> str:
    """Token as it is sent; what was read from a file may end in a line break."""
    return token["access_token"].strip()


def _is_good(token: str, refused: set[str]) -> bool:
    return token not in refused and _SENDABLE.fullmatch(token) is not None


def _logged_in(auth: Any, strategy: str) -> Mapping[str, str] | None:
    """Token that earthaccess gets by a strategy, or None where it has nothing to go by."""
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
        # It tells no status, only what the server said.
        if "invalid" not in str(error):
            raise HTTPStatusError(503, "from Earthdata Login") from None
        place = "the environment" if strategy == "environment" else str(_netrc())
        raise AccessDeniedError(
            f"Earthdata Login refuses the user name and password from {place}: correct them, or "
            "look whether you can log in at https://urs.earthdata.nasa.gov"
        ) from None
    except (ValueError, KeyError):
        # From None: the cause may show the answer.
        raise GarbledResponseError(
            "what comes from Earthdata Login is no token: does a login page of this network stand "
            "between?"
        ) from None
    offered: Mapping[str, str] | None = auth.token
    return offered


def _check_netrc() -> None:
    """Refuse a netrc that cannot be read, and warn once of one that others can read."""
    try:
        with _netrc().open("rb") as file:
            file.read()
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AccessDeniedError(
            f"cannot read the login from {_netrc()} ({error.strerror}): see who may read it, or "
            "set EARTHDATA_TOKEN in the environment"
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        _warn_of_netrc(str(_netrc()), mode)


@cache
def _warn_of_netrc(path: str, mode: int) -> None:
    _log.warning(
        "permissions %04o of %s are too open: other users of this machine may read the Earthdata "
        "password in it. Close it with: chmod 600 %s",
        mode,
        path,
        path,
    )


def _seconds_left(day: str | None) -> float:
    """Until a day as Earthdata Login writes it, such as ``"12/31/2026"``."""
    if day is None:
        return _FOR_EVER
    end = datetime.strptime(day, "%m/%d/%Y").replace(tzinfo=UTC)
    left = (end - datetime.now(UTC)).total_seconds()
    # A day that is over here may not be over there: then the server has the last word.
    return left if left > 0 else _FOR_EVER


def _ask_for_keys(token: str) -> Any:
    import requests  # noqa: PLC0415 - as above

    def bearer(request: Any) -> Any:
        # Headers given otherwise would be replaced by what netrc says.
        request.headers.update(bearer_header(_KEYS_URL, token))
        return request

    share = limits.timeout() / _SHARE
    return requests.get(_KEYS_URL, auth=bearer, timeout=share, allow_redirects=False)


def _read_keys(answer: Any) -> ExpiringValue[S3Keys]:
    try:
        told = answer.json()
        expires = datetime.fromisoformat(told["expiration"])
        parts = told["accessKeyId"], told["secretAccessKey"], told["sessionToken"]
    except (ValueError, KeyError, TypeError):
        # From None: the cause would show the answer.
        raise GarbledResponseError("what the archive sends is no S3 keys") from None
    ahead = _ahead(answer.headers.get("Date"))
    return ExpiringValue(S3Keys(*parts, ahead), expires.timestamp() - time.time() - ahead)


def _ahead(date: str | None) -> float:
    if date is None:
        return 0.0
    difference = parsedate_to_datetime(date).timestamp() - time.time()
    return difference if abs(difference) > _SAME_CLOCK else 0.0
