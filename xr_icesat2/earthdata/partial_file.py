"""The partial file of a download, in the folder of the final file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import IO

from xr_icesat2.bytesource import BytesLike, FileVersion
from xr_icesat2.errors import ICESat2Error, TransferError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open anywhere cannot be renamed
    fcntl = None  # type: ignore[assignment]

__all__ = ["PartialFile", "open_partial_file"]


class PartialFile:
    """The bytes downloaded so far; they are only appended to.

    Its name contains the version of the granule, so bytes of two versions never meet in one file.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file

    @property
    def content(self) -> IO[bytes]:
        """The open file, at its beginning."""
        self._file.seek(0)
        return self._file

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._file.seek(0, os.SEEK_END)

    def tail(self, length: int) -> bytes:
        """Return the last ``length`` bytes."""
        self._file.seek(self.size - length)
        return self._file.read(length)

    def append(self, data: BytesLike) -> None:
        """Append the next bytes."""
        self._file.write(data)
        self._file.flush()  # so that a killed process leaves them

    def restart(self) -> None:
        """Discard all bytes."""
        self._file.truncate(0)

    def finish(self, final: Path) -> None:
        """Rename the complete file, and delete partial files of other versions."""
        os.fsync(self._file.fileno())
        if not _is_at(self._path, self._file):
            raise TransferError(f"{self._path} was replaced by another file. Download it again.")
        if fcntl is None:
            self._file.close()
        self._path.replace(final)
        for other in final.parent.glob(f"{escape(final.name)}.{'[0-9a-f]' * 12}.part"):
            other.unlink(missing_ok=True)


@contextmanager
def open_partial_file(final: Path, file_version: FileVersion) -> Iterator[PartialFile]:
    """Open the partial file of a version of ``final``, or create it.

    Only one process at a time can open it. It is kept if it is not finished, unless it is empty.

    Raises
    ------
    TransferError
        Another process downloads it, the folder cannot be written, or the path is a link or not a
        regular file.
    """
    version = hashlib.sha256(f"{file_version.size} {file_version.tag}".encode()).hexdigest()[:12]
    path = final.with_name(f"{final.name}.{version}.part")
    try:
        with _opened(path) as file:
            _lock(file, path)
            part = PartialFile(path, file)
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
            f"Cannot write {path} ({error.strerror}). Check the free space and permissions, or "
            "choose another folder."
        ) from error


def _opened(path: Path) -> IO[bytes]:
    """Open a partial file without following links, which others may have planted.

    A partial file of another user is replaced: its owner could change it after the check.
    """
    try:
        return _open(path, os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        _refuse_planted(path, path.lstat())
    file = _open(path, getattr(os, "O_NOFOLLOW", 0))
    try:
        found = os.fstat(file.fileno())
        _refuse_planted(path, found)
        if os.name != "posix" or found.st_uid == os.geteuid():
            return file
        _lock(file, path)
        path.unlink()
    except BaseException:
        file.close()
        raise
    file.close()
    return _open(path, os.O_CREAT | os.O_EXCL)


def _open(path: Path, flags: int) -> IO[bytes]:
    # O_NONBLOCK: opening a pipe must not wait for a reader.
    flags |= os.O_RDWR | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "a+b")


def _refuse_planted(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        what = "a symbolic link"
    elif not stat.S_ISREG(found.st_mode):
        what = "not a regular file"
    elif found.st_nlink > 1:
        what = "a file with a second name (a hard link)"
    else:
        return
    raise TransferError(
        f"{path} is {what}, expected a partial download. Nothing was written to it. Remove it if "
        "you know its origin, or choose a folder that only you can write to."
    )


def _lock(file: IO[bytes], path: Path) -> None:
    busy = f"Another process is downloading {path.name} into {path.parent}. Wait for it."
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TransferError(busy) from None
        except OSError:  # a file system without locks
            return
    if not _is_at(path, file):
        raise TransferError(busy)  # another process has just finished it


def _is_at(path: Path, file: IO[bytes]) -> bool:
    """Return whether an open file still has this path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
