"""What the pages find: an empty folder for each, granules on S3, and pictures of products."""
# ruff: noqa: INP001 - loaded by MkDocs by its path

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import matplotlib as mpl
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from xr_icesat2.demo.forest import show_forest
from xr_icesat2.demo.lakes import show_lakes
from xr_icesat2.demo.server import serve
from xr_icesat2.demo.stage import set_up
from xr_icesat2.demo.two_cycles import compare_cycles
from xr_icesat2.testing import write_granule

CYCLES = {
    "ATL06_20190808032023_06270403_006_01.h5": {"n_segments": 900, "sc_orient": 0},
    "ATL06_20191106230008_06270503_006_01.h5": {"n_segments": 1000},
    "ATL06_20200205184001_06270603_006_01.h5": {"n_segments": 950},
}
"""The spacecraft turns after the first, as it does twice a year."""
BUCKET = "nsidc-cumulus-prod-protected"

_until_the_end = ExitStack()


def on_pre_build(config: object) -> None:
    """Serve granules from S3, and go to an empty folder."""
    del config
    sys.path.insert(0, str(Path(__file__).parent))  # pages import spec_tables
    folder = _go_to_empty_folder()
    for name, properties in CYCLES.items():
        start = name.removeprefix("ATL06_")
        day = folder / f"s3/{BUCKET}/ATLAS/ATL06/006/{start[:4]}/{start[4:6]}/{start[6:8]}"
        day.mkdir(parents=True)
        write_granule(day / name, **properties)
    options = _until_the_end.enter_context(serve(folder / "s3"))
    os.environ |= {
        "AWS_ENDPOINT_URL": options["endpoint_url"],
        "AWS_ACCESS_KEY_ID": options["key"],
        "AWS_SECRET_ACCESS_KEY": options["secret"],
        "AWS_DEFAULT_REGION": options["client_kwargs"]["region_name"],
    }


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Draw the pictures of products."""
    mpl.use("agg")
    drawn = Path("drawn").resolve()
    with set_up(drawn, lambda _: None) as stage:
        compare_cycles(stage, 4000)
        show_forest(stage, 1500)
        show_lakes(stage, 1000)
    for picture in drawn.glob("*.png"):
        uri = f"products/{picture.name}"
        files.append(File.generated(config, uri, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Run the code of each page in an empty folder, as a reader does who copies it."""
    _go_to_empty_folder()
    return markdown


def _go_to_empty_folder() -> Path:
    folder = Path(_until_the_end.enter_context(tempfile.TemporaryDirectory()))
    # Entered after the folder, so left before it: what is gone cannot be a working directory.
    _until_the_end.callback(os.chdir, Path.cwd())
    os.chdir(folder)
    return folder


def on_post_build(config: object) -> None:
    """Clear up."""
    del config
    _until_the_end.close()
