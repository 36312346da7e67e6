"""Attributes of the file and the groups under METADATA, which hold nothing else.

Names as in granules of releases 002 to 006; the texts are our own and say that the granule is
synthetic. The longest are as long as those of real granules, within a tenth.
"""

from collections.abc import Iterator, Mapping

from xr_icesat2.products.variable_table import VariableTable

from .texts import lengthen
from .tree import Attributes, Fact, Group

__all__ = ["metadata", "root_attributes"]

_MAKER = "xr_icesat2.testing"
_NASA = "National Aeronautics and Space Administration (NASA)"
_SUMMARY = "Synthetic {product} granule for tests and demonstrations; no measurement is in it."
_MISSION = "ICESat-2 > Ice, Cloud, and land Elevation Satellite-2"
_DOI = "doi:10.5067/ATLAS/{product}.{release}"

_ROOT: Attributes = {
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
    "identifier_file_product_type": "{product}",
    "identifier_file_uuid": "{uuid}",
    "identifier_product_doi": _DOI,
    "identifier_product_doi_authority": "http://dx.doi.org",
    "identifier_product_format_version": "5.0",
    "identifier_product_type": "{product}",
    "institution": _NASA,
    "instrument": "ATLAS > Advanced Topographic Laser Altimeter System",
    "keywords": "EARTH SCIENCE > CRYOSPHERE > GLACIERS/ICE SHEETS",
    "keywords_vocabulary": "NASA/GCMD Science Keywords",
    "license": "Free of conditions: synthetic data.",
    "naming_authority": "http://dx.doi.org",
    "platform": _MISSION,
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
_LENGTHS: Mapping[str, int] = {
    "abstract": 310,
    "citation": 241,
    "credit": 201,
    "license": 247,
    "processDescription": 310,
    "purpose": 100,
    "summary": 102,
}
_XML = """<?xml version='1.0'?>
<series><title>{{title}}</title><id>{{file_name}}</id><!--{0}--></series>
"""
_DATASET_XML, _SERIES_XML = (_XML.format(lengthen("", length)) for length in (11_000, 39_500))


def root_attributes(table: VariableTable) -> Attributes:
    """Make the attributes of the file."""
    level = table.title.split()[1]
    values = {**_ROOT, "level": level, "processing_level": level[1:]}
    ((_, names),) = ((g.path, g.attributes) for g in table.groups if not g.path)
    return _lengthened({name: values[name] for name, _ in names})


def metadata(table: VariableTable, lineage: str) -> Iterator[Group]:
    """Yield the groups under METADATA.

    Parameters
    ----------
    table
        Of the product; names what a granule is made of.
    lineage
        Where it does: what the paths of those groups begin with.
    """
    groups: dict[str, Attributes] = {
        "": {
            "Description": "Metadata in the structure of ISO 19115.",
            "iso_19139_dataset_xml": _DATASET_XML,
            "iso_19139_series_xml": _SERIES_XML,
        },
        "/AcquisitionInformation": {},
        **{f"/AcquisitionInformation/{name}": about for name, about in _acquisition()},
        "/DataQuality": {"scope": "NOT_SET"},
        "/DataQuality/CompletenessOmission": _QUALITY,
        "/DataQuality/DomainConsistency": _QUALITY,
        "/DatasetIdentification": _DATASET,
        "/Extent": _EXTENT,
        "/Lineage": {},
        "/ProcessStep": {},
        **{f"/ProcessStep/{name}": about for name, about in _process()},
        "/ProductSpecificationDocument": {
            "ShortName": f"{table.product}_SDP",
            "characterSet": "utf8",
            "edition": "v4.3",
            "language": "eng",
            "publicationDate": "{created_date}",
            "title": f"The tree of {table.title}",
        },
        "/QADatasetIdentification": {
            "abstract": "None was made.",
            "creationDate": "{created}",
            "fileName": "{stem}.qa",
        },
        "/SeriesIdentification": _SERIES,
    }
    for path, attributes in groups.items():
        yield Group(f"METADATA{path}", _lengthened(attributes))
    for group in table.groups:
        if group.path.startswith(lineage):
            source = _source(group.path.removeprefix(lineage))
            yield Group(group.path, {name: source[name] for name, _ in group.attributes})


def _lengthened(attributes: Attributes) -> Attributes:
    return {
        name: lengthen(text, _LENGTHS[name]) if isinstance(text, str) and name in _LENGTHS else text
        for name, text in attributes.items()
    }


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


def _source(name: str) -> Attributes:
    """Attributes of what a granule was made of; not every source has all of them."""
    made = name.startswith("ATL")
    return {
        "description": "Named for the tree's sake.",
        "fileName": f"{name}_{{track}}.h5" if made else f"{name}_none",
        "shortName": "CNTL" if name == "Control" else name,
        "uuid": "{uuid}",
        "version": "{release}" if made else "001",
        **{
            f"{end}_{what}": Fact(fact)
            for end in ("start", "end")
            for what, fact in (
                ("cycle", "cycle"),
                ("orbit", "orbit"),
                ("rgt", "rgt"),
                ("region", "region"),
                ("geoseg", f"{end}_geoseg"),
            )
        },
    }


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
