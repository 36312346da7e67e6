"""Retry failures that can pass, within one time limit for all attempts."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from xr_icesat2.errors import ICESat2Error
from xr_icesat2.printable import get_logger

from . import request_limits as limits
from .error_translation import is_retryable, safe_cause, translate_error

__all__ = ["retry"]

T = TypeVar("T")
_log = get_logger(__name__)

# A hung connection leaves time for two more attempts.
_SHARE = 3


async def retry(attempt: Callable[[], Awaitable[T]], limit: float, name: str) -> T:
    """Await ``attempt()`` until it succeeds, fails for good, or the time is over.

    Parameters
    ----------
    attempt : callable
        Starts one attempt.
    limit : float
        Seconds for all attempts and the pauses between them. A single attempt
        gets a third, so that a hung connection is tried again.
    name : str
        What to call the granule in messages.

    Raises
    ------
    ICESat2Error
        The failure of the last attempt.
    """
    deadline = time.monotonic() + limit
    for number in count(1):
        try:
            share = min(limit / _SHARE, deadline - time.monotonic())
            async with asyncio.timeout(share):
                return await attempt()
        except ICESat2Error:
            raise
        except Exception as met:  # noqa: BLE001 - translated below
            error = met
        # Outside of the handler: an exception that is raised in it has the original one as its
        # context, which safe_cause may withhold.
        # Jitter: many requests refused at once must not come back at once.
        pause = limits.backoff() * 2 ** (number - 1) * random.uniform(0.5, 1)  # noqa: S311
        pause += getattr(error, "retry_after", 0.0)
        last = number >= limits.ATTEMPTS or time.monotonic() + pause >= deadline
        if last or not is_retryable(error):
            raise translate_error(error, name) from safe_cause(error)
        _log.info("attempt %d for %s failed: %s", number, name, type(error).__name__)
        await asyncio.sleep(pause)
    raise AssertionError  # pragma: no cover - count() does not end
