"""Errors of bad input name what was given, what was expected and what to do."""

import io
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.http_server import LOGIN_PAGE
from tests.paths import granule, needs_granules
from tests.written_granules import GRANULE_NAMES, written_granule, written_granules
from xr_icesat2.errors import (
    AccessDeniedError,
    ChangedGranuleError,
    CorruptGranuleError,
    GranuleNotFoundError,
    GroupNotFoundError,
    ICESat2Error,
    IdentityError,
    MergeError,
    NotAGranuleError,
    SelectionError,
    TransferError,
    TransferTimeoutError,
)
from xr_icesat2.testing import write_granule

ALL, BACKWARD, MISSING, EMPTY = GRANULE_NAMES


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return written_granules(tmp_path_factory)


@pytest.fixture
def copy(written, tmp_path) -> Callable[[str], Path]:
    """Copies that may be damaged, under the names of the originals."""
    return lambda name: Path(shutil.copy(written[name], tmp_path))


def refused(error: type[ICESat2Error], *says: str, opened: object = None, **keywords: object):
    """Open, and look at what is raised: its class, and that it says all of ``says``."""
    with pytest.raises(ICESat2Error) as caught:
        xr.open_dataset(opened, engine="icesat2", **keywords)
    assert type(caught.value) is error, caught.value
    for part in says:
        assert part in str(caught.value), f"{part!r} is not in: {caught.value}"


# --- existing files ---


def test_missing_file_is_not_found(tmp_path):
    path = tmp_path / "ATL06_20191106230008_06270503_006_01.h5"
    refused(GranuleNotFoundError, str(path), "check the spelling", opened=path)
    says = f"icesat2://{path.name}"
    with pytest.raises(FileNotFoundError, match=says) as caught:
        xr.open_datatree(path, engine="icesat2")
    assert "release" not in str(caught.value).replace(says, "")
    other = path.with_name(f"processed_{path.name}")
    with pytest.raises(GranuleNotFoundError) as caught:
        xr.open_dataset(other, engine="icesat2")
    assert "icesat2://" not in str(caught.value)


def test_patterns_apply_to_local_files_only(http_server):
    some = http_server.put("ATL06.h5", b"").replace("ATL06", "ATL06_[12]")
    for url in ("memory://nowhere/ATL06*.h5", some):
        refused(
            GranuleNotFoundError, url, "Patterns are expanded for local files only", opened=[url]
        )


def test_unknown_storage_option_is_an_error(s3_server):
    options = {"anonymous": True, "endpoint_url": s3_server.storage_options["endpoint_url"]}
    says = ("storage_options", "'anonymous'", "Did you mean 'anon'?")
    url = s3_server.url("ATL06.h5")
    refused(SelectionError, *says, opened=url, storage_options=options)
    refused(SelectionError, *says, opened=[url], storage_options=options)


def test_folder_without_granules_is_an_error(tmp_path):
    says = (str(tmp_path), "There is no granule in the folder", "It contains: ")
    refused(GranuleNotFoundError, *says, "It contains: nothing", opened=tmp_path)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "2019").mkdir()
    (tmp_path / "2019" / "ATL06_20191106230008_06270503_006_01.h5").touch()
    below = ("'2019' (a folder), 'notes.txt'", f"[{str(tmp_path / '*' / '*.h5')!r}]")
    refused(GranuleNotFoundError, *says, *below, opened=str(tmp_path))
    refused(GranuleNotFoundError, *says, *below, opened=[tmp_path])


def test_empty_file_is_an_error(tmp_path):
    path = tmp_path / "ATL06.h5"
    path.touch()
    refused(NotAGranuleError, str(path), "is empty", "Download it again", opened=path)
    refused(NotAGranuleError, "BytesIO", "is empty", opened=io.BytesIO())


@pytest.mark.parametrize(
    "content", [LOGIN_PAGE, b"x", b"\x89HDF", b"\x89HDF\r\n\x1a\n", bytes(9000)]
)
def test_file_that_is_not_hdf5_is_an_error(tmp_path, content, caplog):
    path = tmp_path / "ATL06_20191106230008_06270503_006_01.h5"
    path.write_bytes(content)
    with pytest.raises((NotAGranuleError, CorruptGranuleError)) as caught:
        xr.open_dataset(path, engine="icesat2")
    assert str(path) in str(caught.value)
    # That it would be slower with the HDF5 library is nothing to say of it.
    assert "slower" not in caplog.text
    if content == LOGIN_PAGE:
        assert isinstance(caught.value, NotAGranuleError)
        assert "web page" in str(caught.value)


