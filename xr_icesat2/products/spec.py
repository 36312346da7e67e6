"""Describe a product as data: its granules, its rates, their groups, dimensions and coordinates.

Each ``products/atlNN.py`` fills in these classes and cites the document that it was taken from. No
other module names a product, except the synthetic values in ``testing/``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from .attach_names import AttachName
from .contents_table import Contents
from .granule_naming import GranuleConvention
from .height_reference import ABOVE_ELLIPSOID, HeightReference
from .link_types import RangeLink, RateLink
from .product_contents import contents_of
from .publication import Publication
from .quality_rule import QualityRule
from .reference_frame import FRAMES_BY_RELEASE, FrameSpan, ReferenceFrame

__all__ = ["ALONG", "Completeness", "Labels", "LocatedBy", "ProductSpec", "Rate"]

ALONG = "*"
"""Placeholder of the along-track dimension in :attr:`Rate.dims`."""

Labels: TypeAlias = tuple[Any, ...]
"""Names (str) or numbers (int) of the positions along a second dimension, ascending where releases
differ in them."""
Completeness: TypeAlias = Literal["complete", "partial", "none"]


def _nothing() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({})


@cache  # asked for at every granule of a list
def _groups(group: str, siblings: Sequence[str], subgroups: Sequence[str]) -> tuple[str, ...]:
    return (group, *siblings, *(posixpath.join(group, name) for name in subgroups))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedBy:
    """How rows are selected by a region or a time, where not by their own place and time.

    They are selected by the rows of another rate of the product: by a :class:`.RangeLink` that the
    product declares, else by time. A row that is found by time is valid until the next one begins.
    """

    group: str
    """Group of the other rate, which has latitude, longitude and time."""
    seconds: float = 0.0
    """Found by time: how long before and after its time a row of the other rate was measured. Found
    by a link: by how much a window of time is widened."""
    metres: float = 0.0
    """Found by a link: by how much a region is widened. If it is not 0, rows between the ranges
    of two rows of the other rate are selected where the region may be between these two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Variables of a beam that share one along-track dimension."""

    group: str
    """The group below each beam, which is also how a user asks for the rate; ``""``: the beam."""
    along: str
    """Name of the along-track dimension, such as ``segment_idx``."""
    subgroups: tuple[str, ...] = ()
    """Groups below ``group`` that belong to the rate."""
    siblings: tuple[str, ...] = ()
    """Paths below the beam of groups with the same rows as ``group``. Each may have a time of its
    own, and each may be missing, ``group`` included. Their lengths are checked to be equal."""
    members: tuple[str, ...] | None = None
    """Paths below the beam that belong to the rate; None: all variables of its groups."""
    scale: str | None = None
    """Variable of the group that is the dimension's scale, where it is not the time."""
    time: str | None = None
    """Variable of the group with the time of each row."""
    latitude: str | None = None
    longitude: str | None = None
    height: str | None = None
    """Variable with the main height of each row, which pictures show by default."""
    x_atc: str | None = None
    """Variable with the distance along the track in metres."""
    segment_span: tuple[str, str] | None = None
    """Variables with the numbers of the first and the last 20 m segment that a row spans, where
    rows begin anywhere. None: rows are at the same :attr:`track_segment` in each cycle."""
    row_rgt: str | None = None
    """Variable with the reference ground track of a row, where granules have several."""
    row_length: float | None = None
    """Length of each row along the track in metres, about the place of the row."""
    classes: tuple[str, ...] = ()
    """Flags of rows that pictures colour by: the first one that a Dataset has."""
    located_by: LocatedBy | None = None
    """Which rate decides about the rows that a region or a time selects; None: each row's own
    latitude, longitude and time."""
    track_segment: str | None = None
    """Variable of the group with the number of the 20 m segment of the reference ground track that
    a row is beside, counted from the ascending node. None: rows do not follow the track, or it is
    unknown whether they do."""
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    """Dimensions of variables that have others than :data:`ALONG` alone, by their name."""
    labels: Mapping[str, tuple[Labels, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Labels of second dimensions, by their name: one set for each length that a release gave it.
    Releases of different lengths are merged on them."""
    label_variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Variables of the rate's groups that hold the labels of a second dimension, by its name. Beams
    and granules of different labels are merged on them."""
    ignore_fill: frozenset[str] = frozenset()
    """Variables whose declared ``_FillValue`` is a valid value, which is never masked."""
    heights: Mapping[str, HeightReference] = field(default_factory=lambda: MappingProxyType({}))
    """What heights are above, by their name."""
    quality: tuple[QualityRule, ...] = ()
    """Rules that rows of good quality fulfil, all of them."""
    alias: str | None = None
    """Name of the rate and of its node in a tree, where the group's name cannot serve: the group is
    the beam itself, or names another rate."""
    pad: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Padding of raw integers without ``_FillValue``, where not the greatest of the dtype."""

    @property
    def name(self) -> str:
        """Value of ``group=`` that opens the rate, and its node in a tree."""
        return self.alias or self.group

    @property
    def groups(self) -> tuple[str, ...]:
        """Paths below the beam of all its groups. The first with a variable names it."""
        return _groups(self.group, self.siblings, self.subgroups)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Variables that are coordinates of a row."""
        return tuple(name for name in (self.time, self.latitude, self.longitude) if name)

    @property
    def vertical_axis(self) -> str | None:
        """The main height if it is above the ellipsoid, else the first one that is."""
        if self.height is None:
            return None
        names = (self.height, *self.heights)
        return next((name for name in names if self.heights.get(name) is ABOVE_ELLIPSOID), None)

    def has_group(self, group: str) -> bool:
        """Return whether a group below the beam is the rate's own or a sibling."""
        return group == self.group or group in self.siblings


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProductSpec:
    """A product: its granules, its rates, and the rate that opens by default."""

    product: str
    title: str
    """Description in a few words."""
    document: str
    """Title and edition of the data dictionary or ATBD that the specification was taken from."""
    completeness: Completeness
    """How far the rates go: ``"complete"``: every rate and second dimension of all ``releases``;
    ``"partial"``: the main ones, and the file's own dimension scales give the others; ``"none"``:
    the dimension scales give all."""
    granules: GranuleConvention
    """How granules are named, numbered and stored."""
    releases: tuple[str, ...] = ()
    """Releases that the rates were written for; others open too, with a note in the log."""
    heights: str = ""
    """What heights are above, as a sentence."""
    frames: Sequence[FrameSpan] = FRAMES_BY_RELEASE
    """Reference frames by release; of products named after the release of ATL03, by that."""
    rates: tuple[Rate, ...] = ()
    main: tuple[str, ...] = ()
    """Groups of the rate that opens by default, that of the newest releases first. The first one
    that a granule has is opened. Empty: the rate with the most variables."""
    links: tuple[RateLink, ...] = ()
    """Links between rows of two rates."""
    publications: tuple[Publication, ...] = ()
    """Releases whose authors are known."""

    @property
    def data_set(self) -> str:
        """Title of the data set at NSIDC, with which that of each :attr:`document` begins."""
        return self.document.partition(f" ({self.product})")[0]

    attach_names: tuple[AttachName, ...] = ()
    """Names that ``attach=`` accepts besides those of variables of linked rates."""

    def rate_of(self, group: str) -> Rate:
        """Return the rate with a group as its first one."""
        return next(rate for rate in self.rates if rate.group == group)

    def range_link(self, one: str, many: str) -> RangeLink | None:
        """Return the link by which a row of one rate covers a range of rows of another."""
        return next(
            (
                link
                for link in self.links
                if isinstance(link, RangeLink) and (link.one, link.many) == (one, many)
            ),
            None,
        )

    def frame(self, release: str | None) -> ReferenceFrame | None:
        """Return the reference frame of a release; None where it is unknown."""
        return next(
            (frame for first, last, frame in self.frames if release and first <= release <= last),
            None,
        )

    def contents(self, release: str | None = None) -> Contents:
        """List what granules of the product hold, without reading any.

        Parameters
        ----------
        release : str, optional
            Three digits. Default: all; variables that some releases lack name those that have them.

        Returns
        -------
        Contents
            Rates with their variables, then the other groups of the file.

        Raises
        ------
        SelectionError
            The release is not three digits.
        """
        return contents_of(self, release)

    def find(self, text: str) -> Contents:
        """Search names, units and descriptions; see :meth:`.Contents.find`."""
        return contents_of(self).find(text)

    def __repr__(self) -> str:
        return repr(contents_of(self))

    def _repr_html_(self) -> str:
        return contents_of(self).html()
