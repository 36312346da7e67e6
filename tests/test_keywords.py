"""What ``help``, an editor and a type checker see of the engine's keywords."""

import inspect
import pydoc

import pytest
import xarray as xr

from xr_icesat2.backend import ICESat2BackendEntrypoint
from xr_icesat2.errors import SelectionError
from xr_icesat2.testing import write_granule

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


@pytest.mark.parametrize("open_by", [xr.open_dataset, xr.open_datatree, xr.open_groups])
def test_misspelled_keyword_gets_a_suggestion(path, open_by):
    with pytest.raises(SelectionError, match=r"no keyword 'layot'\. Did you mean 'layout'"):
        open_by(path, engine="icesat2", layot="flat")
