"""Attributes in unusual forms: arrays of one string, and invalid values."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.paths import SHARED, granule
from tests.tiny import write_tiny
from xr_icesat2.cli.main import main
from xr_icesat2.testing import write_granule

STRUCTURAL = ("CLASS", "NAME")
LAYOUTS = ("spot", "flat", "file")
open_dataset = partial(xr.open_dataset, engine="icesat2")
open_datatree = partial(xr.open_datatree, engine="icesat2")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("plain")
    path = write_granule(path, product="ATL06", rgt=1, cycle_number=3, n_segments=20)
    with h5py.File(path, "a") as file:
        del file["orbit_info/sc_orient"]  # so that the attributes of the beams tell their spots
    return path


def of_variable_length(text: str) -> np.ndarray:
    return np.array([text], h5py.string_dtype())


def of_fixed_length(text: str) -> np.ndarray:
    return np.array([text.encode()])


def texts_as_arrays(obj: h5py.Group | h5py.Dataset, make: Callable[[str], np.ndarray]) -> None:
    for name, value in list(obj.attrs.items()):
        if isinstance(value, bytes | str) and name not in STRUCTURAL:
            text = value.decode() if isinstance(value, bytes) else value
            del obj.attrs[name]
            obj.attrs[name] = make(text)


@pytest.fixture(scope="module", params=[of_variable_length, of_fixed_length])
def arrays(request, plain, tmp_path_factory) -> Path:
    """The same granule with every text attribute an array of one text."""
    path = tmp_path_factory.mktemp("arrays") / plain.name
    shutil.copy(plain, path)
    with h5py.File(path, "a") as file:
        texts_as_arrays(file, request.param)
        file.visititems(lambda _, obj: texts_as_arrays(obj, request.param))
    return path


@pytest.fixture(params=[0, 512], ids=["own parser", "HDF5 library"])
def either(request, arrays, tmp_path) -> Path:
    """As it is, and behind a user block, which only the HDF5 library reads."""
    path = tmp_path / arrays.name
    path.write_bytes(bytes(request.param) + arrays.read_bytes())
    return path


@pytest.fixture(scope="module")
def expected_trees(plain) -> dict[str, tuple[xr.DataTree, dict[str, object]]]:
    trees = {layout: open_datatree(plain, layout=layout) for layout in LAYOUTS}
    return {layout: (tree, described(tree)) for layout, tree in trees.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_string_arrays_of_one_element_become_strings(expected_trees, either, layout):
    expected, description = expected_trees[layout]
    tree = open_datatree(either, layout=layout)
    assert described(tree) == description
    path = "gt1l/land_ice_segments" if layout == "file" else "land_ice_segments"
    xr.testing.assert_identical(
        tree[path]["delta_time"].variable, expected[path]["delta_time"].variable
    )


def described(tree: xr.DataTree) -> dict[str, object]:
    """Everything of a tree but its values."""
    return {
        f"{path}/{name}": (
            dict(obj.sizes),
            getattr(obj, "dtype", None),
            repr(sorted(obj.attrs.items())),
        )
        for path, node in tree.to_dict().items()
        for name, obj in {"": node, **node.variables}.items()
    } | {f"{path}@coords": set(node.coords) for path, node in tree.to_dict().items()}


def test_granule_with_string_array_attributes_opens_and_saves(plain, arrays, tmp_path, capsys):
    ds = open_dataset(arrays)
    assert set(ds.coords) == set(open_dataset(plain).coords)
    assert ds["delta_time"].dtype == "M8[ns]"
    for engine in ("netcdf4", "h5netcdf"):
        ds[["h_li"]].to_netcdf(tmp_path / "again.nc", engine=engine)
    assert main(["info", str(arrays)]) == 0
    assert "land_ice_segments" in capsys.readouterr().out


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf", "zarr"])
@pytest.mark.parametrize("kind", ["S5", h5py.string_dtype()], ids=["fixed", "variable"])
def test_attributes_with_several_strings_can_be_saved(plain, kind, engine, tmp_path):
    path = tmp_path / plain.name
    shutil.copy(plain, path)
    with h5py.File(path, "a") as file:
        file.attrs["words"] = np.array(["alpha", "b"], kind)
    ds = open_dataset(path, variables="h_li")
    assert list(ds.attrs["words"]) == ["alpha", "b"]
    ds = xr.Dataset(attrs=ds.attrs)
    if engine == "zarr":
        ds.to_zarr(tmp_path / "again", consolidated=False)
    else:
        ds.to_netcdf(tmp_path / "again", engine=engine)
    options = {"consolidated": False} if engine == "zarr" else {}
    again = xr.open_dataset(tmp_path / "again", engine=engine, **options)
    assert again.attrs["words"] == ["alpha", "b"]


def test_subset_written_by_netcdf4_cf_opens(capsys):
    path = granule("processed_ATL10-01_20200228162543_09770601_006_01.nc")
    tree = open_datatree(path)
    assert tree["freeboard_segment"]["delta_time"].dtype == "M8[ns]"
    assert "delta_time" in tree["freeboard_segment"].coords
    assert main(["info", str(path)]) == 0


@pytest.mark.parametrize("name", ["clip_ATL03_VegR.h5", "clip_ATL08_VegR.h5"])
def test_clips_written_by_r_have_spots(name):
    path = granule(name)
    with h5py.File(path) as file:
        spots = {
            int(file[beam].attrs["atlas_spot_number"][0]): beam for beam in file if "gt" in beam
        }
    ds = open_dataset(path)
    assert dict(zip(ds["spot"].values, ds["gt"].values[0], strict=True)) == spots


WITHOUT_SENSE = SHARED / "hostile" / "23_bad_attrs.h5"


@pytest.mark.skipif(not WITHOUT_SENSE.exists(), reason="the file is not here (../shared/hostile)")
@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification")
def test_invalid_attributes_are_kept_undecoded(tmp_path, caplog):
    tree = open_datatree(WITHOUT_SENSE, layout="file")
    ds = tree.to_dataset()
    repr(tree)
    tree._repr_html_()
    with h5py.File(WITHOUT_SENSE) as file:
        names = list(file)
        for name in names:
            attribute, kind, _ = name.rsplit("__", 2)
            check_undecoded(ds[name], file[name], attribute, kind, ds)
    assert "units=array([0, 1, 2, 3]" in caplog.text
    tree.load()
    for engine in ("netcdf4", "h5netcdf"):
        tree.to_netcdf(tmp_path / f"{engine}.nc", engine=engine)
    ds[names[::10]].to_zarr(tmp_path / "zarr", consolidated=False)


def check_undecoded(
    found: xr.DataArray, stored: h5py.Dataset, attribute: str, kind: str, ds: xr.Dataset
) -> None:
    decodes = attribute in ("_FillValue", "missing_value", "scale_factor", "add_offset")
    if not decodes or kind in ("arr", "sarr", "empty", "s"):
        masked = attribute == "missing_value" and kind == "arr"
        values = stored[...] if not masked else found.values
        np.testing.assert_array_equal(found.values.astype(values.dtype), values)
    if kind == "obj" or attribute in STRUCTURAL:
        return  # a reference, and what ties datasets to dimensions, are never shown
    kept = {**ds.icesat2.source_encoding[stored.name[1:]], **found.attrs, **found.encoding}
    value = stored.attrs[attribute]
    if not isinstance(value, h5py.Empty) and attribute != "dtype":
        texts = [text.decode() for text in value] if kind == "sarr" else value
        np.testing.assert_array_equal(kept[attribute], texts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", np.arange(3)),
        ("units", np.float64(2.5)),
        ("units", h5py.Empty("f8")),
        ("coordinates", np.arange(3)),
        ("_FillValue", np.arange(3.0)),
        ("_FillValue", "none"),
        ("scale_factor", "none"),
        ("scale_factor", np.arange(3.0)),
        ("add_offset", h5py.Empty("f8")),
        ("_Encoding", np.float64(1)),
        ("calendar", np.arange(3)),
        ("dtype", np.arange(3)),
    ],
    ids=str,
)
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_merged_variables_keep_invalid_attributes(plain, tmp_path, layout, name, value):
    expected = open_dataset(plain, layout=layout, variables=["h_li"]).load()
    path = tmp_path / plain.name
    shutil.copy(plain, path)
    with h5py.File(path, "a") as file:
        for beam in (name for name in file if name.startswith("gt")):
            stored = file[f"{beam}/land_ice_segments/h_li"]
            stored.attrs[name] = value
    ds = open_dataset(path, layout=layout, variables=["h_li"])
    filled = expected["h_li"].fillna(np.finfo("f4").max) if name == "_FillValue" else None
    found = ds["h_li"].values
    if filled is not None:  # its fill value was overwritten: that is a number now, or none at all
        found = np.where(np.isnan(found), np.finfo("f4").max, found)
    np.testing.assert_array_equal(found, expected["h_li"].values if filled is None else filled)
    ds.to_netcdf(tmp_path / "again.nc", engine="h5netcdf")


def test_single_characters_stay_bytes_for_xarray_to_join(tmp_path, caplog):
    path = tmp_path / "characters.nc"
    texts = np.array(["ab", "é", "-"]).astype(object)
    characters = np.array([list(b"ab"), list("é".encode()), list(b"-\0")], "u1").view("S1")
    with h5py.File(path, "w") as file:
        for name, values in {"joined": characters, "line": characters[0]}.items():
            file[name] = values
            file[name].attrs["_Encoding"] = "utf-8"
        for name, values in {"marked": characters, "words": np.array([b"abc", b"-"])}.items():
            file[name] = values
            file[name].attrs["_FillValue"] = np.bytes_("-")
        file["encoded"] = np.array([b"abc", "é".encode()])
        file["encoded"].attrs["_Encoding"] = "utf-8"
    ds = open_dataset(path, layout="file").load()
    raw = open_dataset(path, layout="file", decode_cf=False)
    for name in ("joined", "line", "marked", "words"):
        assert ds[name].dtype == raw[name].dtype
        np.testing.assert_array_equal(ds[name], raw[name])
        assert "char_dim_name" not in ds[name].encoding
        assert f"/{name}: the attribute _" in caplog.text
    assert (
        ds["encoded"].values.tolist() == xr.decode_cf(raw[["encoded"]])["encoded"].values.tolist()
    )
    assert xr.decode_cf(ds[["joined"]])["joined"].values.tolist() == texts.tolist()
    assert "_FillValue=np.str_('-') is not decoded: values of type |S3 remain bytes" in caplog.text


@pytest.mark.parametrize(
    "fill",
    [np.int64(300), np.int64(-200), np.float64(2.5), np.float64("nan"), np.float64(1e30), "none"],
)
def test_fill_value_outside_the_dtype_is_not_used_for_padding(tmp_path, fill):
    path, name = tmp_path / "ATL06_20181014001049_02350102_006_01.h5", "atl06_quality_summary"
    rows = {"gt1l": [1, 2, 3], "gt1r": [4]}
    datasets = {}
    for beam, values in rows.items():
        group = f"{beam}/land_ice_segments"
        datasets[f"{group}/delta_time"] = np.arange(len(values), dtype="f8")
        datasets[f"{group}/{name}"] = np.array(values, "i1")
    attrs = {f"{beam}/land_ice_segments/{name}": {"_FillValue": fill} for beam in rows}
    write_tiny(path, datasets, product="ATL06", attrs=attrs)
    ds = open_dataset(path, layout="spot", mask_and_scale=False)
    assert ds[name].dtype == np.int8
    padding = ds.icesat2.source_encoding[name]["pad_value"]
    assert padding in (np.iinfo("i1").max, np.iinfo("i1").min)
    assert ds[name].sel(spot=6).values[0].tolist() == [1, 2, 3]
    assert ds[name].sel(spot=5).values[0].tolist() == [4, padding, padding]
