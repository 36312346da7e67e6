"""What xarray calls for ``engine="icesat2"``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import xarray as xr
from xarray.backends import BackendEntrypoint

from .assembly.assemble import assemble_dataset, assemble_groups, close_granules
from .assembly.open_granules import open_granules
from .assembly.prefetch import read_ahead
from .errors import GroupNotFoundError, SelectionError
from .granule.granule import Granule
from .granule.name import parse_name
from .hdf5.paths import normalise
from .keywords import KEYWORDS, Arguments, takes_arguments
from .relaxed_gc import seldom_collecting

__all__ = ["ICESat2BackendEntrypoint"]


class ICESat2BackendEntrypoint(BackendEntrypoint):
    """ICESat-2 granules as lazy xarray objects.

    Every method takes the same keywords.

    Parameters
    ----------
    filename_or_obj : str, path, file or list of them
        A local path, any fsspec URL, an open file, a granule that
        ``xr_icesat2.search`` or earthaccess found, or a list of any of these:
        many granules are merged along ``gran_idx``. In a list, patterns of
        local files (``"data/ATL06_*.h5"``) are expanded. A local folder is the
        list of the granules in it (files that end in ``.h5`` or ``.nc``,
        sorted; not those in folders below it).
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
    sc_orient : {0, 1}, optional
        Orientation of the spacecraft, 0 backward or 1 forward, for granules
        that do not say which beam is which spot. Contradicting a granule that
        does is an error.
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
    limits : xr_icesat2.Limits, optional
        What one file may ask of its reader (``Limits(chunks=5_000_000)``), so that
        no file takes all time and memory. Default: those of :class:`xr_icesat2.Limits`.
    mask_and_scale, decode_times, use_cftime, concat_characters, decode_coords
        As in :func:`xarray.open_dataset`.
    decode_timedelta
        As there, but durations stay numbers by default.
    """

    description = "Open ICESat-2 granules (.h5), one or many, as lazy xarray objects"
    open_dataset_parameters = ("filename_or_obj", *KEYWORDS)
    supports_groups = True

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether this is ``icesat2://…`` or has the name of an ICESat-2 granule."""
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        path = os.fspath(filename_or_obj)
        return path.startswith("icesat2://") or parse_name(path) is not None

    @takes_arguments
    def open_dataset(self, arguments: Arguments) -> xr.Dataset:
        """Open one rate of one or many granules, or one group of a file.

        The keywords are documented in the class.
        """
        with seldom_collecting():
            granules = _open(arguments)
            with _forgotten_if_damaged(granules):
                return assemble_dataset(granules, arguments.options, listed=arguments.listed)

    @takes_arguments
    def open_groups_as_dict(self, arguments: Arguments) -> dict[str, xr.Dataset]:
        """Open all rates and groups; keys are the paths of a tree.

        The keywords are documented in the class.
        """
        return _open_groups(arguments)[0]

    @takes_arguments
    def open_datatree(self, arguments: Arguments) -> xr.DataTree:
        """Open all rates and groups as one tree.

        The keywords are documented in the class.
        """
        groups, granules = _open_groups(arguments)
        with seldom_collecting():
            tree = xr.DataTree.from_dict(groups)
            for path, [node] in xr.group_subtrees(tree):
                # Groups that hold nothing but groups are made by the tree itself.
                if normalise(path) in groups:
                    node.encoding = groups[normalise(path)].encoding
        tree.set_close(partial(close_granules, granules))
        return tree


def _open_groups(arguments: Arguments) -> tuple[dict[str, xr.Dataset], list[Granule]]:
    with seldom_collecting():
        granules = _open(arguments)
        with _forgotten_if_damaged(granules):
            groups = assemble_groups(granules, arguments.options, listed=arguments.listed)
        return groups, granules


@contextmanager
def _forgotten_if_damaged(granules: list[Granule]) -> Iterator[None]:
    """Forget the indexes of granules that do not open: they may be what is wrong."""
    try:
        yield
    except (GroupNotFoundError, SelectionError):  # what was asked for is wrong
        raise
    except Exception:
        close_granules(granules)
        raise


def _open(arguments: Arguments) -> list[Granule]:
    ahead = partial(read_ahead, options=arguments.options)
    return open_granules(
        arguments.objects,
        arguments.storage_options,
        arguments.index_cache,
        ahead,
        arguments.limits,
    )
