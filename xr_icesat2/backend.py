"""What xarray calls for ``engine="icesat2"``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import xarray as xr
from xarray.backends import BackendEntrypoint

from .collector import seldom_collecting
from .dataset import assemble_dataset, assemble_groups, close_granules
from .errors import SelectionError
from .granule.granule import Granule
from .granule.name import parse_name
from .granule.paths import normalise
from .merge.ahead import read_ahead
from .merge.open import expand, open_granules
from .merge.options import Layout, Options, names
from .reading.decoders import Decoders
from .wording import did_you_mean

__all__ = ["ICESat2BackendEntrypoint"]


class ICESat2BackendEntrypoint(BackendEntrypoint):
    """ICESat-2 granules as lazy xarray objects.

    Every method takes the same keywords.

    Parameters
    ----------
    filename_or_obj : str, path, file or list of them
        A local path, any fsspec URL, an open file, a granule that
        ``xr_icesat2.search`` or earthaccess found, or a list of any of these:
        many granules are merged along ``gran_idx``.
    group : str, optional
        A rate, by its group (``"land_ice_segments"``, default: the product's
        main one), or a path in the file (``"gt1l/land_ice_segments"``): that
        group alone, as it is, so that nothing is chosen by ``spots`` and the
        like.
    layout : {"spot", "flat", "file"}
        Beams side by side on ``spot``, padded to the longest; one row an
        observation; or the file's own tree and dimensions.
    spots : str, int or list of int, optional
        Which spots: ``"strong"`` (1, 3, 5), ``"weak"`` (2, 4, 6) or numbers 1
        to 6. Default: all.
    beams : list of str, optional
        The same by ground track (``["gt1l", "gt1r"]``); of ATL11 the pairs
        (``["pt1"]``), of ATL09 the profiles (``["profile_1"]``).
    variables : str or list of str, optional
        Names, paths or patterns to keep; a bare name takes every match, that
        of a group all that lies in it. Paths begin below the beam. Coordinates
        stay. Default: all.
    drop_variables : str or list of str, optional
        The same, to leave out; they are not even looked at.
    pad_to : int, optional
        Rows to pad every granule to (``layout="spot"``).
    storage_options : dict, optional
        Handed to fsspec.
    allow_mixed_releases : bool
        Merge granules of different releases.
    index_cache : path, optional
        Directory in which the indexes of granules are kept, or a file
        (``.idx``) that :func:`xr_icesat2.indexes.save` made: what is in it
        opens without a request. Default: the environment variable
        ``XR_ICESAT2_INDEX_CACHE``, else none.
    mask_and_scale, decode_times, use_cftime, concat_characters, decode_coords
        As in :func:`xarray.open_dataset`.
    decode_timedelta
        As there, but durations stay numbers by default.
    """

    description = "Open ICESat-2 granules (.h5), one or many, as lazy xarray objects"
    open_dataset_parameters = (
        "filename_or_obj", "drop_variables", "group", "layout", "spots", "beams", "variables",
        "pad_to", "storage_options", "allow_mixed_releases", "index_cache", "mask_and_scale",
        "decode_times", "concat_characters", "decode_coords", "use_cftime", "decode_timedelta",
    )  # fmt: skip
    supports_groups = True

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether this is ``icesat2://…`` or has the name of an ICESat-2 granule."""
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        path = os.fspath(filename_or_obj)
        return path.startswith("icesat2://") or parse_name(path) is not None

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        storage_options: dict[str, Any] | None = None,
        index_cache: str | os.PathLike[str] | None = None,
        **keywords: Any,
    ) -> xr.Dataset:
        """Open one rate of one or many granules, or one group of a file."""
        options = _options(keywords)
        objects, listed = _objects(filename_or_obj)
        ahead = partial(read_ahead, options=options)
        with seldom_collecting():
            granules = open_granules(objects, storage_options, _cache_path(index_cache), ahead)
            return assemble_dataset(granules, options, listed=listed)

    def open_groups_as_dict(
        self,
        filename_or_obj: Any,
        *,
        storage_options: dict[str, Any] | None = None,
        index_cache: str | os.PathLike[str] | None = None,
        **keywords: Any,
    ) -> dict[str, xr.Dataset]:
        """Open all rates and groups; keys are the paths of a tree."""
        return self._open_groups(filename_or_obj, storage_options, index_cache, keywords)[0]

    def open_datatree(
        self,
        filename_or_obj: Any,
        *,
        storage_options: dict[str, Any] | None = None,
        index_cache: str | os.PathLike[str] | None = None,
        **keywords: Any,
    ) -> xr.DataTree:
        """Open all rates and groups as one tree."""
        groups, granules = self._open_groups(
            filename_or_obj, storage_options, index_cache, keywords
        )
        tree = xr.DataTree.from_dict(groups)
        for path, [node] in xr.group_subtrees(tree):
            # Groups that hold nothing but groups are made by the tree itself.
            if normalise(path) in groups:
                node.encoding = groups[normalise(path)].encoding
        tree.set_close(partial(close_granules, granules))
        return tree

    @staticmethod
    def _open_groups(
        given: Any,
        storage_options: dict[str, Any] | None,
        index_cache: str | os.PathLike[str] | None,
        keywords: Mapping[str, Any],
    ) -> tuple[dict[str, xr.Dataset], list[Granule]]:
        options = _options(keywords)
        objects, listed = _objects(given)
        ahead = partial(read_ahead, options=options)
        with seldom_collecting():
            granules = open_granules(objects, storage_options, _cache_path(index_cache), ahead)
            return assemble_groups(granules, options, listed=listed), granules


