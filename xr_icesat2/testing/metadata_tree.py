"""Attributes of the file and the groups under METADATA, which hold nothing else.

Names as in release 006 granules; the texts are our own and say that the granule is synthetic.
"""

from collections.abc import Iterator, Sequence

from xr_icesat2.testing.tree import Attributes, Fact, Group

__all__ = ["ROOT", "metadata"]

_MAKER = "xr_icesat2.testing"
_NASA = "National Aeronautics and Space Administration (NASA)"
_SUMMARY = "Synthetic {product} granule for tests and demonstrations; no measurement is in it."
_MISSION = "ICESat-2 > Ice, Cloud, and land Elevation Satellite-2"
_DOI = "doi:10.5067/ATLAS/{product}.{release}"

ROOT: Attributes = {
    "Conventions": "CF-1.6",
    "citation": "Not to be cited: synthetic data.",
    "contributor_name": _MAKER,
    "contributor_role": "Data Producer",
    "creator_name": _MAKER,
    "data_rate": "Constant in a granule.",
    "date_created": "{created}",
    "date_type": "UTC",
    "description": _SUMMARY,
    "featureType": "trajectory",
    "geospatial_lat_max": Fact("north"),
    "geospatial_lat_min": Fact("south"),
    "geospatial_lat_units": "degrees_north",
    "geospatial_lon_max": Fact("east"),
    "geospatial_lon_min": Fact("west"),
    "geospatial_lon_units": "degrees_east",
    "granule_type": "{product}",
    "hdfversion": "HDF5 {hdf5}",
    "history": "{created};{uuid};Created by " + _MAKER,
    "identifier_file_uuid": "{uuid}",
    "identifier_product_doi": _DOI,
    "identifier_product_doi_authority": "http://dx.doi.org",
    "identifier_product_format_version": "5.0",
    "identifier_product_type": "{product}",
    "institution": _NASA,
    "instrument": "ATLAS > Advanced Topographic Laser Altimeter System",
    "keywords": "EARTH SCIENCE > CRYOSPHERE > GLACIERS/ICE SHEETS",
    "keywords_vocabulary": "NASA/GCMD Science Keywords",
    "level": "L3A",
    "license": "Free of conditions: synthetic data.",
    "naming_authority": "http://dx.doi.org",
    "platform": _MISSION,
    "processing_level": "3A",
    "project": _MISSION,
    "publisher_email": "none",
    "publisher_name": _MAKER,
    "publisher_url": "none",
    "references": "none",
    "short_name": "{product}",
    "source": "Synthetic",
    "spatial_coverage_type": "Horizontal",
    "standard_name_vocabulary": "CF-1.6",
    "summary": _SUMMARY,
    "time_coverage_duration": Fact("duration"),
    "time_coverage_end": "{data_end}",
    "time_coverage_start": "{data_start}",
    "time_type": "CCSDS UTC-A",
    "title": "{title}",
}

_ABOUT: Attributes = {"abstract": _SUMMARY, "purpose": _SUMMARY, "credit": _MAKER}
_SERIES: Attributes = {
    **_ABOUT,
    "VersionID": "{release}",
    "characterSet": "utf8",
    "format": "HDF",
    "formatVersion": "5",
    "identifier_product_DOI": _DOI,
    "language": "eng",
    "longName": "{title}",
    "maintenanceAndUpdateFrequency": "asNeeded",
    "maintenanceDate": "NOT_SET",
    "mission": _MISSION,
    "pointOfContact": _MAKER,
    "resourceProviderOrganizationName": _NASA,
    "revisionDate": "{created_date}",
    "shortName": "{product}",
    "status": "onGoing",
    "topicCategory": "geoscientificInformation",
}
_DATASET: Attributes = {
    **_ABOUT,
    "VersionID": "{release}",
    "characterSet": "utf8",
    "creationDate": "{created}",
    "fileName": "{file_name}",
    "language": "eng",
    "originatorOrganizationName": _MAKER,
    "shortName": "{product}",
    "spatialRepresentationType": "along-track",
    "status": "onGoing",
    "topicCategory": "geoscientificInformation",
    "uuid": "{uuid}",
}
_EXTENT: Attributes = {
    "eastBoundLongitude": Fact("east"),
    "northBoundLatitude": Fact("north"),
    "rangeBeginningDateTime": "{data_start}",
    "rangeEndingDateTime": "{data_end}",
    "southBoundLatitude": Fact("south"),
    "westBoundLongitude": Fact("west"),
}
_QUALITY: Attributes = {
    "evaluationMethodType": "directInternal",
    "measureDescription": "TBD",
    "nameOfMeasure": "TBD",
    "unitofMeasure": "TBD",
    "value": "NOT_SET",
}
_XML = "<?xml version='1.0'?>\n<series><title>{title}</title><id>{file_name}</id></series>\n"


