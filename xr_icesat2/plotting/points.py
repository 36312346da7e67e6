"""The style of points in pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["point_style"]

_AREA = 20_000.0
"""Square points that all points of a panel may cover together."""
_MIN, _MAX = 0.3, 10.0


def point_style(count: int) -> dict[str, Any]:
    """Return keywords of ``scatter``: the more points, the smaller; rasterized in vector files."""
    area = float(np.clip(_AREA / max(count, 1), _MIN, _MAX))
    return {"s": area, "linewidths": 0, "rasterized": True}
