"""Limits of requests: how many at once, how many attempts, and how long to wait.

Environment variables are read at each use, so that a test or a worker process can have its own.
"""

from xr_icesat2.environment import environment_number

__all__ = [
    "ATTEMPTS",
    "GRACE",
    "LONGEST",
    "MAX_BUFFERED_BYTES",
    "MAX_CONCURRENT_REQUESTS",
    "MIN_RATE",
    "TIMEOUT",
    "TIMEOUT_VARIABLE",
    "backoff",
    "request_limit",
    "timeout",
]

MAX_CONCURRENT_REQUESTS = 64
"""Requests in flight at once on one event loop. fsspec has one loop in a process."""

MAX_BUFFERED_BYTES = 24 << 20
"""Bytes of answers in memory at once on one event loop, in transit or not yet decoded. A larger
answer is admitted alone."""

ATTEMPTS = 5
"""Attempts of one request, if its failure can pass."""

TIMEOUT = 60.0
"""Default seconds that one request may take with all its attempts."""

TIMEOUT_VARIABLE = "XR_ICESAT2_TIMEOUT"

MIN_RATE = 128 * 1024
"""Bytes per second of the slowest connection that suffices: large ranges get more time."""

LONGEST = 60
"""The time limit of a request never exceeds this many times :func:`timeout`."""

GRACE = 2.0
"""Seconds by which an event loop may be late before it is considered dead."""


def timeout() -> float:
    """Return the seconds that one request may take: ``XR_ICESAT2_TIMEOUT``, else 60."""
    return environment_number(TIMEOUT_VARIABLE, TIMEOUT, "seconds")


def backoff() -> float:
    """Return the seconds before the second attempt: ``XR_ICESAT2_RETRY_PAUSE``, else 0.2.

    The pause before each further attempt is twice as long.
    """
    return environment_number("XR_ICESAT2_RETRY_PAUSE", 0.2, "seconds", zero=True)


def request_limit(length: int, *, whole_file: bool = False) -> float:
    """Return the seconds that one request may take with all its attempts.

    Parameters
    ----------
    length : int
        Bytes asked for. A damaged granule may ask for absurdly many, so the
        limit itself is limited.
    whole_file : bool
        The request may download the whole granule, some gigabytes.
    """
    base = timeout()
    longest = LONGEST * base
    return longest if whole_file else min(base + length / MIN_RATE, longest)
