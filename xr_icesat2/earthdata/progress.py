"""How far a download has come, on standard error."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

__all__ = ["Count", "progress_bar"]

Count: TypeAlias = Callable[[int, int], None]
"""Takes (bytes that have come, bytes more that are to come)."""


@contextmanager
def progress_bar(files: int, *, shown: bool) -> Iterator[Count]:
    """Show a bar for some files, if standard error is a terminal or a notebook."""
    from tqdm.auto import tqdm  # noqa: PLC0415 - only for downloads

    plural = "" if files == 1 else "s"
    lock = threading.Lock()
    with tqdm(
        total=0,
        desc=f"{files} granule{plural}",
        unit="B",
        unit_scale=True,
        disable=None if shown else True,  # None: unless it is a terminal
    ) as bar:

        def count(come: int, more: int) -> None:
            with lock:
                bar.total = (bar.total or 0) + more
                bar.update(come)

        yield count
