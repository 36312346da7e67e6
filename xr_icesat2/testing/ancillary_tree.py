"""What every product says of its granule: orbit, beams, ancillary data, quality.

Source: release 006 granules. The texts are our own.
"""

from typing import Any

from xr_icesat2.testing.tree import (
    AUXILIARY,
    QUALITY,
    REFERENCE,
    Attributes,
    Group,
    Variable,
    f8,
    i1,
    i4,
    time,
)

__all__ = ["ANCILLARY_DATA", "BEAM", "CONTROL_LENGTH", "ORBIT_INFO", "quality_assessment"]

CONTROL_LENGTH = 100_000
"""Bytes of ``ancillary_data/control``: too long to be compact."""

_ONCE = "Operations"
_DERIVED = "Derived"
_POD = "POD/PPD"
_SCALAR: dict[str, Any] = {"dims": (1,)}
_POLYGON: dict[str, Any] = {"dims": (11,)}
_CROSSING: dict[str, Any] = {"dims": ("crossing_time",), "coordinates": "crossing_time"}
_TURN: dict[str, Any] = {"dims": ("sc_orient_time",), "coordinates": "sc_orient_time"}

BEAM: Attributes = {
    "Description": "What was measured along one ground track, in subgroups.",
    "atlas_pce": "{pce}",
    "atlas_beam_type": "{strength}",
    "groundtrack_id": "{beam}",
    "atmosphere_profile": "{profile}",
    "atlas_spot_number": "{spot}",
    "sc_orientation": "{orientation}",
}
"""Attributes of a beam's group; those of the spot are left out where it is unknown."""

ORBIT_INFO = Group(
    "orbit_info",
    {
        "Description": "The orbit and the attitude, common to all beams.",
        "data_rate": "Constant in a granule.",
    },
    (
        time("crossing_time", _POD, "Time of the ascending node", dims=("crossing_time",)),
        i1("cycle_number", "counts", REFERENCE, _POD, "Cycle: of 91 days, from 1", valid=(0, 50),
           **_CROSSING),
        f8("lan", "degrees_east", REFERENCE, _POD, "Longitude of the ascending node",
           valid=(-180, 180), **_CROSSING),
        Variable("orbit_number", "u2", "1", REFERENCE, _ONCE, "Orbit number", valid=(1, 65000),
                 **_CROSSING),
        Variable("rgt", "i2", "counts", REFERENCE, _POD, "Reference ground track",
                 valid=(1, 1387), **_CROSSING),
        time("sc_orient_time", _POD, "Time of the last turn", dims=("sc_orient_time",)),
        i1("sc_orient", "1", REFERENCE, _POD, "Orientation: of the spacecraft",
           flags={"backward": 0, "forward": 1, "transition": 2}, **_TURN),
        f8("bounding_polygon_lat1", "degrees_north", AUXILIARY, "geo_poly", "Polygon, latitude",
           valid=(-90, 90), **_POLYGON),
        f8("bounding_polygon_lon1", "degrees_east", AUXILIARY, "geo_poly", "Polygon, longitude",
           valid=(-180, 180), **_POLYGON),
    ),
)  # fmt: skip


def _ends(end: str, first: str) -> tuple[Variable, ...]:
    """Variables that a granule has for both its ends."""
    return (
        time(f"{end}_delta_time", _DERIVED, f"Elapsed GPS seconds: {first}", AUXILIARY, **_SCALAR),
        i4(f"{end}_cycle", "1", AUXILIARY, _DERIVED, f"Cycle: {first}", valid=(0, 99), **_SCALAR),
        i4(f"{end}_geoseg", "1", AUXILIARY, _DERIVED, f"Geolocation segment: {first}", **_SCALAR),
        f8(f"{end}_gpssow", "seconds", AUXILIARY, _DERIVED, f"Second of the GPS week: {first}",
           **_SCALAR),
        i4(f"{end}_gpsweek", "weeks from 1980-01-06", AUXILIARY, _DERIVED, f"GPS week: {first}",
           **_SCALAR),
        i4(f"{end}_orbit", "1", AUXILIARY, _DERIVED, f"Orbit number: {first}", **_SCALAR),
        i4(f"{end}_region", "1", AUXILIARY, _DERIVED, f"Region: {first}", **_SCALAR),
        i4(f"{end}_rgt", "1", AUXILIARY, _DERIVED, f"Reference ground track: {first}",
           valid=(1, 1387), **_SCALAR),
        Variable(f"data_{end}_utc", "S27", "1", AUXILIARY, _DERIVED, f"UTC: {first}", **_SCALAR),
        Variable(f"granule_{end}_utc", "S27", "1", AUXILIARY, _DERIVED, f"UTC, asked for: {first}",
                 **_SCALAR),
    )  # fmt: skip


ANCILLARY_DATA = Group(
    "ancillary_data",
    {
        "Description": "What the granule is and how it was made.",
        "data_rate": "Constant in a granule.",
    },
    (
        f8("atlas_sdp_gps_epoch", "seconds since 1980-01-06T00:00:00.000000Z", AUXILIARY, _ONCE,
           "Epoch of the products: add it to a delta_time for GPS seconds", **_SCALAR),
        Variable("control", f"S{CONTROL_LENGTH}", "1", AUXILIARY, _ONCE, "Control file",
                 **_SCALAR),
        f8("qa_at_interval", "seconds/cell", AUXILIARY, "control", "Interval of quality rows",
           **_SCALAR),
        Variable("release", "S80", "1", AUXILIARY, _ONCE, "Release: of the granule", **_SCALAR),
        Variable("version", "S80", "1", AUXILIARY, _ONCE, "Version: within the release",
                 **_SCALAR),
        *_ends("start", "of the first row"),
        *_ends("end", "of the last row"),
    ),
)  # fmt: skip


def quality_assessment(second_reason: str) -> Group:
    """Group of whether the granule passed.

    Parameters
    ----------
    second_reason
        What the product calls the second reason to fail.
    """
    reasons = ("no_failure", "PROCESS_ERROR", second_reason, "failure_3", "failure_4")
    reason = {name: value for value, name in enumerate((*reasons, "OTHER_FAILURE"))}
    return Group(
        "quality_assessment",
        {"Description": "Whether the granule passed, and how it fared along the track."},
        tuple(
            i4(f"qa_granule_{name}", "1", QUALITY, _ONCE, text, flags=flags,
               valid=(0, len(flags) - 1), **_SCALAR)
            for name, flags, text in (
                ("pass_fail", {"PASS": 0, "FAIL": 1}, "Whether the granule passed"),
                ("fail_reason", reason, "Why it failed"),
            )
        ),
    )  # fmt: skip
