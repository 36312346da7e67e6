"""Rows that a region selects equal an independent test of every coordinate."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array
from tests.expected_rates import RATES, Rate
from tests.oracle_rates import decoded, flat_layout, parts, spot_layout
from tests.paths import ALL_GRANULES, needs_granules
from tests.region_oracle import KINDS, Case, selected_rows
from xr_icesat2.errors import SelectionError
from xr_icesat2.testing import write_granule

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
REGIONS = int(os.environ.get("XR_ICESAT2_TEST_REGIONS", "60"))
"""Random regions; a long test takes 500, with all rates and all variables."""
ALL_RATES = REGIONS > 60
UNMERGED = {
    "extract_ATL08_no_orientation.h5",
    "test_atl08.h5",
    "variable_subset_ATL24_data.h5",
    "ATL03_indexbegin_start_end_FVs.h5",
    "ATL15_template.nc",
}
SMALL = ("ATL03_gt1l", "clip_", "processed_ATL06_2019022", "processed_ATL07-01_2018", "ATL11_")
LAYOUTS = {"spot": spot_layout, "flat": flat_layout}
HEAVY = {"count"}
SOME_VARIABLES = 3
TURNS = 6


def product_of(path: Path) -> str:
    return next(product for product in RATES if product in path.name)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("regions")
    written = [
        write_granule(
            folder,
            "ATL03",
            n_segments={"gt1l": 30, "gt2r": 20, "gt3l": 0},
            beams=("gt1l", "gt2r", "gt3l"),
            seed=3,
        ),
        write_granule(
            folder, "ATL08", n_segments={"gt1l": 40, "gt2r": 30}, beams=("gt1l", "gt2r"), seed=3
        ),
        write_granule(folder, "ATL06", n_segments={"gt1l": 100, "gt1r": 150, "gt3r": 120}),
        write_granule(folder, "ATL06", cycle_number=6, sc_orient=0, n_segments=60),
        write_granule(folder, "ATL13", n_segments=60),
    ]
    real = [path for path in ALL_GRANULES if path.name not in UNMERGED]
    if not ALL_RATES:
        real = [path for path in real if path.name.startswith(SMALL)]
    return [(product_of(path), path) for path in [*written, *real]]


def places(path: Path, rate: Rate) -> np.ndarray:
    """Finite longitudes and latitudes of a rate."""
    found = [np.empty((0, 2))]
    for part in parts(path, rate):
        if rate.located_by and set(rate.located_by) <= part.variables.keys():
            lat, lon = (
                decoded(name, part.variables[name], masked=True, times=True)
                for name in rate.located_by
            )
            found.append(np.stack([lon, lat], axis=-1).astype(float))
    joined = np.concatenate(found)
    return joined[np.isfinite(joined).all(axis=1)]


def random_region(rng: np.random.Generator, path: Path, product: str) -> Case:
    """A region round a row of the granule, of its size or a part of it."""
    located = [rate for rate in RATES[product] if len(places(path, rate))]
    points = places(path, located[0])
    lon, lat = points[rng.integers(len(points))]
    height = max(1e-4, np.ptp(points[:, 1]) * 10.0 ** rng.uniform(-1.5, 0.2))
    width = height * rng.uniform(0.3, 3) / max(0.02, np.cos(np.radians(lat)))
    kind = KINDS[rng.integers(len(KINDS))]
    if kind is not KINDS[0]:
        width, height = min(width, 20.0), min(height, 4.0, 85 - abs(lat))
        if height <= 0:  # a polygon in degrees would reach round the pole
            kind, height = KINDS[2], 0.5
    return kind(lon, lat, width, height, rng)


def opened(path: Path | Sequence[Path], rate: Rate, layout: str, **keywords) -> xr.Dataset:
    given = [str(one) for one in path] if isinstance(path, list) else path
    return xr.open_dataset(given, engine="icesat2", group=rate.group, layout=layout, **keywords)


def check_rows(
    ds: xr.Dataset,
    paths: Sequence[Path],
    rate: Rate,
    kept: Mapping[tuple[int, str], np.ndarray],
    names: Sequence[str] | None,
) -> None:
    """Compare an opened rate with the rows that are to be kept."""
    layout = "spot" if "spot" in ds.dims or "pair_track" in ds.dims else "flat"
    expected = LAYOUTS[layout](paths, rate, kept=kept)
    for name, (dims, array) in expected.items():
        if names is None or name in names or name in rate.coordinates:
            assert ds[name].dims == dims
            assert_array(ds[name].values, array, name)
    lengths, numbers, sizes = [], [], []
    for granule, path in enumerate(paths):
        for part in parts(path, rate):
            lengths.append(part.n_obs)
            numbers.append(kept[granule, part.gt])
            sizes.append((granule, part.spot))
    if layout == "flat":
        assert_array(ds["source_row"].values, np.concatenate([np.empty(0, int), *numbers]), "rows")
        counts = np.array(list(map(len, numbers)))
        assert_array(ds["n_rows"].values, np.repeat(counts, counts), "n_rows")
        assert_array(ds["n_obs"].values, np.repeat(lengths, counts), "n_obs")
        return
    for (granule, spot), rows, length in zip(sizes, numbers, lengths, strict=True):
        beam = ds.isel({"gran_idx": granule, ds["n_obs"].dims[1]: spot - 1})
        assert int(beam["n_obs"]) == length
        assert int(beam["n_rows"]) == len(rows)
        source = beam["source_row"].values
        assert_array(source[: len(rows)], rows, "source_row")
        assert (source[len(rows) :] == -1).all()


@needs_granules
@pytest.mark.parametrize("turn", range(TURNS))
def test_rows_of_random_regions_equal_the_oracle(files, turn):
    for number in range(turn, REGIONS, TURNS):
        rng = np.random.default_rng([7, number])
        product, path = files[number % len(files)]
        region = random_region(rng, path, product)
        exact = product == "ATL03" and bool(rng.random() < 0.4)
        rates = [rate for rate in RATES[product] if parts(path, rate)]
        for rate in rates if ALL_RATES else [rates[rng.integers(len(rates))]]:
            layout = ("spot", "flat")[rng.integers(2)]
            check_region(rng, path, product, rate, region, layout, exact=exact)


def check_region(
    rng: np.random.Generator,
    path: Path,
    product: str,
    rate: Rate,
    region: Case,
    layout: str,
    *,
    exact: bool,
) -> None:
    if rate.group == "signal_photons":
        return  # tests/test_clip.py: more rows than necessary
    rows = selected_rows(path, product, rate, region.inside, exact=exact)
    keywords = {"region": region.given, "region_exact": exact}
    if rows is None:
        with pytest.raises(SelectionError, match="without a place"):
            opened(path, rate, layout, **keywords)
        return
    named = {str(name) for part in parts(path, rate) for name in part.variables} - HEAVY
    names = sorted(named)
    if not ALL_RATES:
        names = [str(name) for name in rng.permutation(names)[:SOME_VARIABLES]]
    ds = opened(path, rate, layout, **keywords)
    if ds.attrs.get("granules_outside"):
        assert not any(map(len, rows.values()))
        assert not ds.sizes[rate.dim]
        return
    check_rows(ds, [path], rate, {(0, gt): chosen for gt, chosen in rows.items()}, names)
