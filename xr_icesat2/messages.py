"""Common parts of error messages: suggestions, lists of names, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

__all__ = ["LOGIN_HINT", "OPEN_AS_FILE", "did_you_mean", "some_of"]

OPEN_AS_FILE = (
    'Open its groups unmerged with xr.open_datatree(…, layout="file"), or one of them with group= '
    "and its path"
)
LOGIN_HINT = (
    "NASA's granules need an Earthdata login: log in with earthaccess.login() and open them as "
    "icesat2://<name of the granule>, or pass storage_options"
)
MAX_LISTED = 12


def did_you_mean(
    given: str, known: Iterable[str], synonyms: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the question " Did you mean …?" with the nearest known name, or "".

    ``synonyms`` map other words to known names.
    """
    by_case = {name.lower(): name for name in known} | dict(synonyms)
    nearest = difflib.get_close_matches(given.lower(), by_case, 1)
    return f" Did you mean {by_case[nearest[0]]!r}?" if nearest else ""


def some_of(names: Iterable[str], max_names: int = MAX_LISTED) -> str:
    """List all names, or the first ``max_names`` and the number of the others."""
    listed = list(names)
    more = len(listed) - max_names
    shown = ", ".join(listed[:max_names]) or "nothing"
    return f"{shown} and {more} more" if more > 0 else shown
