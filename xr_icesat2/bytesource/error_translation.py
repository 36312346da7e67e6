"""Translate errors of filesystems and client libraries into ours.

botocore, aiohttp, requests and the operating system each have their own error
for "no such file", and fsspec wraps one in another (its HTTP filesystem reports a
refused connection as ``FileNotFoundError``). They are distinguished by their
attributes and class names, along the chain of causes: none of those libraries
is imported here.
"""

import re
from collections.abc import Iterator
from typing import Any

from xr_icesat2.errors import (
    AccessDeniedError,
    GranuleNotFoundError,
    ICESat2Error,
    NotAGranuleError,
    SelectionError,
    TransferError,
    TransferTimeoutError,
)
from xr_icesat2.messages import LOGIN_HINT, did_you_mean

from .fsspec_location import S3_OPTIONS
from .redaction import is_url, safe_text
from .request_limits import TIMEOUT_VARIABLE

__all__ = [
    "GarbledResponseError",
    "HTTPStatusError",
    "ShortResponseError",
    "http_status",
    "is_retryable",
    "safe_cause",
    "translate_error",
]

_LONGEST_CHAIN = 10

_NOT_FOUND_CODES = {"NoSuchKey", "NoSuchBucket", "NoSuchVersion"}
_DENIED_CODES = {
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    # S3 answers HEAD with an expired token by 400 without a body: botocore has no other code.
    "400",
}
_BUSY_CODES = {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"}
_BUSY_STATUSES = {408, 425, 429}

_NO_CREDENTIALS = {"CredentialRetrievalError", "NoCredentialsError", "PartialCredentialsError"}
_TIMED_OUT = {
    "ConnectTimeoutError",
    "FSTimeoutError",
    "ReadTimeoutError",
    "Timeout",
    "TimeoutError",
}
# urllib3 derives this from its timeouts, although no time limit was exceeded.
_UNREACHABLE = {"NewConnectionError"}
_CERTIFICATE = {"ClientSSLError", "SSLCertVerificationError", "SSLError"}
_BROKEN = {
    "ChunkedEncodingError",
    "ClientConnectionError",
    "ClientPayloadError",
    "ConnectionError",
    "GarbledResponseError",
    "HTTPClientError",
    "IncompleteRead",
    "ResponseParserError",
    "ShortResponseError",
    "gaierror",
}

_UNKNOWN_OPTION = re.compile(r"unexpected keyword argument '(\w+)'")

_LOGIN_HINT = (
    f"{LOGIN_HINT}; S3 credentials expire after an hour and work only inside AWS us-west-2"
)


class HTTPStatusError(Exception):
    """An HTTP server answered with a status that is not success.

    Parameters
    ----------
    status : int
        HTTP status.
    reason : str
        Its text.
    retry_after : float, optional
        Seconds that the server asks to wait before the next attempt.
    """

    def __init__(self, status: int, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(f"HTTP {status} {reason}")
        self.status = status
        self.retry_after = retry_after

    @classmethod
    def of(cls, response: Any) -> "HTTPStatusError":
        """Return the error for an answer of aiohttp or requests."""
        status = getattr(response, "status", None) or response.status_code
        asked = response.headers.get("Retry-After", "")
        # Servers may also send a date, for which the usual pause is used.
        return cls(status, response.reason or "", float(asked) if asked.isdecimal() else 0.0)


class GarbledResponseError(Exception):
    """An answer does not have the form that this server uses."""


class ShortResponseError(Exception):
    """An answer has fewer bytes than were asked for, though the file has them."""


def _links(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _answer(error: BaseException) -> dict[str, Any]:
    """Return the answer of S3 that botocore keeps in its errors; empty for others."""
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def _status(error: BaseException) -> int | None:
    found = _answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    for owner in (error, getattr(error, "response", None)):
        for attribute in ("status", "status_code"):
            found = found or getattr(owner, attribute, None)
    return found if isinstance(found, int) else None


def _code(error: BaseException) -> str | None:
    code = _answer(error).get("Error", {}).get("Code")
    return code if isinstance(code, str) else None


def http_status(error: BaseException) -> int | None:
    """Return the HTTP status that caused ``error``; None if no server answered."""
    return next(filter(None, map(_status, _links(error))), None)


def _code_of(error: BaseException) -> str | None:
    return next(filter(None, map(_code, _links(error))), None)


def _class_names(error: BaseException) -> set[str]:
    return {kind.__name__ for link in _links(error) for kind in type(link).__mro__}


def is_retryable(error: BaseException) -> bool:
    """Return whether the same request may succeed a moment later."""
    if isinstance(error, ICESat2Error):
        return False
    status, names = http_status(error), _class_names(error)
    if _code_of(error) in _BUSY_CODES or status in _BUSY_STATUSES:
        return True
    if status is not None:
        return status >= 500 and status != 501
    return bool(names & (_TIMED_OUT | _BROKEN)) and not names & _CERTIFICATE


def translate_error(error: BaseException, name: str) -> ICESat2Error:
    """Return the error of this library for any other error.

    Parameters
    ----------
    error : BaseException
        Anything raised by the operating system, fsspec or a client library.
    name : str
        What to call the granule, without secrets.

    Returns
    -------
    ICESat2Error
        To be raised by the caller; the one given, if it is one already.
    """
    for link in _links(error):
        if isinstance(link, ICESat2Error):
            return link
    if http_status(error) is not None or _code_of(error) is not None:
        return _from_answer(error, name)
    return _from_class(error, name)


def safe_cause(error: BaseException) -> BaseException | None:
    """Return ``error`` for a traceback, or None if it, or its cause, may show a secret.

    aiohttp's errors may contain the headers of the request, which dask pickles.
    None also if one of our errors is among its causes: that error itself is
    raised, and would become the cause of its own cause.
    """
    links = list(_links(error))
    ours = any(isinstance(link, ICESat2Error) for link in links)
    texts = [str(link) for link in links]
    clean = all(safe_text(text) == text for text in texts)
    holds_request = any(hasattr(link, "request_info") for link in links)
    return error if clean and not ours and not holds_request else None


def _from_answer(error: BaseException, name: str) -> ICESat2Error:
    status, code, reason = http_status(error), _code_of(error), _reason(error)
    if status in {404, 410} or code in _NOT_FOUND_CODES:
        return _missing(name, reason)
    if status in {401, 403} or code in _DENIED_CODES:
        return AccessDeniedError(f"Cannot read {name} ({reason}). {_LOGIN_HINT}")
    if is_retryable(error):
        return TransferError(
            f"The server of {name} answers {reason}, also to repeated requests. Try again later, "
            "or download the file."
        )
    return TransferError(
        f"The server of {name} answers {reason}. Check the URL and storage_options."
    )


def _from_class(error: BaseException, name: str) -> ICESat2Error:
    names, reason = _class_names(error), _reason(error)
    if names & _NO_CREDENTIALS:
        return AccessDeniedError(f"Cannot read {name} ({reason}). {_LOGIN_HINT}")
    if names & _TIMED_OUT and not names & _UNREACHABLE:
        return TransferTimeoutError(
            f"The server of {name} did not answer within the time limit. Check the network, or set "
            f"a longer limit in the environment variable {TIMEOUT_VARIABLE} (seconds)."
        )
    if names & (_BROKEN | _CERTIFICATE):
        msg = (
            f"The connection to the server of {name} failed ({reason}). Check the URL and the "
            "network."
        )
        return TransferError(msg)
    for link in _links(error):
        option = _UNKNOWN_OPTION.search(str(link)) if isinstance(link, TypeError) else None
        if option:
            return _unknown_option(option[1], name)
    return _from_system(error, name, reason)


def _unknown_option(option: str, name: str) -> SelectionError:
    # Filesystems hand what they do not know on to libraries below, which refuse it at first use.
    at_s3 = name.startswith(("s3://", "s3a://"))
    meant = did_you_mean(option, S3_OPTIONS) if at_s3 else ""
    return SelectionError(
        f"storage_options: {option!r} is not an option of the filesystem of {name}.{meant} Check "
        f"the spelling. S3 has the options {', '.join(S3_OPTIONS)}, and others (see s3fs)."
    )


def _from_system(error: BaseException, name: str, reason: str) -> ICESat2Error:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if not is_url(name):
            return GranuleNotFoundError(
                f"There is no granule at {name} (no such file): check the spelling and the folder"
            )
        return _missing(name, "no such file")
    if isinstance(error, IsADirectoryError):
        return NotAGranuleError(f"{name} is a directory, not a granule. Pass the files in it.")
    if isinstance(error, PermissionError):
        return AccessDeniedError(f"Cannot read {name} ({reason}). Check its permissions.")
    return TransferError(f"Cannot read {name}: {reason}")


def _missing(name: str, reason: str) -> GranuleNotFoundError:
    return GranuleNotFoundError(
        f"There is no granule at {name} ({reason}): check the spelling, and that the archive "
        "still has this release and version"
    )


def _reason(error: BaseException) -> str:
    """Return the answer of the server, or the error, in short and without secrets."""
    for link in _links(error):
        answer = _answer(link).get("Error")
        if answer:
            return safe_text(f"{answer.get('Code')}: {answer.get('Message')}")
        if isinstance(link, HTTPStatusError):
            return str(link)
    if (status := http_status(error)) is not None:
        return f"HTTP {status}"
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return error.strerror
    return safe_text(f"{type(error).__name__}: {error}")
