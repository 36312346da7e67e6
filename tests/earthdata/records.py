"""Records of granules and collections as CMR has them (UMM-G 1.6, UMM-C 1.18)."""

import hashlib
from datetime import UTC, datetime, timedelta

from tests.earthdata.names import BUCKET, DATA_HOST
from xr_icesat2.granule.name import parse_name

_BOX = {"west": -50.5, "south": 68.9, "east": -48.0, "north": 69.4}


def granule_record(name, key, data, number, box=None):
    """UMM-G of the granule ``name``, stored at ``key`` of the bucket."""
    parts = parse_name(name)
    start = parts.start or datetime(2018, 10, 14, tzinfo=UTC)
    end = start + timedelta(minutes=5)
    return {
        "meta": {
            "concept-type": "granule",
            "concept-id": f"G{number}-NSIDC_CPRD",
            "revision-id": 1,
            "native-id": name,
            "provider-id": "NSIDC_CPRD",
            "format": "application/vnd.nasa.cmr.umm+json",
        },
        "umm": {
            "GranuleUR": name,
            "TemporalExtent": {
                "RangeDateTime": {"BeginningDateTime": _stamp(start), "EndingDateTime": _stamp(end)}
            },
            "SpatialExtent": {"HorizontalSpatialDomain": {"Geometry": _polygon(box or _BOX)}},
            "CollectionReference": {"ShortName": parts.collection, "Version": parts.release},
            "DataGranule": {
                "DayNightFlag": "Unspecified",
                "ProductionDateTime": "2024-01-01T00:00:00.000Z",
                "Identifiers": [{"IdentifierType": "ProducerGranuleId", "Identifier": name}],
                "ArchiveAndDistributionInformation": [_archived(name, data)],
            },
            "RelatedUrls": [
                {"URL": f"https://{DATA_HOST}/{BUCKET}/{key}", "Type": "GET DATA"},
                {"URL": f"s3://{BUCKET}/{key}", "Type": "GET DATA VIA DIRECT ACCESS"},
                {"URL": f"https://{DATA_HOST}/{BUCKET}/{key}.iso.xml", "Type": "EXTENDED METADATA"},
            ],
        },
    }


def _stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _archived(name, data):
    return {
        "Name": name,
        "Size": len(data) / 1e6,
        "SizeUnit": "MB",
        "SizeInBytes": len(data),
        "Checksum": {"Value": hashlib.md5(data).hexdigest(), "Algorithm": "MD5"},  # noqa: S324
    }


def _polygon(box):
    corners = [("west", "south"), ("east", "south"), ("east", "north"), ("west", "north")]
    points = [{"Longitude": box[x], "Latitude": box[y]} for x, y in [*corners, corners[0]]]
    return {"GPolygons": [{"Boundary": {"Points": points}}]}


def collection_record(product, release):
    """UMM-C of a release of a product."""
    return {
        "meta": {"concept-id": f"C{release}{product[3:]}-NSIDC_CPRD", "provider-id": "NSIDC_CPRD"},
        "umm": {
            "ShortName": product,
            "Version": release,
            "EntryTitle": f"ATLAS/ICESat-2 {product} V{release}",
            "TemporalExtents": [
                {
                    "EndsAtPresentFlag": True,
                    "RangeDateTimes": [{"BeginningDateTime": "2018-10-13T00:00:00.000Z"}],
                }
            ],
            "DirectDistributionInformation": {
                "Region": "us-west-2",
                "S3CredentialsAPIEndpoint": f"https://{DATA_HOST}/s3credentials",
            },
        },
    }
