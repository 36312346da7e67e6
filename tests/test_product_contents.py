"""Contents of products and of granules, compared with each other."""

import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from tests.laziness import is_loaded
from tests.paths import granule
from xr_icesat2 import products
from xr_icesat2.errors import SelectionError
from xr_icesat2.products.contents_table import Contents, Section
from xr_icesat2.products.variable_table import load_table
from xr_icesat2.testing import write_granule

LISTED = ("ATL03", "ATL06", "ATL08", "ATL13")
RENAMED = {
    "segment_rgt": "rgt",
    "segment_cycle_number": "cycle_number",
    "geophys_corr_delta_time": "delta_time",
}
"""Variables that would collide with a coordinate of the granule or of another group."""


def by_path(contents: Contents) -> dict[str, tuple[str, tuple[str, ...], str, str]]:
    """Variables of rates: dtype, dimensions of a row, units, standard name."""
    return {
        f"{section.name}/{entry.name}": (
            entry.dtype,
            tuple(dim for dim in entry.dims if dim not in {"gran_idx", "spot"}),
            entry.units,
            entry.standard_name,
        )
        for section in contents.sections
        if not section.folded
        for entry in section.entries
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("catalog"), n_segments=30, chunk_rows=16)


@pytest.mark.parametrize(
    ("product", "release"),
    [("ATL03", "007"), ("ATL06", "006"), ("ATL08", "006"), ("ATL13", "006")],
)
def test_written_granule_has_the_variables_of_its_product(product, release, tmp_path):
    file = write_granule(tmp_path, product, release=release, n_segments=20, beams=("gt1l",))
    with xr.open_datatree(file, engine="icesat2") as tree:
        stored = tree.icesat2.contents()
    listed = products[product].contents(release)
    rows = {in_the_file(path): facts for path, facts in by_path(stored).items()}
    assert rows == by_path(listed)
    once = {f"{s.name}/{e.name}" for s in listed.sections if s.folded for e in s.entries}
    there = {f"{s.name}/{e.name}" for s in stored.sections if s.folded for e in s.entries}
    assert {name.replace("{beam}", "gt1l") for name in once} == there


def in_the_file(path: str) -> str:
    group, _, variable = path.rpartition("/")
    return f"{group}/{RENAMED.get(variable, variable)}"


@pytest.mark.parametrize(
    ("product", "release", "name"),
    [
        ("ATL03", "006", "ATL03_gt1l.h5"),
        ("ATL08", "004", "processed_ATL08_20200821122613_08730802_004_01.h5"),
        ("ATL06", "003", "ATL06_20181014001049_02350102_003_01.h5"),
    ],
)
def test_real_granules_have_the_variables_of_their_products(product, release, name):
    with xr.open_datatree(granule(name), engine="icesat2") as tree:
        stored = by_path(tree.icesat2.contents())
    listed = by_path(products[product].contents(release))
    assert len(stored) > 60
    for path, facts in stored.items():
        assert facts == listed[in_the_file(path)], path


@pytest.mark.parametrize("product", LISTED)
@pytest.mark.parametrize("release", [None, "001", "007"])
def test_every_row_of_a_table_is_listed_once(product, release):
    table = load_table(product) if release is None else load_table(product).at(release)
    contents = products[product].contents(release)
    assert len(contents) == len(table.variables)
    assert sorted((e.long_name, e.units) for e in contents) == sorted(
        (v.long_name, v.units) for v in table.variables
    )


@pytest.mark.parametrize("product", sorted(products))
def test_contents_print_as_a_table(product):
    spec = products[product]
    text, html = repr(spec), Reader(spec._repr_html_()).text
    assert text.startswith(f"{product}: {spec.title}")
    for section in spec.contents().sections:
        for entry in () if section.folded else section.entries:
            cells = (entry.dtype, *entry.dims, entry.units, entry.standard_name, entry.releases)
            lines = (line for line in text.splitlines() if line.split()[:1] == [entry.name])
            assert any(all(cell in line for cell in cells) for line in lines), entry
        for entry in section.entries:
            assert entry.name in html
    assert all(not line.endswith(" ") for line in text.splitlines())


