"""Citations name what NSIDC asks for: authors, year, title, version, publisher and DOI."""

import datetime as dt
import re

import pytest
import xarray as xr

from tests.paths import granule, needs_granules
from xr_icesat2 import products
from xr_icesat2.errors import IdentityError, SelectionError
from xr_icesat2.testing import write_granule

ATL06_006 = (
    "Smith, B., Adusumilli, S., Csathó, B. M., Felikson, D., Fricker, H. A., Gardner, A. S., "
    "Holschuh, N., Lee, J., Nilsson, J., Paolo, F., Siegfried, M. R., Sutterley, T. & the ICESat-2 "
    "Science Team. (2023). ATLAS/ICESat-2 L3A Land Ice Height. (ATL06, Version 6). [Data Set]. "
    "Boulder, Colorado USA. NASA National Snow and Ice Data Center Distributed Active Archive "
    "Center. https://doi.org/10.5067/ATLAS/ATL06.006. [Date Accessed]."
)
"""As NSIDC prints it on the page of the version."""
FEW = {"n_segments": {"gt1l": 5}, "seed": 1}


def opened(path, layout: str = "spot", **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", layout=layout, **keywords)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("cite")
    return {
        release: write_granule(folder, "ATL06", release=release, cycle_number=int(release), **FEW)
        for release in ("005", "006", "007")
    }


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_text_is_that_of_nsidc(written, layout, tmp_path):
    ds = opened(written["006"], layout)
    assert ds.icesat2.cite() == ATL06_006
    assert ds[["h_li"]].isel(segment_idx=[1]).icesat2.cite() == ATL06_006
    assert "[2026-01-31]." in ds.icesat2.cite(accessed="2026-01-31")
    tree = xr.open_datatree(written["006"], engine="icesat2", layout=layout)
    assert tree.icesat2.cite() == ATL06_006
    ds[["h_li"]].to_netcdf(tmp_path / "saved.nc")
    with xr.open_dataset(tmp_path / "saved.nc") as saved:
        assert saved.icesat2.cite() == ATL06_006


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_every_release_of_a_list_is_cited(written, layout):
    ds = opened(list(written.values()), layout, allow_mixed_releases=True)
    citations = ds.icesat2.cite().split("\n\n")
    assert len(citations) == 3
    assert [re.search(r"ATLAS/ATL06\.(\d+)", one)[1] for one in citations] == ["005", "006", "007"]
    assert "versions/5" in citations[0]
    assert citations[0].startswith("ATLAS/ICESat-2 L3A Land Ice Height. (ATL06, Version 5).")
    assert citations[1] == ATL06_006
    assert "(2025)" in citations[2]


def test_unmerged_group_is_cited_by_the_name_of_its_granule(written):
    group = opened(written["006"], group="gt1l/land_ice_segments")
    assert group.icesat2.cite() == ATL06_006


def test_attached_product_is_cited(tmp_path):
    photons, _ = (write_granule(tmp_path, product, **FEW) for product in ("ATL03", "ATL08"))
    ds = opened(photons, "flat", attach=["atl08_class", "segment_id"])
    found = re.findall(r"10\.5067/ATLAS/(\w+)\.", ds.icesat2.cite())
    assert found == ["ATL03", "ATL08"]
    assert "ATL08" not in ds.drop_vars("atl08_class").icesat2.cite()
    assert "ATL08" not in opened(photons, attach=["segment_id"]).icesat2.cite()


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_empty_selection_is_cited(written, layout):
    empty = opened([written["006"]], layout, region=(0, -1, 1, 1))
    assert empty.sizes["segment_idx"] == 0
    assert empty.icesat2.cite() == ATL06_006


def test_bibtex(written):
    entry = opened(written["006"]).icesat2.cite("bibtex", accessed="2026-01-31")
    assert entry.startswith("@misc{ATL06.006,\n  author = {Smith, B. and Adusumilli, S. and ")
    assert entry.endswith("\n}")
    for field in (
        " and {the ICESat-2 Science Team}},",
        "  year = {2023},",
        "  title = {{ATLAS/ICESat-2 L3A Land Ice Height (ATL06, Version 6)}},",
        "  doi = {10.5067/ATLAS/ATL06.006},",
        "  url = {https://nsidc.org/data/atl06/versions/6},",
        "  note = {Data Set. [2026-01-31].},",
    ):
        assert field in entry
    assert entry.count("{") == entry.count("}")
    unknown = opened(written["005"]).icesat2.cite("bibtex")
    assert "author" not in unknown.lower().split("note")[0]
    assert "10.5067/ATLAS/ATL06.005" in unknown


@needs_granules
@pytest.mark.parametrize(
    ("name", "doi", "author"),
    [
        ("ATL03_gt1l.h5", "ATL03.006", "Neumann"),
        # Its attribute identifier_product_doi is that of release 001.
        ("processed_ATL06_20190416093911_02770303_002_01.h5", "ATL06.002", None),
        ("processed_ATL08_20200821122613_08730802_004_01.h5", "ATL08.004", "Neuenschwander"),
        ("processed_ATL10-01_20200228162543_09770601_006_01.nc", "ATL10.006", None),
        ("ATL11_078805_0304_02_v002.h5", "ATL11.002", None),
    ],
)
def test_real_granules(name, doi, author):
    text = opened(granule(name)).icesat2.cite()
    assert f"https://doi.org/10.5067/ATLAS/{doi}." in text
    assert text.startswith(author or "ATLAS/ICESat-2 L3")
    assert ("not known here" in text) is (author is None)


@needs_granules
def test_what_is_not_known_is_not_invented():
    early = opened(granule("ATL06_20181013235645_02340114_209_01.h5")).icesat2.cite()
    assert "doi" not in early.partition("(No version")[0]
    assert "release '209'. See https://nsidc.org/data/atl06.)" in early
    with pytest.raises(IdentityError, match="Nothing says which product"):
        opened(granule("test_atl08.h5"), beams=["gt1l"]).icesat2.cite()
    with pytest.raises(IdentityError, match="Nothing says which product"):
        xr.Dataset().icesat2.cite()


def test_impossible_values_are_errors(written):
    ds = opened(written["006"])
    with pytest.raises(SelectionError, match="expected 'text' or 'bibtex'"):
        ds.icesat2.cite("bib")
    assert ds.icesat2.cite(accessed=dt.date(2026, 1, 31)) == ds.icesat2.cite(accessed="2026-01-31")
    with pytest.raises(SelectionError, match="expected a date, or text"):
        ds.icesat2.cite(accessed=2026)


def test_publications_are_well_formed():
    for product, spec in products.items():
        assert re.fullmatch(r"ATLAS/ICESat-2 L[123][AB] [\w/ 3-]+", spec.data_set), product
        releases = [one.release for one in spec.publications]
        assert releases == sorted(set(releases))
        for one in spec.publications:
            assert 2019 <= one.year <= 2026
            *people, last = one.people
            assert all(re.fullmatch(r"[\w-]+, ([A-Z]\. ?)+", name) for name in people), one
            assert last == "the ICESat-2 Science Team" or re.fullmatch(r"\w+, ([A-Z]\. ?)+", last)