@pytest.mark.parametrize("seed", range(12))
def test_truncated_file_is_an_error_wherever_it_ends(copy, seed):
    path = copy(ALL)
    content = path.read_bytes()
    length = int(np.random.default_rng(seed).integers(100, len(content)))
    path.write_bytes(content[:length])
    says = (str(path), "truncated", str(len(content)), str(length), "Download it again")
    refused(CorruptGranuleError, *says, opened=path)
    refused(CorruptGranuleError, *says, opened=path, layout="file", group="orbit_info")


def test_other_hdf5_file_is_not_a_granule(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["temperature"] = np.arange(5.0)
    refused(
        NotAGranuleError,
        str(path), "nothing identifies it as an ICESat-2 granule", "temperature",
        'layout="file"', opened=path,
    )  # fmt: skip
    assert xr.open_dataset(path, engine="icesat2", layout="file")["temperature"].shape == (5,)


def test_granule_without_beams_is_an_error(copy):
    path = copy(MISSING)
    with h5py.File(path, "a") as file:
        for name in [name for name in file if name.startswith("gt")]:
            del file[name]
    refused(GroupNotFoundError, str(path), "ATL06", "no beams", 'layout="file"', opened=path)


# --- what is asked of it ---


def test_unknown_rate_error_lists_the_rates(written):
    path = written[ALL]
    rates = ("'land_ice_segments'", "'segment_quality'", "'residual_histogram'")
    refused(GroupNotFoundError, str(path), "'heights'", *rates, opened=path, group="heights")
    refused(GroupNotFoundError, "'gt1l/nope'", *rates, opened=path, group="gt1l/nope")
    with pytest.raises(GroupNotFoundError, match="land_ice_segments"):
        xr.open_datatree(path, engine="icesat2", group="heights")


def test_unknown_group_error_lists_its_siblings(written):
    path = written[ALL]
    stored = ("/gt1l contains", "land_ice_segments", "segment_quality")
    refused(
        GroupNotFoundError, str(path), "no /gt1l/nope", *stored,
        opened=path, layout="file", group="gt1l/nope",
    )  # fmt: skip
    refused(
        GroupNotFoundError, "gt1l/land_ice_segments/h_li is a variable, not a group",
        opened=path, layout="file", group="gt1l/land_ice_segments/h_li",
    )  # fmt: skip


@pytest.mark.parametrize("layout", ["spot", "flat", "file"])
def test_pattern_that_matches_nothing_is_an_error(written, layout):
    path = written[ALL]
    group = "gt1l/land_ice_segments" if layout == "file" else None
    refused(
        SelectionError, str(path), "'dem/*_x'", "matches nothing", "h_li",
        opened=path, layout=layout, group=group, variables=["h_li", "dem/*_x"],
    )  # fmt: skip


@pytest.mark.parametrize("layout", ["spot", "flat", "file"])
def test_pattern_that_matches_nothing_in_a_tree_is_an_error(written, layout):
    with pytest.raises(SelectionError, match="'h_nope' matches nothing"):
        xr.open_datatree(
            written[ALL], engine="icesat2", layout=layout, variables=["h_li", "h_nope"]
        )


def test_pattern_that_matches_no_file_is_an_error(tmp_path):
    pattern = str(tmp_path / "ATL06_*.h5")
    refused(GranuleNotFoundError, "No file matches", pattern, opened=[pattern])
    refused(
        GranuleNotFoundError, "list of granules is empty", "at least one path or URL", opened=[]
    )


@pytest.mark.parametrize(
    "keywords",
    [{"spots": [1, 2]}, {"spots": 1}, {"beams": ["gt3r", "gt3l"]}, {"spots": [1], "beams": "gt3r"}],
)
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_granule_without_the_requested_spots_is_an_error(written, keywords, layout):
    says = ("none of the selected spots", "6 (gt1l)", "4 (gt2l)", "3 (gt2r)")
    path = written[MISSING]
    refused(SelectionError, str(path), *says, opened=path, layout=layout, **keywords)
    refused(SelectionError, *says, opened=[written[ALL], path], layout=layout, **keywords)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"layout": "beam"}, ["layout='beam'", "spot, flat, file"]),
        ({"spots": 7}, ["7", "1, 2, 3, 4, 5, 6"]),
        ({"spots": "medium"}, ["medium", "strong"]),
        ({"beams": "gt4l"}, ["gt4l", "gt1l"]),
        ({"spots": 1, "beams": "gt1l"}, ["gt1l"]),
        ({"pad_to": -1}, ["pad_to=-1"]),
        ({"pad_to": 3}, ["pad_to", "120"]),
        ({"pad_to": 500, "layout": "flat"}, ["pad_to=500", "flat"]),
        ({"layout": "file", "spots": "strong"}, ["spots", 'layout="file"', "group"]),
        ({"variables": [3]}, ["variables=[3]", "names"]),
        ({"variables": 3}, ["variables=3", "names"]),
        ({"drop_variables": 3}, ["drop_variables=3", "names"]),
        ({"group": ["x"]}, ["group=['x']", "path in the file"]),
        ({"group": 3}, ["group=3", "name of one rate"]),
        ({"beams": 1}, ["beams=1", "gt1l"]),
        ({"beams": ["gt1l", 1]}, ["beams=['gt1l', 1]", "gt1l"]),
        ({"pad_to": "100"}, ["pad_to='100'", "expected a number of rows"]),
        ({"pad_to": True}, ["pad_to=True", "expected a number of rows"]),
        ({"index_cache": 3}, ["index_cache=3", "directory"]),
        ({"variable": "h_li"}, ["'variable'", "Did you mean 'variables'?", "pad_to"]),
        ({"zzz": 1}, ["'zzz' is not a keyword of engine='icesat2'. Its", "pad_to"]),
        ({"storage_options": ["anon"]}, ["storage_options", "list"]),
    ],
    ids=str,
)
def test_impossible_keyword_values_are_errors(written, keywords, says):
    refused(SelectionError, *says, opened=written[ALL], **keywords)


