"""Save the indexes of many granules in one file, with which they open without a request."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xarray as xr

from .assembly.parallel import map_granules
from .dataset_contents import granules_of_opened
from .errors import ICESat2Error, SelectionError
from .granule.granule import Granule
from .hdf5.model import Chunked, DatasetHeader
from .index_cache.index_file import FILE_SUFFIX, IndexFileWriter, write_index_file
from .progress import ProgressCallback, progress_bar

__all__ = ["save_indexes"]

_Opened = xr.Dataset | xr.DataTree


def save_indexes(
    path: str | os.PathLike[str],
    opened: _Opened | Iterable[_Opened],
    *,
    progress: bool | None = None,
) -> None:
    """Save the indexes of granules in one file, so that they open without a request.

    ``xr.open_dataset(urls, engine="icesat2", index_cache="campaign.idx")`` then
    opens what is in the file without asking any server. Every read asks whether
    the granule was replaced, and raises :class:`.ChangedGranuleError` if so.

    Parameters
    ----------
    path
        Path of the file; ends in ``.idx``. An existing file is replaced.
    opened
        What was opened with ``engine="icesat2"`` and is not closed: a Dataset,
        a tree, or several. Saved is the structure of the selected groups and
        variables, with the offsets of all their chunks, which are read now
        unless they were already.
    progress
        Whether a bar shows when it takes long. Default: where standard error
        is a terminal or a notebook.

    Raises
    ------
    ChangedGranuleError
        A granule was replaced after it was opened.
    SelectionError
        The name ends otherwise, or no file can be created there; nothing of
        this engine is open; or the place of a granule tells no version (an
        open file, a server without ETag), so that a saved index could be that
        of another one.
    """
    name = os.fspath(path)
    if not name.endswith(FILE_SUFFIX):
        raise SelectionError(
            f"{name} is not the name of an index file, which ends in {FILE_SUFFIX}"
        )
    several = _several(opened)
    granules = dict.fromkeys(granule for one in several for granule in granules_of_opened(one))
    if not granules:
        msg = (
            "There is no open granule whose index can be saved. Pass the object that "
            'xr.open_dataset(…, engine="icesat2") returned, unmodified and not closed.'
        )
        raise SelectionError(msg)
    versions = {(granule.url, granule.file_version): granule for granule in granules}
    with (
        write_index_file(str(Path(name).expanduser())) as writer,
        progress_bar("saving indexes", " granules", shown=progress) as count,
    ):
        count(0, len(versions))
        map_granules(lambda granule: _save_one(granule, writer, count), list(versions.values()))


def _several(opened: Any) -> list[_Opened]:
    one = isinstance(opened, xr.Dataset | xr.DataTree | str) or not isinstance(opened, Iterable)
    several = [opened] if one else list(opened)
    for item in several:
        if not isinstance(item, xr.Dataset | xr.DataTree):
            msg = (
                f"{item!r:.80} is not an open Dataset or DataTree. Pass what xr.open_dataset(…, "
                'engine="icesat2") or xr.open_datatree returned, or a list of these.'
            )
            raise SelectionError(msg)
    return several


def _save_one(granule: Granule, writer: IndexFileWriter, count: ProgressCallback) -> None:
    index = granule.index
    if not granule.file_version.tag:
        msg = (
            f"The index of {granule.url} cannot be saved: the file has no version (ETag), so a "
            "later replacement could not be detected. Leave the granule out."
        )
        raise SelectionError(msg)
    if "/" not in index.nodes:
        msg = (
            f"The index of {granule.url} is no longer in memory: the granule was closed, or its "
            "index was evicted. Open it again (many granules: with a directory as index_cache), "
            "and save the index before closing it."
        )
        raise SelectionError(msg)
    chunked = [
        path
        for path, node in index.nodes.items()
        if isinstance(node, DatasetHeader) and isinstance(node.layout, Chunked)
    ]
    try:
        index.chunk_tables(dict.fromkeys(chunked))
    except ICESat2Error:
        granule.check_unchanged()
        raise
    # Only now: what was read of another version would be refused for ever after.
    granule.check_unchanged()
    try:
        writer.add(granule.url, granule.file_version, index.contents)
    except (TypeError, ValueError) as error:
        msg = f"The index of {granule.url} cannot be saved: {error}. Leave the granule out."
        raise SelectionError(msg) from error
    granule.save_index()
    count(1, 0)
