"""A line that says how far a long piece of work has come."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

__all__ = ["Progress", "progress_of"]

_PATIENCE = 2.0  # seconds that need no explanation
_INTERVAL = 0.25
_BAR = 30  # characters
_MEGABYTE = 1e6


@dataclass(slots=True)
class Progress:
    """How far one file has come, shown on a line that is written over again and again."""

    name: str
    """What is being made."""
    total: int
    """Units of work in all."""
    stream: TextIO | None
    """Where the line goes; None for nowhere."""
    clock: Callable[[], float] = time.monotonic
    """Seconds."""
    _done: int = 0
    _bytes: int = 0
    _begin: float = field(init=False)
    _shown: float = field(init=False)
    _width: int = 0

    def __post_init__(self) -> None:
        """Start the clock; what is done sooner than it takes to wonder shows nothing."""
        self._begin = self.clock()
        self._shown = self._begin + _PATIENCE - _INTERVAL

    def add(self, work: int, size: int) -> None:
        """Count units of work done and bytes written."""
        self._done += work
        self._bytes += size
        now = self.clock()
        if now - self._shown >= _INTERVAL:
            self._shown = now
            self._show(now - self._begin)

    def end(self) -> None:
        """Bring the line up to date and leave it, if there is one."""
        if self.stream is not None and self._width:
            self._show(self.clock() - self._begin)
            self.stream.write("\n")
            self.stream.flush()

    def _show(self, elapsed: float) -> None:
        if self.stream is None:
            return
        share = self._done / self.total
        bar = "#" * int(share * _BAR)
        left = elapsed * (1 - share) / share if share else 0.0
        line = (
            f"{self.name} [{bar:{_BAR}}] {share:4.0%} {self._bytes / _MEGABYTE:,.0f} MB, "
            f"{self._bytes / _MEGABYTE / elapsed:.1f} MB/s, {left:,.0f} s left"
        )
        self.stream.write(f"\r{line:{self._width}}")
        self.stream.flush()
        self._width = len(line)


@contextmanager
def progress_of(name: str, total: int, shown: bool | None) -> Iterator[Progress]:
    """Show progress on standard error, by default only if that is a terminal."""
    if shown is None:
        shown = sys.stderr.isatty()
    progress = Progress(name, total, sys.stderr if shown else None)
    try:
        yield progress
    finally:
        progress.end()
