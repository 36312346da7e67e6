"""Write and open files safely in folders that others may write to.

There, a name may be a symbolic link to somebody's own files, a pipe that never
answers, or an incomplete file.
"""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

__all__ = ["PARTIAL", "atomic_file", "open_regular"]

PARTIAL = ".partial"
"""Suffix of an incomplete file."""

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def atomic_file(target: Path, *, hidden: bool = False) -> Iterator[Path]:
    """Yield a path in the same folder to write to; at the end, rename it to the target.

    Open it with mode ``"xb"``: the file is then a new one with the permissions that the umask
    leaves, and no link is followed. After an error or an interrupt nothing is left of it, and
    what was at the target before is still there. If the process is killed, the unfinished file
    remains; programs that read all files of a folder pass over ``hidden`` ones.
    """
    dot = "." if hidden else ""
    unfinished = target.with_name(f"{dot}{target.name}.{uuid.uuid4().hex[:8]}{PARTIAL}")
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        with suppress(OSError):  # it was renamed, or never created
            unfinished.unlink()


def open_regular(path: Path, mode: str, *, follow_links: bool = False) -> IO[Any]:
    """Open a regular file as :func:`open` does; never wait for a pipe or a device.

    Parameters
    ----------
    path
        Of the file.
    mode
        As of :func:`open`; without ``"w"``, which empties a file before it is looked at.
    follow_links
        Whether ``path`` may be a symbolic link.

    Raises
    ------
    OSError
        It cannot be opened; it is a link, a directory, a pipe or a device; or it is to be
        written to and has other names.
    """
    opener = partial(_open, follow_links=follow_links)
    return open(path, mode, opener=opener)


def _open(path: str, flags: int, *, follow_links: bool) -> int:
    flags |= _NO_WAIT | (0 if follow_links else _NO_LINK)
    descriptor = os.open(path, flags, 0o666)
    try:
        _check(os.fstat(descriptor), path, writing=bool(flags & (os.O_WRONLY | os.O_RDWR)))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check(found: os.stat_result, path: str, *, writing: bool) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", path)
    if writing and found.st_nlink > 1:
        raise OSError(errno.EMLINK, "A file with other names", path)
