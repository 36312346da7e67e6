"""The README's examples run, word for word, one after another in one session."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.paths import GRANULES
from xr_icesat2.testing import write_granule

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

FILE = "ATL06_20191106230008_06270503_006_01.h5"
CYCLES = {
    "ATL06_20190808032023_06270403_006_01.h5": {"cycle": 4, "sc_orient": 0},
    "ATL06_20200205184001_06270603_006_01.h5": {"cycle": 6, "sc_orient": 1},
}
"""The spacecraft turns between them, as ICESat-2 does twice a year."""
FOREST = {"rgt": 873, "cycle": 8, "region": 2, "n_segments": 300}
"""Of the granules of ATL03 and ATL08, which belong together."""
BUCKET = "nsidc-cumulus-prod-protected"
KEY = f"ATLAS/ATL06/006/2019/11/06/{FILE}"


def put_granule(path: Path) -> None:
    """Put the README's granule in its place: the real one (a subset of it), or one like it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    real = GRANULES / f"processed_{FILE}"
    if real.exists():
        shutil.copy(real, path)
    else:
        write_granule(path, rgt=627, cycle=5, n_segments=1033)


@pytest.fixture
def workplace(tmp_path, monkeypatch, s3_service):
    """A folder with the granules that the examples name, and S3 as the environment has it."""
    monkeypatch.chdir(tmp_path)
    put_granule(tmp_path / FILE)
    for name, how in CYCLES.items():
        write_granule(tmp_path / name, rgt=627, n_segments=300, **how)
    for product in ("ATL03", "ATL08"):
        write_granule(tmp_path / f"{product}_20200821122613_08730802_006_01.h5", product, **FOREST)
    put_granule(s3_service.root / BUCKET / KEY)
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
        above = "\n" * text[: block.start(1)].count("\n")
        exec(compile(above + block[1], README, "exec"), session)  # noqa: S102 - our own text
    return session


def test_examples(workplace, capsys):
    session = run_examples()
    assert "(gran_idx: 1, spot: 6, segment_idx: 1033)" in capsys.readouterr().out
    assert session["mean_height"].sizes == {"gran_idx": 1, "spot": 3}
    assert np.isfinite(session["mean_height"]).all()
    assert session["rough"].sizes == {"gran_idx": 1, "segment_idx": 1033}
    assert session["rough"].count() > 0
    assert session["dh"].sizes == {"segment_id": 300}
    assert session["dh"].std() < 0.2, "metres: the same ground, not that of another beam"
    table = pd.read_parquet(workplace / "photons.parquet")
    assert "h_ph" in table.columns
    assert set(table["spot"]) == {1, 3, 5}
    assert 0 < len(table) == session["confident"].sum() < session["photons"].sizes["photon_idx"]
    assert 0 < session["tall"] < 30
    for path in ("land_segments/terrain/h_te_best_fit", "signal_photons/classed_pc_flag"):
        assert session["tree"][path].dims[:2] == ("gran_idx", "spot")
    for opened in ("ds", "two", "photons", "tree"):
        session[opened].close()


def test_every_link_to_the_project_leads_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
