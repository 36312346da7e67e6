"""Work that several threads share."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeVar

__all__ = ["all_done"]

T = TypeVar("T")


def all_done(futures: Sequence[Future[T]]) -> list[T]:
    """Wait for all, then raise the first error: no thread goes on writing into a result."""
    failed = False
    for future in futures:
        if failed:
            future.cancel()
        failed = failed or (not future.cancelled() and future.exception() is not None)
    return [future.result() for future in futures if not future.cancelled()]
