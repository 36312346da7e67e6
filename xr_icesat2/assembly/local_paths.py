"""Expand local folders and patterns to the granules in them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from xr_icesat2.errors import GranuleNotFoundError
from xr_icesat2.granule.name import EXTENSIONS
from xr_icesat2.granule.non_granule_files import is_browse
from xr_icesat2.messages import some_of
from xr_icesat2.printable import get_logger

__all__ = ["expand", "is_folder"]

log = get_logger(__name__)


def is_folder(given: Any) -> bool:
    """Return whether this is the path of a local folder."""
    path = _local_path(given)
    # Path.expanduser raises where there is no such user.
    return path is not None and os.path.isdir(os.path.expanduser(path))  # noqa: PTH111, PTH112


def expand(objects: Sequence[Any]) -> list[Any]:
    """Replace local folders and patterns (``ATL06_*.h5``) by their granules, sorted.

    Raises
    ------
    GranuleNotFoundError
        A folder or a pattern has no granule, or the list is empty.
    """
    found: list[Any] = []
    for item in objects:
        path = _local_path(item)
        if path is not None and is_folder(path):
            found += _granules_in(path)
        elif path is not None and glob.has_magic(path):
            found += _granules_matching(path)
        else:
            found.append(item)
    if not found:
        msg = "The list of granules is empty. Expected at least one path or URL."
        raise GranuleNotFoundError(msg)
    return found


def _local_path(given: Any) -> str | None:
    if not isinstance(given, str | os.PathLike):
        return None
    path = os.fspath(given)
    return path if isinstance(path, str) and "://" not in path else None


def _granules_matching(pattern: str) -> list[str]:
    matched = sorted(glob.glob(str(Path(pattern).expanduser())))  # noqa: PTH207 - absolute too
    files = _without_browse_files(pattern, matched)
    if not files:
        what = "Only browse files (_BRW) match" if matched else "No file matches"
        msg = (
            f"{what} {pattern!r}. The current directory is {Path.cwd()}. Check the spelling and "
            "the directory."
        )
        raise GranuleNotFoundError(msg)
    return files


def _granules_in(folder: str) -> list[str]:
    inside = sorted(Path(folder).expanduser().iterdir())
    files = _without_browse_files(folder, [str(path) for path in inside if _may_be_granule(path)])
    if not files:
        msg = (
            f"There is no granule in the folder {folder!r}. It contains: "
            f"{some_of(_kinds(inside))}. Expected files that end in .h5 or .nc. For granules in "
            f"its subfolders, pass a pattern in a list, such as "
            f"[{os.path.join(folder, '*', '*.h5')!r}]."  # noqa: PTH118
        )
        raise GranuleNotFoundError(msg)
    return files


def _may_be_granule(path: Path) -> bool:
    # Hidden files are unfinished downloads, and metadata of macOS.
    named = path.suffix.lower().removeprefix(".") in EXTENSIONS
    return named and not path.name.startswith(".") and path.is_file()


def _kinds(inside: Iterable[Path]) -> Iterator[str]:
    for path in inside:
        yield f"{path.name!r} (a folder)" if path.is_dir() else repr(path.name)


def _without_browse_files(where: str, found: Sequence[str]) -> list[str]:
    """Return the files of a folder or a pattern that are not browse files."""
    files = [file for file in found if not is_browse(file)]
    if len(files) < len(found):
        log.warning(
            "skipped %d browse files (_BRW) of %r: they contain pictures, not data",
            len(found) - len(files),
            where,
        )
    return files
