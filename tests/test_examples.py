"""The examples with small granules: their output, their files, and their results."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from examples.__main__ import REAL_GRANULES, main
from examples.elevation_change import CYCLES, VARIABLES, elevation_change
from examples.forest_canopy import classify_photons
from examples.real_granules import show_granule
from tests.paths import granule
from xr_icesat2.links import UNCLASSIFIED
from xr_icesat2.testing import elevation_change as true_change_of_a_cycle
from xr_icesat2.testing import true_photon_classes, write_granule

PNG = b"\x89PNG\r\n\x1a\n"
EXAMPLES = {
    "elevation_change": ["elevation_change"],
    "photons": ["photons", "canopy"],
    "lake_levels": ["lake_levels"],
}
"""Tables of each picture."""


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """Output folder, arguments and granules of a small run."""
    folder = tmp_path_factory.mktemp("demo")
    real = write_granule(folder, n_segments=60)
    arguments = ["--output", str(folder / "out"), "--segments", "1000", "--granules"]
    return folder / "out", arguments, [real, folder / "absent.h5"]


def test_all_examples_write_pictures_and_tables(small_run, capsys):
    out, arguments, granules = small_run
    main([*arguments, *map(str, granules)])
    said = capsys.readouterr().out
    assert "<xarray.Dataset>" in said
    assert "<xarray.DataTree" in said
    assert "absent.h5" not in said
    for picture, tables in (EXAMPLES | {granules[0].stem: [granules[0].stem]}).items():
        assert (out / f"{picture}.png").read_bytes().startswith(PNG)
        assert str(out / f"{picture}.png") in said.partition("# Files written")[2]
        for table in tables:
            assert str(out / f"{table}.parquet") in said.partition("# Files written")[2]
            assert len(pd.read_parquet(out / f"{table}.parquet")) > 0
    levels = pd.read_parquet(out / "lake_levels.parquet")
    assert levels["cycle"].nunique() > 2
    np.testing.assert_allclose(levels["level"], levels["expected"], atol=0.1)


def test_photons_have_their_true_classes(tmp_path):
    what = {"n_segments": {"gt1r": 300}, "rgt": 533, "cycle_number": 7}
    photons, land = (
        xr.open_datatree(write_granule(tmp_path, product, **what), engine="icesat2", layout="flat")
        for product in ("ATL03", "ATL08")
    )
    classed = classify_photons(photons, land)
    truth = true_photon_classes("gt1r", **what)
    listed = classed["class"].to_numpy() != UNCLASSIFIED
    np.testing.assert_array_equal(classed["class"][listed], truth[listed])
    assert not truth[~listed].any()
    assert set(truth[listed]) == {0, 1, 2, 3}
    lat, lon = np.radians(classed["lat_ph"]), np.radians(classed["lon_ph"])
    east = (lon - lon[0]) * np.cos((lat + lat[0]) / 2)
    np.testing.assert_allclose(
        classed["x_atc"] - classed["x_atc"][0],
        6_371_000 * np.hypot(lat - lat[0], east),
        rtol=0.01,
        atol=5,
    )


@pytest.mark.parametrize("name", [path.name for path in REAL_GRANULES])
def test_real_granules_are_shown(name, tmp_path):
    table, picture = show_granule(granule(name), tmp_path, lambda text: None)
    assert picture.read_bytes().startswith(PNG)
    assert len(pd.read_parquet(table)) > 10


def test_granule_of_another_product_has_no_picture(tmp_path):
    said = []
    assert show_granule(write_granule(tmp_path, "ATL13", n_segments=9), tmp_path, said.append) == []
    assert "ATL13" in said[-1]


def test_elevation_change_is_that_of_the_surface(tmp_path):
    paths = [write_granule(tmp_path, cycle_number=cycle, n_segments=400) for cycle in CYCLES]
    change = elevation_change(xr.open_dataset(paths, engine="icesat2")[VARIABLES].load())
    expected = (CYCLES[1] - CYCLES[0]) * true_change_of_a_cycle(
        change["latitude"].to_numpy(), change["longitude"].to_numpy()
    )
    error = change["dh"].to_numpy() - expected
    assert np.isfinite(error).sum() > 500
    assert np.nanmedian(error) == pytest.approx(0, abs=0.02)
