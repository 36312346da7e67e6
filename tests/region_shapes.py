"""Random polygons and points for tests of regions."""

import os

import numpy as np
import shapely

SEEDS = range(int(os.environ.get("XR_ICESAT2_TEST_REGIONS", "20")))
"""Random polygons of a test; a long one takes 500."""

CRS = {
    3031: (-1e6, 1e6, 6e5),
    3413: (-3e5, -2e6, 4e5),
    32633: (5e5, 8e6, 1e5),
    3857: (-5e6, 1e7, 1e6),
    6933: (-1.7e7, -7e6, 1e5),
    2263: (9.9e5, 2e5, 5e4),  # feet
    4267: (-100.0, 40.0, 5.0),  # degrees of another datum
    4807: (5.0, 50.0, 3.0),  # grads from Paris
    3411: (-3e5, -2e6, 4e5),  # another ellipsoid
}
"""Centre and size of an area by the EPSG code of its CRS."""


def scattered(bounds, count=2000, seed=0):
    """Return points in and around bounds in degrees."""
    west, south, east, north = bounds
    rng = np.random.default_rng(seed)
    wide, tall = (east - west) % 360 or 360.0, north - south
    lon = rng.uniform(west - wide / 4, west + 1.25 * wide, count)
    lat = rng.uniform(max(-90, south - tall / 4), min(90, north + tall / 4), count)
    return (lon + 180) % 360 - 180, lat


def random_polygon(rng, centre, size):
    """Return a star-shaped polygon about a point, or a ring."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 12)))
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    ring = steps * rng.uniform(0.5, 1, (len(angles), 1))
    holes = [0.2 * ring] if rng.random() < 0.5 else []
    polygon = shapely.Polygon(centre + size * ring, [centre + size * hole for hole in holes])
    return polygon if polygon.is_valid else polygon.buffer(0)
