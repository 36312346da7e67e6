"""How many requests at once, how often again, and how long to wait.

Read at each use, so that a test or a worker process can have its own.
"""

from xr_icesat2.environment import number

__all__ = [
    "ATTEMPTS",
    "GRACE",
    "LONGEST",
    "MAX_IN_FLIGHT",
    "MIN_RATE",
    "MOST_HELD",
    "TIMEOUT",
    "TIMEOUT_VARIABLE",
    "backoff",
    "request_limit",
    "timeout",
]

MAX_IN_FLIGHT = 64
"""Requests under way at once in one process, whatever asks for them."""

MOST_HELD = 24 << 20
"""Bytes of answers that one process holds, under way or not yet decoded; one larger than that
comes alone."""

ATTEMPTS = 5
"""How often one request is tried where trying again can help."""

TIMEOUT = 60.0
"""Seconds that one request may take with all its attempts, unless the environment says else."""

TIMEOUT_VARIABLE = "XR_ICESAT2_TIMEOUT"

MIN_RATE = 128 * 1024
"""Bytes a second that a connection may be as slow as: large ranges get more time."""

LONGEST = 60
"""The time limit of a request never exceeds this many times :func:`timeout`."""

GRACE = 2.0
"""Seconds by which an event loop may be late before it is taken for dead."""


def timeout() -> float:
    """Return the seconds that one request may take: ``XR_ICESAT2_TIMEOUT``, else 60."""
    return number(TIMEOUT_VARIABLE, TIMEOUT, "seconds")


def backoff() -> float:
    """Return the seconds before the second attempt: ``XR_ICESAT2_RETRY_PAUSE``, else 0.2.

    The pause before each further attempt is twice as long.
    """
    return number("XR_ICESAT2_RETRY_PAUSE", 0.2, "seconds", zero=True)


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