class Reader(HTMLParser):
    """The text of a page, all of whose elements are closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.open = "", []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_contents_as_a_table():
    contents = products["ATL06"].contents("006")
    table = contents.to_dataframe()
    assert table["name"].tolist() == [entry.name for entry in contents]
    assert table["dims"].tolist() == [entry.dims for entry in contents]
    heights = table[(table["name"] == "h_li") & (table["units"] == "meters")]
    assert heights["section"].tolist() == ["land_ice_segments"]


def test_find_searches_names_units_and_descriptions():
    atl08 = products["ATL08"]
    found = atl08.find("canopy")
    assert {"canopy/h_canopy", "canopy/toc_roughness"} <= {entry.name for entry in found}
    assert "terrain/h_te_mean" not in {entry.name for entry in found}
    assert not any(section.folded for section in found.sections)
    assert [e.name for e in atl08.find("TERRAIN Slope")] == ["terrain/terrain_slope"]
    assert [e.name for e in products["ATL03"].find("heights confidence")] == ["signal_conf_ph"]
    assert {e.name for e in atl08.find("canopy/h_m*_abs")} == {
        f"canopy/h_{what}_canopy_abs" for what in ("max", "mean", "median", "min")
    }
    assert [e.name for e in products["ATL13"].find("orbit_info/l*")] == ["lan"]
    assert {e.name for e in atl08.find("latitude degrees")} >= {"latitude", "latitude_20m"}
    assert len(atl08.find("no such thing")) == 0
    title = "ATL08: Land and vegetation height"
    assert repr(atl08.find("no such thing")) == f"{title}\n  Nothing matches 'no such thing'."
    assert repr(atl08.find("h_canpy")).endswith("'h_canpy'. Did you mean 'h_canopy'?")
    assert "Nothing matches" in atl08.find("zzzz").html()
    assert "Nothing matches" not in repr(atl08.find("canopy"))
    assert len(atl08.find("")) == len(atl08.contents())


@given(st.text("cahps_ */.20", max_size=8))
def test_found_rows_are_a_subset(text):
    contents = products["ATL08"].contents()
    found = contents.find(text)
    assert list(found.find(text)) == list(found)
    names = iter(contents)
    assert all(entry in names for entry in found), "in the same order"


def test_variables_of_some_releases_list_them():
    text = repr(products["ATL03"])
    assert "[007-?]" in next(line for line in text.splitlines() if "signal_class_ph" in line)
    assert "weight_ph" not in repr(products["ATL03"].contents("003"))
    dtypes = [
        products["ATL03"].contents(release).find("heights/weight_ph*") for release in ("006", "007")
    ]
    assert [[entry.dtype for entry in found] for found in dtypes] == [["uint8"], ["uint16"]]


@pytest.mark.parametrize("release", ["6", "0006", "six"])
def test_invalid_release_is_refused(release):
    with pytest.raises(SelectionError, match=f"release {release!r}: expected three digits"):
        products["ATL06"].contents(release)


def test_listing_contents_reads_no_values(path, s3_server, as_from_afar):
    options = {"engine": "icesat2", "storage_options": s3_server.storage_options}
    url = s3_server.put(path.name, path.read_bytes())
    with xr.open_datatree(url, **options) as tree:
        s3_server.script.clear()
        contents = tree.icesat2.contents()
        assert repr(contents)
        assert len(contents.find("h_li")) == 2
        assert not is_loaded(tree["land_ice_segments/h_li"])
    assert s3_server.log == []


def test_dataset_lists_its_variables(path):
    with xr.open_dataset(path, engine="icesat2", variables=["h_li"]) as ds:
        contents = ds.icesat2.contents()
        assert repr(contents).startswith(str(path))
    assert {e.name for e in contents} == {"h_li", "delta_time", "latitude", "longitude"}
    plain = xr.Dataset({"x": ("row", np.arange(3), {"units": "m"})})
    (entry,) = plain.icesat2.contents()
    assert (entry.name, entry.dtype, entry.dims, entry.units) == ("x", "int64", ("row",), "m")


def test_unmerged_tree_lists_its_variables(path):
    with xr.open_datatree(path, engine="icesat2", layout="file") as tree:
        contents = tree.icesat2.contents()
        below = tree["gt1l"].icesat2.contents()
    heights = contents.find("gt1l/land_ice_segments/h_li")
    assert [section.name for section in heights.sections] == ["gt1l/land_ice_segments"]
    assert {entry.name for entry in heights} == {"h_li", "h_li_sigma"}
    assert len(below) == len(contents.find("gt1l/*"))


def test_folded_sections_print_their_size():
    (section,) = (s for s in products["ATL06"].contents("006").sections if s.name == "orbit_info")
    assert isinstance(section, Section)
    assert list(section.lines()) == [f"{section.name}: {section.about} (9)"]


QUICK = """
import xr_icesat2
from xr_icesat2.products.variable_table import load_table
assert load_table.cache_info().currsize == 0, "a table was read"
xr_icesat2.products["ATL08"].find("canopy")
assert load_table.cache_info().currsize == 1
"""


def test_table_is_loaded_on_demand():
    subprocess.run([sys.executable, "-c", QUICK], check=True, timeout=60)  # noqa: S603 - our own
