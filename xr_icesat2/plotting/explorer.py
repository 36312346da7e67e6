"""An interactive map for notebooks, drawn by deck.gl in the browser."""

from __future__ import annotations

import html
import json
import os
import zlib
from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.safe_files import atomic_file

from .labels import beam_title
from .map_rows import MapRows
from .palette import NOISE
from .projection import choose_projection
from .track_distance import cumulative_distance, ellipsoid_directions

__all__ = ["Explorer", "make_explorer"]

Floats = NDArray[np.float64]

_MERCATOR = 85.05
"""Degrees of latitude where the tiles of web maps end."""
_STEPS = 250
"""Colours of a ramp; a palette has at most 256."""
_BUNDLE = ("nbextension", "static", "index.js")
_OPAQUE = 255
_MANY = 100_000


class Explorer:
    """An interactive map: a notebook shows it, :meth:`save` writes it.

    The page has everything in it: the points, and the program that draws them. It requests nothing
    from other sites, except the tiles of a base map.
    """

    def __init__(self, page: dict[str, Any], height: int) -> None:
        self._page = page
        self._height = height

    def to_html(self) -> str:
        """Return the page as text."""
        here = files(__package__)
        bundle = files("pydeck").joinpath(*_BUNDLE).read_text(encoding="utf-8")
        # Within a script, these letters would end it, wherever they are.
        data = json.dumps(self._page).replace("<", "\\u003c")
        parts = {
            "%%BUNDLE%%": bundle.replace("</script", "<\\/script"),
            "%%PAGE%%": data,
            "%%SCRIPT%%": here.joinpath("explorer.js").read_text(encoding="utf-8"),
        }
        text = here.joinpath("explorer.html").read_text(encoding="utf-8")
        pieces = [text]
        for mark, part in parts.items():
            before, after = pieces.pop().split(mark)
            pieces += [before, part, after]
        return "".join(pieces)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to an HTML file, which a browser opens without a network.

        Parameters
        ----------
        path : str or path
            The file; it is replaced if it exists.
        """
        page = self.to_html()
        with atomic_file(Path(path)) as partial, partial.open("x", encoding="utf-8") as file:
            file.write(page)

    def _repr_html_(self) -> str:
        page = html.escape(self.to_html())
        return (
            f'<iframe srcdoc="{page}" width="100%" height="{self._height}" '
            'style="border:1px solid #999" sandbox="allow-scripts"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Explorer: {self._page['count']:,} points, {self._page['title']!r}>"


def make_explorer(rows: MapRows, *, basemap: str | None, robust: bool, height: int) -> Explorer:
    """Make the page as :meth:`.DatasetAccessor.explore` says."""
    longitude, latitude = rows.places()
    if basemap is not None:
        _check_tiles(basemap, latitude)
    plane = _Plane(longitude, latitude, in_degrees=basemap is not None)
    points = plane.place(rows.longitude, rows.latitude)
    outlines = [plane.place(line[:, 0], line[:, 1]) for line in rows.outlines]
    middle = plane.middle
    offsets = np.stack([_half_turn(rows.longitude - middle[0]), rows.latitude - middle[1]], -1)
    colours, palette, legend = _colours(rows, robust=robust)
    numbers, texts = _numbers(rows)
    page = {
        "count": len(points),
        "title": rows.title,
        "name": rows.name,
        "note": plane.name,
        "unit": rows.hue.unit,
        "texts": texts,
        "legend": legend,
        "palette": palette,
        "colours": _packed(colours),
        "values": _packed(numbers.astype("<f4")),
        "degrees": _packed(offsets.astype("<f4")),
        # On a base map, places are degrees.
        "metres": "" if basemap else _packed(points.astype("<f4")),
        "centre": list(middle),
        "bounds": _bounds(np.concatenate([points, *outlines])),
        "groundScale": plane.ground_scale,
        "outlines": [line.tolist() for line in outlines],
        "beams": [beam_title(track) for track in rows.tracks],
        "starts": [0, *np.cumsum(rows.counts).tolist()][: len(rows.tracks)],
        "basemap": basemap,
        "radius": 1.5 if len(points) > _MANY else 2.5,
    }
    return Explorer(page, height)


class _Plane:
    """The plane of the map: metres from its centre, or degrees for a base map."""

    def __init__(self, longitude: Floats, latitude: Floats, *, in_degrees: bool) -> None:
        self._projection = None if in_degrees else choose_projection(longitude, latitude)
        x, y, z = (
            ellipsoid_directions(latitude, longitude).mean(axis=0) if longitude.size else (1, 0, 0)
        )
        self.middle = (
            float(np.degrees(np.arctan2(y, x))),
            float(np.degrees(np.arctan2(z, np.hypot(x, y)))),
        )
        self._centre = np.zeros(2)
        self._centre = self.place(*(np.array([degrees]) for degrees in self.middle))[0]
        self.name = "Web Mercator" if self._projection is None else self._projection.name

    def place(self, longitude: Floats, latitude: Floats) -> Floats:
        """Return x and y from the centre, of (n, 2); longitude and latitude for a base map."""
        if self._projection is None:
            east = _half_turn(longitude - self.middle[0]) + self.middle[0]
            return np.stack([east, latitude], axis=-1)
        x, y = self._projection.forward(longitude, latitude)
        return np.asarray(np.stack([x, y * self._projection.aspect], axis=-1) - self._centre)

    @property
    def ground_scale(self) -> float:
        """Metres on the ground of a unit of x at the centre."""
        if self._projection is None:
            return 1.0
        step = 100.0 if self._projection.is_metric else 0.001
        x, y = self._centre[0] + np.array([0, step]), np.full(2, self._centre[1])
        longitude, latitude = self._projection.inverse(x, y / self._projection.aspect)
        return float(cumulative_distance(ellipsoid_directions(latitude, longitude))[0] / step)


def _half_turn(degrees: Floats) -> Floats:
    return np.asarray((degrees + 180) % 360 - 180)


def _check_tiles(basemap: str, latitude: Floats) -> None:
    if not all(mark in str(basemap) for mark in ("{z}", "{x}", "{y}")):
        raise SelectionError(
            f"basemap={basemap!r}, expected the address of tiles with {{z}}, {{x}} and {{y}}, such "
            "as 'https://tile.openstreetmap.org/{z}/{x}/{y}.png'"
        )
    if (np.abs(latitude) > _MERCATOR).any():
        raise SelectionError(
            f"basemap= uses tiles of Web Mercator, which end at {_MERCATOR} degrees of latitude, "
            "and there are rows beyond. Without basemap=, the map is polar stereographic."
        )


def _colours(rows: MapRows, *, robust: bool) -> tuple[NDArray[np.uint8], list[Any], dict[str, Any]]:
    """Return the colour of each row as a position in the palette, the palette, and the legend."""
    known, hue = rows.known, rows.hue
    colours = np.zeros(len(known), np.uint8)
    legend: dict[str, Any] = {"title": hue.label, "categories": [], "ramp": None, "limits": []}
    if not known.all():
        legend["categories"].append(["no value", NOISE])
    if hue.categories is None:
        low, high = rows.colour_limits(robust=robust)
        part = (rows.values[known].astype(np.float64) - low) / max(high - low, 1e-12)
        colours[known] = 1 + np.clip(part * (_STEPS - 1), 0, _STEPS - 1).astype(np.uint8)
        ramp = [colormaps["viridis"](step / (_STEPS - 1)) for step in range(_STEPS)]
        legend["ramp"] = [_css(ramp[step]) for step in range(0, _STEPS, 25)] + [_css(ramp[-1])]
        legend["limits"] = [f"{low:.7g}", f"{high:.7g}"]
    else:
        ramp = [one.colour for one in hue.categories]
        for number, one in enumerate(hue.categories):
            colours[rows.values == one.value] = 1 + number
            legend["categories"].append([one.label, _css(one.colour)])
    return colours, [_bytes(colour) for colour in (NOISE, *ramp)], legend


def _numbers(rows: MapRows) -> tuple[NDArray[Any], list[str]]:
    """Return the number that tells the value of each row, and the texts that it counts, if any."""
    if rows.hue.categories is None:
        return rows.values, []
    numbers = np.full(len(rows.values), np.nan)
    for number, one in enumerate(rows.hue.categories):
        numbers[rows.values == one.value] = number
    return numbers, [one.label for one in rows.hue.categories]


def _bytes(colour: Any) -> list[int]:
    return [*(round(part * _OPAQUE) for part in to_rgb(colour)), _OPAQUE]


def _css(colour: Any) -> str:
    return to_hex(colour)


def _packed(array: NDArray[Any]) -> str:
    """Return an array as the page reads it: little-endian, deflated, in base64."""
    return b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 1)).decode("ascii")


def _bounds(points: Floats) -> list[float]:
    """Return west, south, east and north of points, not all at one place."""
    if not points.size:
        return [-1.0, -1.0, 1.0, 1.0]
    low, high = points.min(axis=0), points.max(axis=0)
    least = np.maximum(high - low, 1e-3 * max(1.0, float((high - low).max())))
    middle = (low + high) / 2
    return [*(middle - least / 2).tolist(), *(middle + least / 2).tolist()]
