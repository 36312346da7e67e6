"""What a user asks for, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import index
from typing import Any, Literal, SupportsIndex, TypeAlias

from xr_icesat2.errors import SelectionError
from xr_icesat2.reading.decode_options import DecodeOptions

__all__ = ["LAYOUTS", "Layout", "Options", "matches", "names"]

Layout: TypeAlias = Literal["spot", "flat", "file"]
LAYOUTS: tuple[Layout, ...] = ("spot", "flat", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The engine's keywords; see :class:`xr_icesat2.backend.ICESat2BackendEntrypoint`."""

    group: str | None
    layout: Layout
    spots: str | int | Sequence[int] | None
    beams: str | Sequence[str] | None
    sc_orient: int | None
    variables: tuple[str, ...] | None
    drop_variables: tuple[str, ...]
    pad_to: int | None
    allow_mixed_releases: bool
    decode_coords: bool
    decoders: DecodeOptions

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise SelectionError(f"layout={self.layout!r}, expected one of {', '.join(LAYOUTS)}")
        if not isinstance(self.group, str | None):
            msg = f"group={self.group!r}, expected one name of a rate, or one path in the file"
            raise SelectionError(msg)
        if self.pad_to is not None and not (_is_count(self.pad_to) and self.layout == "spot"):
            msg = f'pad_to={self.pad_to!r} with layout={self.layout!r}: expected rows, and "spot"'
            raise SelectionError(msg)
        chosen = (self.spots, self.beams, self.sc_orient)
        if self.layout == "file" and chosen != (None,) * len(chosen):
            msg = (
                "spots, beams and sc_orient are about what is merged; "
                'layout="file" merges nothing: use group'
            )
            raise SelectionError(msg)
        if self.sc_orient is not None and not _is_orientation(self.sc_orient):
            msg = f"sc_orient={self.sc_orient!r}, expected 0 (backward) or 1 (forward)"
            raise SelectionError(msg)
        if self.layout == "file" and self.group is not None and self.drops(self.group):
            msg = (
                f"group={self.group!r} is among what drop_variables leaves out: give one of the two"
            )
            raise SelectionError(msg)

    def keeps(self, path: str) -> bool:
        """Whether a variable (its path without the beam) is neither left out nor unasked for."""
        return not self.drops(path) and (self.variables is None or _fits(path, self.variables))

    def drops(self, path: str) -> bool:
        """Whether a variable, or a group with all that lies in it, is to be left out."""
        return bool(self.drop_variables) and _fits(path, self.drop_variables)


def _is_count(given: object) -> bool:
    return isinstance(given, SupportsIndex) and not isinstance(given, bool) and index(given) >= 0


def _is_orientation(given: object) -> bool:
    return _is_count(given) and given in (0, 1)


def names(given: Any, keyword: str) -> tuple[str, ...]:
    """Give a keyword that takes a name, or several, as a tuple of names."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    listed = list(given) if several else [given]
    if not all(isinstance(name, str) and name.strip("/") for name in listed):
        raise SelectionError(f"{keyword}={given!r}, expected names, paths or patterns (*, ?, [])")
    return tuple(name.strip("/") for name in listed)


@lru_cache(maxsize=1 << 14)  # of a list of granules, each has the same names
def _fits(path: str, patterns: tuple[str, ...]) -> bool:
    return any(matches(path, pattern) for pattern in patterns)


def matches(path: str, pattern: str) -> bool:
    """Whether a name, path or pattern means a variable; a bare name takes every match.

    ``h_mean`` means any variable of that name, ``fit_statistics`` all that lies in a group of
    that name, at any depth.
    """
    path = path.strip("/")
    meant = (pattern, f"*/{pattern}", f"{pattern}/*", f"*/{pattern}/*")
    return any(fnmatchcase(path, one) for one in meant)
