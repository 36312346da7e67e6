"""Cache of open file descriptors, so that a long list of files needs few of them.

A list of a thousand local granules must not need a thousand file descriptors
(the usual limit is 1024). A descriptor must not be closed while another thread
reads from it: the operating system could reuse its number for another file.
"""

import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable

from xr_icesat2.errors import NotAGranuleError
from xr_icesat2.fork_safety import after_fork

__all__ = ["MAX_OPEN", "Descriptor", "DescriptorCache", "check_regular_file", "descriptors"]

MAX_OPEN = 128
"""Open files at most; the least recently used is closed first."""

# One pread returns at most about 2 GiB on Linux.
_LARGEST_READ = 1 << 30


def check_regular_file(mode: int, path: str) -> None:
    """Refuse what is not a regular file.

    Parameters
    ----------
    mode : int
        ``st_mode`` of the path.
    path : str
        For messages.

    Raises
    ------
    NotAGranuleError
        A directory, a pipe or a device.
    """
    if stat.S_ISDIR(mode):
        raise NotAGranuleError(
            f"{path} is a directory, not a granule. Pass the files in it, for example "
            f"sorted(glob.glob({os.path.join(path, '*.h5')!r}))"  # noqa: PTH118
        )
    if not stat.S_ISREG(mode):
        raise NotAGranuleError(
            f"{path} is a pipe or a device, which cannot be read at random positions. Save the "
            "granule to a file first."
        )


class Descriptor:
    """A file opened for reading at any offset, by any thread.

    It is closed with the last reference to it; a reader keeps one.
    """

    def __init__(self, path: str) -> None:
        self._fd = -1
        self._lock = threading.Lock()
        # O_NONBLOCK: opening a pipe must not wait for someone to write to it.
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        self._fd = os.open(path, flags)
        check_regular_file(os.fstat(self._fd).st_mode, path)

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Read up to ``length`` bytes at ``offset``; fewer only at the end of the file."""
        pieces: list[bytes] = []
        while length > 0:
            piece = self._read_once(offset, min(length, _LARGEST_READ))
            if not piece:
                break
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read_once(self, offset: int, length: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._fd, length, offset)
        with self._lock:  # Windows has no pread: the position is shared
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.read(self._fd, length)

    # A default: globals of modules may be None when the interpreter exits.
    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        if self._fd >= 0:
            close(self._fd)


class DescriptorCache:
    """The descriptors of this process, the most recently used last."""

    def __init__(self) -> None:
        self._cached: OrderedDict[object, Descriptor] = OrderedDict()
        # Reentrant: the garbage collector may drop a source while this thread has it locked.
        self._lock = threading.RLock()

    def get(self, owner: object, path: str) -> Descriptor:
        """Return the descriptor of ``owner``; open it if it is not cached."""
        with self._lock:
            descriptor = self._cached.get(owner)
            if descriptor is not None:
                self._cached.move_to_end(owner)
                return descriptor
        opened = Descriptor(path)
        with self._lock:
            # Another thread of the same owner may have been faster: one is enough.
            descriptor = self._cached.setdefault(owner, opened)
            dropped = [
                self._cached.popitem(last=False)[1] for _ in range(len(self._cached) - MAX_OPEN)
            ]
        del dropped  # closed outside the lock
        return descriptor

    def drop(self, owner: object) -> None:
        """Forget the descriptor of ``owner``, if it is cached."""
        with self._lock:
            self._cached.pop(owner, None)

    def __len__(self) -> int:
        return len(self._cached)

    def renew_lock(self) -> None:
        """Free the lock, which a thread of the parent may hold at the moment of a fork."""
        self._lock = threading.RLock()


descriptors = DescriptorCache()
after_fork(descriptors, DescriptorCache.renew_lock)
