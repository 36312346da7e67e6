"""Workspace of the examples: an output folder, and an S3 server for its granules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xr_icesat2.testing import write_granule

from .s3_server import BUCKET, serve_s3

__all__ = ["Workspace", "elapsed", "open_workspace"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Output folder, access to its S3 server, and where to report progress."""

    output: Path
    """Folder of tables and pictures; granules are in a folder inside it."""
    storage_options: dict[str, Any]
    """Options with which :mod:`s3fs` reaches the server."""
    report: Callable[[str], None]
    """Function that takes each line of text, such as ``print``."""

    def write(self, product: str, **keywords: Any) -> str:
        """Write a granule with :func:`.write_granule`, and return its S3 URL."""
        began = time.perf_counter()
        path = write_granule(self.output / BUCKET, product, **keywords)
        self.report(f"  {path} ({path.stat().st_size / 1e6:.1f} MB, {elapsed(began)})")
        return f"s3://{BUCKET}/{path.name}"


@contextmanager
def open_workspace(output: Path, report: Callable[[str], None]) -> Iterator[Workspace]:
    """Create the output folder if it is missing, and serve its granules inside the block."""
    (output / BUCKET).mkdir(parents=True, exist_ok=True)
    with serve_s3(output) as storage_options:
        report(f"An S3 server at {storage_options['endpoint_url']} serves {output / BUCKET}")
        yield Workspace(output, storage_options, report)


def elapsed(began: float) -> str:
    """Return the seconds since a value of :func:`time.perf_counter`, with their unit."""
    return f"{time.perf_counter() - began:.1f} s"
