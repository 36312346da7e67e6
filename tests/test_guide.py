"""The guide from a polygon to a map runs as its page is built, on an archive on this machine."""

import re
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import shapely

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs/how-to/polygon-to-map.md"
BLOCK = re.compile(
    r'^```python exec="true"(?P<how>[^\n]*)\n(?P<code>.*?)^```$', re.DOTALL | re.MULTILINE
)
MAX_LINES = 20


def test_guide_runs_in_twenty_lines(tmp_path):
    blocks = list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))
    shown = next(block["code"] for block in blocks if 'source="above"' in block["how"])
    assert sum(1 for line in shown.splitlines() if line.strip()) <= MAX_LINES
    places = [str(PROJECT / "docs"), str(PROJECT)]
    code = "\n".join([f"import sys\nsys.path[:0] = {places}", *(b["code"] for b in blocks)])
    done = subprocess.run(  # noqa: S603 - our own interpreter, and our own text
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"2 granules, \d+ rows inside, \d+ of good quality", done.stdout)
    assert (tmp_path / "heights.png").stat().st_size > 1000
    points = gpd.read_parquet(tmp_path / "heights.parquet")
    area = shapely.from_geojson((tmp_path / "fjord.geojson").read_text(encoding="utf-8"))
    assert len(points) > 1000
    assert shapely.covers(area, points.geometry.values).all()
    assert set(points["cycle_number"]) == {5, 6}
