"""Packages of extras that are missing or broken."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from xr_icesat2.errors import ICESat2Error, MissingExtraError
from xr_icesat2.extras import require

PROJECT = Path(__file__).parents[1]


def test_installed_package_is_imported():
    assert require("pyarrow", "geo", "to_geoparquet").__name__ == "pyarrow"


def test_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "no_such_package", None)
    with pytest.raises(MissingExtraError) as failure:
        require("no_such_package", "geo", "to_geoparquet")
    assert str(failure.value) == (
        "to_geoparquet needs no_such_package. Install it with: "
        "python -m pip install 'xr-icesat2[geo]'"
    )
    assert isinstance(failure.value, ImportError)
    assert isinstance(failure.value, ICESat2Error)
    assert failure.value.name == "no_such_package"


def test_package_that_cannot_be_imported_gives_its_reason(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import no_such_library", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"cannot be imported.*no_such_library"):
        require("broken_package", "geo", "to_geoparquet")


def test_lowest_versions_are_those_of_the_requirements():
    reported = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = reported["optional-dependencies"].values()
    listed = [*reported["dependencies"], *(one for extra in extras for one in extra)]
    declared = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?>=([\d.]+)", "\n".join(listed), re.MULTILINE))
    lowest = (PROJECT / "requirements-lowest.txt").read_text(encoding="utf-8")
    assert dict(line.split("==") for line in lowest.splitlines()) == declared
