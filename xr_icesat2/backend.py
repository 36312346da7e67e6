"""The engine ``icesat2``: the methods that xarray calls, and its keywords."""

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import xarray as xr
from xarray.backends import BackendEntrypoint
from xarray.coders import CFDatetimeCoder, CFTimedeltaCoder

from .assembly.assemble import assemble_dataset, assemble_groups, close_granules
from .assembly.layouts import Layout
from .assembly.open_granules import open_granules
from .assembly.request import Request, make_request
from .errors import GroupNotFoundError, SelectionError
from .granule.granule import Granule
from .granule.name import parse_name
from .hdf5.paths import normalise_path
from .limits import Limits
from .messages import did_you_mean
from .relaxed_gc import relaxed_gc
from .time_window import TimeBound

__all__ = ["ICESat2BackendEntrypoint"]

P = ParamSpec("P")
R = TypeVar("R")
SEARCH_KEYWORDS = {
    "bbox": "bbox",
    "bounding_box": "bbox",
    "intersects": "region",
    "polygon": "region",
    "temporal": "temporal",
}
"""For areas and periods that users pass to the engine, the keyword of ``search``."""
ROW_KEYWORDS = {"temporal": "time"}
"""For the same, the keyword of the engine that selects rows, where not ``region``."""


def _suggest_keywords(method: Callable[P, R]) -> Callable[P, R]:
    """Decorate a method so that an unknown keyword raises an error with a suggestion.

    xarray derives the keywords of an engine from its signature, which may have no ``**unknown``.
    """
    signature = inspect.signature(method)

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        _check_keywords(kwargs, signature)
        return method(*args, **kwargs)

    return call


def _keywords_of(
    model: Callable[Concatenate[Any, P], Any],
) -> Callable[[Callable[[Any, Request], R]], Callable[Concatenate[Any, P], R]]:
    """Make a decorator that gives a method the parameters of another method."""
    signature = inspect.signature(model)

    def decorate(method: Callable[[Any, Request], R]) -> Callable[Concatenate[Any, P], R]:
        @wraps(method)
        def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            _check_keywords(kwargs, signature)
            given = signature.bind(self, *args, **kwargs).arguments
            return method(self, make_request(given["filename_or_obj"], given))

        returns = inspect.signature(method).return_annotation
        call.__signature__ = signature.replace(return_annotation=returns)  # type: ignore[attr-defined]
        return call

    return decorate