@pytest.mark.parametrize("thing", [3, None, 2.5, {"a": 1}, np.arange(3)], ids=repr)
def test_objects_of_other_types_are_refused(thing):
    with pytest.raises((SelectionError, TypeError, ValueError)) as caught:
        xr.open_dataset(thing, engine="icesat2")
    assert type(caught.value) is SelectionError
    assert type(thing).__name__ in str(caught.value)


def test_tuple_of_paths_is_a_list(written):
    path = str(written[ALL])
    for given in (np.array([path]), {path}, (one for one in [path]), dict.fromkeys([path]).keys()):
        refused(SelectionError, type(given).__name__, "as a list", opened=given)


def test_unknown_keyword_of_open_datatree_is_an_error(written):
    with pytest.raises(SelectionError, match="Did you mean 'variables'"):
        xr.open_datatree(written[ALL], engine="icesat2", variable="h_li")


# --- which granules ---


@needs_granules
def test_two_products_in_a_list_are_refused(written):
    other = granule("processed_ATL08_20200821122613_08730802_004_01.h5")
    says = ("2 products", "ATL06", "ATL08", str(other), str(written[ALL]), "separately")
    refused(MergeError, *says, opened=[written[ALL], other])


def test_two_releases_in_a_list_are_refused(written, tmp_path):
    other = written_granule(BACKWARD, tmp_path, release="005")
    says = ("2 releases", "005", "006", str(other), "allow_mixed_releases=True")
    refused(MergeError, *says, opened=[written[ALL], other])
    ds = xr.open_dataset([written[ALL], other], engine="icesat2", allow_mixed_releases=True)
    assert ds["release"].values.tolist() == ["006", "005"]


def test_same_granule_twice_is_refused(written, copy):
    again = copy(ALL)
    says = (
        str(again),
        str(written[ALL]),
        "are the same granule (gran_idx 6580503)",
        "Leave one out",
    )
    refused(MergeError, *says, opened=[written[ALL], written[BACKWARD], again])


def test_two_versions_of_one_granule_are_refused(written, tmp_path):
    newer = written_granule(ALL, tmp_path, version="02")
    says = ("the same granule in two versions", "006_01", "006_02", str(newer), "Leave one out")
    refused(MergeError, *says, opened=[written[ALL], newer])


def test_granule_without_identity_is_an_error(written, copy, tmp_path):
    unknown = copy(BACKWARD).rename(tmp_path / "mine.h5")
    with h5py.File(unknown, "a") as file:
        for name in ("orbit_info", "ancillary_data", "METADATA"):
            del file[name]
    ds = xr.open_dataset(unknown, engine="icesat2")
    assert ds["gran_idx"].values.tolist() == [-1]
    says = (str(unknown), "identifies this granule, so it cannot be merged", "Open it alone")
    refused(IdentityError, *says, opened=[unknown, written[ALL]], allow_mixed_releases=True)


def test_contradictory_identity_is_an_error(copy):
    path = copy(ALL)
    with h5py.File(path, "a") as file:
        file["orbit_info/rgt"][...] = 1111
    refused(IdentityError, path.name, "1111", "658", "orbit_info", "renamed", opened=path)
    assert xr.open_dataset(path, engine="icesat2", layout="file", group="/").attrs


