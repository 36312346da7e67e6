"""The engine's keywords, checked before any I/O, as one :class:`Request`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from xarray.coders import CFDatetimeCoder, CFTimedeltaCoder

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.beams import check_beams_keyword, check_spots_keyword
from xr_icesat2.hdf5.paths import normalise_path
from xr_icesat2.limits import DEFAULT_LIMITS, Limits
from xr_icesat2.products import Rate
from xr_icesat2.reading.decode_options import DecodeOptions
from xr_icesat2.region import Region
from xr_icesat2.time_window import TimeWindow

from .attach_keyword import attach_names
from .layouts import LAYOUT_NAMES, Layout, LayoutRules, layout_rules
from .local_paths import expand, is_folder
from .row_filter import make_row_filter
from .variable_patterns import matches_any, variable_patterns

__all__ = ["FilePath", "Request", "make_request"]

DECODERS: Mapping[str, type] = {
    "mask_and_scale": bool,
    "decode_times": CFDatetimeCoder,
    "decode_timedelta": CFTimedeltaCoder,
    "use_cftime": bool,
    "concat_characters": bool,
}
"""Keywords of one decoder each, with the type that they take in addition to bool."""
DECODED_COORDS = ("coordinates", "all")
"""Values of ``decode_coords`` in addition to bool, as xarray defines them."""


@dataclass(frozen=True, slots=True)
class FilePath:
    """A target: one group of the file, opened unmerged."""

    path: str
    """Absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a user asks for: a field for each keyword of the engine, checked.

    The keywords are documented in :class:`xr_icesat2.backend.ICESat2BackendEntrypoint`.
    """

    granules: Sequence[Any] = ()
    """Paths, URLs and files, with local folders and patterns expanded."""
    listed: bool = False
    """Whether the user gave a list or a folder: then everything has the dimension ``gran_idx``."""
    storage_options: Mapping[str, Any] | None = None
    index_cache: str | None = None
    limits: Limits = DEFAULT_LIMITS
    group: str | None = None
    """As the user wrote it; :attr:`target` is what it means."""
    layout: Layout = "spot"
    spots: str | int | Sequence[int] | None = None
    beams: str | Sequence[str] | None = None
    sc_orient: int | None = None
    variables: tuple[str, ...] | None = None
    drop_variables: tuple[str, ...] = ()
    pad_to: int | None = None
    region: Region | None = None
    region_exact: bool = False
    time: TimeWindow | None = None
    attach: tuple[str, ...] = ()
    """Names of columns to attach from linked rates."""
    allow_mixed_releases: bool = False
    decode_coords: bool = True
    decoders: DecodeOptions = field(default_factory=DecodeOptions)
    target: Rate | FilePath | None = None
    """What :attr:`group` means, once the granules are identified; None for all rates of a tree."""

    @property
    def rules(self) -> LayoutRules:
        """The rules of the layout."""
        return layout_rules(self.layout)

    @property
    def opens_unmerged(self) -> bool:
        """Return whether the target is a group of the file, with its own dimensions."""
        return isinstance(self.target, FilePath)

    @property
    def selects_rows(self) -> bool:
        """Return whether rows are selected by place or time."""
        return self.region is not None or self.time is not None

    @property
    def root(self) -> str:
        """Path of the group at the root of a tree."""
        if isinstance(self.target, FilePath):
            return self.target.path
        return "/" if self.target is None else normalise_path(self.target.name)

    def keeps(self, path: str) -> bool:
        """Return whether a variable (its path below the beam) is asked for, not dropped."""
        if self.drops(path):
            return False
        return self.variables is None or matches_any(path, self.variables)

    def drops(self, path: str) -> bool:
        """Return whether a variable, or a group with everything in it, is dropped."""
        return bool(self.drop_variables) and matches_any(path, self.drop_variables)


def make_request(filename_or_obj: Any, keywords: Mapping[str, Any]) -> Request:
    """Check the keywords of the engine, then expand local folders and patterns.

    Parameters
    ----------
    filename_or_obj
        One granule, a folder, or a list of granules and patterns.
    keywords
        Values by keyword. A keyword that is absent has its default.

    Raises
    ------
    SelectionError
        The value of a keyword is impossible, or two keywords exclude each other.
    GranuleNotFoundError
        A pattern or a folder has no granule, or a list is empty.
    """
    layout = _layout(keywords.get("layout", "spot"))
    rules = layout_rules(layout)
    drop_variables = variable_patterns(keywords.get("drop_variables") or (), "drop_variables")
    variables = keywords.get("variables")
    group = _group(keywords.get("group"), rules, drop_variables)
    checked: dict[str, Any] = {
        "storage_options": _storage_options(keywords.get("storage_options")),
        "index_cache": _index_cache(keywords.get("index_cache")),
        "limits": _limits(keywords.get("limits")),
        "group": group,
        "layout": layout,
        **_beam_keywords(keywords, layout),
        "variables": None if variables is None else variable_patterns(variables, "variables"),
        "drop_variables": drop_variables,
        "pad_to": _pad_to(keywords.get("pad_to"), layout),
        **_row_keywords(keywords, layout),
        "attach": _attach(keywords.get("attach"), layout),
        "allow_mixed_releases": _allow_mixed_releases(keywords.get("allow_mixed_releases", False)),
        "decode_coords": _decode_coords(keywords.get("decode_coords")),
        "decoders": _decoders(keywords),
        "target": None if rules.merges_beams else FilePath(normalise_path(group or "/")),
    }
    granules, listed = _granules(filename_or_obj)
    return Request(granules=granules, listed=listed, **checked)


def _granules(given: Any) -> tuple[list[Any], bool]:
    """Return the granules to open, and whether they are of a list or a folder."""
    if isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray | memoryview):
        return expand(given), True
    if is_folder(given):
        return expand([given]), True
    return [given], False


def _layout(given: Any) -> Layout:
    for layout in LAYOUT_NAMES:
        if given == layout:
            return layout
    raise SelectionError(f"layout={given!r}, expected one of {', '.join(LAYOUT_NAMES)}")


def _group(group: Any, rules: LayoutRules, drop_variables: tuple[str, ...]) -> str | None:
    if group is None:
        return None
    if not isinstance(group, str):
        msg = f"group={group!r}, expected the name of one rate, or one path in the file"
        raise SelectionError(msg)
    if not rules.merges_beams:
        check_not_dropped(group, drop_variables)
    return group


def check_not_dropped(group: str, drop_variables: tuple[str, ...]) -> None:
    """Raise if ``drop_variables`` drops the group to open."""
    if drop_variables and matches_any(group, drop_variables):
        dropped = list(drop_variables)
        msg = f"group={group!r} is dropped by drop_variables={dropped}. Leave one of the two out."
        raise SelectionError(msg)


def _beam_keywords(keywords: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """Return the keywords that choose beams."""
    given = {name: keywords.get(name) for name in ("spots", "beams", "sc_orient")}
    for name, value in given.items():
        if value is not None and not layout_rules(layout).merges_beams:
            msg = (
                f'{name}={value!r} does not apply to layout="{layout}", which does not merge '
                "beams. Open one beam with group= and its path, or leave layout out."
            )
            raise SelectionError(msg)
    if given["spots"] is not None:
        check_spots_keyword(given["spots"])
    if given["beams"] is not None:
        check_beams_keyword(given["beams"])
    sc_orient = given["sc_orient"]
    if sc_orient is not None and not (_is_count(sc_orient) and sc_orient in (0, 1)):
        msg = f"sc_orient={sc_orient!r}, expected 0 (backward) or 1 (forward)"
        raise SelectionError(msg)
    return given


def _row_keywords(keywords: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """Return the keywords that select rows by place and time."""
    region, exact, time = (keywords.get(name) for name in ("region", "region_exact", "time"))
    if region is None and time is None and not exact:
        return {}
    rows = make_row_filter(region, exact or False, time, exact_keyword="region_exact")
    if not layout_rules(layout).merges_beams:
        given = "region" if region is not None else "time"
        raise SelectionError(
            f'{given}= selects rows of merged beams, which layout="{layout}" does not have. Leave '
            "layout out, or select rows by the coordinates of the group."
        )
    return {"region": rows.region, "region_exact": rows.exact, "time": rows.window}


def _pad_to(rows: Any, layout: Layout) -> int | None:
    if rows is not None and not (_is_count(rows) and layout_rules(layout).pads):
        padded = " or ".join(f'"{name}"' for name in LAYOUT_NAMES if layout_rules(name).pads)
        raise SelectionError(
            f"pad_to={rows!r} with layout={layout!r}, expected a number of rows with "
            f"layout={padded}"
        )
    return None if rows is None else index(rows)


def _attach(given: Any, layout: Layout) -> tuple[str, ...]:
    names = attach_names(given)
    if names and not layout_rules(layout).merges_beams:
        raise SelectionError(
            f"attach={given!r} does not apply to layout={layout!r}, which does not merge beams. "
            "Leave layout out."
        )
    return names


def _is_count(given: object) -> bool:
    return isinstance(given, SupportsIndex) and not isinstance(given, bool) and index(given) >= 0


def _storage_options(options: Any) -> Mapping[str, Any] | None:
    if not isinstance(options, Mapping | None):
        raise SelectionError(
            f"storage_options has the type {type(options).__name__}, expected a mapping of options "
            "for fsspec"
        )
    return options


def _index_cache(cache: Any) -> str | None:
    if not isinstance(cache, str | os.PathLike | None):
        msg = f"index_cache={cache!r}, expected the path of a directory or of an index file"
        raise SelectionError(msg)
    return None if cache is None else os.fspath(cache)


def _limits(limits: Any) -> Limits:
    if not isinstance(limits, Limits | None):
        msg = f"limits={limits!r}, expected limits such as xr_icesat2.Limits(chunks=5_000_000)"
        raise SelectionError(msg)
    return limits or DEFAULT_LIMITS


def _allow_mixed_releases(allowed: Any) -> bool:
    if not _is_bool(allowed):
        raise SelectionError(f"allow_mixed_releases={allowed!r}, expected True or False")
    return bool(allowed)


def _decode_coords(given: Any) -> bool:
    if not (given is None or _is_bool(given) or given in DECODED_COORDS):
        msg = f"decode_coords={given!r}, expected True, False, {' or '.join(DECODED_COORDS)}"
        raise SelectionError(msg)
    return given is None or bool(given)


def _decoders(keywords: Mapping[str, Any]) -> DecodeOptions:
    given = {name: value for name in DECODERS if (value := keywords.get(name)) is not None}
    for name, value in given.items():
        several = value.values() if isinstance(value, Mapping) else (value,)
        kind = DECODERS[name]
        if not all(one is None or _is_bool(one) or isinstance(one, kind) for one in several):
            coder = "" if kind is bool else f", a {kind.__name__}"
            msg = (
                f"{name}={value!r}, expected True, False{coder}, or a mapping from names of "
                "variables to these"
            )
            raise SelectionError(msg)
    return DecodeOptions(**given)


def _is_bool(given: object) -> bool:
    return isinstance(given, bool | np.bool_)
