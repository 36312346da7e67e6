"""Work on many granules in threads, and gather the errors of bad files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from xr_icesat2.errors import (
    CorruptGranuleError,
    GranuleNotFoundError,
    ICESat2Error,
    NotAGranuleError,
)

__all__ = ["MAX_CONCURRENT", "map_granules"]

MAX_CONCURRENT = 16
"""Granules that are worked on at a time, each in a thread."""
MAX_REPORTED = 10
"""Unreadable files of a list that one error names."""

T = TypeVar("T")
U = TypeVar("U")


def map_granules(
    function: Callable[[T], U], items: Sequence[T], max_concurrent: int = MAX_CONCURRENT
) -> list[U]:
    """Apply a function that waits for bytes to many granules, and keep their order.

    Files that are missing or damaged are gathered, up to :data:`MAX_REPORTED`, and raised as one
    error. Any other error ends it at once.
    """
    if len(items) <= 1:
        return [function(item) for item in items]
    done: list[U] = []
    bad: list[GranuleNotFoundError | NotAGranuleError | CorruptGranuleError] = []
    with ThreadPoolExecutor(min(max_concurrent, len(items)), "xr_icesat2-open") as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                try:
                    done.append(future.result())
                except (GranuleNotFoundError, NotAGranuleError, CorruptGranuleError) as error:
                    bad.append(error)
                    if len(bad) == MAX_REPORTED:
                        break
        finally:
            pool.shutdown(cancel_futures=True)
    if bad:
        raise type(bad[0])(_bad_files(bad, len(items))) from bad[0]
    return done


def _bad_files(bad: Sequence[ICESat2Error], total: int) -> str:
    count = f"{'at least ' if len(bad) == MAX_REPORTED else ''}{len(bad)} of {total}"
    reasons = "; ".join(str(error).rstrip(".") for error in bad)
    return (
        f"{count} files cannot be opened: {reasons}. Pass a list without them, or move them out of "
        "the folder."
    )
