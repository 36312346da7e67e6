"""What stands for a granule on a command line."""

import sys
from collections.abc import Iterable
from pathlib import Path

from xr_icesat2.bytesource.naming import is_url
from xr_icesat2.granule.name import parse_name

__all__ = ["granule_url", "granule_urls"]


def granule_url(text: str) -> str:
    """Read a name, path or URL: the bare name of a granule that is not here means the archive."""
    bare = "/" not in text and not is_url(text) and parse_name(text) is not None
    return f"icesat2://{text}" if bare and not Path(text).exists() else text


def granule_urls(texts: Iterable[str]) -> list[str]:
    """Read several; ``-`` stands for those on standard input, one a line."""
    given = (
        line.strip()
        for text in texts
        for line in (sys.stdin if text == "-" else (text,))
        if line.strip()
    )
    return [granule_url(text) for text in given]
