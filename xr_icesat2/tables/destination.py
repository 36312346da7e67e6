"""Where tables are written: local files and fsspec filesystems; whole files or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fsspec.core import url_to_fs
from fsspec.spec import AbstractBufferedFile

from xr_icesat2.bytesource.redaction import safe_text, safe_url
from xr_icesat2.errors import AccessDeniedError, ICESat2Error, SelectionError
from xr_icesat2.safe_files import atomic_file

__all__ = ["Destination"]

_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Destination:
    """A path of a filesystem."""

    filesystem: Any
    """Of fsspec, not shared with others; None for local files."""
    path: str

    @classmethod
    def of(
        cls, path: str | os.PathLike[str], storage_options: Mapping[str, Any] | None
    ) -> Destination:
        """Return the destination of a local path or a URL.

        Raises
        ------
        SelectionError
            It is no path, or fsspec does not know its protocol or options.
        """
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(name, str):
            raise SelectionError(f"path={path!r:.80}: expected a path or a URL to write to")
        if "://" not in name:
            if storage_options:
                raise SelectionError(f"storage_options have no effect on the local path {name}")
            return cls(None, str(Path(name).expanduser()))
        try:
            filesystem, there = url_to_fs(name, **(storage_options or {}))
        except (ImportError, TypeError, ValueError) as error:
            raise SelectionError(
                f"fsspec cannot write to {safe_url(name)}: {safe_text(str(error))}. Check the "
                "protocol (s3://, gs://, …) and storage_options."
            ) from error
        protocol = filesystem.protocol
        if "file" in ((protocol,) if isinstance(protocol, str) else protocol):
            return cls(None, there)
        # Files are written in a transaction, which must not include files of anybody else.
        options = {**filesystem.storage_options, "skip_instance_cache": True}
        return cls(type(filesystem)(*filesystem.storage_args, **options), there)

    @property
    def name(self) -> str:
        """Path or URL without secrets, for messages."""
        if self.filesystem is None:
            return self.path
        return safe_url(str(self.filesystem.unstrip_protocol(self.path)))

    def child(self, name: str) -> Destination:
        """Return the destination of a file in this directory."""
        if self.filesystem is None:
            return Destination(None, str(Path(self.path) / name))
        return Destination(self.filesystem, f"{self.path.rstrip('/')}/{name}")

    def exists(self) -> bool:
        """Return whether there is a file or a directory."""
        if self.filesystem is None:
            return os.path.lexists(self.path)
        self.filesystem.invalidate_cache()
        return bool(self.filesystem.exists(self.path))

    def names(self) -> list[str]:
        """Return the names of the files of this directory; none if it does not exist."""
        if self.filesystem is None:
            folder = Path(self.path)
            return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
        self.filesystem.invalidate_cache()
        try:
            found = self.filesystem.ls(self.path, detail=False)
        except FileNotFoundError:
            return []
        return sorted(str(one).rstrip("/").rpartition("/")[2] for one in found)

    def is_file(self) -> bool:
        """Return whether there is a file."""
        if self.filesystem is None:
            return Path(self.path).is_file()
        return bool(self.filesystem.isfile(self.path))

    def make_directory(self) -> None:
        """Create this directory, if it does not exist."""
        with self._translated():
            if self.filesystem is None:
                Path(self.path).mkdir(parents=True, exist_ok=True)
            else:
                # Object stores have no directories to create.
                with suppress(NotImplementedError, PermissionError):
                    self.filesystem.makedirs(self.path, exist_ok=True)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the file to read."""
        if self.filesystem is None:
            with Path(self.path).open("rb") as file:
                yield file
        else:
            with self.filesystem.open(self.path, "rb") as file:
                yield file

    @contextmanager
    def write(self) -> Iterator[IO[bytes]]:
        """Open a file that is at this destination after the block, whole.

        After an error or an interrupt nothing is written, and what was there before still is.

        Raises
        ------
        AccessDeniedError
            Nothing may be written there.
        """
        with self._translated():
            if self.filesystem is None:
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
                with (
                    atomic_file(Path(self.path), hidden=True) as unfinished,
                    unfinished.open("xb") as file,
                ):
                    yield file
            else:
                yield from self._write_remote()

    def _write_remote(self) -> Iterator[IO[bytes]]:
        """Write in a transaction of fsspec: objects are complete when it is committed."""
        with self.filesystem.transaction:
            file = self.filesystem.open(self.path, "wb")
            try:
                yield file
            except BaseException:
                self._discard(file)
                raise
            file.close()

    def _discard(self, file: Any) -> None:
        """Close an unfinished file; the transaction discards it where the filesystem can."""
        with suppress(Exception):
            file.close()
        base = AbstractBufferedFile.discard
        if getattr(type(file), "discard", base) is base:
            with suppress(Exception):
                self.filesystem.rm(self.path)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, ICESat2Error) or error.errno not in _REFUSED:
                raise
            raise AccessDeniedError(
                f"Nothing can be written to {self.name}: {safe_text(str(error))}. Choose another "
                "path, or other credentials."
            ) from error
