"""Progress bars on standard error for long operations."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

__all__ = ["BAR_DELAY", "ProgressCallback", "no_progress", "progress_bar"]

ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Called with (amount done, additional amount to do)."""

BAR_DELAY = 2.0
"""Seconds before a bar appears."""


def no_progress(done: int, more: int) -> None:
    """Ignore progress."""


@contextmanager
def progress_bar(what: str, unit: str, *, shown: bool | None) -> Iterator[ProgressCallback]:
    """Show a progress bar if the operation takes longer than :data:`BAR_DELAY`.

    Parameters
    ----------
    what
        Description of the operation.
    unit
        Unit of the amounts, such as ``"B"``.
    shown
        None: only if standard error is a terminal or a notebook.
    """
    from tqdm.auto import tqdm  # noqa: PLC0415 - only for long work

    lock = threading.Lock()
    with tqdm(
        total=0,
        desc=what,
        unit=unit,
        unit_scale=True,
        delay=BAR_DELAY,
        disable=None if shown is None else not shown,
    ) as bar:

        def count(done: int, more: int) -> None:
            with lock:
                bar.total = (bar.total or 0) + more
                bar.update(done)

        yield count
