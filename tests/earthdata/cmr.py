"""The search of the stand-in: granules and collections, paged as CMR pages them."""

import json
import re
from datetime import datetime

_KNOWN = {
    "bounding_box",
    "page_size",
    "polygon",
    "producer_granule_id",
    "provider",
    "readable_granule_name",
    "short_name",
    "sort_key",
    "temporal",
    "version",
}


class RejectedError(Exception):
    """CMR would answer 400 with this."""


def search(records, params, after, most=2000):
    """One page of ``records`` that ``params`` asks for.

    ``params`` are (name, value) pairs; ``after`` is the header CMR-Search-After
    or None. A page has ``most`` records at most. Returns the body and the headers
    of the response.
    """
    asked, options = {}, {}
    for name, value in params:
        if name.startswith("options["):
            options[name] = value
        elif (plain := name.removesuffix("[]")) in _KNOWN:
            asked.setdefault(plain, []).append(value)
        else:
            raise RejectedError(f"Parameter [{plain}] was not recognized.")
    size = min(_page_size(asked), most)
    found = [record for record in records if _matches(record["umm"], asked, options)]
    first = int(json.loads(after)[0]) if after else 0
    page = found[first : first + size]
    headers = {"CMR-Hits": str(len(found))}
    if page and first + size <= len(found):  # also after a last page that is full, as CMR does
        headers["CMR-Search-After"] = json.dumps([first + size])
    return {"hits": len(found), "took": 1, "items": page}, headers


def _page_size(asked):
    size = int(asked.pop("page_size", ["10"])[0])
    if not 0 <= size <= 2000:
        raise RejectedError("page_size must be a number between 0 and 2000")
    return size


def _matches(umm, asked, options):
    reference = umm.get("CollectionReference", umm)
    plain = {
        "provider": "NSIDC_CPRD",
        "short_name": reference["ShortName"],
        "version": reference["Version"],
    }
    for name, values in asked.items():
        if name in plain:
            fits = plain[name] in values
        elif name in {"readable_granule_name", "producer_granule_id"}:
            patterned = options.get(f"options[{name}][pattern]") == "true"
            fits = any(_named(umm["GranuleUR"], value, patterned) for value in values)
        elif name == "temporal":
            fits = any(_overlaps(umm, value) for value in values)
        elif name == "bounding_box":
            fits = any(_touches(umm, value) for value in values)
        elif name == "polygon":
            fits = any(_touches(umm, _around(value)) for value in values)
        else:
            fits = True
        if not fits:
            return False
    return True


def _named(name, value, patterned):
    if not patterned:
        return name == value
    expression = re.escape(value).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, name, re.IGNORECASE) is not None


def _overlaps(umm, value):
    try:
        first, last = (datetime.fromisoformat(end) if end else None for end in value.split(","))
    except ValueError:
        raise RejectedError(f"[{value}] is not a valid temporal range.") from None
    extent = umm["TemporalExtent"]["RangeDateTime"]
    start, end = (
        datetime.fromisoformat(extent[key]) for key in ("BeginningDateTime", "EndingDateTime")
    )
    return (last is None or start <= last) and (first is None or end >= first)


def _around(value):
    """Box about a polygon; CMR wants its points counterclockwise and closed."""
    numbers = [float(number) for number in value.split(",")]
    lon, lat = numbers[::2], numbers[1::2]
    turns = sum(a * d - b * c for a, b, c, d in zip(lon, lat, lon[1:], lat[1:], strict=False))
    if (lon[0], lat[0]) != (lon[-1], lat[-1]) or turns <= 0:
        raise RejectedError("The polygon boundary points are listed in the wrong order")
    return f"{min(lon)},{min(lat)},{max(lon)},{max(lat)}"


def _touches(umm, value):
    try:
        west, south, east, north = map(float, value.split(","))
    except ValueError:
        raise RejectedError(f"[{value}] is not a valid bounding_box") from None
    if not -90 <= south <= north <= 90:
        raise RejectedError(f"[{value}] is not a valid bounding_box")
    polygons = umm["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]["GPolygons"]
    points = [point for each in polygons for point in each["Boundary"]["Points"]]
    lon, lat = ([point[axis] for point in points] for axis in ("Longitude", "Latitude"))
    outside = min(lon) > east or max(lon) < west
    return not (outside or min(lat) > north or max(lat) < south)
