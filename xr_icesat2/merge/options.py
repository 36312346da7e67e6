"""What a user asks for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from xr_icesat2.errors import SelectionError
from xr_icesat2.reading.decoders import Decoders

__all__ = ["LAYOUTS", "Layout", "Options", "matches"]

Layout: TypeAlias = Literal["spot", "flat", "file"]
LAYOUTS: tuple[Layout, ...] = ("spot", "flat", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The engine's keywords; see :class:`xr_icesat2.backend.ICESat2BackendEntrypoint`."""

    group: str | None = None
    layout: Layout = "spot"
    spots: str | int | Sequence[int] | None = None
    beams: str | Sequence[str] | None = None
    variables: tuple[str, ...] | None = None
    drop_variables: tuple[str, ...] = ()
    pad_to: int | None = None
    allow_mixed_releases: bool = False
    decode_coords: bool = True
    decoders: Decoders = field(default_factory=Decoders)

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise SelectionError(f"layout={self.layout!r}, expected one of {', '.join(LAYOUTS)}")
        if self.pad_to is not None and (self.pad_to < 0 or self.layout != "spot"):
            msg = f'pad_to={self.pad_to!r} with layout={self.layout!r}: expected rows, and "spot"'
            raise SelectionError(msg)
        if self.layout == "file" and (self.spots is not None or self.beams is not None):
            msg = 'spots and beams choose what is merged; layout="file" merges nothing: use group'
            raise SelectionError(msg)

    def keeps(self, path: str) -> bool:
        """Whether a variable (its path without the beam) is neither left out nor unasked for."""
        return not self.drops(path) and (self.variables is None or _fits(path, self.variables))

    def drops(self, path: str) -> bool:
        """Whether a variable is to be left out."""
        return bool(self.drop_variables) and _fits(path, self.drop_variables)


def names(given: Any, keyword: str) -> tuple[str, ...]:
    """Give a keyword that takes a name, or several, as a tuple of names."""
    listed = [given] if isinstance(given, str) else list(given)
    if not all(isinstance(name, str) and name.strip("/") for name in listed):
        raise SelectionError(f"{keyword}={given!r}, expected names, paths or patterns (*, ?, [])")
    return tuple(name.strip("/") for name in listed)


@lru_cache(maxsize=1 << 14)  # of a list of granules, each has the same names
def _fits(path: str, patterns: tuple[str, ...]) -> bool:
    return any(matches(path, pattern) for pattern in patterns)


def matches(path: str, pattern: str) -> bool:
    """Whether a name, path or pattern means a variable; a bare name takes every match.

    ``fit_statistics/*`` means what lies in a group of that name at any depth,
    ``h_mean`` any variable of that name.
    """
    path = path.strip("/")
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")
