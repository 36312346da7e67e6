"""The part of a file that has been downloaded so far, beside the place of the whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import IO

from xr_icesat2.bytesource import Answer, Stamp
from xr_icesat2.errors import ICESat2Error, TransferError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open anywhere cannot be renamed
    fcntl = None  # type: ignore[assignment]

__all__ = ["Part", "open_part"]


class Part:
    """What is there so far; it grows at its end only.

    The version that it is a part of stands in its name: bytes of two
    versions never meet in one file.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._file.seek(0, os.SEEK_END)

    def tail(self, length: int) -> bytes:
        """Give the last bytes."""
        self._file.seek(self.size - length)
        return self._file.read(length)

    def append(self, data: Answer) -> None:
        """Add what comes next."""
        self._file.write(data)
        self._file.flush()  # a process that is killed leaves what it has

    def restart(self) -> None:
        """Forget what is there."""
        self._file.truncate(0)

    def finish(self, final: Path) -> None:
        """Give the file its name, once all of it is on the disk; parts of other versions go."""
        os.fsync(self._file.fileno())
        if fcntl is None:
            self._file.close()
        self.path.replace(final)
        for other in final.parent.glob(f"{escape(final.name)}.{'[0-9a-f]' * 12}.part"):
            other.unlink(missing_ok=True)


@contextmanager
def open_part(final: Path, stamp: Stamp) -> Iterator[Part]:
    """Open the part of ``final`` that belongs to a version, or begin one.

    Only one process at a time has it. If it is not finished it stays, unless
    there is nothing in it.

    Raises
    ------
    TransferError
        Another process is at it, or the folder cannot be written.
    """
    version = hashlib.sha256(f"{stamp.size} {stamp.tag}".encode()).hexdigest()[:12]
    path = final.with_name(f"{final.name}.{version}.part")
    try:
        with path.open("a+b") as file:
            _take(file, path)
            part = Part(path, file)
            try:
                yield part
            finally:
                if not file.closed and not part.size:
                    file.close()
                    path.unlink(missing_ok=True)
    except ICESat2Error:
        raise
    except OSError as error:
        raise TransferError(
            f"cannot write {path} ({error.strerror}): check the space and the rights there, or "
            "choose another folder"
        ) from error


def _take(file: IO[bytes], path: Path) -> None:
    busy = f"another process is downloading {path.name} into {path.parent}: wait for it"
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TransferError(busy) from None
        except OSError:  # a file system without locks
            return
    with suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), os.fstat(file.fileno())):
            return
    raise TransferError(busy)  # it has just been finished
