"""Find out whether this machine is in AWS us-west-2, where S3 is readable.

The environment and the machine's vendor are examined first. Only a machine of AWS asks the
metadata service: elsewhere it does not answer, which would cost a second or two.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from xr_icesat2.fork_safety import PerProcess

__all__ = ["REGION", "MachineRegion", "machine_region"]

REGION = "us-west-2"
"""AWS region of NASA's granules."""

# Set in functions and containers of AWS, which cannot read the vendor or the metadata service.
_SET_BY_AWS = ("AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "ECS_CONTAINER_METADATA_URI_V4")
VENDOR = Path("/sys/devices/virtual/dmi/id/sys_vendor")
HYPERVISOR = Path("/sys/hypervisor/uuid")

METADATA = "http://169.254.169.254"
METADATA_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
"""Names another address of the service, as for the libraries of AWS."""
_TIMEOUT = 1.0


def find_region() -> str | None:
    """Return the AWS region of this machine; None if it has none or does not know it."""
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if any(name in os.environ for name in _SET_BY_AWS):
        return named
    return (named or _region_of_metadata_service()) if _is_of_aws() else None


def _is_of_aws() -> bool:
    if os.environ.get(METADATA_VARIABLE):
        return True
    return _text(VENDOR).startswith("Amazon") or _text(HYPERVISOR).startswith("ec2")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _region_of_metadata_service() -> str | None:
    """Request the region from version 2 of the instance metadata service."""
    service = os.environ.get(METADATA_VARIABLE) or METADATA
    service = f"{service.rstrip('/')}/latest"
    # Without a proxy: the address belongs to this machine's host.
    ask = build_opener(ProxyHandler({})).open
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    try:
        request = Request(f"{service}/api/token", headers=lifetime, method="PUT")  # noqa: S310 - http
        with ask(request, timeout=_TIMEOUT) as answer:
            token = {"X-aws-ec2-metadata-token": answer.read().decode()}
        request = Request(f"{service}/meta-data/placement/region", headers=token)  # noqa: S310
        with ask(request, timeout=_TIMEOUT) as answer:
            region: str = answer.read().decode()
    except OSError:
        return None
    return region


class MachineRegion:
    """Whether this machine is in us-west-2, examined once; forked children know it too.

    Parameters
    ----------
    find
        Returns the region of the machine; it may block for a second, on machines of AWS only.
    """

    def __init__(self, find: Callable[[], str | None] = find_region) -> None:
        self._find = find
        self._lock = PerProcess(threading.Lock)
        self.known: bool | None = None
        """The result of :meth:`is_readable`; None before its first call."""

    def is_readable(self) -> bool:
        """Return whether S3 is readable from this machine."""
        with self._lock():
            if self.known is None:
                self.known = self._find() == REGION
            return self.known

    def reset(self) -> None:
        """Forget the region: the next call examines the machine again."""
        self.known = None


machine_region = MachineRegion()
"""The region of this process's machine."""