def test_file_name_of_another_product_is_an_error(copy, tmp_path):
    path = copy(ALL).rename(tmp_path / "ATL08_20191106230008_06270503_006_01.h5")
    refused(IdentityError, path.name, "ATL08", "ATL06", "renamed", opened=path)


def test_yaw_flip_without_spot_numbers_is_an_error(tmp_path):
    path = written_granule(ALL, tmp_path, sc_orient=2)
    says = (str(path), "sc_orient", "2", 'layout="flat"', "sc_orient=0")
    refused(IdentityError, *says, opened=path)
    ds = xr.open_dataset(path, engine="icesat2", layout="file", group="gt1l/land_ice_segments")
    assert ds["h_li"].shape == (120,)


def test_yaw_flip_with_spot_numbers_opens(tmp_path):
    path = written_granule(ALL, tmp_path, sc_orient=2)
    with h5py.File(path, "a") as file:
        for number, beam in enumerate(("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"), 1):
            file[beam].attrs["atlas_spot_number"] = str(number)
    ds = xr.open_dataset(path, engine="icesat2")
    assert ds["gt"].values.tolist() == [["gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"]]
    assert ds["sc_orient"].item() == 2


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_beams_without_rows_open(written, layout, tmp_path):
    ds = xr.open_dataset(written[EMPTY], engine="icesat2", layout=layout).load()
    assert int(np.isfinite(ds["latitude"]).sum()) == 4 * 33
    none = written_granule(EMPTY, tmp_path, n_segments=0)
    ds = xr.open_dataset(none, engine="icesat2", layout=layout).load()
    assert ds["h_li"].size == 0
    both = xr.open_dataset([none, written[ALL]], engine="icesat2", layout=layout).load()
    assert int(np.isfinite(both["latitude"]).sum()) == 6 * 120


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_granule_without_the_group_is_an_error(written, copy, layout):
    path = copy(BACKWARD)
    with h5py.File(path, "a") as file:
        for beam in [name for name in file if name.startswith("gt")]:
            del file[f"{beam}/residual_histogram"]
    asked = {"group": "residual_histogram", "layout": layout}
    says = (str(path), "no residual_histogram", "Leave the granule out")
    refused(GroupNotFoundError, *says, opened=[written[ALL], path], **asked)
    refused(GroupNotFoundError, str(path), "residual_histogram", opened=path, **asked)


def test_beam_without_the_group_is_padded(copy):
    path = copy(ALL)
    with h5py.File(path, "a") as file:
        del file["gt1l/land_ice_segments"]
    ds = xr.open_dataset(path, engine="icesat2")
    assert ds["n_obs"].values.tolist() == [[120, 120, 120, 120, 120, 0]]


@pytest.mark.parametrize("chunks", [None, {}])
def test_granule_replaced_after_opening_is_an_error(copy, chunks):
    path = copy(ALL)
    before = path.stat().st_size
    ds = xr.open_dataset(path, engine="icesat2", chunks=chunks)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(ChangedGranuleError) as caught:
        ds["h_li"].load()
    for part in (str(path), "was replaced after it was opened", f"{before} bytes", "Open it again"):
        assert part in str(caught.value)


