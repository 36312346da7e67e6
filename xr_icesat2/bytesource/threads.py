"""Work that several threads share."""

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import TypeVar

__all__ = ["all_done"]

T = TypeVar("T")


def all_done(futures: Sequence[Future[T]]) -> list[T]:
    """Wait for all, then raise the first error: no thread goes on writing into a result."""
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:
        # After an error, or when we are interrupted, what has not begun does not begin.
        for future in futures:
            future.cancel()
        wait(futures)
    return [future.result() for future in futures if not future.cancelled()]
