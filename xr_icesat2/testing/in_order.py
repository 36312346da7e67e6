"""Work on all cores, results in order, memory bounded."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["map_in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_THREADS = 8  # each holds a block of rows


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """Apply a function on a pool of threads; yield the results in the order of the items.

    At most one result more than there are threads waits to be taken. Of use where the function
    spends its time outside of the interpreter's lock, as numpy and zlib do.
    """
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="granule") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