def metadata(short_name: str, title: str, ancillary: Sequence[str]) -> Iterator[Group]:
    """Yield the groups under METADATA.

    Parameters
    ----------
    short_name, title
        Of the product.
    ancillary
        Short names of the products that only this one was made with.
    """
    top: Attributes = {
        "Description": "Metadata in the structure of ISO 19115.",
        "iso_19139_dataset_xml": _XML,
        "iso_19139_series_xml": _XML,
    }
    groups: dict[str, Attributes] = {
        "": top,
        "/AcquisitionInformation": {},
        **{f"/AcquisitionInformation/{name}": about for name, about in _acquisition()},
        "/DataQuality": {"scope": "NOT_SET"},
        "/DataQuality/CompletenessOmission": _QUALITY,
        "/DataQuality/DomainConsistency": _QUALITY,
        "/DatasetIdentification": _DATASET,
        "/Extent": _EXTENT,
        "/Lineage": {},
        **{f"/Lineage/{name}": about for name, about in _lineage(short_name, ancillary)},
        "/ProcessStep": {},
        **{f"/ProcessStep/{name}": about for name, about in _process()},
        "/ProductSpecificationDocument": {
            "ShortName": f"{short_name}_SDP",
            "characterSet": "utf8",
            "edition": "v4.3",
            "language": "eng",
            "publicationDate": "{created_date}",
            "title": f"The tree of {title}",
        },
        "/QADatasetIdentification": {
            "abstract": "None was made.",
            "creationDate": "{created}",
            "fileName": "{stem}.qa",
        },
        "/SeriesIdentification": _SERIES,
    }
    for path, attributes in groups.items():
        yield Group(f"METADATA{path}", attributes)


def _acquisition() -> Iterator[tuple[str, Attributes]]:
    document: Attributes = {"edition": "none", "publicationDate": "none", "title": "none"}
    yield (
        "lidar",
        {
            "description": "A photon-counting laser altimeter of six beams.",
            "identifier": "ATLAS",
            "pulse_rate": "10000 pps",
            "type": "Laser Altimeter",
            "wavelength": "532 nm",
        },
    )
    yield "lidarDocument", document
    yield (
        "platform",
        {"description": "The satellite.", "identifier": "ICESat-2", "type": "Spacecraft"},
    )
    yield "platformDocument", document


def _lineage(short_name: str, ancillary: Sequence[str]) -> Iterator[tuple[str, Attributes]]:
    number = short_name.removeprefix("ATL")
    common = ("ANC19", f"ANC25-{number}", f"ANC26-{number}", f"ANC36-{number}", f"ANC38-{number}")
    for name in (*ancillary, *common):
        yield (
            name,
            {
                "description": "Named for the tree's sake.",
                "fileName": f"{name}_none",
                "shortName": name,
                "uuid": "{uuid}",
                "version": "001",
            },
        )
    control: Attributes = {
        "description": "The arguments of the writer.",
        "fileName": "none",
        "shortName": "CNTL",
        "version": "1",
    }
    yield "Control", control
    span = {
        f"{end}_{what}": Fact(fact)
        for end in ("start", "end")
        for what, fact in (
            ("cycle", "cycle"),
            ("orbit", "orbit"),
            ("rgt", "rgt"),
            ("region", "region"),
            ("geoseg", f"{end}_geoseg"),
        )
    }
    for name in ("ATL03", "ATL09"):
        source: Attributes = {
            "description": "Named for the tree's sake.",
            "fileName": f"{name}_{{track}}.h5",
            "shortName": name,
            "uuid": "{uuid}",
            "version": "{release}",
            **span,
        }
        yield name, source


def _process() -> Iterator[tuple[str, Attributes]]:
    step: Attributes = {
        "identifier": _MAKER,
        "processDescription": "Written, not processed.",
        "runTimeParameters": "none",
        "softwareDate": "{created_date}",
        "softwareTitle": "Writer of synthetic granules",
        "softwareVersion": "1",
        "stepDateTime": "{created}",
    }
    theory = {
        "ATBDDate": "none",
        "ATBDTitle": "none",
        "ATBDVersion": "N/A",
        "documentDate": "none",
        "documentation": "none",
    }
    yield "Browse", step
    yield "Metadata", step
    yield "PGE", {**theory, **step}
    yield "QA", step
