"""MkDocs hooks: an empty folder for each page, granules on S3, pictures of products."""
# ruff: noqa: INP001 - loaded by MkDocs by its path

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import matplotlib as mpl
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from xr_icesat2.testing import write_granule

sys.path.insert(0, str(Path(__file__).parents[1]))  # the examples are not installed
from examples.elevation_change import show_elevation_change
from examples.forest_canopy import show_forest_canopy
from examples.lake_levels import show_lake_levels
from examples.s3_server import serve_s3
from examples.workspace import open_workspace

CYCLES = {
    "ATL06_20190808032023_06270403_006_01.h5": {"n_segments": 900, "sc_orient": 0},
    "ATL06_20191106230008_06270503_006_01.h5": {"n_segments": 1000},
    "ATL06_20200205184001_06270603_006_01.h5": {"n_segments": 950},
}
"""Granules on S3; the spacecraft turns after the first, as it does twice a year."""
BUCKET = "nsidc-cumulus-prod-protected"

_build_stack = ExitStack()


def on_pre_build(config: object) -> None:
    """Serve granules by S3, and enter an empty folder."""
    del config
    # MkDocs restores the path after it has imported the hooks. Pages import from both folders.
    here = Path(__file__).parent
    sys.path[:0] = [str(here), str(here.parent)]
    folder = _enter_empty_folder()
    for name, properties in CYCLES.items():
        start = name.removeprefix("ATL06_")
        day = folder / f"s3/{BUCKET}/ATLAS/ATL06/006/{start[:4]}/{start[4:6]}/{start[6:8]}"
        day.mkdir(parents=True)
        write_granule(day / name, **properties)
    options = _build_stack.enter_context(serve_s3(folder / "s3"))
    os.environ |= {
        "AWS_ENDPOINT_URL": options["endpoint_url"],
        "AWS_ACCESS_KEY_ID": options["key"],
        "AWS_SECRET_ACCESS_KEY": options["secret"],
        "AWS_DEFAULT_REGION": options["client_kwargs"]["region_name"],
    }


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures that the product pages show."""
    mpl.use("agg")
    output = Path("pictures").resolve()
    with open_workspace(output, lambda _: None) as workspace:
        show_elevation_change(workspace, 4000)
        show_forest_canopy(workspace, 1500)
        show_lake_levels(workspace, 1000)
    for picture in output.glob("*.png"):
        uri = f"products/{picture.name}"
        files.append(File.generated(config, uri, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Enter an empty folder, in which the code of the page runs."""
    _enter_empty_folder()
    return markdown


def _enter_empty_folder() -> Path:
    folder = Path(_build_stack.enter_context(tempfile.TemporaryDirectory()))
    # Leave the folder before the stack deletes it.
    _build_stack.callback(os.chdir, Path.cwd())
    os.chdir(folder)
    return folder


def on_post_build(config: object) -> None:
    """Stop the server and delete the folders."""
    del config
    _build_stack.close()
