"""``help``, editors and type checkers see the keywords of the engine."""

import inspect
import pydoc
import re

import pytest
import xarray as xr
from xarray.backends.plugins import detect_parameters

import xr_icesat2
from xr_icesat2.backend import SEARCH_KEYWORDS, ICESat2BackendEntrypoint
from xr_icesat2.errors import SelectionError
from xr_icesat2.testing import write_granule

IMPOSSIBLE = {
    "drop_variables": [3],
    "group": ["a", "b"],
    "layout": "flatt",
    "spots": 7,
    "beams": "gt4l",
    "sc_orient": 2,
    "variables": [""],
    "pad_to": -1,
    "region": (1, 2, 3),
    "region_exact": "yes",
    "time": ("2020", "2019"),
    "attach": [3],
    "storage_options": "anon",
    "allow_mixed_releases": "yes",
    "index_cache": 3,
    "limits": 100,
    "mask_and_scale": "yes",
    "decode_times": "seconds",
    "decode_timedelta": {"delta_time": "seconds"},
    "use_cftime": 2.5,
    "concat_characters": "no",
    "decode_coords": "none",
}
"""For each keyword a value that no granule makes possible."""
EXCLUSIVE = [
    {"layout": "flat", "pad_to": 9000},
    {"layout": "file", "spots": "strong"},
    {"layout": "file", "beams": ["gt1l"]},
    {"layout": "file", "sc_orient": 1},
    {"layout": "file", "attach": "segment_id"},
    {"layout": "file", "region": (0, 0, 1, 1)},
    {"layout": "file", "time": ("2019", None)},
    {"region_exact": True},
    {"layout": "file", "group": "gt1l", "drop_variables": "gt1l"},
]
OPENERS = [xr.open_dataset, xr.open_datatree, xr.open_groups]
METHODS = ("open_dataset", "open_datatree", "open_groups_as_dict")
each_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("keywords"), n_segments=20)


@each_method
def test_help_shows_keywords_with_types_and_defaults(method):
    text = pydoc.render_doc(getattr(ICESat2BackendEntrypoint, method), renderer=pydoc.plaintext)
    for shown in (
        "layout: Literal['spot', 'flat', 'file'] = 'spot'",
        "variables: str | collections.abc.Iterable[str] | None = None",
        "spots: ",
        "beams: ",
        "pad_to: int | None = None",
        "allow_mixed_releases: bool = False",
        "storage_options: ",
    ):
        assert shown in text


@each_method
def test_xarray_sees_the_keywords_of_the_signature(method):
    parameters = inspect.signature(getattr(ICESat2BackendEntrypoint, method)).parameters
    named = [name for name, one in parameters.items() if one.kind is not one.VAR_KEYWORD]
    assert named == ["self", *ICESat2BackendEntrypoint.open_dataset_parameters]


def test_every_keyword_is_documented():
    documented = inspect.getdoc(ICESat2BackendEntrypoint)
    for keyword in ICESat2BackendEntrypoint.open_dataset_parameters:
        assert keyword in documented


@each_method
def test_methods_follow_their_signatures(path, method):
    opened = getattr(ICESat2BackendEntrypoint(), method)
    assert opened(path, layout="flat", variables="h_li")
    assert opened(filename_or_obj=path)
    with pytest.raises(TypeError):
        opened(path, "h_li")


@pytest.mark.parametrize("open_by", OPENERS)
def test_misspelled_keyword_gets_a_suggestion(path, open_by):
    with pytest.raises(SelectionError, match=r"'layot' is not a keyword .* Did you mean 'layout'"):
        open_by(path, engine="icesat2", layot="flat")


@pytest.mark.parametrize("open_by", OPENERS)
@pytest.mark.parametrize(("keyword", "of_search"), SEARCH_KEYWORDS.items())
def test_area_or_period_is_referred_to_search_and_to_the_keyword_for_rows(
    path, open_by, keyword, of_search
):
    with pytest.raises(SelectionError, match=f"'{keyword}' is not a keyword") as caught:
        open_by(path, engine="icesat2", **{keyword: (-50, 60, -40, 70)})
    assert f"xr_icesat2.search(…, {of_search}=…)" in str(caught.value)
    assert "Did you mean" not in str(caught.value)
    [own] = re.findall(r"To select rows, use (\w+)=", str(caught.value))
    assert own in ICESat2BackendEntrypoint.open_dataset_parameters


def test_keywords_of_search_exist():
    assert {*SEARCH_KEYWORDS.values()} <= {*inspect.signature(xr_icesat2.search).parameters}


def test_every_keyword_has_an_impossible_value_here():
    assert ("filename_or_obj", *IMPOSSIBLE) == ICESat2BackendEntrypoint.open_dataset_parameters


@pytest.mark.parametrize("open_by", OPENERS)
@pytest.mark.parametrize("keyword", IMPOSSIBLE)
def test_impossible_value_is_refused_before_the_file_is_opened(open_by, keyword):
    with pytest.raises(SelectionError, match=f"{keyword}\\b"):
        open_by("nope.h5", engine="icesat2", **{keyword: IMPOSSIBLE[keyword]})
    with pytest.raises(SelectionError, match=f"{keyword}\\b"):
        open_by(["nowhere/*.h5"], engine="icesat2", **{keyword: IMPOSSIBLE[keyword]})


@pytest.mark.parametrize("keywords", EXCLUSIVE, ids=str)
def test_keywords_that_exclude_each_other_are_refused_before_the_file_is_opened(keywords):
    with pytest.raises(SelectionError) as caught:
        xr.open_dataset("nope.h5", engine="icesat2", **keywords)
    assert [keyword for keyword in keywords if keyword in str(caught.value)]


@pytest.mark.parametrize("decode_coords", [None, True, False, "coordinates", "all"])
def test_coordinates_are_decoded_as_xarray_defines(path, decode_coords):
    with xr.open_dataset(path, engine="icesat2", decode_coords=decode_coords) as ds:
        assert ("latitude" in ds.coords) == (decode_coords is not False)


def test_xarray_derives_the_keywords_from_the_signature():
    assert detect_parameters(ICESat2BackendEntrypoint.open_dataset) == (
        ICESat2BackendEntrypoint.open_dataset_parameters
    )
