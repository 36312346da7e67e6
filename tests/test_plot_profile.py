"""Profiles: what the axes hold equals the granule, and labels say what it is."""

import sys

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pyproj
import pytest
import xarray as xr
from matplotlib.collections import LineCollection, PathCollection

from tests.counted_link import CountedLink
from tests.laziness import is_loaded
from tests.paths import granule
from tests.plot_fixtures import opened
from xr_icesat2 import links
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.errors import MissingExtraError, RateError, SelectionError
from xr_icesat2.testing import true_photon_classes, write_granule

pytestmark = pytest.mark.usefixtures("figures_are_closed")

FOREST = {
    "rgt": 533,
    "granule_region": 3,
    "cycle_number": 7,
    "n_segments": {"gt1r": 50, "gt2l": 40},
}
BEAM = "gt1r"
SPOT = 5


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("profile")
    found = {name: write_granule(folder, name, **FOREST) for name in ("ATL03", "ATL06", "ATL08")}
    other = FOREST | {"cycle_number": 8}
    return found | {"later": write_granule(folder, "ATL06", **other)}


def points(axes):
    """Points of a panel, by their label in the legend."""
    found = [one for one in axes.collections if isinstance(one, PathCollection)]
    return {one.get_label(): np.asarray(one.get_offsets()) for one in found}


def texts(axes):
    figure = axes.figure
    found = [axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")]
    found += [text.get_text() for text in figure.texts]
    found += [figure.get_suptitle(), figure.get_supylabel()]
    for legend in figure.legends:
        found += [legend.get_title().get_text(), *(t.get_text() for t in legend.get_texts())]
    return " | ".join(found)


@pytest.mark.parametrize(("layout", "chunks"), [("spot", None), ("flat", None), ("spot", {})])
def test_points_are_the_rows_of_the_file(paths, layout, chunks):
    ds = xr.open_dataset(paths["ATL06"], engine="icesat2", layout=layout, chunks=chunks)
    panels = ds.icesat2.plot.profile()
    with h5py.File(paths["ATL06"]) as file:
        rows = {beam: file[f"{beam}/land_ice_segments"] for beam in ("gt1r", "gt2l")}
        x = {beam: one["ground_track/x_atc"][:] for beam, one in rows.items()}
        y = {beam: one["h_li"][:] for beam, one in rows.items()}
    assert len(panels) == 2
    origin = min(one.min() for one in x.values())
    for axes in panels:
        beam = next(beam for beam in x if beam in axes.get_title(loc="left"))
        valid = y[beam] < 1e30
        assert valid.any()
        expected = np.stack([(x[beam][valid] - origin) / 1000, y[beam][valid]], axis=1)
        [drawn] = points(axes).values()
        np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-9)
    assert chunks is not None or not is_loaded(ds.h_li)


def test_labels_say_what_is_drawn(paths):
    panels = opened(paths["ATL06"]).icesat2.plot.profile()
    [weak, strong] = panels
    assert weak.get_title(loc="left") == "spot 4 (gt2l, weak)"
    assert strong.get_title(loc="left") == "spot 5 (gt1r, strong)"
    for expected in (
        "ATL06 006",
        "RGT 533",
        "cycle 7",
        "2020-04-",
        "h_li\n(m above the WGS 84 ellipsoid)",
        "(km from x_atc",
    ):
        assert expected in texts(strong)


def test_photons_have_the_colour_of_their_class(paths):
    photons = opened(paths["ATL03"], layout="flat")
    segments = opened(paths["ATL03"], layout="flat", group="geolocation")
    listed = opened(paths["ATL08"], layout="flat", group="signal_photons")
    classes = links.photon_classes(photons, segments, listed)
    axes = photons.assign(atl08_class=classes).icesat2.plot.profile(spots=SPOT)
    drawn = points(axes)
    with h5py.File(paths["ATL03"]) as file:
        heights = file[f"{BEAM}/heights/h_ph"][:]
    truth = true_photon_classes(BEAM, **FOREST)
    for number, name in {1: "ground", 2: "canopy", 3: "top of canopy"}.items():
        np.testing.assert_array_equal(drawn[name][:, 1], heights[truth == number])
        assert name in texts(axes)
    assert sum(map(len, drawn.values())) == len(heights)
    assert "atl08_class" in texts(axes)


def test_photons_without_classes_have_the_colour_of_their_confidence(paths):
    axes = opened(paths["ATL03"]).icesat2.plot.profile(spots="strong")
    with h5py.File(paths["ATL03"]) as file:
        highest = file[f"{BEAM}/heights/signal_conf_ph"][:].max(axis=1)
    drawn = {label: len(found) for label, found in points(axes).items()}
    assert drawn == {
        name: (highest == number).sum()
        for number, name in {0: "noise", 1: "buffer", 2: "low", 3: "medium", 4: "high"}.items()
        if (highest == number).any()
    }
    assert "highest of surface_type" in texts(axes)


