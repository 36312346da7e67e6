"""The README's examples run as they are written, in one session."""

import ast
import builtins
import re
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from tests.paths import GRANULES
from xr_icesat2.testing import write_granule

PROJECT = Path(__file__).parents[1]
README = PROJECT / "README.md"
PAGES = sorted([README, *(PROJECT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```python(?P<how>[^\n]*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
SETTING = re.compile(r'(\w+)="(.*?)"')

FILE = "ATL06_20191106230008_06270503_006_01.h5"
BUCKET = "nsidc-cumulus-prod-protected"
KEY = f"ATLAS/ATL06/006/2019/11/06/{FILE}"


@pytest.fixture
def workplace(tmp_path, monkeypatch, s3_service):
    """An empty folder, and S3 as the environment has it, with the granule or one like it."""
    monkeypatch.chdir(tmp_path)
    remote = s3_service.root / BUCKET / KEY
    remote.parent.mkdir(parents=True)
    real = GRANULES / f"processed_{FILE}"
    if real.exists():
        shutil.copy(real, remote)
    else:
        write_granule(remote, n_segments=1033)
    options = s3_service.storage_options
    monkeypatch.setenv("AWS_ENDPOINT_URL", options["endpoint_url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", options["key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", options["secret"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", options["client_kwargs"]["region_name"])
    yield tmp_path
    shutil.rmtree(s3_service.root / BUCKET)


def run_examples() -> dict:
    text = README.read_text(encoding="utf-8")
    session: dict = {}
    for block in BLOCK.finditer(text):
        # Blank lines in front, so that a traceback shows the line of the README.
        above = "\n" * text[: block.start("code")].count("\n")
        exec(compile(above + block["code"], README, "exec"), session)  # noqa: S102 - our own text
    return session


def test_examples_run(workplace, capsys):
    session = run_examples()
    printed = capsys.readouterr().out
    assert "(gran_idx: 1, spot: 6, segment_idx: 1000" in printed
    assert np.isfinite(session["strong"].mean("segment_idx")).all()
    assert session["rough"].sizes == {"gran_idx": 1, "segment_idx": 1033}
    assert session["rough"].count() > 0
    assert session["dh"].dims == ("gt", "segment_id")
    assert (session["dh"].count("segment_id") > 400).all()
    assert session["dh"].std() < 0.2, "metres: the same ground, not that of another beam"
    table = gpd.read_parquet(workplace / "heights.parquet")
    whole = session["ds"]
    inside = shapely.Polygon(session["corners"]).covers(
        shapely.points(whole.longitude.values, whole.latitude.values)
    )
    kept = inside & (whole.atl06_quality_summary.values == 0)
    assert 0 < kept.sum() == len(table) == len(session["points"]) < inside.sum()
    np.testing.assert_array_equal(np.sort(table["h_li"]), np.sort(whole.h_li.values[kept]))
    assert session["picture"].collections
    assert 0 < session["tall"] < 30
    for path in ("land_segments/terrain/h_te_best_fit", "signal_photons/classed_pc_flag"):
        assert session["tree"][path].dims[:2] == ("gran_idx", "spot")
    for opened in ("ds", "two", "inside", "tree"):
        session[opened].close()


FIRST = {
    "README.md": "(gran_idx: 1, spot: 6, segment_idx: 1000",
    "docs/index.md": "'segment_idx': 1000",
    "docs/getting-started.md": "(gran_idx: 1, spot: 6, segment_idx: 1000",
}


@pytest.mark.parametrize("page", FIRST)
def test_first_example_runs_in_an_empty_folder(page, tmp_path):
    blocks = list(BLOCK.finditer((PROJECT / page).read_text(encoding="utf-8")))
    session = dict(SETTING.findall(blocks[0]["how"])).get("session")
    code = [b["code"] for b in blocks if b is blocks[0] or f'session="{session}"' in b["how"]]
    done = subprocess.run(  # noqa: S603 - our own interpreter, and our own text
        [sys.executable, "-W", "error", "-c", "\n".join(code)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert FIRST[page] in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_examples_define_what_they_use(page):
    text = page.read_text(encoding="utf-8")
    defined: set[str] = set(dir(builtins)) | {"__file__"}
    missing = []
    for block in BLOCK.finditer(text):
        nodes = list(ast.walk(ast.parse(block["code"])))
        for node in nodes:
            match node:
                case ast.alias():
                    defined.add(node.asname or node.name.partition(".")[0])
                case ast.FunctionDef() | ast.ClassDef():
                    defined.add(node.name)
                case ast.arg():
                    defined.add(node.arg)
                case ast.Name(ctx=ast.Store()):
                    defined.add(node.id)
                case ast.ExceptHandler(name=str()):
                    defined.add(node.name)
        used = [node.id for node in nodes if isinstance(node, ast.Name)]
        missing += [name for name in used if name not in defined]
    assert missing == []


def test_project_links_resolve():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
