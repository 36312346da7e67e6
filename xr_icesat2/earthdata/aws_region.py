"""Whether this machine may read S3 directly: whether it is in AWS us-west-2.

Told by the environment or by the machine where either knows; the metadata
service of AWS is asked only on a machine of AWS: elsewhere its silence would
cost a second or two.
"""

import os
import threading
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from xr_icesat2.fork_safety import PerProcess

__all__ = ["REGION", "in_region", "known_region"]

REGION = "us-west-2"
"""Where NASA keeps its granules."""

# Set where AWS runs functions and containers, which have no access to the rest.
_TOLD_BY_AWS = ("AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "ECS_CONTAINER_METADATA_URI_V4")
VENDOR = Path("/sys/devices/virtual/dmi/id/sys_vendor")
HYPERVISOR = Path("/sys/hypervisor/uuid")

METADATA = "http://169.254.169.254"
METADATA_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
"""Another address of the service, as for the AWS libraries."""
_PATIENCE = 1.0

_lock = PerProcess(threading.Lock)
_known: dict[str, bool] = {}


def known_region() -> bool | None:
    """As :func:`in_region`; None where that has not been asked before."""
    return _known.get("here")


def in_region() -> bool:
    """Whether this machine is in us-west-2; found out once a process.

    May block for a second, the first time and on a machine of AWS only.
    """
    with _lock():
        if "here" not in _known:
            _known["here"] = _region() == REGION
        return _known["here"]


def _region() -> str | None:
    told = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if any(name in os.environ for name in _TOLD_BY_AWS):
        return told
    return (told or _of_metadata_service()) if _is_of_aws() else None


def _is_of_aws() -> bool:
    if os.environ.get(METADATA_VARIABLE):
        return True
    return _text(VENDOR).startswith("Amazon") or _text(HYPERVISOR).startswith("ec2")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _of_metadata_service() -> str | None:
    """Region as told by version 2 of the instance metadata service."""
    service = os.environ.get(METADATA_VARIABLE) or METADATA
    service = f"{service.rstrip('/')}/latest"
    # No proxy: the address is that of this machine's host.
    ask = build_opener(ProxyHandler({})).open
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    try:
        asked = Request(f"{service}/api/token", headers=lifetime, method="PUT")  # noqa: S310 - http
        with ask(asked, timeout=_PATIENCE) as answer:
            token = {"X-aws-ec2-metadata-token": answer.read().decode()}
        asked = Request(f"{service}/meta-data/placement/region", headers=token)  # noqa: S310
        with ask(asked, timeout=_PATIENCE) as answer:
            region: str = answer.read().decode()
    except OSError:
        return None
    return region
