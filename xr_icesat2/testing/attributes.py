"""Attributes of the file and its groups, and the groups under METADATA.

Names are those of releases 002 to 006. The texts are our own and state that the granule is
synthetic. The longest are within a tenth of the length of real ones.
"""

from collections.abc import Iterator, Mapping

from xr_icesat2.products.variable_table import TableGroup, VariableTable

from .tree_model import GranuleFact, GroupAttributes, TreeGroup

__all__ = ["group_attributes", "metadata_groups", "pad_text", "root_attributes"]

_FILLER = " [synthetic filler text]"


def pad_text(text: str, length: int) -> str:
    """Extend a text to a length by filler and blanks; return a longer one unchanged."""
    missing = max(0, length - len(text))
    return (text + _FILLER * (missing // len(_FILLER))).ljust(length)


_OF_BEAMS: Mapping[str, str] = {
    "atlas_pce": "{pce}",
    "atlas_beam_type": "{strength}",
    "groundtrack_id": "{beam}",
    "atmosphere_profile": "{profile}",
    "atlas_spot_number": "{spot}",
    "sc_orientation": "{orientation}",
}
"""Those of a beam's group; what depends on the spot is left out where it is unknown."""

_SMALL_SINCE = "007"  # release in which Description became description


def group_attributes(group: TableGroup, release: str) -> GroupAttributes:
    """Make the attributes of a group outside of METADATA."""
    rate = "One row for each of the dimension." if group.coordinates else "Constant in a granule."
    texts = {"Description": f"{group.description}.", "data_rate": rate, **_OF_BEAMS}
    return {
        _spelt(name, release): pad_text(texts[name], length) for name, length in group.attributes
    }


def _spelt(name: str, release: str) -> str:
    return name.lower() if name == "Description" and release >= _SMALL_SINCE else name


_MAKER = "xr_icesat2.testing"
_NASA = "National Aeronautics and Space Administration (NASA)"
_SUMMARY = "Synthetic {product} granule for tests and demonstrations; no measurement is in it."
_MISSION = "ICESat-2 > Ice, Cloud, and land Elevation Satellite-2"
_DOI = "doi:10.5067/ATLAS/{product}.{release}"

_ROOT: GroupAttributes = {
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
    "geospatial_lat_max": GranuleFact("north"),
    "geospatial_lat_min": GranuleFact("south"),
    "geospatial_lat_units": "degrees_north",
    "geospatial_lon_max": GranuleFact("east"),
    "geospatial_lon_min": GranuleFact("west"),
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
    "time_coverage_duration": GranuleFact("duration"),
    "time_coverage_end": "{data_end}",
    "time_coverage_start": "{data_start}",
    "time_type": "CCSDS UTC-A",
    "title": "{title}",
}

_ABOUT: GroupAttributes = {"abstract": _SUMMARY, "purpose": _SUMMARY, "credit": _MAKER}
_SERIES: GroupAttributes = {
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
_DATASET: GroupAttributes = {
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
_EXTENT: GroupAttributes = {
    "eastBoundLongitude": GranuleFact("east"),
    "northBoundLatitude": GranuleFact("north"),
    "rangeBeginningDateTime": "{data_start}",
    "rangeEndingDateTime": "{data_end}",
    "southBoundLatitude": GranuleFact("south"),
    "westBoundLongitude": GranuleFact("west"),
}
_QUALITY: GroupAttributes = {
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
_DATASET_XML, _SERIES_XML = (_XML.format(pad_text("", length)) for length in (11_000, 39_500))


def root_attributes(table: VariableTable) -> GroupAttributes:
    """Make the attributes of the file."""
    level = table.title.split()[1]
    values = {**_ROOT, "level": level, "processing_level": level[1:]}
    ((_, names),) = ((g.path, g.attributes) for g in table.groups if not g.path)
    return _lengthened({name: values[name] for name, _ in names})


def metadata_groups(table: VariableTable, lineage: str) -> Iterator[TreeGroup]:
    """Yield the groups under METADATA.

    Parameters
    ----------
    table
        Of the product; names what a granule is made of.
    lineage
        Where it does: what the paths of those groups begin with.
    """
    groups: dict[str, GroupAttributes] = {
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
        yield TreeGroup(f"METADATA{path}", _lengthened(attributes))
    for group in table.groups:
        if group.path.startswith(lineage):
            source = _source(group.path.removeprefix(lineage))
            yield TreeGroup(group.path, {name: source[name] for name, _ in group.attributes})


def _lengthened(attributes: GroupAttributes) -> GroupAttributes:
    return {
        name: pad_text(text, _LENGTHS[name]) if isinstance(text, str) and name in _LENGTHS else text
        for name, text in attributes.items()
    }


def _acquisition() -> Iterator[tuple[str, GroupAttributes]]:
    document: GroupAttributes = {"edition": "none", "publicationDate": "none", "title": "none"}
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


def _source(name: str) -> GroupAttributes:
    """Return the attributes of an input file of the granule."""
    made = name.startswith("ATL")
    return {
        "description": "Named for the tree's sake.",
        "fileName": f"{name}_{{track}}.h5" if made else f"{name}_none",
        "shortName": "CNTL" if name == "Control" else name,
        "uuid": "{uuid}",
        "version": "{release}" if made else "001",
        **{
            f"{end}_{what}": GranuleFact(fact)
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


def _process() -> Iterator[tuple[str, GroupAttributes]]:
    step: GroupAttributes = {
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
