"""Requirements, links and statements of the documentation pages."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from xr_icesat2 import products

PROJECT = Path(__file__).parents[1]
PAGES = sorted((PROJECT / "docs").rglob("*.md"))
IMPORT = re.compile(r"^ *(?:import|from) (\w+)", re.MULTILINE)
RUN = re.compile(r'^```python exec="true".*?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
TEXTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *PAGES]
OURS = {"archive_standin", "xr_icesat2", "spec_tables", "spec_picture"}


def extra(*names: str) -> set[str]:
    """Names of the packages that extras install, in small letters."""
    metadata = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = list(metadata["dependencies"])
    for name in names:
        for one in metadata["optional-dependencies"][name]:
            own = re.fullmatch(r"xr-icesat2\[(.*)\]", one)
            listed += extra(*own[1].split(",")) if own else [one]
    return {re.split(r"[^\w.-]", one)[0].lower() for one in listed}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_imports_of_pages_are_in_the_docs_extra(page):
    imported = {
        name
        for code in RUN.findall(page.read_text(encoding="utf-8"))
        for name in IMPORT.findall(code)
    }
    assert imported - extra("docs") - OURS - set(sys.stdlib_module_names) == set()


def test_code_is_highlighted():
    # pymdownx.highlight leaves code plain, without a word, where Pygments is missing.
    assert "pygments" in extra("docs")


def test_external_links_are_sorted_and_point_into_documentation():
    lines = (PROJECT / "docs/references.tsv").read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))
    for line in lines:
        name, address = line.split("\t")
        assert re.fullmatch(r"[A-Za-z_][\w.]*", name)
        assert re.fullmatch(r"https://[\w./-]+\.html#\S+", address), line


@pytest.mark.parametrize("product", [name for name, spec in products.items() if spec.rates])
def test_each_product_page_states_datum_and_time(product, monkeypatch):
    monkeypatch.syspath_prepend(PROJECT / "docs")
    from spec_tables import about  # noqa: PLC0415 - as the pages do

    page = (PROJECT / f"docs/products/{product}.md").read_text(encoding="utf-8")
    assert f'about("{product}")' in page
    frames = [frame.name for *_, frame in products[product].frames]
    for told in (*frames, "UTC", "where-and-when.md"):
        assert told in about(product)


TABLES = r"^from spec_tables import .*?^```"
"""Code of pages that prints tables of the specifications."""


@pytest.mark.parametrize(
    "page",
    [p for p in TEXTS if "spec_tables" in p.read_text(encoding="utf-8")],
    ids=lambda p: p.stem,
)
def test_tables_of_specifications_are_printed(page, monkeypatch, capsys):
    monkeypatch.syspath_prepend(PROJECT / "docs")
    for code in re.findall(TABLES, page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        exec(code.removesuffix("```"), {})  # noqa: S102 - the code of our own page
        assert capsys.readouterr().out.strip()


def test_pages_state_requirements_of_saving():
    page = (PROJECT / "docs/how-to/save.md").read_text(encoding="utf-8")
    installed = re.findall(r"pip install (.*)", page)
    assert all(any(name in line for line in installed) for name in ("zarr", "netCDF4", "pyarrow"))


def exists(path: str) -> bool:
    """Whether a path is in the project, or ends the path of a part of the package."""
    return (PROJECT / path).exists() or any((PROJECT / "xr_icesat2").glob(f"**/{path}"))


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_named_folders_and_modules_exist(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"`((?:[\w.]+/)*[\w]+\.py|xr_icesat2/[\w/]+/)`", text))
    assert {path for path in named if not exists(path)} <= {"xr_icesat2/products/atlNN.py"}


def test_citation_has_the_package_version():
    metadata = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {metadata['version']}\n" in citation


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_pages_write_the_granules_they_open(page):
    # The documentation build runs each page in an empty folder.
    written = False
    for block in RUN.findall(page.read_text(encoding="utf-8")):
        written = written or "write_granule(" in block
        assert written or not re.search(r'"ATL\d\d_[^"/]*\.h5"', block)


@pytest.mark.parametrize(
    "page", sorted((PROJECT / "docs/design").glob("*.md")), ids=lambda page: page.name
)
def test_design_pages_state_a_decision_and_its_alternatives(page):
    if page.name == "index.md":
        return
    text = page.read_text(encoding="utf-8")
    title, _, sentence, *_ = text.splitlines()
    assert title.startswith("# ")
    assert sentence.startswith("**")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "Alternatives considered"]
