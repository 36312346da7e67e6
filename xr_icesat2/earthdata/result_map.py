"""Draw ground tracks on a small map, as SVG for notebooks."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .ground_track import Line

__all__ = ["svg_maps"]

MAX_LINES = 500
"""More tracks than this cover the map."""

_WIDTH, _MAX_HEIGHT = 480, 360
_SMALLEST = 4.0
"""Smallest range of latitudes, degrees."""
_SMALL_RING = 8.0
"""Pixels: an outline that is smaller is marked by a circle."""
_ENLARGED = 2.0
"""The area is drawn again if that makes it larger by this factor."""
_STEPS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45, 90)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Extent of the map: ranges of latitude and of longitude about a centre."""

    centre: float
    half_width: float
    south: float
    north: float
    scale: float
    """Pixels per degree of latitude."""
    shrink: float
    """Length of a degree of longitude in the middle of the map, in degrees of latitude."""

    @property
    def width(self) -> float:
        return 2 * self.half_width * self.shrink * self.scale

    @property
    def height(self) -> float:
        return (self.north - self.south) * self.scale

    def east(self, longitude: float) -> float:
        """Return degrees east of the centre, -180 to 180."""
        return (longitude - self.centre + 180) % 360 - 180

    def x(self, east: float) -> float:
        return (east + self.half_width) * self.shrink * self.scale

    def y(self, latitude: float) -> float:
        return (self.north - latitude) * self.scale


def svg_maps(tracks: Sequence[Line], rings: Sequence[Line] = ()) -> str:
    """Draw the granules with the searched area, and that area larger where it is small.

    Parameters
    ----------
    tracks
        Lines of (longitude, latitude) in degrees; the first 500 are drawn.
    rings
        Outlines of the searched area.

    Returns
    -------
    str
        One or two ``<svg>`` elements; ``""`` if there is nothing to draw.
    """
    everything = [point for line in (*tracks, *rings) for point in line]
    if not everything:
        return ""
    whole = _frame(everything, 0.1, _SMALLEST)
    drawn = [_svg(whole, tracks, rings, "Ground tracks")]
    area = [point for ring in rings for point in ring]
    if area and tracks:
        near = _frame(area, 1.0, _SMALLEST / 20)
        if near.scale > _ENLARGED * whole.scale:
            drawn.append(_svg(near, tracks, rings, "Searched area"))
    return "".join(drawn)


def _svg(frame: _Frame, tracks: Sequence[Line], rings: Sequence[Line], title: str) -> str:
    parts = [
        *_graticule(frame),
        *(_path(frame, track, "#1f77b4", 1.2) for track in tracks[:MAX_LINES]),
        *(_path(frame, ring, "#d95f02", 1.5) for ring in rings),
        *(_ring_mark(frame, ring) for ring in rings),
    ]
    size = f'width="{frame.width:.0f}" height="{frame.height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" '
        f'style="overflow:hidden;border:1px solid #999;margin-right:8px">'
        f"<title>{title}</title>{''.join(parts)}</svg>"
    )


def _ring_mark(frame: _Frame, ring: Line) -> str:
    """Return a circle about an outline that is too small to be seen; ``""`` for others."""
    x = [frame.x(frame.east(longitude)) for longitude, _ in ring]
    y = [frame.y(latitude) for _, latitude in ring]
    if not ring or max(max(x) - min(x), max(y) - min(y)) > _SMALL_RING:
        return ""
    place = f'cx="{sum(x) / len(x):.1f}" cy="{sum(y) / len(y):.1f}"'
    return f'<circle {place} r="{_SMALL_RING}" fill="none" stroke="#d95f02" stroke-width="1.5"/>'


def _frame(points: Sequence[tuple[float, float]], margin: float, smallest: float) -> _Frame:
    directions = sum(cmath.rect(1, math.radians(longitude)) for longitude, _ in points)
    centre = math.degrees(cmath.phase(directions)) if abs(directions) > 1e-6 else 0.0
    east = [(longitude - centre + 180) % 360 - 180 for longitude, _ in points]
    latitudes = [latitude for _, latitude in points]
    tall = max(max(latitudes) - min(latitudes), smallest)
    middle = (max(latitudes) + min(latitudes)) / 2
    south = max(-90.0, middle - tall * (0.5 + margin))
    north = min(90.0, middle + tall * (0.5 + margin))
    shrink = max(0.1, math.cos(math.radians((south + north) / 2)))
    half = max(max(map(abs, east)) * (1 + margin), (north - south) / shrink / 3)
    half = min(180.0, half)
    scale = min(_WIDTH / (2 * half * shrink), _MAX_HEIGHT / (north - south))
    return _Frame(centre, half, south, north, scale, shrink)


def _path(frame: _Frame, line: Line, colour: str, width: float) -> str:
    """Draw one line, interrupted where it continues on the other side of the map."""
    points = [(frame.east(longitude), latitude) for longitude, latitude in line]
    if not points:
        return ""
    drawn = [f"M{frame.x(points[0][0]):.1f} {frame.y(points[0][1]):.1f}"]
    for (before, _), (east, latitude) in pairwise(points):
        pen = "M" if abs(east - before) > 180 else "L"
        drawn.append(f"{pen}{frame.x(east):.1f} {frame.y(latitude):.1f}")
    return (
        f'<path d="{"".join(drawn)}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linecap="round"/>'
    )


def _graticule(frame: _Frame) -> Iterator[str]:
    grid = 'stroke="currentColor" stroke-opacity="0.25" stroke-width="0.5"'
    text = 'font-size="10" fill="currentColor" fill-opacity="0.7"'
    for latitude in _ticks(frame.south, frame.north):
        y = frame.y(latitude)
        yield f'<path d="M0 {y:.1f}H{frame.width:.1f}" {grid}/>'
        label = f"{abs(latitude):g}°{'N' if latitude >= 0 else 'S'}"
        yield f'<text x="2" y="{y - 2:.1f}" {text}>{label}</text>'
    for longitude in _ticks(frame.centre - frame.half_width, frame.centre + frame.half_width):
        x = frame.x(longitude - frame.centre)
        wrapped = (longitude + 180) % 360 - 180
        yield f'<path d="M{x:.1f} 0V{frame.height:.1f}" {grid}/>'
        label = f"{abs(wrapped):g}°{'E' if wrapped >= 0 else 'W'}"
        yield f'<text x="{x + 2:.1f}" y="{frame.height - 3:.1f}" {text}>{label}</text>'


def _ticks(low: float, high: float) -> list[float]:
    step = next((step for step in _STEPS if (high - low) / step <= 6), _STEPS[-1])
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    return [round(number * step, 6) for number in numbers]
