"""The identity of a granule from evidence that agrees, is missing, or is contradictory."""

import dataclasses
import pickle

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import ALL_GRANULES, granule
from xr_icesat2.errors import IdentityError
from xr_icesat2.granule.identity import Evidence, confirmed, identify

NAME = "ATL06_20191106230008_06270503_006_01.h5"
BEAM_GROUPS = frozenset({"METADATA", "ancillary_data", "gt1l", "gt1r", "orbit_info"})


def padded(text):
    return text.encode().ljust(80)


FULL = Evidence(
    url=f"s3://bucket/ATLAS/ATL06/006/2019/11/06/{NAME}",
    root_attrs={"short_name": np.bytes_(b"ATL06"), "identifier_product_type": b"ATL06"},
    dataset_identification={"shortName": "ATL06", "VersionID": "006", "fileName": NAME},
    groups=BEAM_GROUPS,
    orbit_info={"rgt": np.int16(627), "cycle_number": np.int8(5), "sc_orient": np.int8(1)},
    ancillary={
        "start_rgt": 627,
        "end_rgt": 627,
        "start_cycle": 5,
        "end_cycle": 5,
        "start_region": 3,
        "end_region": 3,
        "release": padded("006"),
        "version": padded("01"),
        "data_start_utc": b"2019-11-06T23:01:27.455034Z",
        "data_end_utc": "2019-11-06T23:05:34Z   ",
    },
)
NOTHING = Evidence(
    url="data.h5",
    root_attrs={},
    dataset_identification={},
    groups=frozenset(),
    orbit_info={},
    ancillary={},
)


def change(evidence, **changes):
    """Evidence with some of its parts replaced; dicts replace single entries."""
    return dataclasses.replace(
        evidence,
        **{
            key: {**getattr(evidence, key), **value} if isinstance(value, dict) else value
            for key, value in changes.items()
        },
    )


def test_all_evidence_agrees():
    identity = identify(FULL)
    assert (identity.product, identity.gran_idx) == ("ATL06", 6270503)
    assert (identity.rgt, identity.cycle_number, identity.granule_region) == (627, 5, 3)
    assert (identity.release, identity.version, identity.sc_orient) == ("006", "01", 1)
    assert identity.source_file == NAME
    assert identity.data_start_utc == np.datetime64("2019-11-06T23:01:27.455034", "ns")
    assert identity.data_end_utc == np.datetime64("2019-11-06T23:05:34", "ns")
    assert identity.data_start_utc.dtype == identity.data_end_utc.dtype == "datetime64[ns]"
    assert (identity.hemisphere, identity.end_rgt, identity.first_cycle) == (None, None, None)


def test_no_evidence_gives_no_identity():
    identity = identify(NOTHING)
    assert identity.gran_idx == -1
    assert identity.source_file == "data.h5"
    assert np.isnat(identity.data_start_utc)
    assert np.isnat(identity.data_end_utc)
    known = {"gran_idx", "source_file", "data_start_utc", "data_end_utc"}
    for field in dataclasses.fields(identity):
        assert field.name in known or getattr(identity, field.name) is None


PARTS = ("root_attrs", "dataset_identification", "orbit_info", "ancillary", "groups", "url")


@given(st.sets(st.sampled_from(PARTS)))
def test_missing_evidence_leaves_fields_unknown(lost):
    evidence = change(FULL, url=NAME)
    evidence = dataclasses.replace(evidence, **{part: getattr(NOTHING, part) for part in lost})
    identity, whole = identify(evidence), identify(change(FULL, url=NAME))
    named = not {"dataset_identification", "url"} <= lost
    numbered = named or not lost & {"root_attrs", "ancillary"}
    assert identity.gran_idx == (whole.gran_idx if numbered else -1)
    fields = ("product", "rgt", "cycle_number", "granule_region", "release", "version", "sc_orient")
    for field in fields:
        assert getattr(identity, field) in (getattr(whole, field), None)
    if named:
        assert (identity.product, identity.rgt, identity.cycle_number) == ("ATL06", 627, 5)


