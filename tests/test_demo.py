"""The demonstration, small: what it says, and what it leaves behind."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xr_icesat2.demo.__main__ import main
from xr_icesat2.demo.change import NEEDED, elevation_change
from xr_icesat2.demo.two_cycles import CYCLES
from xr_icesat2.testing import elevation_change as change_of_a_cycle
from xr_icesat2.testing import write_granule

PNG = b"\x89PNG\r\n\x1a\n"


def test_the_whole_demonstration(tmp_path, capsys):
    granule = write_granule(tmp_path, n_segments=60)
    main(["--output", str(tmp_path / "out"), "--segments", "300", "--granule", str(granule)])
    said = capsys.readouterr().out
    assert "<xarray.Dataset>" in said
    assert "<xarray.DataTree" in said
    for name in ("elevation_change.png", f"{granule.stem}.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(PNG)
        assert name in said
    table = pd.read_parquet(tmp_path / "out" / "elevation_change.parquet")
    assert len(table) > 300
    assert table["dh"].notna().all()


def test_without_a_real_granule_it_says_nothing_of_one(tmp_path, capsys):
    absent = tmp_path / "absent.h5"
    main(["--output", str(tmp_path), "--segments", "40", "--granule", str(absent)])
    assert "A real granule" not in capsys.readouterr().out


def test_the_change_is_that_of_the_surface(tmp_path):
    paths = [write_granule(tmp_path, cycle=cycle, n_segments=400) for cycle in CYCLES]
    change = elevation_change(xr.open_dataset(paths, engine="icesat2")[NEEDED].load())
    expected = (CYCLES[1] - CYCLES[0]) * change_of_a_cycle(
        change["latitude"].to_numpy(), change["longitude"].to_numpy()
    )
    error = change["dh"].to_numpy() - expected
    assert np.isfinite(error).sum() > 500
    assert np.nanmedian(error) == pytest.approx(0, abs=0.02)