def _check_keywords(given: Iterable[str], signature: inspect.Signature) -> None:
    """Raise if a keyword is unknown, and suggest the one that was meant."""
    (_, _, *known) = signature.parameters
    for keyword in given:
        if keyword in signature.parameters:
            continue
        meant = did_you_mean(keyword, known)
        if by := SEARCH_KEYWORDS.get(keyword):
            meant = (
                f" To select rows, use {ROW_KEYWORDS.get(keyword, 'region')}=…. To find granules, "
                f"use xr_icesat2.search(…, {by}=…)."
            )
        raise SelectionError(
            f"{keyword!r} is not a keyword of engine='icesat2'.{meant} Its keywords are: "
            f"{', '.join(known)}."
        )


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
        main one), or a path in the file (``"gt1l/land_ice_segments"``). A path
        opens that one group unmerged: ``spots`` and the like do not apply.
    layout : {"spot", "flat", "file"}
        Beams along the dimension ``spot``, padded to the longest; one row an
        observation; or the file's own tree and dimensions.
    spots : str, int or list of int, optional
        Which spots: ``"strong"`` (1, 3, 5), ``"weak"`` (2, 4, 6) or numbers 1
        to 6. Default: all.
    beams : list of str, optional
        The same by ground track (``["gt1l", "gt1r"]``); of ATL11 the pairs
        (``["pt1"]``), of ATL09 the profiles (``["profile_1"]``).
    sc_orient : {0, 1}, optional
        Orientation of the spacecraft, 0 backward or 1 forward, for granules
        in which the spots of beams are unknown. If a granule contradicts it,
        an error is raised.
    variables : str or list of str, optional
        Names, paths or patterns to keep. A bare name matches in every group;
        the name of a group matches everything in it. Paths begin below the
        beam. Coordinates are always kept. Default: all.
    drop_variables : str or list of str, optional
        Names, paths or patterns to drop. Their metadata is not read.
    pad_to : int, optional
        Rows to pad every granule to (``layout="spot"``).
    region : optional
        Select rows inside: a box ``(west, south, east, north)`` in degrees, a
        geometry of shapely, GeoJSON (dict or path), a file that geopandas
        reads, a GeoDataFrame or GeoSeries, a list of (longitude, latitude), a
        boolean raster, or what :func:`xr_icesat2.region.make_region` returned.
        Only the coordinates that decide are read when opening. Rows of every
        beam are moved together; ``n_rows`` is their number, and ``source_row``
        their row in the file. Granules without a row inside are left out, and
        listed in the attribute ``granules_outside``.
    region_exact : bool
        Select photons of ATL03 by their own latitude and longitude (and time),
        instead of by those of their 20 m segment.
    time : (start, end), optional
        Select rows in a window of time, alone or with ``region``. Both ends are
        included: datetimes (UTC without a time zone), or texts in ISO 8601, of
        which a day, month or year (``"2019-11"``) stands for all of it. None: an
        open end.
    attach : str or list of str, optional
        Variables of linked rates to add to each row, lazily: of ATL03
        ``heights``, variables of ``geolocation`` (``"segment_id"``),
        ``geophys_corr``, ``bckgrd_atlas``, ``"x_atc"``, ``"y_atc"``, and of
        ATL08 ``"atl08_class"``, ``"h_above_ground"`` and others. The granule of
        ATL08 is searched in the list, in the folder of the granule, and beside
        that folder. Rows without a linked row are NaN or NaT; integers have
        ``pad_value`` of ``ds.icesat2.source_encoding``, and ``atl08_class`` is 4.
    storage_options : dict, optional
        Passed to fsspec.
    allow_mixed_releases : bool
        Merge granules of different releases.
    index_cache : path, optional
        Directory in which the indexes of granules are kept, or a file
        (``.idx``) that :func:`xr_icesat2.save_indexes` made: what is in it
        opens without a request. Default: the environment variable
        ``XR_ICESAT2_INDEX_CACHE``, else none.
    limits : xr_icesat2.Limits, optional
        Limits on what one file may ask of its reader
        (``Limits(chunks=5_000_000)``), so that no file takes all time and
        memory. Default: those of :class:`xr_icesat2.Limits`.
    mask_and_scale, decode_times, use_cftime, concat_characters, decode_coords
        As in :func:`xarray.open_dataset`.
    decode_timedelta
        As in :func:`xarray.open_dataset`, but durations stay numbers by default.
    """

    description = "Open ICESat-2 granules (.h5), one or many, as lazy xarray objects"
    supports_groups = True

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Return whether this is ``icesat2://…`` or has the name of an ICESat-2 granule."""
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        path = os.fspath(filename_or_obj)
        return path.startswith("icesat2://") or parse_name(path) is not None

    @_suggest_keywords
    def open_dataset(  # noqa: PLR0913 - these are the keywords of the engine
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        group: str | None = None,
        layout: Layout = "spot",
        spots: str | int | Sequence[int] | None = None,
        beams: str | Sequence[str] | None = None,
        sc_orient: int | None = None,
        variables: str | Iterable[str] | None = None,
        pad_to: int | None = None,
        region: Any = None,
        region_exact: bool = False,
        time: Sequence[TimeBound] | None = None,
        attach: str | Iterable[str] | None = None,
        storage_options: Mapping[str, Any] | None = None,
        allow_mixed_releases: bool = False,
        index_cache: str | os.PathLike[str] | None = None,
        limits: Limits | None = None,
        mask_and_scale: bool | Mapping[str, bool] | None = None,
        decode_times: bool | CFDatetimeCoder | Mapping[str, bool | CFDatetimeCoder] | None = None,
        decode_timedelta: (
            bool | CFTimedeltaCoder | Mapping[str, bool | CFTimedeltaCoder] | None
        ) = None,
        use_cftime: bool | Mapping[str, bool] | None = None,
        concat_characters: bool | Mapping[str, bool] | None = None,
        decode_coords: bool | str | None = None,
    ) -> xr.Dataset:
        """Open one rate of one or many granules, or one group of a file.

        The keywords are documented in the class.
        """
        request = make_request(filename_or_obj, locals())
        with relaxed_gc():
            granules, identities = open_granules(request)
            with _closed_on_error(granules):
                return assemble_dataset(granules, request, identities)

    @_keywords_of(open_dataset)
    def open_groups_as_dict(self, request: Request) -> dict[str, xr.Dataset]:
        """Open all rates and groups; keys are the paths of a tree.

        The keywords are documented in the class.
        """
        return _open_groups(request)

    @_keywords_of(open_dataset)
    def open_datatree(self, request: Request) -> xr.DataTree:
        """Open all rates and groups as one tree.

        The keywords are documented in the class.
        """
        groups = _open_groups(request)
        with relaxed_gc():
            tree = xr.DataTree.from_dict(groups)
            for path, [node] in xr.group_subtrees(tree):
                # The tree itself makes the groups that hold nothing but groups.
                if normalise_path(path) in groups:
                    node.encoding = groups[normalise_path(path)].encoding
        tree.set_close(groups["/"]._close)  # noqa: SLF001 - which closes all granules
        return tree

    # xarray derives this itself only of engines that it finds by name.
    open_dataset_parameters = tuple(inspect.signature(open_dataset).parameters)[1:]


def _open_groups(request: Request) -> dict[str, xr.Dataset]:
    with relaxed_gc():
        granules, identities = open_granules(request)
        with _closed_on_error(granules):
            return assemble_groups(granules, request, identities)


@contextmanager
def _closed_on_error(granules: list[Granule]) -> Iterator[None]:
    """Close granules that do not open, with their indexes, which may be wrong."""
    try:
        yield
    except (GroupNotFoundError, SelectionError):  # the request is wrong, not the granules
        raise
    except Exception:
        close_granules(granules)
        raise