# --- servers ---


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A granule of which some values do not come along with its structure."""
    return write_granule(tmp_path_factory.mktemp("large"), n_segments=1000)


@pytest.fixture(params=["http", "s3"])
def served(request, large, monkeypatch):
    """A server with a granule, its URL, and what opening it needs."""
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "20")
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.01")
    server = request.getfixturevalue(f"{request.param}_server")
    url = server.put(large.name, large.read_bytes())
    options = getattr(server, "storage_options", None)
    return server, url, {"engine": "icesat2", "storage_options": options}


ANSWERS = [
    (403, AccessDeniedError, r"earthaccess\.login\(\)"),
    (404, GranuleNotFoundError, "check the spelling"),
    (416, TransferError, "Check the URL|Download it|within the file"),
    (500, TransferError, "Try again later"),
    ("short", TransferError, "Check the URL|again"),
    ("truncate", TransferError, "Check the URL|again"),
]


@pytest.mark.parametrize(("answer", "error", "way_out"), ANSWERS)
def test_server_refusal_at_open_is_access_denied(served, answer, error, way_out):
    server, url, keywords = served
    server.script.fail(url.rpartition("/")[2], answer)
    with pytest.raises(ICESat2Error) as caught:
        xr.open_dataset(url, **keywords)
    assert type(caught.value) is error, caught.value
    assert url in str(caught.value)
    assert re.search(way_out, str(caught.value)), caught.value


@pytest.mark.parametrize(("answer", "error", "way_out"), ANSWERS)
def test_server_refusal_during_a_read_is_access_denied(
    served, as_from_afar, answer, error, way_out
):
    server, url, keywords = served
    ds = xr.open_dataset(url, **keywords)
    name = url.rpartition("/")[2]
    server.script.fail(name, answer)
    with pytest.raises(ICESat2Error) as caught:
        ds["h_li"].load()
    assert type(caught.value) is error, caught.value
    assert url in str(caught.value)
    assert re.search(way_out, str(caught.value)), caught.value
    server.script.heal()
    assert np.isfinite(ds["h_li"].load()).any()


@pytest.mark.parametrize("before_open", [True, False])
def test_server_that_ignores_ranges_is_an_error(large, http_server, as_from_afar, before_open):
    content = large.read_bytes()
    url = http_server.put("ATL06.h5", content)
    if not before_open:
        ds = xr.open_dataset(url, engine="icesat2")
    http_server.script.fail("ATL06.h5", "ignore-range")
    with pytest.raises(TransferError) as caught:
        (xr.open_dataset(url, engine="icesat2") if before_open else ds)["h_li"].load()
    for part in (url, "ignores byte ranges", "simplecache::"):
        assert part in str(caught.value)


def test_silent_server_is_a_timeout(served, as_from_afar, monkeypatch):
    server, url, keywords = served
    ds = xr.open_dataset(url, **keywords)
    server.script.fail(url.rpartition("/")[2], "hang")
    monkeypatch.setenv("XR_ICESAT2_TIMEOUT", "0.4")
    start = time.monotonic()
    for ask in (lambda: xr.open_dataset(url, **keywords), ds["h_li"].load):
        with pytest.raises(TransferTimeoutError) as caught:
            ask()
        assert url in str(caught.value)
        assert "XR_ICESAT2_TIMEOUT" in str(caught.value) or "network" in str(caught.value)
    assert time.monotonic() - start < 20


def test_login_page_is_access_denied(http_server):
    url = http_server.put("ATL06_20191106230008_06270503_006_01.h5", b"")
    http_server.script.fail("ATL06_20191106230008_06270503_006_01.h5", "html")
    with pytest.raises(ICESat2Error) as caught:
        xr.open_dataset(url, engine="icesat2")
    assert url in str(caught.value)
    assert "earthaccess.login()" in str(caught.value)


def test_granule_replaced_on_the_server_is_an_error(served, as_from_afar, written):
    server, url, keywords = served
    ds = xr.open_dataset(url, **keywords)
    server.put(url.rpartition("/")[2], written[ALL].read_bytes())
    with pytest.raises(ChangedGranuleError, match="Open it again"):
        ds["h_li"].load()


@needs_granules
def test_error_for_a_variable_of_another_rate_names_that_rate():
    with pytest.raises(SelectionError, match=r"Another rate has it: group='geolocation'"):
        xr.open_dataset(granule("ATL03_gt1l.h5"), engine="icesat2", variables=["segment_ph_cnt"])


def test_error_for_a_subgroup_of_a_rate_names_the_rate(written):
    said = ("group='land_ice_segments', variables='fit_statistics'",)
    for group in ("land_ice_segments/fit_statistics", "/land_ice_segments/fit_statistics/"):
        refused(GroupNotFoundError, *said, opened=written[ALL], group=group)
    way_out = {"group": "land_ice_segments", "variables": "fit_statistics"}
    assert "h_rms_misfit" in xr.open_dataset(written[ALL], engine="icesat2", **way_out)


def test_example_groups_in_errors_exist_in_the_file(copy):
    path = copy(ALL)
    with h5py.File(path, "a") as file:
        del file["gt1l"], file["orbit_info"]
    with pytest.raises(GroupNotFoundError) as caught:
        xr.open_dataset(path, engine="icesat2", group="nope")
    named = str(caught.value).partition("such as ")[2].partition(",")[0].split(" or ")
    with h5py.File(path) as file:
        assert len(named) == 2
        assert all(one.strip("'") in file for one in named)


@pytest.mark.parametrize("name", ["gt", "spot", "rgt", "n_obs", "beam_strength"])
def test_coordinates_of_the_merge_cannot_be_selected(written, name):
    says = (f"{name!r} matches nothing", f"{name} is a coordinate of every merged Dataset")
    refused(SelectionError, *says, opened=written[ALL], variables=["h_li", name])