@given(
    st.sampled_from(["rgt", "cycle_number", "granule_region"]),
    st.one_of(st.integers(-128, 127), st.just(9999), st.just(0)),
)
def test_differing_number_is_refused_and_fill_value_ignored(field, value):
    part, key, valid, right = {
        "rgt": ("orbit_info", "rgt", range(1, 1388), 627),
        "cycle_number": ("orbit_info", "cycle_number", range(1, 100), 5),
        "granule_region": ("ancillary", "start_region", range(1, 15), 3),
    }[field]
    evidence = change(FULL, **{part: {key: value}})
    if value in valid and value != right:
        with pytest.raises(IdentityError, match=f"{key} says {value}, .* says {right}"):
            identify(evidence)
    else:
        assert identify(evidence) == identify(FULL)


UNRECORDED = dataclasses.replace(FULL, dataset_identification={})


@given(st.sets(st.sampled_from(PARTS)))
def test_metadata_is_skipped_only_with_complete_evidence(lost):
    evidence = dataclasses.replace(UNRECORDED, **{part: getattr(NOTHING, part) for part in lost})
    assert confirmed(evidence) == (not lost & {"root_attrs", "ancillary", "url"})


@pytest.mark.parametrize(
    "changes",
    [
        {"root_attrs": {"short_name": "ATL08"}},
        {"orbit_info": {"rgt": 0}, "ancillary": {"start_rgt": 9999}},
        {"orbit_info": {"cycle_number": 4}, "ancillary": {"start_cycle": 4}},
        {"ancillary": {"start_region": 4}},
        {"ancillary": {"release": None}},
        {"ancillary": {"release": "005"}},
        {"ancillary": {"version": "02"}},
        {"ancillary": {"version": None}},
        {"ancillary": {"release": None, "version": None}},
        {"url": "s3://bucket/renamed.h5"},
        {"url": "<BytesIO>"},
    ],
)
def test_metadata_is_read_in_doubt(changes):
    assert confirmed(UNRECORDED)
    assert not confirmed(change(UNRECORDED, **changes))


