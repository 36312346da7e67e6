"""How far long work has come, on standard error."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

__all__ = ["BAR_DELAY", "ProgressCallback", "no_progress", "progress_bar"]

ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Takes (what was done, what is to be done beyond what was known before)."""

BAR_DELAY = 2.0
"""Seconds of work that need no explanation."""


def no_progress(done: int, more: int) -> None:
    """Count nothing."""


@contextmanager
def progress_bar(what: str, unit: str, *, shown: bool | None) -> Iterator[ProgressCallback]:
    """Show a bar when the work takes long.

    Parameters
    ----------
    what
        What is worked on.
    unit
        Of what is counted, such as ``"B"``.
    shown
        None: where standard error is a terminal or a notebook.
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
