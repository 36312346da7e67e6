"""What the pictures have in common: colours, points, distances, files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

__all__ = ["COLOURS", "POINTS", "kilometres", "save"]

COLOURS: Mapping[str, str] = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "sky": "#56B4E9",
    "pink": "#CC79A7",
}
"""After Okabe and Ito: they can be told apart with any kind of colour vision."""
POINTS: Mapping[str, Any] = {"linestyle": "none", "marker": ".", "markersize": 2}


def kilometres(x_atc: Any, origin: Any) -> np.ndarray:
    """Give distances along the track from where `origin` is least, km; both in metres."""
    return np.asarray((x_atc - origin.min()) / 1000)


def save(figure: Figure, path: Path, title: str) -> None:
    """Write a picture."""
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
    plt.close(figure)