OTHER = "ATL06_20191106230008_06280503_006_01.h5"
CONTRADICTIONS = {
    "renamed to another granule": (
        {"url": f"/data/{OTHER}"},
        ["The file is named", OTHER, NAME, "fileName"],
    ),
    "name against orbit_info": (
        {"url": OTHER, "dataset_identification": {"fileName": None}},
        ["rgt", "orbit_info/rgt says 627", "the file's name says 628"],
    ),
    "orbit_info against METADATA": (
        {"url": "data.h5", "orbit_info": {"rgt": 629}, "ancillary": {"start_rgt": None}},
        ["orbit_info/rgt says 629", "METADATA/DatasetIdentification fileName says 627"],
    ),
    "orbit_info against ancillary_data": (
        {"ancillary": {"start_cycle": 6}},
        ["cycle_number", "orbit_info/cycle_number says 5", "ancillary_data/start_cycle says 6"],
    ),
    "release": (
        {"ancillary": {"release": b"005 "}},
        ["release", "ancillary_data/release says '005'", "VersionID says '006'"],
    ),
    "version": (
        {"ancillary": {"version": "02"}},
        ["version", "ancillary_data/version says '02'", "fileName says '01'"],
    ),
    "product of the root": (
        {"root_attrs": {"short_name": "ATL08", "identifier_product_type": "ATL08"}},
        ["product", "root attribute short_name says 'ATL08'", "the file's name says 'ATL06'"],
    ),
    "product of METADATA": (
        {"root_attrs": {"short_name": 1, "identifier_product_type": None}, "url": "x.h5"}
        | {"dataset_identification": {"shortName": "ATL08"}},
        ["product", "shortName says 'ATL08'", "fileName says 'ATL06'"],
    ),
    "groups": (
        {"groups": frozenset({"pt1", "pt2", "METADATA"})},
        ["identifies itself as ATL06", "has the groups pt1, pt2", "gt1l"],
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_contradictory_evidence_is_an_error(case):
    changes, pieces = CONTRADICTIONS[case]
    with pytest.raises(IdentityError) as caught:
        identify(change(FULL, **changes))
    message = str(caught.value)
    for piece in [*pieces, "original name", 'layout="file"']:
        assert piece in message


@pytest.mark.parametrize(
    "url",
    ["whatever.h5", f"processed_{NAME}", f"{NAME[:-3]}_subsetted.h5", f"https://host/{NAME}?a=b/c"],
)
def test_renamed_file_keeps_its_identity(url):
    assert identify(change(FULL, url=url)).gran_idx == 6270503


def test_source_file_of_a_buffer_is_its_recorded_name():
    assert identify(change(FULL, url="<BytesIO>")).source_file == NAME
    assert identify(change(NOTHING, url="<BytesIO>")).source_file == "<BytesIO>"


def test_signed_url_secrets_are_not_in_messages():
    url = f"https://host/{OTHER}?X-Amz-Signature=secret/secret"
    with pytest.raises(IdentityError) as caught:
        identify(change(FULL, url=url))
    assert "secret" not in str(caught.value)


LAKES = "ATL13_20190330212241_00250301_002_01.h5"


@pytest.mark.parametrize("rgt", [[25, 26, 27, 28], [27, 28]])
@pytest.mark.parametrize("url", [LAKES, "data.h5"])
def test_four_orbits_are_numbered_by_the_first(rgt, url):
    identity = identify(
        change(
            NOTHING,
            url=url,
            root_attrs={"short_name": "ATL13"},
            groups=BEAM_GROUPS,
            orbit_info={"rgt": np.array(rgt, "i2"), "cycle_number": np.array([3] * len(rgt))},
            ancillary={"start_region": 1, "end_rgt": 28, "end_cycle": 3},
        )
    )
    assert (identity.gran_idx, identity.rgt, identity.granule_region) == (250301, 25, None)
    assert (identity.end_rgt, identity.end_cycle) == (28, 3)


def test_four_orbits_of_another_granule_are_an_error():
    with pytest.raises(IdentityError, match=r"orbit_info/rgt says 29, the file's name says 25"):
        identify(change(NOTHING, url=LAKES, orbit_info={"rgt": [30, 31]}))


def test_sea_ice_has_a_hemisphere_and_no_region():
    identity = identify(
        change(
            NOTHING,
            url="ATL10-02_20190225115500_09020201_003_02.h5",
            groups=BEAM_GROUPS,
            ancillary={"start_region": 1, "start_rgt": 902},
        )
    )
    assert (identity.gran_idx, identity.hemisphere, identity.granule_region) == (9020202, 2, None)


def test_gran_idx_is_unknown_without_a_hemisphere():
    evidence = change(FULL, url="x.h5", dataset_identification={"shortName": "", "fileName": ""})
    attrs = {"short_name": "ATL07", "identifier_product_type": "ATL07"}
    identity = identify(change(evidence, root_attrs=attrs))
    assert (identity.product, identity.gran_idx, identity.rgt) == ("ATL07", -1, 627)


def test_repeat_granules_have_a_range_of_cycles():
    identity = identify(
        change(
            NOTHING,
            url="ATL11_078805_0304_002_02.h5",
            groups=frozenset({"pt1", "pt2", "pt3"}),
            orbit_info={"rgt": [788, 788], "cycle_number": [3, 4]},
            ancillary={"start_cycle": 3, "end_cycle": 4, "start_region": 5},
        )
    )
    assert (identity.product, identity.gran_idx, identity.cycle_number) == ("ATL11", 7880005, None)
    assert (identity.first_cycle, identity.last_cycle) == (3, 4)


def test_repeat_granule_without_a_name_is_identified():
    identity = identify(
        change(
            NOTHING,
            groups=frozenset({"pt2"}),
            orbit_info={"rgt": 788},
            ancillary={"start_cycle": 3, "end_cycle": 4, "start_region": 5},
            dataset_identification={"shortName": "ATL06", "VersionID": "001", "fileName": OTHER},
        )
    )
    assert (identity.product, identity.gran_idx, identity.release) == ("ATL11", 7880005, None)
    assert (identity.first_cycle, identity.last_cycle) == (3, 4)


@pytest.mark.parametrize("ancillary", [("006", "01"), ("001", "02")])
def test_bathymetry_may_record_its_source_granule(ancillary):
    identity = identify(
        change(
            NOTHING,
            url="ATL24_20241107234251_08052501_006_01_001_02.h5",
            groups=BEAM_GROUPS,
            ancillary=dict(zip(("release", "version"), ancillary, strict=True)),
        )
    )
    assert (identity.product, identity.gran_idx) == ("ATL24", 8052501)
    assert (identity.release, identity.version) == ("001", "02")


def test_gridded_products_have_no_track():
    identity = identify(
        change(
            NOTHING,
            url="ATL20-01_20181001001332_05100101_004_01.h5",
            orbit_info={"rgt": 1, "cycle_number": 2},
        )
    )
    assert (identity.product, identity.gran_idx, identity.release) == ("ATL20", -1, "004")
    assert (identity.rgt, identity.cycle_number, identity.hemisphere) == (None, None, 1)


def test_profiles_have_no_spots():
    named = change(NOTHING, url="ATL09_20181117090604_07600101_006_02.h5")
    identity = identify(change(named, groups=frozenset({"profile_1", "ancillary_data"})))
    assert (identity.product, identity.gran_idx) == ("ATL09", 7600101)
    with pytest.raises(
        IdentityError, match=r"has the groups gt2l. Granules of ATL09 have the groups profile_1"
    ):
        identify(change(named, groups=frozenset({"gt2l"})))


@pytest.mark.parametrize("blank", [b" " * 27, "", b"\0\0", np.array([], "S27"), None])
def test_blank_time_is_unknown(blank):
    assert np.isnat(identify(change(FULL, ancillary={"data_end_utc": blank})).data_end_utc)


@pytest.mark.parametrize("bad", ["yesterday", "2019-02-31T00:00:00Z", "1019-02-01T00:00:00Z"])
def test_invalid_time_is_an_error(bad):
    with pytest.raises(IdentityError, match=f"data_start_utc is '{bad}'.*expected a time"):
        identify(change(FULL, ancillary={"data_start_utc": bad}))


def test_identity_pickles():
    identity = identify(FULL)
    assert pickle.loads(pickle.dumps(identity)) == identity  # noqa: S301


def read_evidence(path):
    with h5py.File(path) as file:
        metadata = file.get("METADATA/DatasetIdentification")
        return Evidence(
            url=str(path),
            root_attrs=dict(file.attrs),
            dataset_identification={} if metadata is None else dict(metadata.attrs),
            groups=frozenset(key for key, item in file.items() if isinstance(item, h5py.Group)),
            orbit_info=first_values(file.get("orbit_info", {})),
            ancillary=first_values(file.get("ancillary_data", {})),
        )


def first_values(group):
    return {
        key: item[0]
        for key, item in group.items()
        if isinstance(item, h5py.Dataset) and item.shape and item.shape[0]
    }


REAL = {
    "ATL03_gt1l.h5": ("ATL03", 2350104, "006", "02"),
    "ATL03_indexbegin_start_end_FVs.h5": (None, -1, None, None),
    "ATL06_20181013235645_02340114_209_01.h5": ("ATL06", 2340114, "209", "01"),
    "ATL06_20181014001049_02350102_003_01.h5": ("ATL06", 2350102, "003", "01"),
    "ATL11_078805_0304_02_v002.h5": ("ATL11", 7880005, "002", "02"),
    "processed_ATL06_20181015100401_02560110_003_01.h5": ("ATL06", 2560110, "003", "01"),
    "processed_ATL06_20190222031203_08500210_001_01.h5": ("ATL06", 8500210, "001", "01"),
    "processed_ATL06_20190416093911_02770303_002_01.h5": ("ATL06", 2770303, "002", "01"),
    "processed_ATL06_20190613193602_11690305_002_01.h5": ("ATL06", 11690305, "002", "01"),
    "processed_ATL06_20191106230008_06270503_006_01.h5": ("ATL06", 6270503, "006", "01"),
    "processed_ATL07-01_20181130235806_09680101_001_01.h5": ("ATL07", 9680101, "001", "01"),
    "processed_ATL07-01_20190225115500_09020201_003_02.h5": ("ATL07", 9020201, "003", "02"),
    "processed_ATL08_20200821122613_08730802_004_01.h5": ("ATL08", 8730802, "004", "01"),
    "processed_ATL10-01_20200228162543_09770601_006_01.nc": ("ATL10", 9770601, "006", "01"),
    "test_atl08.h5": (None, -1, None, None),
    "ATL15_template.nc": ("ATL15", -1, None, None),
    "ATL06_20230816234629_08822013_006_01.h5": ("ATL06", 8822013, "006", "01"),
    "clip_ATL03_VegR.h5": ("ATL03", 1501506, "005", "01"),
    "clip_ATL08_VegR.h5": ("ATL08", 1501506, "005", "01"),
    "extract_ATL08_no_orientation.h5": (None, -1, None, None),
    "variable_subset_ATL24_data.h5": (None, -1, None, None),
}
CONFIRMED = {
    "ATL06_20181013235645_02340114_209_01.h5",
    "ATL06_20181014001049_02350102_003_01.h5",
    "processed_ATL06_20181015100401_02560110_003_01.h5",
    "processed_ATL07-01_20190225115500_09020201_003_02.h5",
    "processed_ATL08_20200821122613_08730802_004_01.h5",
}
SELF_TELLING = sorted(
    file for file, (product, *_) in REAL.items() if product not in (None, "ATL11")
)


@pytest.mark.parametrize("file", REAL)
def test_real_granules_are_identified(file):
    identity = identify(read_evidence(granule(file)))
    reported = (identity.product, identity.gran_idx, identity.release, identity.version)
    assert reported == REAL[file]
    assert identity.source_file == file


@pytest.mark.parametrize("file", SELF_TELLING)
def test_renamed_real_granules_are_identified(file):
    path = granule(file)
    named = identify(read_evidence(path))
    renamed = identify(dataclasses.replace(read_evidence(path), url="/data/x.h5"))
    for field in dataclasses.fields(named):
        if field.name != "source_file":
            here, there = getattr(named, field.name), getattr(renamed, field.name)
            assert here == there or (np.isnat(here) and np.isnat(there))


@pytest.mark.parametrize("file", SELF_TELLING)
def test_real_granules_with_another_granules_name_are_refused(file):
    evidence = read_evidence(granule(file))
    with pytest.raises(IdentityError, match="original name"):
        identify(dataclasses.replace(evidence, url=OTHER))


@pytest.mark.parametrize("file", REAL)
def test_skipped_metadata_would_add_nothing(file):
    evidence = read_evidence(granule(file))
    unrecorded = dataclasses.replace(evidence, dataset_identification={})
    if confirmed(unrecorded):
        assert repr(identify(unrecorded)) == repr(identify(evidence))
    else:
        assert file not in CONFIRMED
    assert REAL.keys() >= CONFIRMED


def test_every_real_granule_is_listed():
    assert {path.name for path in ALL_GRANULES} <= set(REAL)


def test_real_granule_has_time_and_orientation():
    path = granule("processed_ATL06_20190416093911_02770303_002_01.h5")
    identity = identify(read_evidence(path))
    assert identity.sc_orient == 0
    assert identity.data_start_utc == np.datetime64("2019-04-16T09:39:25.835242", "ns")
    assert identity.data_end_utc == np.datetime64("2019-04-16T09:44:36.758350", "ns")
