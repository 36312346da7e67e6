"""Where the stories take place: a folder, an S3 server over it, and somebody who listens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xr_icesat2.testing import write_granule

from .server import BUCKET, serve

__all__ = ["Stage", "set_up", "took"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What every story needs."""

    output: Path
    """Folder for tables and pictures; granules are in a folder of their own in it."""
    storage_options: dict[str, Any]
    """With which :mod:`s3fs` reaches the server."""
    tell: Callable[[str], None]
    """What is done with what there is to say: ``print``."""

    def write(self, product: str, **what: Any) -> str:
        """Write a granule with :func:`.write_granule`, and give the URL by which it is served."""
        began = time.perf_counter()
        path = write_granule(self.output / BUCKET, product, **what)
        self.tell(f"  {path} ({path.stat().st_size / 1e6:.1f} MB, {took(began)})")
        return f"s3://{BUCKET}/{path.name}"


@contextmanager
def set_up(output: Path, tell: Callable[[str], None]) -> Iterator[Stage]:
    """Make the folder, if it is not there, and serve its granules until the stories are told."""
    (output / BUCKET).mkdir(parents=True, exist_ok=True)
    with serve(output) as storage_options:
        tell(f"An S3 server at {storage_options['endpoint_url']} serves {output / BUCKET}")
        yield Stage(output, storage_options, tell)


def took(began: float) -> str:
    """Say how long it is since a reading of :func:`time.perf_counter`."""
    return f"{time.perf_counter() - began:.1f} s"
