"""Download granules: ``xr_icesat2.download``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xr_icesat2.bytesource import ByteSource, open_source
from xr_icesat2.errors import AccessDeniedError, ICESat2Error, SelectionError, TransferError
from xr_icesat2.granule.name import file_name
from xr_icesat2.progress import progress_bar

from .archive_paths import granule_url
from .download_file import catalog_record, fetch_file
from .result_url import result_url

__all__ = ["download"]


@dataclass(frozen=True)
class _Job:
    """One file to download."""

    source: ByteSource
    final: Path
    given: Any
    """The user's argument."""


def download(
    granules: Any,
    folder: str | os.PathLike[str] = ".",
    *,
    overwrite: bool = False,
    max_workers: int = 4,
    progress: bool | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Download granules, several at the same time.

    A file gets its name when it is complete and checked. Until then it is called
    ``<name>.<version>.part``, and a later call resumes it. Existing files are checked and kept.

    Parameters
    ----------
    granules : GranuleList, list of granules, or one granule
        Results of :func:`xr_icesat2.search` or of ``earthaccess.search_data``,
        URLs (``icesat2://…`` and any that fsspec knows), or names of granules. A
        name that is no local file is downloaded from NASA's archive.
    folder : path
        Created if it does not exist.
    overwrite : bool
        Replace existing files of the same name and other content.
    max_workers : int
        Number of files at the same time.
    progress : bool, optional
        Show a progress bar if it takes longer than two seconds. Default: if standard error is a
        terminal or a notebook.
    storage_options : mapping, optional
        Passed to fsspec with URLs.

    Returns
    -------
    list of Path
        In the order of ``granules``.

    Raises
    ------
    SelectionError
        Two granules have the same name, or a file of that name with other content exists and
        ``overwrite`` is False.
    AccessDeniedError
        There is no Earthdata login, or it may not read the granule.
    CorruptGranuleError
        The downloaded bytes do not have the checksum that CMR has.
    NotAGranuleError
        The server sent something other than a granule, such as a login page. No file is kept.
    TransferError
        A server fails or does not answer, or the folder cannot be written. The other granules
        are downloaded.
    """
    if not (isinstance(max_workers, int) and max_workers > 0):
        raise SelectionError(f"max_workers={max_workers!r}, expected a number of files from 1")
    one = isinstance(granules, str | os.PathLike | Mapping) or hasattr(granules, "read")
    several = isinstance(granules, Iterable) and not one
    jobs = _jobs(list(granules) if several else [granules], Path(folder), storage_options)
    what = "1 granule" if len(jobs) == 1 else f"{len(jobs)} granules"
    with progress_bar(what, "B", shown=progress) as count:

        def fetch(job: _Job, stop: threading.Event) -> None:
            fetch_file(
                job.source,
                job.final,
                catalog_record(job.given, job.final.name),
                overwrite=overwrite,
                count=count,
                stop=stop,
            )

        failures = _run(jobs, max_workers, fetch)
    _raise(failures, jobs, folder)
    return [job.final for job in jobs]


def _jobs(given: Sequence[Any], folder: Path, options: Mapping[str, Any] | None) -> list[_Job]:
    folder = folder.expanduser()
    jobs: dict[str, _Job] = {}
    for one in given:
        url = granule_url(one) if isinstance(one, str) else result_url(one, options)
        source = open_source(url, options)
        name = file_name(source.url)
        if not name or name.startswith("<"):
            raise SelectionError(
                f"{source.url} has no file name. Pass URLs, or results of a search."
            )
        if name in jobs:
            raise SelectionError(
                f"Two granules are named {name} ({jobs[name].source.url}, {source.url}). Leave one "
                "out, or download them into two folders."
            )
        jobs[name] = _Job(source, folder / name, one)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TransferError(f"Cannot create the folder {folder} ({error.strerror}).") from error
    return list(jobs.values())


def _run(
    jobs: Sequence[_Job], max_workers: int, fetch: Callable[[_Job, threading.Event], None]
) -> list[BaseException]:
    """Run all jobs and return their errors in order; stop at the first refused login."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers, "xr_icesat2-download") as pool:
        futures = [pool.submit(fetch, job, stop) for job in jobs]
        try:
            left = set(futures)
            while left:
                done, left = wait(left, return_when=FIRST_EXCEPTION)
                if any(isinstance(one.exception(), AccessDeniedError) for one in done):
                    break
        finally:  # also when the user interrupts
            stop.set()
            pool.shutdown(cancel_futures=True)
    ended = [one.exception() for one in futures if not one.cancelled()]
    return [error for error in ended if error is not None]


def _raise(failures: Sequence[BaseException], jobs: Sequence[_Job], folder: Any) -> None:
    if not failures:
        return
    denied = [error for error in failures if isinstance(error, AccessDeniedError)]
    first = next(iter((*denied, *failures)))
    if denied or len(failures) == 1 or not isinstance(first, ICESat2Error):
        raise first
    raise TransferError(
        f"{len(failures)} of {len(jobs)} granules were not downloaded. The first error: {first}. "
        f"The others are in {folder}. Repeat the call to download the missing ones."
    ) from first