def _options(keywords: Mapping[str, Any]) -> Options:
    known = ICESat2BackendEntrypoint.open_dataset_parameters[1:]
    for keyword in keywords:
        if keyword not in known:
            msg = (
                f"engine='icesat2' has no keyword {keyword!r}.{did_you_mean(keyword, known)} It "
                f"takes: {', '.join(known)}"
            )
            raise SelectionError(msg)
    return _checked_options(**keywords)


def _checked_options(  # noqa: PLR0913 - they are the engine's keywords
    *,
    group: str | None = None,
    layout: Layout = "spot",
    spots: str | int | Sequence[int] | None = None,
    beams: str | Sequence[str] | None = None,
    variables: str | Iterable[str] | None = None,
    drop_variables: str | Iterable[str] | None = None,
    pad_to: int | None = None,
    allow_mixed_releases: bool = False,
    mask_and_scale: bool | Mapping[str, bool] | None = True,
    decode_times: Any = True,
    decode_timedelta: Any = None,
    use_cftime: Any = None,
    concat_characters: bool | Mapping[str, bool] | None = True,
    decode_coords: Any = True,
) -> Options:
    return Options(
        group=group,
        layout=layout,
        spots=spots,
        beams=beams,
        variables=None if variables is None else names(variables, "variables"),
        drop_variables=names(drop_variables or (), "drop_variables"),
        pad_to=pad_to,
        allow_mixed_releases=allow_mixed_releases,
        decode_coords=decode_coords is None or bool(decode_coords),
        decoders=Decoders(
            mask_and_scale=True if mask_and_scale is None else mask_and_scale,
            decode_times=True if decode_times is None else decode_times,
            decode_timedelta=decode_timedelta,
            use_cftime=use_cftime,
            concat_characters=True if concat_characters is None else concat_characters,
        ),
    )


def _objects(given: Any) -> tuple[list[Any], bool]:
    """Give what is to be opened, and whether it came as a list."""
    if isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray | memoryview):
        return expand(given), True
    return [given], False


def _cache_path(cache: str | os.PathLike[str] | None) -> str | None:
    if not isinstance(cache, str | os.PathLike | None):
        msg = f"index_cache={cache!r}, expected the path of a directory, or of a file of indexes"
        raise SelectionError(msg)
    return None if cache is None else os.fspath(cache)