def test_hue_may_be_a_number_or_nothing(paths):
    ds = opened(paths["ATL06"], layout="flat")
    [one, _] = ds.icesat2.plot.profile(hue="h_li_sigma")
    assert one.figure.axes[-1].get_ylabel().endswith("h_li_sigma (m)")
    axes = opened(paths["ATL03"]).icesat2.plot.profile(hue=False, spots=SPOT)
    assert len(points(axes)) == 1


def test_segments_lie_over_photons_of_their_beam(paths):
    photons = opened(paths["ATL03"], layout="flat")
    segments = opened(paths["ATL03"], layout="flat", group="geolocation")
    photons = photons.assign(x_atc=links.along_track_distance(photons, segments))
    axes = photons.icesat2.plot.profile(spots=SPOT, over=opened(paths["ATL06"]))
    [lines] = (one for one in axes.collections if isinstance(one, LineCollection))
    ends = np.array(lines.get_segments())
    with h5py.File(paths["ATL06"]) as file:
        h_li = file[f"{BEAM}/land_ice_segments/h_li"][:]
        x_atc = file[f"{BEAM}/land_ice_segments/ground_track/x_atc"][:]
    valid = h_li < 1e30
    origin = photons["x_atc"].groupby("spot").min().sel(spot=SPOT).item()
    np.testing.assert_allclose(ends[:, 0, 1], h_li[valid], rtol=1e-6)
    np.testing.assert_allclose(ends.mean(1)[:, 0], (x_atc[valid] - origin) / 1000, atol=1e-6)
    np.testing.assert_allclose(np.diff(ends[:, :, 0])[:, 0], 0.04)
    assert "ATL06 h_li" in texts(axes)


def test_segments_without_distance_are_placed_by_latitude_and_longitude(paths):
    photons = opened(paths["ATL03"])
    names = ["h_te_best_fit", "h_canopy_abs"]
    land = opened(paths["ATL08"])
    axes = photons.icesat2.plot.profile(spots=SPOT, over=[land], over_variables=names)
    lines = [one for one in axes.collections if isinstance(one, LineCollection)]
    assert len(lines) == 2
    with h5py.File(paths["ATL08"]) as file:
        group = file[f"{BEAM}/land_segments"]
        place = [group[name][:].astype(float) for name in ("longitude", "latitude")]
        valid = group["terrain/h_te_best_fit"][:] < 1e30
    with h5py.File(paths["ATL03"]) as file:
        first = [file[f"{BEAM}/heights/{name}"][0] for name in ("lon_ph", "lat_ph")]
    metres = pyproj.Geod(ellps="WGS84").inv(*np.broadcast_arrays(*first, *place))[2]
    middles = np.array(lines[0].get_segments()).mean(1)[:, 0]
    np.testing.assert_allclose(middles, metres[valid] / 1000, rtol=1e-4, atol=0.01)


@pytest.mark.parametrize("name", ["ATL06_20181014001049_02350102_003_01.h5"])
def test_distances_without_x_atc_are_geodesic(name):
    ds = opened(granule(name), layout="flat")
    first = ds["gt"].values[0]
    with_x = points(np.ravel(ds.icesat2.plot.profile(spots=first))[0])["ATL06 h_li"]
    bare = ds.drop_vars("x_atc").icesat2.plot.profile(spots=first)
    without = points(bare)["ATL06 h_li"]
    np.testing.assert_array_equal(without[:, 1], with_x[:, 1])
    from_first = with_x[:, 0] - with_x[0, 0]
    np.testing.assert_allclose(without[:, 0] - without[0, 0], from_first, rtol=5e-4, atol=0.01)
    assert bare.get_xlabel() == "Distance along the track (km)"


def test_cycles_of_a_track_share_an_axis(paths):
    both = xr.open_dataset([paths["ATL06"], paths["later"]], engine="icesat2", layout="flat")
    panels = both.icesat2.plot.profile(spots=SPOT)
    assert len(panels) == 2
    assert "cycles 7, 8" in texts(panels[0])
    assert panels[0].get_xlim() == panels[1].get_xlim()
    one = both.icesat2.plot.profile(spots=SPOT, granules=5330803)
    assert "cycle 8" in texts(one)


def test_reference_points_have_a_colour_for_each_cycle():
    path = granule("ATL11_078805_0304_02_v002.h5")
    axes = opened(path).icesat2.plot.profile()
    with h5py.File(path) as file:
        heights = file["pt2/corrected_h/h_corr"][:]
    drawn = points(axes)
    for number, cycle in enumerate(("3", "4")):
        values = heights[:, number]
        np.testing.assert_array_equal(drawn[cycle][:, 1], values[values < 1e30])


