"""What the names of granules look like, and where in a url the name stands.

Source: the file naming conventions in the products' user guides at NSIDC.
"""

import re

__all__ = [
    "BROWSE_NAME",
    "CYCLES_OF_LABEL",
    "DATED_NAME",
    "EXTENSIONS",
    "OWN_RELEASE",
    "REPEAT_NAME",
    "UNDATED_NAME",
    "file_name",
]

# Anything may stand before and after the name (processed_…, …_subsetted), set off by a sign that
# is no letter or digit; ` (1)` and the like included.
_BEFORE, _AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
DATED_NAME = re.compile(
    _BEFORE + r"(?P<product>ATL[0-9]{2})(?P<quick_look>QL)?(?:-(?P<hemisphere>0[12]))?"
    r"_(?P<start>20[0-9]{12})_(?P<rgt>[0-9]{4})(?P<cycle_number>[0-9]{2})(?P<granule_region>[0-9]{2})"
    r"_(?P<release>[0-9]{3})_(?P<version>[0-9]{2})" + _AFTER
)
# ATL24 appends its own release and version to those of ATL03.
OWN_RELEASE = re.compile(r"_(?P<release>[0-9]{3})_(?P<version>[0-9]{2})" + _AFTER)
# Before the product's first release the ATL11 code wrote `_02_v002` instead of `_002_02`.
REPEAT_NAME = re.compile(
    _BEFORE + r"(?P<product>ATL11)_(?P<rgt>[0-9]{4})(?P<granule_region>[0-9]{2})"
    r"_(?P<first>[0-9]{2})(?P<last>[0-9]{2})"
    r"_(?:(?P<release>[0-9]{3})_(?P<version>[0-9]{2})|(?P<trial>[0-9]{2})_v0(?P<try>[0-9]{2}))"
    + _AFTER
)
UNDATED_NAME = re.compile(
    _BEFORE + r"(?P<product>ATL1[458])_(?P<label>[0-9A-Za-z]+(?:_[0-9A-Za-z]+)*?)"
    r"_(?P<release>[0-9]{3})_(?P<version>[0-9]{2})" + _AFTER
)
# NSIDC's own name of a granule's pictures; other names with _BRW in them may be anybody's.
BROWSE_NAME = re.compile(r"ATL[0-9]{2}[-_][0-9A-Za-z_]+_[0-9]{3}_[0-9]{2}_BRW\.[0-9A-Za-z.]+")
CYCLES_OF_LABEL = re.compile(r"[A-Z][A-Z0-9]_(?P<first>[0-9]{2})(?P<last>[0-9]{2})_[0-9A-Za-z]+")
EXTENSIONS = frozenset({"h5", "hdf5", "he5", "nc", "nc4"})


def file_name(url: str) -> str:
    """Last part of a path or url, without query; of a chained url the part that names a file."""
    # In `simplecache::s3://…` the file stands last, in `zip://file.h5::s3://…` first.
    link = next((part for part in url.split("::") if "/" in part), url)
    if link.startswith(("http://", "https://")):
        link = re.split(r"[?#]", link, maxsplit=1)[0]
    segment = re.split(r"[/\\]", link)[-1]
    return re.split(r"[?#]", segment, maxsplit=1)[0]
