"""Files of polygons make the region of the geometry that was written."""

import json

import geopandas as gpd
import pytest
import shapely

from xr_icesat2.errors import SelectionError
from xr_icesat2.region import make_region

AREA = shapely.Polygon(
    [(-50, -70), (-45, -70), (-44, -69), (-50, -68.5)], [[(-48, -69.5), (-47, -69.5), (-47, -69.2)]]
)
METRES = gpd.GeoSeries([AREA], crs=4326).to_crs(3031)
KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>"""
FOLDER = """<Folder><name>{}</name><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>
-50,-70,0 -45,-70,0 -44,-69,0 -50,-68.5,0 -50,-70,0
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder>"""


@pytest.mark.parametrize("suffix", ["geojson", "json"])
def test_geojson_is_read(tmp_path, suffix):
    path = tmp_path / f"fjord.{suffix}"
    path.write_text(json.dumps(shapely.geometry.mapping(AREA)))
    for given in (path, str(path)):
        assert make_region(given) == make_region(AREA)
    path.write_text("\ufeff" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert make_region(path) == make_region(AREA)
    METRES.to_file(path, driver="GeoJSON")  # with the member crs
    assert make_region(path) == make_region(gpd.read_file(path))
    assert make_region(path).crs.to_epsg() == 3031


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "fgb"])
@pytest.mark.parametrize("series", [gpd.GeoSeries([AREA], crs=4326), METRES])
def test_formats_of_gdal_are_read(tmp_path, suffix, series):
    path = tmp_path / f"fjord.{suffix}"
    series.to_file(path)
    assert make_region(path) == make_region(series)


def test_kml_is_read(tmp_path):
    path = tmp_path / "fjord.kml"
    path.write_text(KML.format(FOLDER.format("fjord")))
    assert make_region(path) == make_region(shapely.Polygon(AREA.exterior))
    path.write_text(KML.format(FOLDER.format("fjord") + FOLDER.format("lake")))
    with pytest.raises(SelectionError, match=r"layers 'fjord', 'lake'.*layer='fjord'"):
        make_region(path)


def test_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    METRES.to_file(tmp_path / "fjord.gpkg")
    assert make_region("~/fjord.gpkg") == make_region(METRES)


def test_file_without_a_crs_is_refused(tmp_path):
    gpd.GeoSeries([AREA], crs=4326).to_file(tmp_path / "fjord.shp")
    (tmp_path / "fjord.prj").unlink()
    with pytest.raises(SelectionError, match=r"no CRS.*read_file.*set_crs"):
        make_region(tmp_path / "fjord.shp")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("fjord.geojson", None, "cannot be read"),
        ("fjord.gpkg", None, "cannot be read"),
        ("fjord.tif", None, "cannot be read"),
        ("fjord", None, "cannot be read"),
        ("fjord.geojson", b"{", "not GeoJSON"),
        ("fjord.geojson", b"\xff", "not GeoJSON"),
        ("fjord.geojson", b"[1]", "not GeoJSON"),
        ("fjord.shp", b"\x00\x00'\n", "cannot be read"),
        ("fjord.tif", b"II", "cannot be read"),
        ("fjord.csv", b"a,b\n1,2\n", "no geometries"),
    ],
)
def test_unreadable_files_are_refused(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SelectionError, match=says):
        make_region(tmp_path / name)
