"""The CF decoders that a user chose: xarray's keywords, resolved for each variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DecodeOptions", "is_cf_time", "is_icesat2_time"]

ICESAT2_TIME = re.compile(r"\s*seconds since 2018-01-01(?!\d).*", re.IGNORECASE)
CALENDARS = ("standard", "gregorian", "proleptic_gregorian")
"""Times of which the dtype is known without their values: all of them fit datetime64."""
GPS_SECONDS = re.compile(r"\s*seconds since 1980-0?1-0?6(?!\d).*", re.IGNORECASE)
"""Units that stay a number: ``atlas_sdp_gps_epoch`` counts GPS seconds, which leave out leap
seconds. Read as UTC it would be 18 s off."""
SINCE = "since"
"""The word in its units by which xarray knows a time."""


@dataclass(frozen=True)
class DecodeOptions:
    """The CF decoders, as :func:`xarray.open_dataset` passes them.

    Each is one value for all variables or a mapping from variable names.
    """

    mask_and_scale: bool | Mapping[str, bool] = True
    decode_times: Any = True
    decode_timedelta: Any = None
    use_cftime: Any = None
    concat_characters: bool | Mapping[str, bool] = True

    def options(self, name: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keywords of ``xarray.conventions.decode_cf_variable`` for a variable."""
        times = _of(self.decode_times, name, default=True)
        if not is_cf_time(attrs):
            times = False
        masked = bool(_of(self.mask_and_scale, name, default=True))
        if times and "_FillValue" in attrs:
            # The fill value of a time is no time: it can only become NaT.
            masked = True
        options = {
            "mask_and_scale": masked,
            "decode_times": times,
            # By default durations stay numbers: their unit is in the attributes.
            "decode_timedelta": _of(self.decode_timedelta, name, default=None) or False,
            "concat_characters": bool(_of(self.concat_characters, name, default=True)),
        }
        use_cftime = _of(self.use_cftime, name, default=None)
        if use_cftime is not None:
            options["use_cftime"] = use_cftime
        return options

    def are_times(self, name: str, attrs: Mapping[str, Any]) -> bool:
        """Return whether a variable becomes times."""
        return is_cf_time(attrs) and bool(_of(self.decode_times, name, default=True))

    def depend_on_values(self, name: str, attrs: Mapping[str, Any]) -> bool:
        """Return whether xarray looks at values to tell what becomes of a variable.

        Times that do not fit datetime64 become cftime objects.
        """
        return self.are_times(name, attrs) and not is_icesat2_time(attrs)

    def other_units(self, name: str, attrs: Mapping[str, Any]) -> dict[str, str]:
        """Return the units of GPS seconds in words of which xarray makes no time.

        Written to netCDF or Zarr and opened again, they must not become one after all.
        """
        units = attrs.get("units")
        if not isinstance(units, str) or not GPS_SECONDS.fullmatch(units):
            return {}
        wanted = _of(self.decode_times, name, default=True)
        return {"units": units.replace(SINCE, "after")} if wanted else {}


def is_cf_time(attrs: Mapping[str, Any]) -> bool:
    """Return whether the units are those of a time that is decoded."""
    units = attrs.get("units")
    return isinstance(units, str) and SINCE in units and not GPS_SECONDS.fullmatch(units)


def is_icesat2_time(attrs: Mapping[str, Any]) -> bool:
    """Return whether values count seconds of the epoch of ICESat-2, in the usual calendar."""
    units, calendar = attrs.get("units"), attrs.get("calendar")
    if not isinstance(units, str) or ICESAT2_TIME.fullmatch(units) is None:
        return False
    return calendar is None or (isinstance(calendar, str) and calendar in CALENDARS)


def _of(value: Any, name: str, *, default: Any) -> Any:
    return value.get(name, default) if isinstance(value, Mapping) else value
