"""Colours, point styles, distances and files that all pictures share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

__all__ = ["COLOURS", "POINTS", "distance_km", "save_figure"]

COLOURS: Mapping[str, str] = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "sky": "#56B4E9",
    "pink": "#CC79A7",
}
"""Palette of Okabe and Ito, which readers with any colour vision can tell apart."""
POINTS: Mapping[str, Any] = {"linestyle": "none", "marker": ".", "markersize": 2}


def distance_km(x_atc: Any, origin: Any) -> np.ndarray:
    """Return along-track distances from the least of `origin` in km; both are in metres."""
    return np.asarray((x_atc - origin.min()) / 1000)


def save_figure(figure: Figure, path: Path, title: str) -> None:
    """Write a figure under a title, and close it."""
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
    plt.close(figure)
