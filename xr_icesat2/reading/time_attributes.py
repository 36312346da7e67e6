"""Attributes of decoded times.

The files describe their times as seconds since an epoch, which they are until they are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["describe_decoded"]

LONG_NAME = "time (UTC)"
_SECONDS = (
    r"(?:number of |elapsed )?(?:GPS )?seconds:? (?:since|from) the [\w ]*?\w*epoch\b"
    r"(?: of the products)?"
)
_UNIT = re.compile(rf",?\s*\b(?:(?:measured|expressed) )?in {_SECONDS}", re.IGNORECASE)
"""As in *Transmit time of the photon, measured in seconds from the atlas_sdp_gps_epoch*."""
_COUNT = re.compile(rf"\b{_SECONDS}", re.IGNORECASE)
"""As in *Number of GPS seconds since the ATLAS SDP epoch at the last data point*."""
_EPOCH = re.compile(
    r"\s*The ATLAS Standard Data Products \(SDP\) epoch offset is defined within\b.*?"
    r"can be computed\.?|\s*The ATLAS Standard Data Products \(SDP\) epoch offset is defined\b.*",
    re.DOTALL,
)
_CLAIMS = re.compile(r"\bGPS\b|\bseconds:? (?:since|from)\b", re.IGNORECASE)


def describe_decoded(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a decoded time, none of which says that it counts seconds.

    A description that cannot be reworded is left out. Other attributes are not changed.
    """
    described = dict(attrs)
    if _claims_seconds(attrs.get("long_name")):
        described["long_name"] = LONG_NAME
    for name in ("description", "Description"):
        text = attrs.get(name)
        if not isinstance(text, str):
            continue
        described[name] = _reword(text)
        if _claims_seconds(described[name]):
            del described[name]
    return described


def _claims_seconds(text: Any) -> bool:
    return isinstance(text, str) and _CLAIMS.search(text) is not None


def _reword(text: str) -> str:
    text = _UNIT.sub("", _EPOCH.sub("", text))
    return _COUNT.sub(_time_in_words, text).strip()


def _time_in_words(count: re.Match[str]) -> str:
    return f"{'T' if count[0][0].isupper() else 't'}ime (UTC)"
