"""Compare a file with the checksum that CMR has.

Source: ChecksumAlgorithmEnum in NASA's UMM-G schema 1.6.
"""

import hashlib
import zlib
from collections.abc import Callable
from functools import partial
from typing import IO

from .cmr import Checksum

__all__ = ["is_supported", "matches_checksum"]

_PIECE = 1 << 20
_HASHES = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA512": "sha512",
}
_CYCLIC: dict[str, Callable[[bytes, int], int]] = {
    "CRC-32": zlib.crc32,
    "ADLER-32": zlib.adler32,
}


def is_supported(checksum: Checksum | None) -> bool:
    """Return whether there is a checksum, of a supported algorithm."""
    return checksum is not None and checksum.algorithm.upper() in _HASHES.keys() | _CYCLIC.keys()


def matches_checksum(file: IO[bytes], checksum: Checksum) -> bool | None:
    """Return whether a file has the checksum; None if it is not supported."""
    algorithm, value = checksum.algorithm.upper(), checksum.value.strip().lower()
    if algorithm in _HASHES:
        new = partial(hashlib.new, _HASHES[algorithm], usedforsecurity=False)
        return hashlib.file_digest(file, new).hexdigest() == value  # type: ignore[arg-type]
    if algorithm in _CYCLIC:
        return f"{_cyclic(file, _CYCLIC[algorithm]):08x}" == value.zfill(8)
    return None


def _cyclic(file: IO[bytes], step: Callable[[bytes, int], int]) -> int:
    total = step(b"", 1 if step is zlib.adler32 else 0)
    while piece := file.read(_PIECE):
        total = step(piece, total)
    return total
