"""Indexes kept in a directory, so that no process reads the same metadata twice.

One file a granule, named by what identifies its content (url, size, tag).
A file is a line that names the format, a checksum, and the compressed pickle
of plain values; on loading, nothing but those values can be unpickled, and
whatever is not such a file is as good as absent.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import model

if TYPE_CHECKING:
    from xr_icesat2.bytesource import Stamp

__all__ = ["load", "save"]

log = logging.getLogger(__name__)

MAGIC = b"xr_icesat2 index 2\n"
ALLOWED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
} | {(model.__name__, name) for name in model.__all__}


class _Plain(pickle.Unpickler):
    """Unpickles our own values and numpy's, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in an index")
        return super().find_class(module, name)


def load(directory: str, url: str, stamp: Stamp) -> model.Contents | None:
    """Give what was kept of a granule's index, or None."""
    path = _path(directory, url, stamp)
    try:
        data = path.read_bytes()
        body = data[len(MAGIC) + 4 :]
        if data[: len(MAGIC)] != MAGIC or _checksum(body) != data[len(MAGIC) : len(MAGIC) + 4]:
            raise ValueError("not an index of this version, or damaged")  # noqa: TRY301
        contents = _Plain(io.BytesIO(zlib.decompress(body))).load()
        if not isinstance(contents, model.Contents):
            raise TypeError("no index")  # noqa: TRY301
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - anything may lie there; it is read anew and replaced
        log.warning("ignoring the kept index %s: %s", path, error)
        return None
    return contents


def save(directory: str, url: str, stamp: Stamp, contents: model.Contents) -> None:
    """Keep an index, with what others kept of it meanwhile; whole or not at all."""
    known = load(directory, url, stamp) or model.Contents()
    body = zlib.compress(pickle.dumps(known | contents, protocol=5), level=1)
    path = _path(directory, url, stamp)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + _checksum(body) + body)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _path(directory: str, url: str, stamp: Stamp) -> Path:
    identity = f"{url}\n{stamp.size}\n{stamp.tag}".encode()
    return Path(directory).expanduser() / f"{hashlib.sha256(identity).hexdigest()[:32]}.index"


def _checksum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "little")
