"""The reference frame of the granules of a rate, as a CF grid mapping variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xr_icesat2.granule.name import parse_name
from xr_icesat2.products import PRODUCTS, ReferenceFrame

if TYPE_CHECKING:
    from xr_icesat2.granule.identity import Identity

__all__ = ["SPATIAL_REF", "common_frame", "spatial_ref"]

SPATIAL_REF = "spatial_ref"
"""Name of the grid mapping variable, the default of rioxarray."""
_ELLIPSOID = (
    "The granules give heights above the WGS 84 ellipsoid. The GRS 1980 ellipsoid of this CRS "
    "differs from it by less than 0.2 mm."
)
_ABSENT = "There is no single CRS: {}. Heights in ITRF2014 and ITRF2020 differ by up to 7 mm."
_Frames = Mapping[str | None, ReferenceFrame | None]


def common_frame(identities: Sequence[Identity]) -> ReferenceFrame | None:
    """Return the reference frame of all granules; None where they differ or one is unknown."""
    return _single(_frames(identities))


def spatial_ref(identities: Sequence[Identity]) -> xr.Variable:
    """Return the scalar coordinate with the reference frame of some granules.

    Its value is the EPSG code, 0 where there is no single frame, so that xarray notices that two
    Datasets differ in it.
    """
    frames = _frames(identities)
    frame = _single(frames)
    attrs: dict[str, Any] = {"long_name": "reference frame of latitude, longitude and height"}
    if frame is None:
        attrs["comment"] = _ABSENT.format(_reason(frames))
    else:
        attrs |= {**frame.grid_mapping, "comment": _ELLIPSOID}
    return xr.Variable((), np.array(frame.epsg if frame else 0, np.int64), attrs)


def _frames(identities: Sequence[Identity]) -> _Frames:
    return {_release(identity): _frame(identity) for identity in identities}


def _single(frames: _Frames) -> ReferenceFrame | None:
    found = set(frames.values())
    return found.pop() if len(found) == 1 else None


def _reason(frames: _Frames) -> str:
    if not any(frames.values()):
        releases = ", ".join(sorted(release for release in frames if release))
        return f"that of release {releases} is unknown" if releases else "the release is unknown"
    parts = (
        f"release {release or 'unknown'} is in {frame or 'an unknown frame'}"
        for release, frame in sorted(frames.items(), key=lambda item: item[0] or "")
    )
    return "; ".join(parts)


def _release(identity: Identity) -> str | None:
    """Return the release that decides the frame: of products named after ATL03, that of ATL03."""
    convention = PRODUCTS.convention(identity.product)
    if convention is None or "source_release" not in convention.fields:
        return identity.release
    name = parse_name(identity.source_file)
    return name.source_release if name else None


def _frame(identity: Identity) -> ReferenceFrame | None:
    spec = PRODUCTS.get(identity.product or "")
    return spec.frame(_release(identity)) if spec else None
