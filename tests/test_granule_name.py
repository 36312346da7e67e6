"""Granule names are parsed, formatted and numbered."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import ALL_GRANULES, needs_granules
from xr_icesat2.errors import IdentityError
from xr_icesat2.granule.name import GranuleName, file_name, format_name, parse_name

ATL06 = "ATL06_20191106230008_06270503_006_01.h5"
REGIONAL = ["ATL02", "ATL03", "ATL04", "ATL06", "ATL08"]
ORBITAL = ["ATL09", "ATL12", "ATL13", "ATL22"]
DATED_MAPS = ["ATL16", "ATL17", "ATL19", "ATL23"]


def digits(width):
    return st.integers(0, 10**width - 1).map(lambda number: f"{number:0{width}d}")


released = {"release": digits(3), "version": digits(2)}
tracked = released | {
    "start": st.datetimes(datetime(2018, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001
        lambda time: time.replace(microsecond=0, tzinfo=UTC)
    ),
    "rgt": st.integers(1, 1387),
    "cycle_number": st.integers(1, 99),
}
regions, hemispheres = st.integers(1, 14), st.sampled_from([1, 2])
cycle_spans = st.tuples(st.integers(1, 99), st.integers(1, 99)).map(sorted)


def along_track(products, **fields):
    return st.builds(GranuleName, product=st.sampled_from(products), **tracked, **fields)


regional = along_track(REGIONAL, granule_region=regions)
bathymetry = along_track(
    ["ATL24"], granule_region=regions, source_release=digits(3), source_version=digits(2)
)
sea_ice = along_track(["ATL07", "ATL10"], hemisphere=hemispheres)
orbital = along_track(ORBITAL)
quick_looks = along_track(
    ["ATL03", "ATL06", "ATL08"], granule_region=regions, quick_look=st.just(True)
)
quick_looks_by_hemisphere = along_track(
    ["ATL07", "ATL10"], hemisphere=hemispheres, quick_look=st.just(True)
)
sea_ice_maps = along_track(["ATL20", "ATL21"], hemisphere=hemispheres)
dated_maps = along_track(DATED_MAPS)


@st.composite
def repeats(draw):
    first, last = draw(cycle_spans)
    fields = {key: draw(value) for key, value in released.items()}
    return GranuleName(
        product="ATL11",
        rgt=draw(tracked["rgt"]),
        granule_region=draw(regions),
        first_cycle=first,
        last_cycle=last,
        **fields,
    )


@st.composite
def land_ice_maps(draw):
    first, last = draw(cycle_spans)
    area, resolution = draw(st.sampled_from([("GL", "100m"), ("A1", "01km"), ("AA", "40km")]))
    return GranuleName(
        product=draw(st.sampled_from(["ATL14", "ATL15"])),
        label=f"{area}_{first:02d}{last:02d}_{resolution}",
        first_cycle=first,
        last_cycle=last,
        **{key: draw(value) for key, value in released.items()},
    )


every_name = st.one_of(
    regional,
    bathymetry,
    sea_ice,
    orbital,
    quick_looks,
    quick_looks_by_hemisphere,
    repeats(),
    sea_ice_maps,
    dated_maps,
    land_ice_maps(),
)


@given(every_name)
def test_names_round_trip(name):
    assert parse_name(format_name(name)) == name


@given(every_name, st.sampled_from(["", "processed_", "subset-", "8100000_"]))
def test_prefixes_suffixes_and_folders_are_ignored(name, prefix):
    stem, extension = format_name(name).rsplit(".", 1)
    written = f"{prefix}{stem}_subsetted (1).{extension}"
    for text in (
        stem,
        written,
        f"s3://bucket/ATLAS/{name.product}/{written}",
        f"https://host/data/{written}?A-userid=x&path=/a/b.c",
        f"simplecache::s3://bucket/{written}",
        f"C:\\data\\{written}",
        f"icesat2://{stem}.{extension}",
    ):
        assert parse_name(text) == name


@given(regional | bathymetry)
def test_regional_granules_have_a_gran_idx(name):
    assert name.gran_idx == name.rgt * 10_000 + name.cycle_number * 100 + name.granule_region


@given(sea_ice)
def test_gran_idx_of_sea_ice_ends_in_the_hemisphere(name):
    assert name.gran_idx == name.rgt * 10_000 + name.cycle_number * 100 + name.hemisphere
    assert name.granule_region is None


@given(orbital)
def test_gran_idx_of_whole_orbits_is_in_the_name(name):
    assert name.gran_idx == int(format_name(name).split("_")[2])
    assert name.granule_region is None


@given(repeats())
def test_gran_idx_of_repeats_has_no_cycle(name):
    assert name.gran_idx == name.rgt * 10_000 + name.granule_region


@given(sea_ice_maps | dated_maps | land_ice_maps())
def test_gridded_products_have_no_gran_idx(name):
    assert name.gran_idx is None


def test_name_has_fields():
    assert parse_name(ATL06) == GranuleName(
        product="ATL06",
        release="006",
        version="01",
        start=datetime(2019, 11, 6, 23, 0, 8, tzinfo=UTC),
        rgt=627,
        cycle_number=5,
        granule_region=3,
    )


def test_bathymetry_name_ends_in_its_release():
    name = parse_name("ATL24_20241107234251_08052501_006_01_001_02_subsetted.h5")
    assert (name.source_release, name.source_version) == ("006", "01")
    assert (name.release, name.version) == ("001", "02")
    assert name.gran_idx == 8052501


def test_early_names_of_repeats_parse():
    name = parse_name("ATL11_078805_0304_02_v002.h5")
    assert name == parse_name("ATL11_078805_0304_002_02.h5")
    assert (name.rgt, name.granule_region, name.first_cycle, name.last_cycle) == (788, 5, 3, 4)


@pytest.mark.parametrize(
    ("text", "product", "release"),
    [
        ("ATL14_GL_0318_100m_004_03.nc", "ATL14", "004"),
        ("ATL15_A1_0328_01km_005_01.nc", "ATL15", "005"),
        ("ATL16_20210101010136_01231001_005_01.h5", "ATL16", "005"),
        ("ATL17_20201201000814_10360901_005_01.h5", "ATL17", "005"),
        ("ATL18_global_1km_001_01.h5", "ATL18", "001"),
        ("ATL18_20201201000814_10360901_001_01.h5", "ATL18", "001"),
        ("ATL19_20181001010615_00370101_003_02.h5", "ATL19", "003"),
        ("ATL20-01_20181001001332_05100101_004_01.h5", "ATL20", "004"),
        ("ATL21-02_20210301005637_10241001_003_01.h5", "ATL21", "003"),
        ("ATL23_20230401000000_10761801_001_01.h5", "ATL23", "001"),
    ],
)
def test_names_of_gridded_products_parse(text, product, release):
    name = parse_name(text)
    assert (name.product, name.release, name.gran_idx) == (product, release, None)
    assert format_name(name) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data.h5",
        "test_atl08.h5",
        "ATL03_gt1l.h5",
        "<BytesIO>",
        "ATL06_20191106230008_99990503_006_01.h5",  # rgt beyond 1387
        "ATL06_20191106230008_00000503_006_01.h5",
        "ATL06_20191106230008_06270003_006_01.h5",  # cycle 0
        "ATL06_20191106230008_06270515_006_01.h5",  # region 15
        "ATL06_20191306230008_06270503_006_01.h5",  # month 13
        "ATL06_20191106230060_06270503_006_01.h5",  # second 60
        "ATL06-01_20191106230008_06270503_006_01.h5",  # no hemispheres in land ice
        "ATL07_20190225115500_09020201_003_02.h5",  # sea ice without hemisphere
        "ATL07-03_20190225115500_09020201_003_02.h5",
        "ATL07-01_20190225115500_09020202_003_02.h5",  # sea ice has no regions
        "ATL13_20190330212241_00250303_002_01.h5",  # nor have lakes
        "ATL24_20241107234251_08052501_006_01.h5",  # its own release is missing
        "ATL11_078815_0304_002_02.h5",  # region 15
        "ATL11_078805_0403_002_02.h5",  # last cycle before the first
        "ATL99_20191106230008_06270503_006_01.h5",
        "xATL06_20191106230008_06270503_006_01.h5",
        "ATL06_20191106230008_06270503_006_011.h5",
        "ATL06_20191106230008_06270503_006_01.h5.dmrpp",
        "ATL06_20191106230008_06270503_006_01.iso.xml",
        "ATL06_20191106230008_06270503_006_01_BRW.gt3r.h_li.jpg",
        "ATL06_20191106230008_06270503_006_01.zarr",
        "ATL06_20191106230008_06270503_006_01.h5/gt1l",
        "ATL06_20191106230008_06270503_006_01_on_ATL08_20191106230008_06270503_006_01.h5",
    ],
)
def test_other_names_are_refused(text):
    assert parse_name(text) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("zip://ATL06.h5::s3://bucket/all.zip", "ATL06.h5"),
        ("filecache::https://host/a/ATL06.h5?sig=a/b#c", "ATL06.h5"),
        ("/data/run#3/ATL06.h5", "ATL06.h5"),
        ("ATL06.h5", "ATL06.h5"),
    ],
)
def test_file_name_is_the_end_of_a_url(url, expected):
    assert file_name(url) == expected


@pytest.mark.parametrize(
    ("product", "lacking"),
    [
        ("ATL06", "start, rgt, cycle_number"),
        ("ATL11", "rgt, granule_region, first_cycle, last_cycle"),
        ("ATL14", "label"),
    ],
)
def test_incomplete_name_is_not_formatted(product, lacking):
    with pytest.raises(IdentityError, match=lacking):
        format_name(GranuleName(product=product, release="006", version="01"))


@needs_granules
def test_names_of_real_granules_parse():
    named = {path.name: parse_name(str(path)) for path in ALL_GRANULES}
    unnamed = {
        "ATL03_gt1l.h5",
        "ATL03_indexbegin_start_end_FVs.h5",
        "ATL15_template.nc",
        "clip_ATL03_VegR.h5",
        "clip_ATL08_VegR.h5",
        "extract_ATL08_no_orientation.h5",
        "test_atl08.h5",
        "variable_subset_ATL24_data.h5",
    }
    assert {file for file, name in named.items() if name is None} == unnamed
    for file, name in named.items():
        if name and name.product != "ATL11":  # its name is a trial one
            written = file.removeprefix("processed_").replace(".nc", ".h5")
            assert format_name(name) == written
