"""What several messages have in common: what was meant, what there is, the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

__all__ = ["OPEN_AS_FILE", "did_you_mean", "some_of"]

OPEN_AS_FILE = (
    'xr.open_datatree(…, layout="file") opens it as it is, with group= and a path in the file one '
    "group of it"
)
MOST_LISTED = 12


def did_you_mean(
    given: str, known: Iterable[str], synonyms: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the question whether something known was meant, after a blank; else nothing.

    ``synonyms`` are other words for what is known.
    """
    by_case = {name.lower(): name for name in known} | dict(synonyms)
    nearest = difflib.get_close_matches(given.lower(), by_case, 1)
    return f" Did you mean {by_case[nearest[0]]!r}?" if nearest else ""


def some_of(names: Iterable[str], most: int = MOST_LISTED) -> str:
    """List names: all, or the first ``most`` and how many more there are."""
    listed = list(names)
    more = len(listed) - most
    shown = ", ".join(listed[:most]) or "nothing"
    return f"{shown} and {more} more" if more > 0 else shown
