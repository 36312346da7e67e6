"""Match the patterns of ``variables`` and ``drop_variables`` with variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.beams import TRACKS

__all__ = ["check_below_beams", "matches", "matches_any", "variable_patterns"]


def variable_patterns(given: Any, keyword: str) -> tuple[str, ...]:
    """Return the value of a keyword as a tuple of names, paths and patterns."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    listed = list(given) if several else [given]
    if not all(isinstance(name, str) and name.strip("/") for name in listed):
        raise SelectionError(f"{keyword}={given!r}, expected names, paths or patterns (*, ?, [])")
    return tuple(name.strip("/") for name in listed)


@lru_cache(maxsize=1 << 14)  # of a list of granules, each has the same names
def matches_any(path: str, patterns: tuple[str, ...]) -> bool:
    """Return whether any of some patterns means a variable."""
    return any(matches(path, pattern) for pattern in patterns)


def matches(path: str, pattern: str) -> bool:
    """Return whether a pattern matches a variable; a bare name does in any group.

    ``h_mean`` means any variable of that name, ``fit_statistics`` everything in a group of that
    name, at any depth.
    """
    path = path.strip("/")
    meant = (pattern, f"*/{pattern}", f"{pattern}/*", f"*/{pattern}/*")
    return any(fnmatchcase(path, one) for one in meant)


def check_below_beams(variables: Sequence[str], drop_variables: Sequence[str]) -> None:
    """Raise if a name begins with a beam; paths of merged beams begin below them."""
    given = {"variables": variables, "drop_variables": drop_variables}
    for keyword, patterns in given.items():
        for pattern in patterns:
            beam, _, below = pattern.partition("/")
            if beam in TRACKS:
                way_out = f"Write {below!r}, and select" if below else "Select"
                msg = (
                    f"{keyword}: {pattern!r} begins with a beam, but paths begin below the beam "
                    f"where beams are merged. {way_out} beams with beams=. Beams are groups only "
                    'with layout="file".'
                )
                raise SelectionError(msg)
