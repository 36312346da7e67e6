"""Read little-endian numbers, signatures and checksums."""

from __future__ import annotations

import numpy as np
from numcodecs.jenkins import jenkins_lookup3

from xr_icesat2.errors import CorruptGranuleError

__all__ = ["UNDEFINED", "Cursor", "check_checksum", "check_signature", "checksum", "padded"]

UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
"""The address that means "nowhere" (section I.B)."""


class Cursor:
    """A position in some bytes, from which little-endian numbers are taken."""

    __slots__ = ("data", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def take(self, length: int) -> bytes:
        """Take ``length`` bytes."""
        end = self.position + length
        if length < 0 or end > len(self.data):
            msg = f"a structure of {len(self.data)} bytes ends before its field at {self.position}"
            raise CorruptGranuleError(msg)
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def number(self, length: int) -> int:
        """Take an unsigned number of ``length`` bytes."""
        # Without `take`, for speed: a granule's metadata has about 100,000 numbers.
        end = self.position + length
        if end > len(self.data):
            self.take(length)
        value = int.from_bytes(self.data[self.position : end], "little")
        self.position = end
        return value

    def skip(self, length: int) -> None:
        """Pass over ``length`` bytes."""
        self.take(length)

    @property
    def left(self) -> int:
        """Bytes that remain."""
        return len(self.data) - self.position


def padded(length: int) -> int:
    """Round a length up to a multiple of 8."""
    return (length + 7) // 8 * 8


def check_signature(data: bytes, signature: bytes, what: str) -> None:
    """Raise unless ``data`` begins with ``signature``."""
    if data[: len(signature)] != signature:
        msg = f"the {what} begins with {bytes(data[:4])!r}, not {signature!r}"
        raise CorruptGranuleError(msg)


def check_checksum(data: bytes, what: str) -> None:
    """Raise unless the last four bytes are the lookup3 checksum of those before."""
    stored = int.from_bytes(data[-4:], "little")
    computed = checksum(data[:-4])
    if stored != computed:
        msg = f"the {what} fails its checksum (stored {stored:#010x}, computed {computed:#010x})"
        raise CorruptGranuleError(msg)


def checksum(data: bytes) -> int:
    """Return the Jenkins lookup3 checksum, as HDF5 uses it for metadata."""
    return int(jenkins_lookup3(np.frombuffer(data, np.uint8), 0))