def test_given_axes_are_drawn_in(paths):
    figure, (above, below) = plt.subplots(2)
    ds = opened(paths["ATL06"])
    assert ds.icesat2.plot.profile(spots=SPOT, ax=below) is below
    assert not above.collections
    assert "RGT 533" in below.get_title(loc="left")
    assert "spot 5 (gt1r, strong)" in below.get_title(loc="left")
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(SelectionError, match="1 axes for 2 beams"):
        ds.icesat2.plot.profile(ax=above)


def test_robust_panels_say_what_is_outside(paths):
    axes = opened(paths["ATL03"]).icesat2.plot.profile(spots=SPOT, robust=True)
    low, high = axes.get_ylim()
    heights = np.concatenate(list(points(axes).values()))[:, 1]
    outside = ((heights < low) | (heights > high)).sum()
    assert outside > 100
    assert f"{outside:,} points above or below" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_no_row_one_row_and_no_value(paths, layout):
    ds = opened(paths["ATL06"], layout=layout)
    along = "segment_idx"
    assert "no rows" in ds.isel({along: []}).icesat2.plot.profile().texts[0].get_text()
    one = ds.isel({along: [0]}).icesat2.plot.profile(spots=SPOT if layout == "spot" else None)
    assert all(len(found) <= 1 for found in points(one).values())
    empty = ds.assign(h_li=ds.h_li * np.nan).icesat2.plot.profile(spots=SPOT)
    assert "no valid values" in empty.texts[0].get_text()


def test_nodes_of_trees_are_drawn(paths):
    atl03, atl06 = (xr.open_datatree(paths[name], engine="icesat2") for name in ("ATL03", "ATL06"))
    ice = atl06["land_ice_segments"]
    axes = atl03["heights"].icesat2.plot.profile(spots=SPOT, over=ice)
    assert any(isinstance(one, LineCollection) for one in axes.collections)
    assert "h_li" in ice.icesat2.plot.map().figure.axes[-1].get_ylabel()
    with pytest.raises(RateError, match="one rate"):
        atl03.icesat2.plot.profile()


def test_what_is_drawn_is_read_in_one_burst(paths):
    source = CountedLink(paths["ATL06"], RequestCost(latency=0.06, bandwidth=200e6))
    ds = xr.open_dataset(source, engine="icesat2", layout="flat")
    assert ds.sizes["segment_idx"] > 0
    before, log = source.round_trips, len(source.log)
    ds.icesat2.plot.profile(spots=SPOT)
    assert source.round_trips - before <= 2  # headers of datasets, then their values
    every = 0
    with h5py.File(paths["ATL06"]) as file:
        group = file[f"{BEAM}/land_ice_segments"]
        names = ("h_li", "latitude", "longitude", "delta_time", "ground_track/x_atc")
        every = sum(group[name].id.get_storage_size() for name in names)
    assert sum(length for _, length in source.log[log:]) < 1.5 * every + 65_536
    assert not is_loaded(ds.h_li)


def test_impossible_requests_are_refused(paths):
    ds = opened(paths["ATL06"])
    profile = ds.icesat2.plot.profile
    with pytest.raises(SelectionError, match="Did you mean 'h_li'"):
        profile("h_lii")
    with pytest.raises(SelectionError, match="hue='klass'"):
        profile(hue="klass")
    with pytest.raises(SelectionError, match="delta_time is datetime64"):
        profile(hue="delta_time")
    with pytest.raises(SelectionError, match=r"spots=7.*has 4, gt2l, 5, gt1r"):
        profile(spots=7)
    with pytest.raises(SelectionError, match="granules=1 "):
        profile(granules=1)
    with pytest.raises(SelectionError, match="cycle_number 7"):
        profile(over=opened(paths["later"]))
    with pytest.raises(SelectionError, match="expected a Dataset"):
        profile(over="ATL08")
    with pytest.raises(SelectionError, match=r"no main height.*variable="):
        opened(paths["ATL03"], group="bckgrd_atlas").icesat2.plot.profile()
    with pytest.raises(RateError, match="icesat2"):
        xr.Dataset({"h": ("x", [1.0])}).icesat2.plot.profile()
    with pytest.raises(RateError, match="latitude"):
        ds.drop_vars("latitude").icesat2.plot.profile()
    assert plt.get_fignums() == []


def test_missing_matplotlib_is_named(paths, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib.*xr-icesat2\[map\]"):
        opened(paths["ATL06"]).icesat2.plot.profile()
