"""S3 server in this process, for the granules of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hadro  # type: ignore[import-untyped]

__all__ = ["BUCKET", "serve_s3"]

BUCKET = "granules"
KEY, SECRET, REGION = "demo", "demo-secret", "us-west-2"


@contextmanager
def serve_s3(root: Path) -> Iterator[dict[str, Any]]:
    """Serve the folders of ``root`` as buckets, on a free port of the loopback interface.

    Parameters
    ----------
    root
        Folder of the buckets: its file ``granules/a.h5`` is ``s3://granules/a.h5``.

    Yields
    ------
    dict
        ``storage_options`` with which :mod:`s3fs` reaches the server.
    """
    server = hadro.Server(
        data=str(root), host="127.0.0.1", region=REGION, access_key=KEY, secret_key=SECRET
    )
    with server:
        yield {
            "key": KEY,
            "secret": SECRET,
            "endpoint_url": server.endpoint,
            "client_kwargs": {"region_name": REGION},
        }
