"""Values of synthetic photons do not depend on the block in which they are made."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_icesat2.errors import SelectionError
from xr_icesat2.testing import surface_height, true_photon_classes
from xr_icesat2.testing.atl03 import ATL03Values
from xr_icesat2.testing.atl08 import ATL08Values
from xr_icesat2.testing.grouped_statistics import GroupedValues
from xr_icesat2.testing.identity import SyntheticGranule
from xr_icesat2.testing.placeholder_values import CompletedValues, placeholder_rows
from xr_icesat2.testing.tree_model import ProductTree, TableVariable, TreeGroup, TreeRate

VALUES = {"ATL03": ATL03Values, "ATL08": ATL08Values}
RATES = [
    ("ATL03", "heights"),
    ("ATL03", "geolocation"),
    ("ATL03", "geophys_corr"),
    ("ATL03", "bckgrd_atlas"),
    ("ATL03", "signal_find_output/land_ice"),
    ("ATL08", "signal_photons"),
    ("ATL08", "land_segments"),
]
BEAM = "gt3r"


def granule(product: str, release: str = "006") -> SyntheticGranule:
    return SyntheticGranule(
        product=product,
        rgt=1387,
        cycle_number=2,
        granule_region=10,
        release=release,
        version="01",
        start=None,
        rows={BEAM: 300},
        sc_orient=0,
        seed=5,
    )


@cache
def values(product: str) -> ATL03Values | ATL08Values:
    return VALUES[product](granule(product))


@cache
def whole(product: str, rate: str) -> dict[str, np.ndarray]:
    made = values(product)
    return made.block(rate, BEAM, 0, made.rows(rate, BEAM))


@pytest.mark.parametrize(("product", "rate"), RATES)
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_rows_are_independent_of_blocks(product: str, rate: str, data: st.DataObject) -> None:
    rows = values(product).rows(rate, BEAM)
    start = data.draw(st.integers(0, rows - 1))
    stop = data.draw(st.integers(start + 1, min(rows, start + 700)))
    part = values(product).block(rate, BEAM, start, stop)
    expected = whole(product, rate)
    assert part.keys() == expected.keys()
    for name, array in part.items():
        np.testing.assert_array_equal(array, expected[name][start:stop], err_msg=name)


@pytest.mark.parametrize(
    ("release", "percents"),
    [("003", [25, 50, 60, 70, 75, 80, 85, 90, 95]), ("004", range(10, 100, 5))],
)
def test_percentiles_follow_the_release(release: str, percents: list[int]) -> None:
    made = ATL08Values(granule("ATL08", release))
    metrics = made.block("land_segments", BEAM, 0, 40)["canopy/canopy_h_metrics"]
    assert metrics.shape == (40, len(percents))
    np.testing.assert_array_equal(made.constants()["ds_metrics"], np.arange(1, len(percents) + 1))
    # The 95th percentile is the last one in both.
    newest = whole("ATL08", "land_segments")["canopy/canopy_h_metrics"]
    np.testing.assert_array_equal(metrics[:, -1], newest[:40, -1])


@pytest.mark.parametrize(("release", "heaviest"), [("006", 255), ("007", 65535)])
def test_weights_follow_the_release(release: str, heaviest: int) -> None:
    photons = ATL03Values(granule("ATL03", release)).block("heights", BEAM, 0, 2000)
    assert heaviest / 2 < photons["weight_ph"].max() <= heaviest


def test_photons_cross_the_antimeridian() -> None:
    there = {"rgt": 1280, "granule_region": 11, "cycle_number": 1}
    made = ATL03Values(replace(granule("ATL03"), rows={"gt1l": 400}, sc_orient=1, seed=0, **there))
    photons = made.block("heights", "gt1l", 0, made.rows("heights", "gt1l"))
    longitude = photons["lon_ph"]
    assert np.abs(longitude).max() <= 180
    assert longitude.max() - longitude.min() > 359
    ground = true_photon_classes("gt1l", n_segments={"gt1l": 400}, **there) == 1
    above = photons["h_ph"] - surface_height(photons["lat_ph"], longitude, 1)
    assert np.abs(above[ground]).max() < 6 * 0.25


def test_absent_beam_has_no_classes() -> None:
    with pytest.raises(SelectionError, match=r"no beam 'gt3l'.*gt1l"):
        true_photon_classes("gt3l", n_segments={"gt1l": 3})
    assert true_photon_classes("gt1l", n_segments={"gt1l": 0}).shape == (0,)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
    st.lists(st.floats(0, 100), min_size=1, max_size=4),
)
def test_group_statistics_equal_numpy(labels: list[int], seed: int, percents: list[float]) -> None:
    numbers = np.random.default_rng(seed).normal(size=len(labels))
    groups = GroupedValues(np.sort(labels), 6)
    found = groups.percentiles(numbers, tuple(percents))
    mean, deviation = groups.mean(numbers), groups.deviation(numbers)
    for group in range(6):
        mine = numbers[np.sort(labels) == group]
        assert groups.counts[group] == len(mine)
        if not len(mine):
            assert np.isnan([*found[group], mean[group], deviation[group]]).all()
            continue
        np.testing.assert_allclose(found[group], np.percentile(mine, percents), atol=1e-9)
        np.testing.assert_allclose([mean[group], deviation[group]], [mine.mean(), mine.std()])


def variable(path: str, dtype: str, *dims: str | int, **more: object) -> TableVariable:
    return TableVariable(path=path, dtype=dtype, dims=dims or ("delta_time",), **more)


FLAG = variable("{beam}/heights/below/flag", "i1", flags=(("no", 0), ("yes", 1)), fill=127)
SHARE = variable("share", "f4", valid=(0, 1), fill=1e30)
COUNT = variable("{beam}/heights/count", "i4", "delta_time", "ds", units="counts", valid=(0, None))
TEXT = variable("ancillary_data/text", "S20", 2)
EVENT = variable("ancillary_data/event", "f8", "event", units="seconds since 2018-01-01")
OF_EVENT = variable("ancillary_data/of_event", "i4", "event", "ds")
SCALE = variable("ds", "i1", "ds", size=3)
HEIGHT = variable("{beam}/heights/h_ph", "f4", units="meters")


@given(st.integers(0, 10**8), st.integers(1, 300))
def test_filler_values_are_plausible(start: int, count: int) -> None:
    rows = np.arange(start, start + count)
    share = placeholder_rows(SHARE, "a/share", rows)
    assert np.nanmin(share, initial=0.5) >= 0
    assert np.nanmax(share, initial=0.5) <= 1
    assert set(np.unique(placeholder_rows(FLAG, "flag", rows))) <= {0, 1, 127}
    assert placeholder_rows(COUNT, "count", rows, (3,)).shape == (count, 3)
    assert (
        placeholder_rows(TEXT, "text", rows).astype("S20").tolist()
        == [b"synthetic text".ljust(20)] * count
    )
    np.testing.assert_array_equal(placeholder_rows(SHARE, "a/share", rows[-1:]), share[-1:])


def test_filler_values_vary_and_have_missing_values() -> None:
    rows = np.arange(1000)
    share = placeholder_rows(SHARE, "share", rows)
    assert np.nanstd(share) > 0.1
    assert 5 < np.count_nonzero(np.isnan(share)) < 20
    assert not np.array_equal(share, placeholder_rows(SHARE, "other", rows), equal_nan=True)
    assert set(np.unique(placeholder_rows(FLAG, "flag", rows))) == {0, 1, 127}


def test_unspecified_variables_are_filled() -> None:
    own = values("ATL03")
    heights = TreeRate(
        "heights",
        "{beam}/heights",
        ("delta_time",),
        (TreeGroup("", {}, (HEIGHT, COUNT)), TreeGroup("below", {}, (FLAG,))),
        {"ds": 3},
    )
    once = (TreeGroup("", {}, (SCALE,)), TreeGroup("ancillary_data", {}, (TEXT, EVENT, OF_EVENT)))
    scales = {"ds": 3, "ancillary_data/event": None}
    filled = CompletedValues(own, ProductTree("ATL03", "", {}, once, {}, (heights,), scales))
    block = filled.block("heights", BEAM, 10, 30)
    np.testing.assert_array_equal(block["h_ph"], own.block("heights", BEAM, 10, 30)["h_ph"])
    assert block["count"].shape == (20, 3)
    assert block["below/flag"].shape == (20,)
    assert filled.rows("heights", BEAM) == own.rows("heights", BEAM)
    constants, known = filled.constants(), own.constants()
    for path, array in known.items():
        np.testing.assert_array_equal(constants[path], array, err_msg=path)
    added = {path: array.shape for path, array in constants.items() if path not in known}
    assert added == {
        "ds": (3,),
        "ancillary_data/text": (2,),
        "ancillary_data/event": (1,),
        "ancillary_data/of_event": (1, 3),
    }
    np.testing.assert_array_equal(constants["ds"], [1, 2, 3])
    begin = known["ancillary_data/start_delta_time"]
    np.testing.assert_array_equal(constants["ancillary_data/event"], begin)
